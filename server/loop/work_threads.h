// Threads of their own for work that blocks, with results as promises.
#pragma once

#include <kj/async.h>

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "server/loop/kj_loop.h"
#include "server/loop/limits.h"

namespace stele::server {

// Jobs start in the order in which they came; with one thread they also end in it. Run is called on
// the loop's thread, and its promise is kept there. A promise that is dropped lets its job go on
// (or start yet) and throws the result away. What a job throws, a kj::Exception or a
// std::exception, its promise fails with. uv_run goes on while somebody waits for a job.
class WorkThreads {
 public:
  struct Options {
    size_t threads = 2;
    size_t max_queued = kMaxQueuedJobs;
  };

  WorkThreads(KjLoop& loop, Options options);
  WorkThreads(const WorkThreads&) = delete;
  WorkThreads& operator=(const WorkThreads&) = delete;
  // Waits for the jobs that run; those that wait never start, and their promises fail as
  // DISCONNECTED. REQUIRES: the KjLoop still is.
  ~WorkThreads();

  // Fails as OVERLOADED when full().
  template <class T>
  kj::Promise<T> Run(std::function<T()> job) {
    if (full()) return Overloaded();
    auto pair = kj::newPromiseAndCrossThreadFulfiller<T>();
    // Shared, because std::function copies; one thread at a time has it.
    auto done =
        std::make_shared<kj::Own<kj::CrossThreadPromiseFulfiller<T>>>(kj::mv(pair.fulfiller));
    Push({.run =
              [job = std::move(job), done] {
                (*done)->rejectIfThrows([&] {
                  if constexpr (std::is_void_v<T>) {
                    job();
                    (*done)->fulfill();
                  } else {
                    (*done)->fulfill(job());
                  }
                });
              },
          .cancel = [done] { (*done)->reject(Stopped()); }});
    return pair.promise.attach(KjLoop::KeepAlive(loop_));
  }

  // As many jobs wait as may.
  bool full() const;

 private:
  struct Job {
    std::function<void()> run;
    std::function<void()> cancel;
  };

  static kj::Exception Overloaded();
  static kj::Exception Stopped();
  void Push(Job job);
  void Work();

  KjLoop& loop_;
  const size_t max_queued_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace stele::server
