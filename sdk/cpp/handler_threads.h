// The threads that run handlers, in the order in which tasks come.
//
// Thread: Run and the destructor are the loop's. A job must not throw.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace stele::sdk {

class HandlerThreads {
 public:
  // None: jobs run at once, on the caller's thread.
  explicit HandlerThreads(size_t threads);
  // Waits for the jobs that run, and for those that wait.
  ~HandlerThreads();
  HandlerThreads(const HandlerThreads&) = delete;
  HandlerThreads& operator=(const HandlerThreads&) = delete;

  void Run(std::function<void()> job);

 private:
  void Work();

  std::mutex mutex_;
  std::condition_variable some_;
  std::deque<std::function<void()>> jobs_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace stele::sdk
