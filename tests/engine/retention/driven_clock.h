// A clock that a test drives while several threads read it.
#pragma once

#include <atomic>

#include "base/clock.h"

namespace stele::retention {

class DrivenClock final : public Clock {
 public:
  TimeUs Now() const override { return TimeUs(now_); }
  void Advance(int64_t microseconds) { now_ += microseconds; }

 private:
  std::atomic<int64_t> now_ = 1'700'000'000'000'000;
};

}  // namespace stele::retention
