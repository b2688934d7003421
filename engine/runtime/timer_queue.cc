#include "engine/runtime/timer_queue.h"

#include <algorithm>

namespace stele::runtime {

namespace {

struct Later {
  bool operator()(const TimerQueue::Entry& a, const TimerQueue::Entry& b) const {
    return a.at != b.at ? a.at > b.at : a.instance > b.instance;
  }
};

}  // namespace

TimerQueue::TimerQueue(uv_loop_t* loop, const Clock& clock, std::function<void()> due)
    : clock_(clock), due_(std::move(due)), timer_(new uv_timer_t) {
  uv_timer_init(loop, timer_);
  timer_->data = this;
}

TimerQueue::~TimerQueue() {
  uv_close(reinterpret_cast<uv_handle_t*>(timer_),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_timer_t*>(handle); });
}

void TimerQueue::Add(TimeUs at, InstanceId instance) {
  heap_.push_back({at, instance});
  std::ranges::push_heap(heap_, Later());
}

InstanceId TimerQueue::TakeDue(TimeUs now) {
  if (heap_.empty() || heap_.front().at > now) return InstanceId();
  std::ranges::pop_heap(heap_, Later());
  const InstanceId instance = heap_.back().instance;
  heap_.pop_back();
  return instance;
}

void TimerQueue::Arm(TimeUs other) {
  TimeUs top = heap_.empty() ? TimeUs() : heap_.front().at;
  if (other && (!top || other < top)) top = other;
  // What is due already and was left for later is asked for again.
  if (top == armed_ && (!top || top > clock_.Now())) return;
  armed_ = top;
  if (!top) {
    uv_timer_stop(timer_);
    return;
  }
  const int64_t wait_us = std::max<int64_t>(top.value - clock_.Now().value, 0);
  uv_update_time(timer_->loop);
  uv_timer_start(timer_, OnTimer, static_cast<uint64_t>((wait_us + 999) / 1000), 0);
}

void TimerQueue::OnTimer(uv_timer_t* timer) {
  auto* queue = static_cast<TimerQueue*>(timer->data);
  queue->armed_ = TimeUs();
  queue->due_();
}

}  // namespace stele::runtime
