#include "server/loop/work_threads.h"

#include <kj/exception.h>
#include <kj/string.h>

#include "base/check.h"

namespace stele::server {

WorkThreads::WorkThreads(KjLoop& loop, Options options)
    : loop_(loop), max_queued_(options.max_queued) {
  CHECK(options.threads > 0, "Expected a thread at least but found none");
  for (size_t i = 0; i < options.threads; ++i) threads_.emplace_back([this] { Work(); });
}

WorkThreads::~WorkThreads() {
  std::deque<Job> never;
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    never.swap(queue_);
  }
  changed_.notify_all();
  for (Job& job : never) job.cancel();
  for (std::thread& thread : threads_) thread.join();
}

bool WorkThreads::full() const {
  std::lock_guard lock(mutex_);
  return queue_.size() >= max_queued_;
}

void WorkThreads::Push(Job job) {
  {
    std::lock_guard lock(mutex_);
    queue_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void WorkThreads::Work() {
  for (;;) {
    Job job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      job = std::move(queue_.front());
      queue_.pop_front();
    }
    job.run();
  }
}

kj::Exception WorkThreads::Overloaded() {
  return kj::Exception(kj::Exception::Type::OVERLOADED, __FILE__, __LINE__,
                       kj::str("Expected room for one more job but found the queue full"));
}

kj::Exception WorkThreads::Stopped() {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::str("Expected threads that work but found them stopping"));
}

}  // namespace stele::server
