// How long and how much the REST interface goes at most.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace stele::server::rest {

// Of `?wait=`: proxies give up on what takes much longer.
inline constexpr int64_t kMaxWaitUs = 60'000'000;
// How long a question waits for a view that is to know of `after`.
inline constexpr std::chrono::milliseconds kAfterPatience{5'000};

// Of a header Idempotency-Key.
inline constexpr size_t kMaxIdempotencyHeaderBytes = 255;

// How often a caller to whom something streams is asked for a token that is still good.
inline constexpr int64_t kTokenCheckSeconds = 15;

}  // namespace stele::server::rest
