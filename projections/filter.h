// The conditions of a query as a table understands them: which field, which values, and whether a
// row fits.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "projections/query.h"
#include "projections/table.h"

namespace stele::projections {

// A term, or all that begin so.
struct Needle {
  std::string value;
  bool prefix = false;
};

// A value of a condition: fits when all of its needles are in the row. Only a text has several, its
// words.
struct Pattern {
  std::vector<Needle> needles;
};

// Both ends are in it.
struct Range {
  int64_t low = INT64_MIN;
  int64_t high = INT64_MAX;
};

struct Filter {
  const Field* field = nullptr;
  Operator op = Operator::kMatch;
  bool negated = false;
  std::vector<Pattern> patterns;  // one of them fits
  std::vector<Range> ranges;      // moments, durations, compared numbers
  std::string name;               // kNamed, compared: of what
  double bound = 0;               // and with what
  uint32_t column = 0;

  bool Fits(const RowFacts& facts) const;
};

// Moments that are given as a duration count from `now`. kUnknownKey: there is no such field, which
// names those that there are; kInvalidInput: the value is none of the field's.
Result<std::vector<Filter>> FiltersOf(const Query& query, const TableSchema& schema, TimeUs now);

}  // namespace stele::projections
