// A JSON document of a user's that the engine carries (an input, an output, a variable): immutable
// text, shared by reference, parsed only when somebody looks inside. An empty Payload is absent,
// which is not the same as JSON null.
//
// Not for concurrent use: a shard's payloads stay on the shard's thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/value.h"

namespace stele {

class Payload {
 public:
  Payload() = default;
  // Text that is already known to be JSON, within kWrittenJson (json.h).
  static Payload FromText(std::string_view json);
  static Payload FromValue(const Value& value);

  Payload(const Payload& other) noexcept : node_(other.node_) {
    if (node_ != nullptr) ++node_->references;
  }
  Payload(Payload&& other) noexcept : node_(std::exchange(other.node_, nullptr)) {}
  Payload& operator=(Payload other) noexcept {
    std::swap(node_, other.node_);
    return *this;
  }
  ~Payload() {
    if (node_ != nullptr && --node_->references == 0) Destroy(node_);
  }

  bool has_value() const { return node_ != nullptr; }
  // The JSON text; empty when absent.
  std::string_view text() const {
    return node_ == nullptr ? std::string_view() : std::string_view(Bytes(node_), node_->size);
  }
  // Parses on first use. Null when absent. The reference lives as long as any copy of this payload.
  const Value& value() const;
  // Whether somebody has looked inside, so that the parsed form is in memory beside the text.
  bool is_parsed() const { return node_ != nullptr && node_->parsed != nullptr; }

  bool operator==(const Payload& other) const { return text() == other.text(); }

 private:
  struct Node {
    uint32_t references;
    uint32_t size;
    Value* parsed;  // owned; null until somebody looks
  };
  static char* Bytes(Node* node) { return reinterpret_cast<char*>(node + 1); }
  static void Destroy(Node* node);

  Node* node_ = nullptr;
};

}  // namespace stele
