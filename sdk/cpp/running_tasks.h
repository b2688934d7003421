// The tasks that this program holds over one connection: from the server's call to the answer.
//
//     run ──► handler, on a thread ──► Answered, in the outbox ──► the call's result
//      └─ dropped ──► the task is cancelled
//
// What the server gave for the task is kept until the handler has answered; letting go of it tells
// the server that nothing of the task runs any more.
//
// Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "schemas/workers.capnp.h"
#include "sdk/cpp/handler_threads.h"
#include "sdk/cpp/outbox.h"
#include "sdk/cpp/task_state.h"
#include "stele/worker.h"

namespace stele::sdk {

using Handlers = std::map<std::string, AsyncHandler, std::less<>>;

class RunningTasks final : private kj::TaskSet::ErrorHandler {
 public:
  // REQUIRES: all of them outlive it.
  RunningTasks(const Handlers& handlers, HandlerThreads& threads, std::shared_ptr<Outbox> outbox);
  // They are cancelled: nobody hears their answers.
  ~RunningTasks();
  RunningTasks(const RunningTasks&) = delete;
  RunningTasks& operator=(const RunningTasks&) = delete;

  // What the server calls. REQUIRES: this outlives it.
  api::Worker::Client MakeServer();
  // Does what a handler has said.
  void Take(Said said);
  // One sign of life for each task that is not cancelled.
  void RenewLeases();

 private:
  class Server;
  struct Running {
    std::shared_ptr<Task::State> state;
    api::TaskControl::Client control;
    kj::Own<kj::PromiseFulfiller<Result>> answer;
  };

  kj::Promise<Result> Begin(std::shared_ptr<Task::State> state, api::TaskControl::Client control);
  void Renew(Running& running, const std::string& detail);
  void taskFailed(kj::Exception&&) override {}

  const Handlers& handlers_;
  HandlerThreads& threads_;
  const std::shared_ptr<Outbox> outbox_;
  std::map<uint64_t, Running> running_;
  kj::TaskSet calls_{*this};  // a heartbeat or a log that is refused: its task was cancelled
};

}  // namespace stele::sdk
