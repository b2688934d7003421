#include "base/payload.h"

#include <cstdlib>
#include <cstring>

#include "base/check.h"
#include "base/json.h"

namespace stele {

Payload Payload::FromText(std::string_view json) {
  CHECK(json.size() <= kWrittenJson.bytes, "a payload of {} bytes", json.size());
  Payload payload;
  void* memory = std::malloc(sizeof(Node) + json.size());
  CHECK(memory != nullptr, "no memory for {} bytes", json.size());
  payload.node_ = new (memory) Node{1, static_cast<uint32_t>(json.size()), nullptr};
  std::memcpy(Bytes(payload.node_), json.data(), json.size());
  return payload;
}

Payload Payload::FromValue(const Value& value) {
  return FromText(ToJson(value));
}

const Value& Payload::value() const {
  static const Value kNull;
  if (node_ == nullptr) return kNull;
  if (node_->parsed == nullptr) {
    Result<Value> parsed = ParseJson(text(), nullptr, kWrittenJson);
    CHECK(parsed.has_value(), "a payload is no JSON: {}", parsed.error().message);
    node_->parsed = new Value(*std::move(parsed));
  }
  return *node_->parsed;
}

void Payload::Destroy(Node* node) {
  delete node->parsed;
  std::free(node);
}

}  // namespace stele
