#include "engine/tasks/request_executor.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "base/check.h"
#include "engine/tasks/timeout.h"

namespace stele::tasks {
namespace {

void Redact(TaskFailure& failure, const Redactor& redactor) {
  failure.message = redactor.Text(failure.message);
}

}  // namespace

RequestExecutor::~RequestExecutor() {
  for (const auto& [key, id] : running_) client_->Cancel(id);
}

void RequestExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  AttemptKey key = request.key;
  CHECK(!running_.contains(key), "attempt {} runs already", key.ToString());
  std::expected<HttpPlan, std::vector<std::string>> planned =
      planner_(request.config, request.input, ConfigReader::Mode::kRendered, defaults_);
  if (!planned) {
    TaskFailure failure{"config", JoinFaults(planned.error()), false, {}};
    Redact(failure, Redactor(request.secrets));
    done(TaskResult{std::unexpected(std::move(failure)), {}});
    return;
  }
  auto plan = std::make_shared<HttpPlan>(*std::move(planned));
  SetHeaderOnce(*plan, "Idempotency-Key", key.ToString());
  SetHeaderOnce(*plan, "User-Agent", "stele");
  if (!request.trace_parent.empty()) SetHeaderOnce(*plan, "traceparent", request.trace_parent);
  plan->request.timeout_us =
      EffectiveTimeout(plan->timeout_us, request.timeout_us, plan->request.timeout_us);
  std::vector<std::string> secrets = std::move(request.secrets);
  secrets.insert(secrets.end(), plan->credentials.begin(), plan->credentials.end());
  auto redactor = std::make_shared<Redactor>(secrets);
  // What the answer is judged by needs no body, which may be long.
  std::optional<std::string> body = std::exchange(plan->request.body, std::nullopt);
  HttpClient::Request sent = plan->request;
  sent.body = std::move(body);
  uint64_t id =
      client_->Send(std::move(sent), [this, key, plan, redactor, done = std::move(done)](
                                         std::expected<HttpClient::Response, TaskFailure> answer) {
        running_.erase(key);
        TaskResult result;
        std::string outcome;
        if (answer) {
          outcome = fmt::format("{}, {} bytes", answer->status, answer->body.size());
          HttpPlan::Judge judge = plan->judge != nullptr ? plan->judge : &JudgeResponse;
          result.outcome = judge(*plan, *std::move(answer), *redactor);
        } else {
          outcome = answer.error().kind;
          Redact(answer.error(), *redactor);
          result.outcome = std::unexpected(std::move(answer.error()));
        }
        result.log.text = redactor->Text(
            fmt::format("{} {}: {}\n", plan->request.method, ShownUrl(plan->request.url), outcome));
        done(std::move(result));
      });
  running_.emplace(key, id);
}

void RequestExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  auto found = running_.find(key);
  if (found != running_.end()) {
    client_->Cancel(found->second);
    running_.erase(found);
  }
  stopped();
}

std::vector<std::string> RequestExecutor::CheckConfig(const Value& config) const {
  auto planned = planner_(config, Value(Object()), ConfigReader::Mode::kStatic, defaults_);
  return planned ? std::vector<std::string>() : planned.error();
}

}  // namespace stele::tasks
