// How much observing a server may cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stele::server {

// Names of definitions, and of task types, that have series of their own; the rest are "other".
inline constexpr size_t kMaxNamedSeries = 200;
// Kinds of requests (method, route, status) that are told apart.
inline constexpr size_t kMaxRequestKinds = 2'000;
inline constexpr std::string_view kOtherSeries = "other";

// A reading serves whoever asks within that time.
inline constexpr int64_t kReadingKeptMs = 1'000;
// A disk that takes longer is told of as slow.
inline constexpr int64_t kDurablePatienceMs = 2'000;

}  // namespace stele::server
