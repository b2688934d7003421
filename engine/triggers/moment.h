// A moment in a definition: a date, or a date and a time, with or without an offset from UTC.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "engine/triggers/time_zone.h"

namespace stele::triggers {

// "2026-05-01", "2026-05-01T09:30", "2026-05-01 09:30:15.25", each with "Z" or "+02:00" behind it
// or else on the clock of `zone`. Microseconds since 1970-01-01T00:00:00Z; nothing when the text is
// none. Source: RFC 3339, with the time and the offset optional.
std::optional<int64_t> ParseMoment(std::string_view text, const TimeZone& zone);

}  // namespace stele::triggers
