// Text as words, for searching: lower case of ASCII, everything that is no letter or digit between
// them.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::projections {

// In their order, repetitions too; each cut to kMaxWordBytes, at most `limit`.
std::vector<std::string> WordsOf(std::string_view text, size_t limit);

// Cut to so many bytes, not within a character.
std::string_view CutText(std::string_view text, size_t bytes);

}  // namespace stele::projections
