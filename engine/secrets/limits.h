// The bounds of names, values and files of secrets, and of keys.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::secrets {

inline constexpr size_t kMaxNameBytes = 128;
inline constexpr size_t kMaxValueBytes = 64u << 10;
inline constexpr size_t kMaxEntries = 10'000;
// A file of NAME=value lines, and the store.
inline constexpr size_t kMaxFileBytes = 16u << 20;
// A key as text, in a file or printed by a command.
inline constexpr size_t kMaxKeyTextBytes = 4096;
// How long a command that prints a key may take: somebody may have to touch a token.
inline constexpr int64_t kKeyCommandPatienceMs = 60'000;

}  // namespace stele::secrets
