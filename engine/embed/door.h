// Who is inside: calls of other threads that the engine must answer before it may go.
//
// Thread: any.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>

namespace stele::embed {

class Door {
 public:
  // False: the door is closed, and nobody enters any more.
  bool Enter() {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    ++inside_;
    return true;
  }
  void Leave() {
    const std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  // False: it was closed before.
  bool Close() {
    const std::lock_guard lock(mutex_);
    const bool was_open = !closed_;
    closed_ = true;
    return was_open;
  }
  // REQUIRES: Close.
  void WaitUntilEmpty() {
    std::unique_lock lock(mutex_);
    empty_.wait(lock, [this] { return inside_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  size_t inside_ = 0;
  bool closed_ = false;
};

// Inside for as long as it lives, if the door was open.
class Visit {
 public:
  explicit Visit(Door& door) : door_(door.Enter() ? &door : nullptr) {}
  ~Visit() {
    if (door_ != nullptr) door_->Leave();
  }
  Visit(const Visit&) = delete;
  Visit& operator=(const Visit&) = delete;
  bool entered() const { return door_ != nullptr; }

 private:
  Door* door_;
};

}  // namespace stele::embed
