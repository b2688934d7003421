// How long an attempt may take, of all that have a word in it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace stele::tasks {

// The shorter of two, where 0 is none.
inline int64_t ShorterTimeout(int64_t a_us, int64_t b_us) {
  if (a_us == 0 || b_us == 0) return std::max(a_us, b_us);
  return std::min(a_us, b_us);
}

// The shorter of what the configuration and the step say; where neither says anything, the task
// type's own. 0 is none.
inline int64_t EffectiveTimeout(int64_t config_us, int64_t step_us, int64_t default_us) {
  const int64_t said_us = ShorterTimeout(config_us, step_us);
  return said_us > 0 ? said_us : default_us;
}

}  // namespace stele::tasks
