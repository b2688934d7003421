// A task type of a user's own, run by an HTTP server of theirs: each attempt is one POST, its
// answer the result. Registered under any name, at run time as well. docs/tasks.md has the
// protocol.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/request_executor.h"

namespace stele::tasks {

struct CallbackOptions {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string secret;  // signs the body when there is one
  int64_t timeout_us = kDefaultHttpTimeoutUs;
};

class CallbackExecutor final : public TaskExecutor {
 public:
  // What is wrong with `options`, a sentence each: ask before registering.
  static std::vector<std::string> Faults(const CallbackOptions& options);

  // The client may be shared. Options with faults make every attempt fail as "config".
  CallbackExecutor(std::shared_ptr<HttpClient> client, const CallbackOptions& options);

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  // The other side knows a repetition by its key.
  bool repeats_after_crash() const override { return true; }

 private:
  RequestExecutor requests_;
};

}  // namespace stele::tasks
