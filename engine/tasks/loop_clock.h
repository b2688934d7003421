// A clock that never jumps: the time since some moment. Only differences mean something.
#pragma once

#include <uv.h>

#include "base/clock.h"

namespace stele::tasks {

class LoopClock final : public Clock {
 public:
  TimeUs Now() const override { return TimeUs(static_cast<int64_t>(uv_hrtime() / 1000)); }
};

}  // namespace stele::tasks
