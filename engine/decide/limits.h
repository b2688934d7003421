// Bounds of one instance and of one turn of deciding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::decide {

// A loop's count at most.
inline constexpr int64_t kMaxTimes = 1'000'000'000;
// One cause may have this many consequences; more are taken for a cycle that never waits.
inline constexpr size_t kMaxEventsPerRecord = 100'000;
// The same in bytes. What the last token adds to them, a few documents of the size below, still has
// room in a record of the log.
inline constexpr size_t kMaxBytesPerRecord = 64u << 20;
// Of what one step is given, of what it gives, of what a scope gives.
inline constexpr size_t kMaxDocumentBytes = 8u << 20;
// A delay or a retry's delay at most: ten years.
inline constexpr int64_t kMaxDelayUs = 10LL * 366 * 24 * 3600 * 1'000'000;

// Variables that one command sets, or a decision of a person's. What looks for a name among them is
// linear.
inline constexpr size_t kMaxVariablesSet = 1'000;
// How long a published message is kept for a wait when its step does not say: an hour.
inline constexpr int64_t kMessageTimeToLiveUs = 3'600'000'000;
// A name or a key: of messages and signals, business and idempotency keys, tags.
inline constexpr size_t kMaxKeyBytes = 1'024;
// Signals that an instance keeps until something waits for them.
inline constexpr size_t kMaxKeptSignals = 1'000;
// Reminders of a task for people when it does not say how many.
inline constexpr uint32_t kReminders = 10;

}  // namespace stele::decide
