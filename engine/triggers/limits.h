// How much a trigger may ask for. Whoever runs triggers may pass lower bounds where a function
// takes one.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::triggers {

inline constexpr size_t kMaxCronBytes = 256;
inline constexpr int64_t kMinEveryUs = 1'000'000;  // of `@every` and `interval`
inline constexpr int64_t kMaxJitterUs = int64_t{86'400} * 1'000'000;
inline constexpr size_t kMaxFirings = 10'000;  // listed by one call
inline constexpr size_t kMaxTriggers = 200;    // of one definition
inline constexpr size_t kMaxGlobBytes = 256;
inline constexpr size_t kMaxGlobs = 64;                    // of one filter
inline constexpr size_t kMaxPathBytes = 512;               // of a webhook
inline constexpr size_t kMaxWebhookBodyBytes = 25u << 20;  // what GitHub sends at most
inline constexpr size_t kMaxDeduplicationKeyBytes = 256;

}  // namespace stele::triggers
