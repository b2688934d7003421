// When instances want to be woken, each at one moment: in order, and one uv_timer for the first. An
// instance that has an entry is open and has no earlier timer.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <functional>
#include <set>
#include <utility>

#include "base/clock.h"
#include "base/ids.h"

namespace stele::runtime {

class TimerQueue {
 public:
  // `due` is called when the first may be due; it takes entries with TakeDue.
  TimerQueue(uv_loop_t* loop, const Clock& clock, std::function<void()> due);
  ~TimerQueue();
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  void Add(TimeUs at, InstanceId instance) { entries_.emplace(at, instance); }
  void Remove(TimeUs at, InstanceId instance) { entries_.erase({at, instance}); }
  size_t size() const { return entries_.size(); }
  // From now on no entry's time comes.
  void Hold() { held_ = true; }
  // An entry whose time has come, or instance 0.
  InstanceId TakeDue(TimeUs now);
  // Sets the uv_timer for the first, or for `other` (0: none) if that is earlier. Call after adding
  // and taking.
  void Arm(TimeUs other = TimeUs());

 private:
  static void OnTimer(uv_timer_t* timer);

  const Clock& clock_;
  std::function<void()> due_;
  std::set<std::pair<TimeUs, InstanceId>> entries_;
  TimeUs armed_;
  bool held_ = false;
  uv_timer_t* timer_;  // freed by the loop when it has closed
};

}  // namespace stele::runtime
