// Ends a turn of a libuv loop at a moment: libuv's own timers count milliseconds, in which several
// operations of an open loop are due.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstdint>

#include "engine/tasks/uv_handle.h"

namespace stele::load {

class FineTimer {
 public:
  // REQUIRES: `loop` outlives it, and runs once more behind it.
  explicit FineTimer(uv_loop_t* loop);
  ~FineTimer();
  FineTimer(const FineTimer&) = delete;
  FineTimer& operator=(const FineTimer&) = delete;

  // The one moment at which the loop has something to do; a moment that is over counts as now.
  void WakeAt(int64_t moment_us);

 private:
  const int file_;
  tasks::UvHandle<uv_poll_t> watch_;
};

}  // namespace stele::load
