// Points in time as RFC 3339 writes them: "2026-11-21T09:30:00Z", "2026-11-21 09:30:00.25+08:00".
#pragma once

#include <optional>
#include <string_view>

#include "base/ids.h"

namespace stele::definition {

// Nothing when the text is no time, has no offset, or lies before 1970.
std::optional<TimeUs> ParseTime(std::string_view text);

}  // namespace stele::definition
