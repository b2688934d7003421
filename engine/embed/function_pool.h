// Threads that run the program's TaskFunctions.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/embed/own_threads.h"
#include "stele/engine.h"

namespace stele::embed {

// Thread: any.
class FunctionPool {
 public:
  FunctionPool(uint32_t threads, OwnThreads& own);
  // Runs what is queued, then ends.
  ~FunctionPool();
  FunctionPool(const FunctionPool&) = delete;
  FunctionPool& operator=(const FunctionPool&) = delete;

  void Run(std::function<void()> work);

 private:
  void Work();

  OwnThreads& own_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> queue_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

// A TaskFunction as an executor: an attempt is a turn of the pool. One that is cancelled before its
// turn does not run.
class FunctionTask final : public AsyncExecutor {
 public:
  // REQUIRES: the pool outlives it.
  FunctionTask(FunctionPool& pool, TaskFunction function)
      : pool_(pool), function_(std::make_shared<TaskFunction>(std::move(function))) {}
  void Start(Attempt attempt, Completion completion) override;

 private:
  FunctionPool& pool_;
  std::shared_ptr<TaskFunction> function_;
};

}  // namespace stele::embed
