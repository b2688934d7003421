// Bounds of one instance and of one turn of deciding.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::decide {

// A loop's count at most.
inline constexpr int64_t kMaxTimes = 1'000'000'000;
// One cause may have this many consequences; more are taken for a cycle that never waits.
inline constexpr size_t kMaxEventsPerRecord = 100'000;
// What an executor that keeps its timeout itself is given beyond it, before the engine steps in.
inline constexpr int64_t kTimeoutGraceUs = 15'000'000;
// A delay or a retry's delay at most: ten years.
inline constexpr int64_t kMaxDelayUs = 10LL * 366 * 24 * 3600 * 1'000'000;

}  // namespace stele::decide
