// How long: "1h30m", "500ms", "2 minutes", "PT5M" or a number of seconds.
#pragma once

#include <optional>
#include <string_view>

#include "engine/definition/document.h"

namespace stele::definition {

// Microseconds, not negative, at most kMaxDurationUs. Nothing when the text is no duration.
std::optional<int64_t> ParseDuration(std::string_view text);

// " of at most 10 years" when the text, or the number of seconds, is longer than that; empty for
// all else. Follows what a sentence says was expected.
std::string_view DurationBound(const Value& found);

// Adds a fault when it is none. `what` names it: "a timeout".
std::optional<int64_t> ReadDuration(const Node& node, std::string_view what, Faults& faults);

}  // namespace stele::definition
