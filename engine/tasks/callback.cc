#include "engine/tasks/callback.h"

#include <fmt/format.h>

#include <optional>

#include "base/json.h"
#include "engine/tasks/body_signature.h"
#include "engine/tasks/http_plan.h"

namespace stele::tasks {
namespace {

constexpr std::string_view kSignatureHeader = "X-Stele-Signature-256";

HttpPlan Defaults(const CallbackOptions& options) {
  HttpPlan plan;
  plan.request.method = "POST";
  plan.request.timeout_us = options.timeout_us;
  return plan;
}

std::string TextOr(const Value* value, std::string_view fallback) {
  bool usable = value != nullptr && value->is_string() && !value->as_string().empty();
  return usable ? value->as_string() : std::string(fallback);
}

// The failure that a body {"error": {…}} tells, whatever its status.
std::optional<TaskFailure> ToldFailure(const Value& body, int64_t status,
                                       const Redactor& redactor) {
  const Value* error = body.Find("error");
  if (error == nullptr || !error->is_object()) return std::nullopt;
  const Value* kind = error->Find("kind");
  const Value* message = error->Find("message");
  if (kind == nullptr && message == nullptr) return std::nullopt;
  TaskFailure failure;
  failure.kind = redactor.Text(TextOr(kind, "callback"));
  failure.message = redactor.Text(TextOr(message, "Expected an output but found an error"));
  failure.retryable = status < 300 || IsRetryableStatus(status);
  const Value* retryable = error->Find("retryable");
  if (retryable != nullptr && retryable->is_bool()) failure.retryable = retryable->as_bool();
  const Value* details = error->Find("details");
  if (details != nullptr && details->is_object()) {
    failure.details = Payload::FromValue(redactor.Redact(*details));
  }
  return failure;
}

std::expected<Payload, TaskFailure> JudgeCallback(const HttpPlan& plan,
                                                  HttpClient::Response&& response,
                                                  const Redactor& redactor) {
  bool empty = response.body.find_first_not_of(" \t\r\n") == std::string::npos;
  Result<Value> body = empty ? Result<Value>(Object()) : ParseJson(response.body);
  if (body) {
    if (auto told = ToldFailure(*body, response.status, redactor)) {
      return std::unexpected(*std::move(told));
    }
  }
  if (std::optional<TaskFailure> failure = StatusFailure(plan, response, redactor)) {
    return std::unexpected(*std::move(failure));
  }
  if (!body || !body->is_object()) {
    return std::unexpected(TaskFailure{
        "outputs",
        fmt::format("Expected {} to answer with a JSON object or nothing but found something else",
                    redactor.Text(ShownUrl(plan.request.url))),
        false,
        {}});
  }
  const Value* accepted = body->Find("accepted");
  if (response.status == 202 && accepted != nullptr && *accepted == Value(true)) {
    return std::unexpected(
        TaskFailure{"unsupported",
                    "Expected the output of the task but found the promise of a later one (202), "
                    "which is not supported",
                    false,
                    {}});
  }
  return Payload::FromValue(redactor.Redact(*std::move(body)));
}

// The configuration of an attempt is the body that Start made.
std::expected<HttpPlan, std::vector<std::string>> PlanCallback(const CallbackOptions& options,
                                                               const Value& body, HttpPlan plan) {
  Object headers;
  for (const auto& [name, value] : options.headers) headers.Set(name, value);
  Value transport = Object{{"url", options.url}, {"headers", std::move(headers)}};
  ConfigReader reader(transport, ConfigReader::Mode::kRendered);
  ReadTransport(reader, "url", plan);
  plan.request.follow_redirects = false;
  plan.success = {{200, 299}};
  plan.judge = &JudgeCallback;
  SetBody(plan, body);
  if (!options.secret.empty()) {
    plan.credentials.push_back(options.secret);
    SetHeaderOnce(plan, kSignatureHeader, SignBody(options.secret, *plan.request.body));
  }
  std::vector<std::string> faults = reader.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return plan;
}

}  // namespace

std::vector<std::string> CallbackExecutor::Faults(const CallbackOptions& options) {
  auto plan = PlanCallback(options, Object(), Defaults(options));
  return plan ? std::vector<std::string>() : plan.error();
}

CallbackExecutor::CallbackExecutor(std::shared_ptr<HttpClient> client,
                                   const CallbackOptions& options)
    : requests_(std::move(client), Defaults(options),
                [options](const Value& body, const Value&, ConfigReader::Mode, HttpPlan plan) {
                  return PlanCallback(options, body, std::move(plan));
                }) {}

void CallbackExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  request.config = Object{{"key", request.key.ToString()},
                          {"task_type", request.task_type},
                          {"step", request.step_id},
                          {"definition", request.definition},
                          {"config", std::move(request.config)},
                          {"input", std::move(request.input)}};
  requests_.Start(std::move(request), std::move(done));
}

void CallbackExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  requests_.Cancel(key, std::move(stopped));
}

}  // namespace stele::tasks
