// The bounds of alerts.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server::alerts {

// Rules, which bound the labels of the metric and what a turn reads; the name of one, its texts.
inline constexpr size_t kMaxRules = 100;
inline constexpr size_t kMaxRuleNameBytes = 64;
inline constexpr size_t kMaxRuleBytes = 16u << 10;

// How often all rules are looked at.
inline constexpr int64_t kTurnSeconds = 15;

// What a window may be: minutes are kept for so long (docs/statistics.md).
inline constexpr int64_t kMinWindowUs = 60'000'000;
inline constexpr int64_t kMaxWindowUs = int64_t{6} * 3'600'000'000;
inline constexpr char kDefaultWindow[] = "5m";
inline constexpr int64_t kMaxHoldUs = int64_t{24} * 3'600'000'000;

// A message as it is sent.
inline constexpr size_t kMaxMessageBytes = 4'096;

// A delivery that has failed is tried again behind so much, then behind twice that, and so on up to
// the last; so often in all, which is some two hours.
inline constexpr int64_t kFirstRetryUs = 1'000'000;
inline constexpr int64_t kLastRetryUs = 600'000'000;
inline constexpr uint32_t kMaxAttempts = 20;
inline constexpr int64_t kDeliveryTimeoutUs = 30'000'000;
// Of one rule so many wait; the oldest goes first.
inline constexpr size_t kMaxWaitingDeliveries = 100;

}  // namespace stele::server::alerts
