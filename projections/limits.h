// The bounds of the views.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::projections {

// Instances that a feed holds in memory between batches (about 1 KiB each beside their payloads).
inline constexpr size_t kMaxTrackedInstances = 50'000;
// Records of a batch. What is written is seen after it.
inline constexpr uint64_t kBatchRecords = 8'192;

}  // namespace stele::projections
