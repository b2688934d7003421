// From one thread to another: what is put waits while as much is in it as may be.
//
// Threads: any.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace stele::replay {

template <class Item>
class BoundedQueue {
 public:
  explicit BoundedQueue(size_t most) : most_(most) {}

  // False: nobody takes any more.
  bool Put(Item item) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return items_.size() < most_ || closed_; });
    if (closed_) return false;
    items_.push_back(std::move(item));
    there_.notify_one();
    return true;
  }
  // Waits; nothing: it is closed and empty.
  std::optional<Item> Take() {
    std::unique_lock lock(mutex_);
    there_.wait(lock, [&] { return !items_.empty() || closed_; });
    if (items_.empty()) return std::nullopt;
    std::optional<Item> item(std::move(items_.front()));
    items_.pop_front();
    room_.notify_one();
    return item;
  }
  // Nothing more is put; what is in it may be taken.
  void Close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    there_.notify_all();
    room_.notify_all();
  }

 private:
  const size_t most_;
  std::mutex mutex_;
  std::condition_variable there_;
  std::condition_variable room_;
  std::deque<Item> items_;
  bool closed_ = false;
};

}  // namespace stele::replay
