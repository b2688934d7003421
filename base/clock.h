// The only place where time is read. `main` makes a SystemClock; tests drive a ManualClock.
#pragma once

#include "base/ids.h"

namespace stele {

class Clock {
 public:
  virtual ~Clock() = default;
  // The wall clock. May jump; records keep what was read.
  virtual TimeUs Now() const = 0;
};

class SystemClock final : public Clock {
 public:
  TimeUs Now() const override;
};

// Stands still until moved. Not for concurrent use.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(TimeUs start) : now_(start) {}
  TimeUs Now() const override { return now_; }
  void Advance(int64_t microseconds) { now_.value += microseconds; }
  void Set(TimeUs now) { now_ = now; }

 private:
  TimeUs now_;
};

}  // namespace stele
