// At most so many in any time of that length, exactly: the moments of the last ones are kept.
//
// A bucket of tokens would let twice as many begin around the moment at which it is full again. For
// large counts the time is cut into parts with a part of the count each, which bounds the memory
// and is never more than the limit.
//
// Times are given. Thread: the owner's.
#pragma once

#include <vector>

#include "base/clock.h"
#include "engine/definition/definition.h"

namespace stele::runtime {

class RateWindow {
 public:
  // Moments that are kept at most.
  static constexpr uint32_t kMaxKept = 1'024;

  // A count of 0: no limit.
  explicit RateWindow(const definition::RateLimit& limit);

  // The next may begin at that moment or later; 0: at any time.
  TimeUs Opens() const;
  // One begins. REQUIRES: `now` is not before Opens() nor before the last one.
  void Begin(TimeUs now);

 private:
  size_t count_;
  int64_t per_us_;
  std::vector<TimeUs> began_;  // a ring of the last `count_`
  size_t oldest_ = 0;
};

}  // namespace stele::runtime
