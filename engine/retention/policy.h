// How long what is kept: a part of the settings file (docs/settings.md, docs/retention.md).
#pragma once

#include <cstdint>

namespace stele::retention {

struct RetentionPolicy {
  // Ended instances whose definition does not say; 0: for ever.
  int64_t closed_us = 0;
  // Blocks whose records are all older leave the hot log; 0: none by its age.
  int64_t archive_after_us = 0;
  // What the hot log may hold; beyond it the oldest blocks leave; 0: any.
  uint64_t hot_log_bytes = 0;
  // Between two runs.
  int64_t every_us = int64_t{3'600} * 1'000'000;
};

// Instances that go at once: one record, one cut.
inline constexpr uint64_t kPortionInstances = 1'024;

}  // namespace stele::retention
