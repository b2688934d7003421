// Values of fields as people write them.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/ids.h"

namespace stele::projections {

// From `begin` on, before `end`.
struct Interval {
  int64_t begin = 0;
  int64_t end = 0;
};

// "2026-01-31": the day in UTC, in microseconds since 1970.
std::optional<Interval> DayOf(std::string_view text);

// A day; "2026-01-31T09:30:00Z", an instant; "24h", so long before `now`, and "+24h", so long
// behind it; "now".
std::optional<Interval> MomentOf(std::string_view text, TimeUs now);

// In microseconds.
std::optional<Interval> DurationOf(std::string_view text);

std::optional<int64_t> IntegerOf(std::string_view text);
std::optional<double> NumberOf(std::string_view text);

}  // namespace stele::projections
