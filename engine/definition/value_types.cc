#include "engine/definition/value_types.h"

#include "engine/definition/reader.h"

namespace stele::definition {

std::optional<std::string> FindValueType(std::string_view word) {
  const std::string folded = Fold(word);
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {"string", "string"}, {"text", "string"},     {"number", "number"}, {"float", "number"},
      {"double", "number"}, {"integer", "integer"}, {"int", "integer"},   {"boolean", "boolean"},
      {"bool", "boolean"},  {"array", "array"},     {"list", "array"},    {"object", "object"},
      {"map", "object"},    {"json", "any"},        {"any", "any"},
  };
  for (const auto& [known, type] : kTypes)
    if (folded == known) return std::string(type);
  return std::nullopt;
}

bool FitsType(const Value& value, std::string_view type) {
  if (value.is_null() || type == "any") return true;
  if (type == "number") return value.is_number();
  return KindName(value.kind()) == type;
}

const std::vector<std::string>& ValueTypes() {
  static const std::vector<std::string> kTypes = {"string", "number", "integer", "boolean",
                                                  "array",  "object", "any"};
  return kTypes;
}

}  // namespace stele::definition
