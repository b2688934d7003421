// Bounds of a shard, each a member of ShardOptions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::runtime {

// Records that are decided but not durable; beyond it commands wait in the inbox.
inline constexpr size_t kMaxRecordsInFlight = 65'536;
// The bytes of such records, and of those that a turn is deciding: one record more at most.
inline constexpr size_t kMaxBytesInFlight = 256u << 20;
// Memory that idle instances may hold before the one that was idle longest is evicted.
inline constexpr size_t kIdleMemoryBytes = 256u << 20;
// An instance is written down after this many of its events.
inline constexpr uint64_t kSnapshotEvents = 1'000;
// Records between checkpoints: what recovery has to read again at most, and a little more.
inline constexpr uint64_t kCheckpointRecords = 200'000;
// Changed notes in memory; beyond it a checkpoint writes them down sooner.
inline constexpr size_t kMaxChangedNotes = 65'536;
// An attempt's output, as JSON.
inline constexpr size_t kMaxOutputBytes = 1u << 20;
// An instance's input and variables at its start, together.
inline constexpr size_t kMaxInputBytes = 4u << 20;
// What a message, a signal, a decision or a setting of variables carries.
inline constexpr size_t kMaxPayloadBytes = 1u << 20;
// Instances that are open at once; 0: any number.
inline constexpr size_t kMaxOpenInstances = 0;
// Attempts that are outside at once, calls apart.
inline constexpr size_t kMaxOpenAttempts = 10'000;
// Attempts that wait for a limit; at so many nothing new is started.
inline constexpr size_t kMaxQueuedAttempts = 100'000;
// Calls in each other.
inline constexpr uint32_t kMaxCallDepth = 64;
// What an executor that keeps its timeout itself is given beyond it, before the engine steps in.
inline constexpr int64_t kTimeoutGraceUs = 15'000'000;

}  // namespace stele::runtime
