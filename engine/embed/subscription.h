// A subscriber on a thread of its own, which reads the log at its own pace.
//
// Thread: any, but for what is marked.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "engine/embed/own_threads.h"
#include "replay/event_reader.h"
#include "stele/engine.h"

namespace stele::embed {

struct SubscriptionParts {
  InstanceId instance;  // 0: all
  std::unique_ptr<replay::EventReader> reader;
  std::function<void(const Event&)> receive;
  std::function<void(const std::string&)> problem;
  OwnThreads* own = nullptr;
  uint64_t backlog = 0;  // records that are still told from Bound on
};

class Subscription {
 public:
  explicit Subscription(SubscriptionParts parts);
  // Joins. REQUIRES: as Join.
  ~Subscription();
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;

  InstanceId instance() const { return parts_.instance; }
  // There may be more to read.
  void Wake();
  // Nothing more is told. `waits`: not even by a call that runs when this returns.
  void Leave(bool waits);
  // The engine begins to stop: from now on no more than the backlog is told.
  void Bound() { bounded_ = true; }
  // Tells what is durable by now, and no more.
  void End();
  // Waits for its thread. REQUIRES: End or Leave was called; one thread at a time, and not its own.
  void Join();
  // Its thread has nothing left to do.
  bool is_over() const { return over_; }

 private:
  void Work();
  bool WaitForMore();
  void Tell(const replay::ShownEvent& shown);

  SubscriptionParts parts_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_;
  bool woken_ = false;
  bool ending_ = false;

  std::atomic<bool> bounded_ = false;
  std::atomic<bool> left_ = false;
  std::atomic<bool> over_ = false;
  std::mutex telling_;  // held during a call
  std::thread thread_;
};

}  // namespace stele::embed
