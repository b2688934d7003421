#include "cli/load/fine_timer.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>

#include "base/check.h"
#include "cli/load/load.h"

namespace stele::load {

FineTimer::FineTimer(uv_loop_t* loop)
    : file_(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC)), watch_(new uv_poll_t) {
  CHECK(file_ >= 0, "a timer");
  CHECK(uv_poll_init(loop, watch_.get(), file_) == 0, "a watch of a timer");
  watch_->data = this;
  uv_poll_start(watch_.get(), UV_READABLE, [](uv_poll_t* watch, int, int) {
    uint64_t ticks = 0;
    if (watch->data != nullptr)
      while (read(static_cast<FineTimer*>(watch->data)->file_, &ticks, sizeof ticks) > 0) {
      }
  });
}

FineTimer::~FineTimer() {
  uv_poll_stop(watch_.get());
  watch_.reset();
  close(file_);
}

void FineTimer::WakeAt(int64_t moment_us) {
  itimerspec when{};
  moment_us = std::max<int64_t>(moment_us, 1);
  when.it_value.tv_sec = moment_us / 1'000'000;
  when.it_value.tv_nsec = moment_us % 1'000'000 * 1'000;
  CHECK(timerfd_settime(file_, TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

}  // namespace stele::load
