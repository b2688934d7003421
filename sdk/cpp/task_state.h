// A task, as handlers and the connection share it.
//
// Thread: any; what is not atomic does not change.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "sdk/cpp/outbox.h"
#include "stele/worker.h"

namespace stele::sdk {

struct Task::State {
  std::string key;
  std::string type;
  std::string definition;
  std::string step;
  uint64_t instance = 0;
  uint32_t attempt = 1;
  std::string config;
  std::string input;
  std::string trace_parent;
  std::optional<std::chrono::steady_clock::time_point> deadline;

  uint64_t number = 0;  // of this program's
  std::shared_ptr<Outbox> outbox;
  std::atomic<bool> cancelled = false;
  std::atomic<bool> answered = false;

  void Answer(Result result) {
    if (!answered.exchange(true)) outbox->Say(Answered{number, std::move(result)});
  }
};

}  // namespace stele::sdk
