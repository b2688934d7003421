// Which threads are the engine's own beside its loop: on them runs code of the program's that the
// engine's end waits for.
//
// Thread: any.
#pragma once

#include <mutex>
#include <set>
#include <thread>

namespace stele::embed {

class OwnThreads {
 public:
  // True on a thread that is one of them.
  bool HasThis() const {
    const std::lock_guard lock(mutex_);
    return threads_.contains(std::this_thread::get_id());
  }

  // The calling thread is one of them for as long as this lives.
  class Membership {
   public:
    explicit Membership(OwnThreads& threads) : threads_(threads) {
      const std::lock_guard lock(threads_.mutex_);
      threads_.threads_.insert(std::this_thread::get_id());
    }
    ~Membership() {
      const std::lock_guard lock(threads_.mutex_);
      threads_.threads_.erase(std::this_thread::get_id());
    }
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

   private:
    OwnThreads& threads_;
  };

 private:
  mutable std::mutex mutex_;
  std::set<std::thread::id> threads_;
};

}  // namespace stele::embed
