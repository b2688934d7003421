// Bounds of a shard, each a member of ShardOptions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::runtime {

// Records that are decided but not durable; beyond it commands wait in the inbox.
inline constexpr size_t kMaxRecordsInFlight = 65'536;
// Memory that idle instances may hold before the one that was idle longest is evicted.
inline constexpr size_t kIdleMemoryBytes = 256u << 20;
// An instance is written down after this many of its events.
inline constexpr uint64_t kSnapshotEvents = 1'000;
// Records between checkpoints: what recovery has to read again at most, and a little more.
inline constexpr uint64_t kCheckpointRecords = 200'000;
// An attempt's output, as JSON.
inline constexpr size_t kMaxOutputBytes = 1u << 20;
// An instance's input and variables at its start, together.
inline constexpr size_t kMaxInputBytes = 4u << 20;

}  // namespace stele::runtime
