// A YAML or JSON file as a tree that remembers where everything stands, so that every later fault
// has a line and a column. What the two syntaxes can both say is the same tree.
//
// A plain YAML scalar has the type that the YAML 1.2 core schema gives it; a quoted one is a
// string. Aliases are expanded (and keep the place of what they repeat), `<<` merges.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "engine/definition/faults.h"
#include "engine/definition/load.h"

namespace stele::definition {

struct Entry;

struct Node {
  enum class Kind : uint8_t { kScalar, kList, kMap };

  Kind kind = Kind::kScalar;
  Value scalar;
  std::string raw;             // a scalar that is neither string nor null, as it was written
  std::vector<Node> items;     // kList
  std::vector<Entry> entries;  // kMap, in the file's order, without repeated keys
  Place place;
  Place text;  // of a string's first byte inside its quotes; 0 when its bytes are not in one line

  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }
  bool is_null() const { return is_scalar() && scalar.is_null(); }
  bool is_string() const { return is_scalar() && scalar.is_string(); }
  const Node* Find(std::string_view key) const;
};

struct Entry {
  std::string key;
  Place place;
  Node value;
};

// "a list", "a mapping", "nothing", "\"abc\"", "5"
std::string Describe(const Node& node);

Value ToValue(const Node& node);
// Without places.
Node ToNode(const Value& value);

// Nothing when the text is no document of that syntax or passes a limit; then a fault was added.
std::optional<Node> ParseYamlDocument(std::string_view text, Faults& faults);
std::optional<Node> ParseJsonDocument(std::string_view text, Faults& faults);
std::optional<Node> ParseDocument(std::string_view text, Syntax syntax, Faults& faults);

}  // namespace stele::definition
