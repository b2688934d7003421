#include "cli/watchdog.h"

#include <algorithm>
#include <utility>

namespace stele::cli {

Watchdog::Watchdog(uv_loop_t* loop, const Supervisor& supervisor, Ask ask)
    : supervisor_(supervisor), ask_(std::move(ask)), timer_(new uv_timer_t) {
  uv_timer_init(loop, timer_);
  uv_unref(reinterpret_cast<uv_handle_t*>(timer_));
  timer_->data = this;
  if (supervisor_.watchdog_us() == 0) return;
  // Half of what is expected, as sd_watchdog_enabled(3) asks.
  const auto every_ms =
      static_cast<uint64_t>(std::max<int64_t>(supervisor_.watchdog_us() / 2'000, 1));
  uv_timer_start(
      timer_, [](uv_timer_t* timer) { static_cast<Watchdog*>(timer->data)->Look(); }, every_ms,
      every_ms);
}

Watchdog::~Watchdog() {
  uv_timer_stop(timer_);
  uv_close(reinterpret_cast<uv_handle_t*>(timer_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

void Watchdog::Look() {
  if (leaving_) return Tell();
  if (waiting_) return;
  waiting_ = true;
  ask_([this](bool goes_on) {
    waiting_ = false;
    if (goes_on || leaving_) Tell();
  });
}

}  // namespace stele::cli
