// The word that was probably meant by one that is not known.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stele {

// Longer words are near to nothing: the work grows with the product of two lengths.
inline constexpr size_t kMaxNearestBytes = 60;

// The word of `known` that is nearest to `word` in spelling; empty when none is near.
std::string Nearest(std::string_view word, const std::vector<std::string>& known);

}  // namespace stele
