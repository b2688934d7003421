#include "sdk/cpp/handler_threads.h"

#include <utility>

namespace stele::sdk {

HandlerThreads::HandlerThreads(size_t threads) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

HandlerThreads::~HandlerThreads() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  some_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HandlerThreads::Run(std::function<void()> job) {
  if (threads_.empty()) return job();
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  some_.notify_one();
}

void HandlerThreads::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    some_.wait(lock, [this] { return ending_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    const auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
    lock.lock();
  }
}

}  // namespace stele::sdk
