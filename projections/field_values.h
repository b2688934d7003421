// Values of fields as people write them.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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

// "2026-01-31T09:30:00.25Z" in microseconds since 1970. A space may stand for the "T"; the seconds
// may be left out, and so may the offset, which is UTC then: "2026-01-31 09:30", "…+08:00",
// "…+0800".
std::optional<int64_t> InstantOf(std::string_view text);

// What MomentOf takes, for people.
inline constexpr std::string_view kMomentForms =
    "a day (2026-01-31), a moment (2026-01-31T09:30:00Z), how long ago (24h), from now (+2h), or "
    "now";

// A day; an instant; "24h", so long before `now`, and "+24h", so long behind it; "now".
std::optional<Interval> MomentOf(std::string_view text, TimeUs now);

// " of at most 10 years" when the text is a longer time ago, or from now on; else empty. Follows
// what a sentence says was expected.
std::string MomentBound(std::string_view text);

// In microseconds.
std::optional<Interval> DurationOf(std::string_view text);

std::optional<int64_t> IntegerOf(std::string_view text);
std::optional<double> NumberOf(std::string_view text);

}  // namespace stele::projections
