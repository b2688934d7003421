// Names of branches and tags by pattern: `*` is any text without a slash, `**` any text, `?` one
// character that is no slash; everything else is itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace stele::triggers {

// In time proportional to the product of both lengths, whatever the pattern.
bool MatchesGlob(std::string_view pattern, std::string_view text);

// A filter: patterns in order; one that begins with `!` takes names out that an earlier one let in.
// The last that matches decides. An empty filter matches nothing.
bool MatchesFilter(const std::vector<std::string>& patterns, std::string_view text);

}  // namespace stele::triggers
