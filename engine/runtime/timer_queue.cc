#include "engine/runtime/timer_queue.h"

#include <algorithm>

namespace stele::runtime {

TimerQueue::TimerQueue(uv_loop_t* loop, const Clock& clock, std::function<void()> due)
    : clock_(clock), due_(std::move(due)), timer_(new uv_timer_t) {
  uv_timer_init(loop, timer_);
  timer_->data = this;
}

TimerQueue::~TimerQueue() {
  uv_close(reinterpret_cast<uv_handle_t*>(timer_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

InstanceId TimerQueue::TakeDue(TimeUs now) {
  if (held_ || entries_.empty() || entries_.begin()->first > now) return InstanceId();
  return entries_.extract(entries_.begin()).value().second;
}

void TimerQueue::Arm(TimeUs other) {
  TimeUs first = held_ || entries_.empty() ? TimeUs() : entries_.begin()->first;
  if (other && (!first || other < first)) first = other;
  // What is due already and was left for later is asked for again.
  if (first == armed_ && (!first || first > clock_.Now())) return;
  armed_ = first;
  if (!first) {
    uv_timer_stop(timer_);
    return;
  }
  const int64_t wait_us = std::max<int64_t>(first.value - clock_.Now().value, 0);
  uv_update_time(timer_->loop);
  uv_timer_start(timer_, OnTimer, static_cast<uint64_t>((wait_us + 999) / 1000), 0);
}

void TimerQueue::OnTimer(uv_timer_t* timer) {
  auto* queue = static_cast<TimerQueue*>(timer->data);
  queue->armed_ = TimeUs();
  queue->due_();
}

}  // namespace stele::runtime
