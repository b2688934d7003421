#include "engine/tasks/worker_message.h"

#include <fmt/format.h>

#include <utility>

#include "base/json.h"

namespace stele::tasks {
namespace {

std::unexpected<Error> Expected(std::string_view what, std::string_view found) {
  return Fail(ErrorCode::kInvalidInput, fmt::format("Expected {} but found {}", what, found));
}

std::string Shown(const Value* value) {
  if (value == nullptr) return "none";
  return ToJson(*value);
}

// Text members may be absent or null.
Result<std::string> Text(const Value& message, std::string_view name) {
  const Value* found = message.Find(name);
  if (found == nullptr || found->is_null()) return std::string();
  if (found->is_string()) return found->as_string();
  return Expected(fmt::format("a text as \"{}\"", name), Shown(found));
}

Result<TaskFailure> ReadFailure(const Value& message) {
  const Value* error = message.Find("error");
  if (error == nullptr || !error->is_object())
    return Expected("an object as \"error\"", Shown(error));
  TaskFailure failure;
  Result<std::string> kind = Text(*error, "kind");
  if (!kind.has_value()) return std::unexpected(kind.error());
  Result<std::string> sentence = Text(*error, "message");
  if (!sentence.has_value()) return std::unexpected(sentence.error());
  failure.kind = *std::move(kind);
  failure.message = *std::move(sentence);
  if (const Value* retryable = error->Find("retryable"); retryable != nullptr) {
    if (!retryable->is_bool()) return Expected("a boolean as \"retryable\"", Shown(retryable));
    failure.retryable = retryable->as_bool();
  }
  if (const Value* details = error->Find("details"); details != nullptr && !details->is_null()) {
    if (!details->is_object()) return Expected("an object as \"details\"", Shown(details));
    failure.details = Payload::FromValue(*details);
  }
  return failure;
}

Result<WorkerMessage> ReadComplete(Value& message, LeaseId lease) {
  Result<std::string> log = Text(message, "log");
  if (!log.has_value()) return std::unexpected(log.error());
  Value* output = message.as_object().Find("output");
  return CompleteMessage{lease, output == nullptr ? Value(Object()) : std::move(*output),
                         *std::move(log)};
}

Result<WorkerMessage> ReadFail(const Value& message, LeaseId lease) {
  Result<TaskFailure> failure = ReadFailure(message);
  if (!failure.has_value()) return std::unexpected(failure.error());
  Result<std::string> log = Text(message, "log");
  if (!log.has_value()) return std::unexpected(log.error());
  return FailMessage{lease, *std::move(failure), *std::move(log)};
}

Result<WorkerMessage> ReadHeartbeat(const Value& message, LeaseId lease) {
  Result<std::string> detail = Text(message, "detail");
  if (!detail.has_value()) return std::unexpected(detail.error());
  return HeartbeatMessage{lease, *std::move(detail)};
}

int64_t ToMs(int64_t microseconds) {
  return (microseconds + 999) / 1000;
}

Object About(std::string_view message, LeaseId lease) {
  return Object{{"message", message}, {"lease", static_cast<int64_t>(lease.value)}};
}

}  // namespace

Value TaskMessage(const WorkerTask& task) {
  Object message = About("task", task.lease);
  message.Set("key", task.key.ToString());
  message.Set("type", task.type);
  message.Set("definition", task.definition);
  message.Set("step", task.step);
  message.Set("instance", static_cast<int64_t>(task.key.instance.value));
  message.Set("attempt", static_cast<int64_t>(task.key.attempt));
  message.Set("config", task.config);
  message.Set("input", task.input);
  if (task.left_us > 0) message.Set("timeout_ms", ToMs(task.left_us));
  if (task.lease_us > 0) message.Set("lease_ms", ToMs(task.lease_us));
  if (!task.trace_parent.empty()) message.Set("trace_parent", task.trace_parent);
  return message;
}

Value CancelMessage(LeaseId lease, std::string_view reason) {
  Object message = About("cancel", lease);
  message.Set("reason", reason);
  return message;
}

Value EndedMessage(LeaseId lease, std::string_view reason) {
  Object message = About("ended", lease);
  message.Set("reason", reason);
  return message;
}

Value RefusedMessage(size_t line, const Error& error) {
  Object message{{"message", "refused"}};
  if (line > 0) message.Set("line", static_cast<int64_t>(line));
  message.Set("reason", error.ToString());
  return message;
}

Result<WorkerMessage> ReadWorkerMessage(std::string_view json) {
  Result<Value> message = ParseJson(json);
  if (!message.has_value()) return Fail(ErrorCode::kInvalidInput, message.error().message);
  if (!message->is_object()) return Expected("a message, an object,", Shown(&*message));
  const Value* word = message->Find("message");
  const std::string name = word != nullptr && word->is_string() ? word->as_string() : "";
  if (name == "leave") return LeaveMessage{};
  if (name != "complete" && name != "fail" && name != "heartbeat")
    return Expected("\"complete\", \"fail\", \"heartbeat\" or \"leave\" as \"message\"",
                    Shown(word));
  const Value* lease = message->Find("lease");
  if (lease == nullptr || !lease->is_int() || lease->as_int() <= 0)
    return Expected("the number of a lease as \"lease\"", Shown(lease));
  const LeaseId id(static_cast<uint64_t>(lease->as_int()));
  if (name == "complete") return ReadComplete(*message, id);
  if (name == "fail") return ReadFail(*message, id);
  return ReadHeartbeat(*message, id);
}

}  // namespace stele::tasks
