// How long an edge waits for its clients. What EdgeOptions has, too, is only a default here.
#pragma once

#include <cstddef>

namespace stele::server {

// For a TLS handshake.
inline constexpr int kHandshakeSeconds = 10;
// For connections to end once the server stops; what is left then is cut off.
inline constexpr int kDrainSeconds = 10;
// Threads that read views and the log, and that hash passwords.
inline constexpr size_t kReadingThreads = 4;

}  // namespace stele::server
