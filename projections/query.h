// What people write to find rows: `status:failed definition:order* started>24h -tag:eu "timed
// out"`. docs/queries.md describes it; which fields there are, and what a value may be, is the
// table's matter (filter.h).
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace stele::projections {

enum class Operator : uint8_t { kMatch, kLess, kAtMost, kGreater, kAtLeast };
// ":", "<", "<=", ">", ">="
std::string_view SignOf(Operator op);

struct QueryValue {
  std::string text;
  bool prefix = false;  // whatever begins so
  uint32_t column = 0;  // in bytes from 1; 0: it was not in a text
  bool operator==(const QueryValue& other) const {
    return text == other.text && prefix == other.prefix;
  }
};

struct Condition {
  std::string field;  // as it was written; "text" of a word without one
  Operator op = Operator::kMatch;
  bool negated = false;
  std::vector<QueryValue> values;  // one of them; exactly one unless kMatch
  uint32_t column = 0;             // of its field, in bytes from 1

  bool operator==(const Condition& other) const {
    return field == other.field && op == other.op && negated == other.negated &&
           values == other.values;
  }
};

// All of them hold.
struct Query {
  std::vector<Condition> conditions;
  bool operator==(const Query&) const = default;
};

// kExpressionSyntax with the column, also of what other languages have and this one has not: `or`,
// brackets; or kLimitExceeded.
Result<Query> ParseQuery(std::string_view text);

// That the field is one of these values, as they are. Nothing when there are none.
void AddCondition(Query& query, std::string_view field, const std::vector<std::string>& values);

// The form that a query is compared and printed in; parses to the same.
std::string ToText(const Query& query);
std::string ToText(const Condition& condition);
// A value as it is written: `order*`, `"a b"`.
std::string ToText(const QueryValue& value);

}  // namespace stele::projections
