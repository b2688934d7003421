// What bounds a dry fork: it always ends, whatever its stubs say.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::replay {

struct WhatIfLimits {
  // More records and events than are recorded behind the fork. A loop that a stub never ends comes
  // to its end here.
  uint64_t more_records = 100'000;
  uint64_t more_events = 1'000'000;
  // Of the recorded history, which is in memory as it is stored.
  size_t recorded_bytes = size_t{1} << 30;
};

// What a report lists, of many.
inline constexpr size_t kMaxShownSteps = 1'000;
inline constexpr size_t kMaxShownLeftOver = 100;

}  // namespace stele::replay
