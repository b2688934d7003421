// The bounds of names, values and files of secrets.
#pragma once

#include <cstddef>

namespace stele::secrets {

inline constexpr size_t kMaxNameBytes = 128;
inline constexpr size_t kMaxValueBytes = 64u << 10;
inline constexpr size_t kMaxEntries = 10'000;
// A file of NAME=value lines, and the store.
inline constexpr size_t kMaxFileBytes = 16u << 20;

}  // namespace stele::secrets
