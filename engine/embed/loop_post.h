// Brings work of other threads to the loop for as long as there is one.
//
// Thread: any.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "engine/runtime/shard.h"

namespace stele::embed {

class LoopPost {
 public:
  // Null closes it: what is posted afterwards is dropped.
  void Attach(runtime::Shard* shard) {
    const std::lock_guard lock(mutex_);
    shard_ = shard;
  }
  void Post(std::function<void()> work) {
    const std::lock_guard lock(mutex_);
    if (shard_ != nullptr) shard_->Post(std::move(work));
  }

 private:
  std::mutex mutex_;
  runtime::Shard* shard_ = nullptr;
};

}  // namespace stele::embed
