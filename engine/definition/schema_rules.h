// What a JSON Schema compiles to: a table of rules that name each other by index. Between
// json_schema.cc, which builds it, and schema_check.cc, which asks it.
#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/value.h"
#include "engine/definition/json_schema.h"

namespace stele::definition {

inline constexpr uint32_t kNoRule = UINT32_MAX;

struct SchemaRule {
  std::string pointer;   // where it stands in the schema
  bool refuses = false;  // the schema `false`
  bool date_time = false;
  bool unique_items = false;
  std::vector<std::string> types{};  // empty: every type
  std::optional<Array> choices{};    // `enum`, or `const` as a list of one
  std::optional<Value> minimum{}, maximum{}, above{}, below{}, multiple_of{};
  std::optional<int64_t> min_length{}, max_length{}, min_items{}, max_items{}, min_contains{},
      max_contains{}, min_properties{}, max_properties{};
  std::shared_ptr<const re2::RE2> pattern{};
  std::vector<std::string> required{};
  std::vector<std::pair<std::string, std::vector<std::string>>> dependent_required{};

  std::vector<uint32_t> prefix_items{}, all_of{}, any_of{}, one_of{};
  uint32_t items = kNoRule;  // of those behind `prefix_items`
  uint32_t contains = kNoRule;
  uint32_t property_names = kNoRule;
  uint32_t additional_properties = kNoRule;
  uint32_t not_ = kNoRule;
  uint32_t if_ = kNoRule;
  uint32_t then_ = kNoRule;
  uint32_t else_ = kNoRule;
  uint32_t reference = kNoRule;
  std::vector<std::pair<std::string, uint32_t>> properties{}, dependent_schemas{};
  std::vector<uint32_t> by_name{};  // indices of `properties`, sorted by their names
  std::vector<std::pair<std::shared_ptr<const re2::RE2>, uint32_t>> pattern_properties{};
};

struct SchemaRules {
  std::vector<SchemaRule> rules;  // [0] is the root
};

std::vector<SchemaFault> CheckSchema(const SchemaRules& rules, const Value& value,
                                     bool with_templates);

}  // namespace stele::definition
