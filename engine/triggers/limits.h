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
inline constexpr size_t kMaxBuffered = 1'000;  // firings of one trigger that wait in line
inline constexpr size_t kMaxFilling = 10'000;  // the same, with those of backfills
// Firings that came too late are counted so far in one go.
inline constexpr size_t kMaxMissedCounted = 100'000;
// A firing that is no later than this is on time, whatever `catch_up` says.
inline constexpr int64_t kPunctualUs = int64_t{10} * 1'000'000;
// A start that was refused because too much waits is asked for again after this long.
inline constexpr int64_t kStartAgainUs = 1'000'000;
// The clock is looked at again after this long at the latest, since it may have been set.
inline constexpr int64_t kMaxSleepUs = int64_t{30} * 1'000'000;
// Records behind which the fold of the log is noted: what a restart reads again, at least.
inline constexpr uint64_t kNoteRecords = 4'096;

}  // namespace stele::triggers
