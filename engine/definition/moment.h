// Points in time as RFC 3339 writes them: "2026-11-21T09:30:00Z", "2026-11-21 09:30:00.25+08:00".
#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"

namespace stele::definition {

// Microseconds since 1970-01-01T00:00:00Z, below 0 before it. Nothing when the text is no time or
// has no offset.
std::optional<int64_t> ParseInstant(std::string_view text);

// The same, of what is not before 1970.
std::optional<TimeUs> ParseTime(std::string_view text);

}  // namespace stele::definition
