// When instances want to be woken: a binary heap, and one uv_timer for its top. An entry may be out
// of date; whoever takes it asks the instance for its next timer again.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"

namespace stele::runtime {

class TimerQueue {
 public:
  struct Entry {
    TimeUs at;
    InstanceId instance;
  };

  // `due` is called when the top may be due; it takes entries with TakeDue.
  TimerQueue(uv_loop_t* loop, const Clock& clock, std::function<void()> due);
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  void Add(TimeUs at, InstanceId instance);
  // An entry whose time has come, or instance 0.
  InstanceId TakeDue(TimeUs now);
  // Sets the uv_timer for the top, or for `other` (0: none) if that is earlier. Call after adding
  // and taking.
  void Arm(TimeUs other = TimeUs());
  size_t size() const { return heap_.size(); }

 private:
  static void OnTimer(uv_timer_t* timer);

  const Clock& clock_;
  std::function<void()> due_;
  std::vector<Entry> heap_;
  TimeUs armed_;
  uv_timer_t* timer_;  // freed by the loop when it has closed
};

}  // namespace stele::runtime
