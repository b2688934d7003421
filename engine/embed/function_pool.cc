#include "engine/embed/function_pool.h"

#include <algorithm>
#include <exception>

namespace stele::embed {

namespace {

constexpr uint32_t kFewestThreads = 4;

TaskResult Call(const TaskFunction& function, const Attempt& attempt) {
  try {
    return function(attempt);
  } catch (const std::exception& exception) {
    return TaskResult::Failed("exception", exception.what());
  } catch (...) {
    return TaskResult::Failed("exception", "Expected a result but found an exception");
  }
}

}  // namespace

FunctionPool::FunctionPool(uint32_t threads, OwnThreads& own) : own_(own) {
  if (threads == 0) threads = std::max(kFewestThreads, std::thread::hardware_concurrency());
  for (uint32_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

FunctionPool::~FunctionPool() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void FunctionPool::Run(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(std::move(work));
  }
  wake_.notify_one();
}

void FunctionPool::Work() {
  const OwnThreads::Membership membership(own_);
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return ending_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

void FunctionTask::Start(Attempt attempt, Completion completion) {
  pool_.Run([function = function_, attempt = std::move(attempt), completion] {
    if (completion.cancelled()) {
      completion.Finish(TaskResult::Failed("cancelled", "Nobody waits for the attempt any more"));
      return;
    }
    completion.Finish(Call(*function, attempt));
  });
}

}  // namespace stele::embed
