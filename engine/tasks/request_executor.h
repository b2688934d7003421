// An executor of tasks that are one HTTP request. What a task type has of its own is how its
// configuration becomes a request: the planner.
//
// Thread: the loop's.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/tasks/config_reader.h"
#include "engine/tasks/curl_multi.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/http_plan.h"

namespace stele::tasks {

class RequestExecutor final : public TaskExecutor {
 public:
  // A plan, or a sentence a fault. `plan.request` comes with the options' limits.
  using Planner = std::function<std::expected<HttpPlan, std::vector<std::string>>(
      const Value& config, const Value& input, ConfigReader::Mode mode, HttpPlan plan)>;

  // `defaults` are the plan's values where a configuration says nothing.
  RequestExecutor(std::shared_ptr<HttpClient> client, HttpPlan defaults, Planner planner)
      : client_(std::move(client)), defaults_(std::move(defaults)), planner_(std::move(planner)) {}
  // Drops what is under way; nobody is told.
  ~RequestExecutor() override;

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  // The other side knows a repetition by its Idempotency-Key.
  bool repeats_after_crash() const override { return true; }
  std::vector<std::string> CheckConfig(const Value& config) const override;

 private:
  std::shared_ptr<HttpClient> client_;
  HttpPlan defaults_;
  Planner planner_;
  std::map<AttemptKey, uint64_t> running_;  // ids of the client's
};

}  // namespace stele::tasks
