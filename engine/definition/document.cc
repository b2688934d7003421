#include "engine/definition/document.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/limits.h"

namespace stele::definition {

const Node* Node::Find(std::string_view key) const {
  for (const Entry& entry : entries)
    if (entry.key == key) return &entry.value;
  return nullptr;
}

std::string Describe(const Node& node) {
  if (node.is_list()) return "a list";
  if (node.is_map()) return "a mapping";
  if (node.is_null()) return "nothing";
  return node.is_string() ? Quote(node.scalar.as_string()) : node.raw;
}

Value ToValue(const Node& node) {
  switch (node.kind) {
    case Node::Kind::kScalar:
      return node.scalar;
    case Node::Kind::kList: {
      Array array;
      array.reserve(node.items.size());
      for (const Node& item : node.items) array.push_back(ToValue(item));
      return array;
    }
    case Node::Kind::kMap: {
      Object object;
      for (const Entry& entry : node.entries) object.Set(entry.key, ToValue(entry.value));
      return object;
    }
  }
  return {};
}

Node ToNode(const Value& value) {
  Node node;
  if (value.is_array()) {
    node.kind = Node::Kind::kList;
    for (const Value& item : value.as_array()) node.items.push_back(ToNode(item));
  } else if (value.is_object()) {
    node.kind = Node::Kind::kMap;
    for (const Member& member : value.as_object())
      node.entries.push_back({member.key, {}, ToNode(member.value)});
  } else {
    node.scalar = value;
    if (!value.is_string() && !value.is_null()) node.raw = ToJson(value);
  }
  return node;
}

std::optional<Node> ParseDocument(std::string_view text, Syntax syntax, Faults& faults) {
  if (text.size() > kMaxFileBytes) {
    faults.Add(ErrorCode::kLimitExceeded, {1, 1},
               fmt::format("Expected a file of at most {} bytes but found {}", kMaxFileBytes,
                           text.size()));
    return std::nullopt;
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return syntax == Syntax::kJson ? ParseJsonDocument(text, faults)
                                 : ParseYamlDocument(text, faults);
}

}  // namespace stele::definition
