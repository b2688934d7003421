// Workers that ask for tasks over REST, and what they say about those they hold.
#include <fmt/format.h>

#include "base/json.h"
#include "engine/definition/duration.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/resources.h"

namespace stele::server::rest {

namespace {

using http::Method;
using Others = Component::Others;

// Of microseconds, or of a text: "30s". `otherwise` when it is not there.
Result<int64_t> DurationOf(const Call& call, std::string_view name, int64_t otherwise) {
  const Value* value = call.Find(name);
  if (value == nullptr) return otherwise;
  if (value->is_int()) return value->as_int();
  if (value->is_string())
    if (const auto duration = definition::ParseDuration(value->as_string())) return *duration;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("{}: Expected a duration, like \"30s\", or microseconds but found {}",
                          name, stele::ToJson(*value)));
}

kj::Promise<http::Response> Poll(const Operations& operations, const Call& call) {
  const auto wait = DurationOf(call, "wait", 0);
  if (!wait.has_value()) return Refuse(wait.error());
  const auto lease = DurationOf(call, "lease", tasks::kWorkerLeaseUs);
  if (!lease.has_value()) return Refuse(lease.error());
  return Reply(
      operations.workers.Poll(call.caller(), {.worker = call.Text("worker"),
                                              .types = call.Texts("types"),
                                              .max = static_cast<uint32_t>(call.Number("max", 1)),
                                              .wait_us = *wait,
                                              .lease_us = *lease}),
      [](std::vector<PolledTask> polled) {
        Array tasks;
        for (PolledTask& task : polled) tasks.push_back(std::move(task.task));
        return http::Json(200, Object{{"tasks", std::move(tasks)}});
      });
}

// What is left out is as if the worker had said nothing of it; a failure is then of the kind
// "worker".
tasks::TaskFailure FailureOf(const Call& call) {
  tasks::TaskFailure failure;
  const Value* error = call.Find("error");
  if (error == nullptr) return failure;
  const auto text = [&](std::string_view name) {
    const Value* found = error->Find(name);
    return found == nullptr ? std::string() : found->as_string();
  };
  failure.kind = text("kind");
  failure.message = text("message");
  if (const Value* retryable = error->Find("retryable")) failure.retryable = retryable->as_bool();
  if (const Value* details = error->Find("details"); details != nullptr && !details->is_null())
    failure.details = Payload::FromValue(*details);
  return failure;
}

using Say = std::function<Promised<void>(Workers&, const Call&, const LeaseName&)>;

Route Saying(const Operations& operations, std::string_view word, std::string id,
             std::string summary, std::string body, Say say) {
  return {.method = Method::kPost,
          .pattern = fmt::format("/worker-tasks/{{lease}}/{}", word),
          .id = std::move(id),
          .summary = std::move(summary),
          .permission = Permission::kWork,
          .body = ObjectOf(std::move(body)),
          .answers = {{200, "it was heard", "WorkerHeard"}},
          .handle = [operations,
                     say = std::move(say)](const Call& call) -> kj::Promise<http::Response> {
            const LeaseName name{call.Text("worker"), call.param("lease")};
            return say(operations.workers, call, name)
                .then([lease = name.lease](Status said) -> http::Response {
                  if (!said.has_value()) return http::Problem(said.error());
                  return http::Json(200, Object{{"lease", lease}});
                });
          }};
}

std::vector<Route> SayingRoutes(const Operations& operations) {
  return {Saying(operations, "heartbeat", "renewWorkerTask",
                 "It is being done still. Refused when nobody wants the result any more.",
                 "WorkerHeartbeat",
                 [](Workers& workers, const Call& call, const LeaseName& name) {
                   return workers.Heartbeat(call.caller(), name, call.Text("detail"));
                 }),
          Saying(operations, "complete", "completeWorkerTask", "It is done.", "WorkerComplete",
                 [](Workers& workers, const Call& call, const LeaseName& name) {
                   const Value* output = call.Find("output");
                   return workers.Complete(call.caller(), name,
                                           output == nullptr ? Value(Object()) : *output,
                                           call.Text("log"));
                 }),
          Saying(operations, "fail", "failWorkerTask", "It has failed.", "WorkerFail",
                 [](Workers& workers, const Call& call, const LeaseName& name) {
                   return workers.FailTask(call.caller(), name, FailureOf(call), call.Text("log"));
                 }),
          Saying(operations, "log", "logWorkerTask", "It has printed something.", "WorkerLog",
                 [](Workers& workers, const Call& call, const LeaseName& name) {
                   return workers.Log(call.caller(), name, call.Text("text"));
                 })};
}

std::vector<Component> Shapes() {
  const ShapeMember worker{"worker?", "key", "the name that it has asked for tasks with"};
  const ShapeMember log{"log?", "text|null", "is kept with the attempt"};
  return {
      {"WorkerPoll",
       "",
       {{"worker?", "key", "its name; many may have the same one"},
        {"types", "[text]", "of the tasks that it does"},
        {"max?", "slots", "so many at once; 1"},
        {"wait?", "duration|text", "for the first of them, at most a minute; not at all"},
        {"lease?", "duration|text", "how long it holds one without a heartbeat; 30 s"}},
       Others::kRefused},
      {"WorkerTask",
       "A task that it holds from now on.",
       {{"message", "=task", ""},
        {"lease", "text", "what the task is named by"},
        {"key", "text", "instance, run and attempt: the same one may come again"},
        {"type", "text", ""},
        {"definition", "text", ""},
        {"step", "text", ""},
        {"instance", "number", ""},
        {"attempt", "number", "from 1"},
        {"config", "object", ""},
        {"input", "object", ""},
        {"timeout_ms?", "number", "what is left of the step's timeout"},
        {"lease_ms", "number", "how long without a heartbeat"},
        {"trace_parent?", "text", "the attempt's, as W3C Trace Context has it"}}},
      {"WorkerTasks", "", {{"tasks", "[WorkerTask]", "none: there was nothing to do"}}},
      {"WorkerHeartbeat",
       "",
       {worker, {"detail?", "text", "how far it is, kept when it is lost"}},
       Others::kRefused},
      {"WorkerComplete",
       "",
       {worker, {"output?", "any", "an object; an empty one"}, log},
       Others::kRefused},
      {"WorkerError",
       "",
       {{"kind?", "text", "\"worker\""},
        {"message?", "text", ""},
        {"retryable?", "flag", "whether a policy may try it again; it may"},
        {"details?", "object|null", ""}},
       Others::kRefused},
      {"WorkerFail", "", {worker, {"error?", "WorkerError|null", ""}, log}, Others::kRefused},
      {"WorkerLog", "", {worker, {"text", "text", ""}}, Others::kRefused},
      {"WorkerHeard", "", {{"lease", "text", "the one that was named"}}},
  };
}

}  // namespace

Resource WorkersResource(const Operations& operations) {
  Resource resource{.name = "workers",
                    .about = "Programs that ask for tasks and do them (docs/workers.md).",
                    .routes = SayingRoutes(operations),
                    .components = Shapes()};
  resource.routes.push_back(
      {.method = Method::kPost,
       .pattern = "/workers/poll",
       .id = "pollWorkerTasks",
       .summary = "Tasks to do, as soon as there is one. Who goes away takes none.",
       .permission = Permission::kWork,
       .body = ObjectOf("WorkerPoll"),
       .answers = {{200, "some, or none in that time", "WorkerTasks"}},
       .handle = [operations](const Call& call) { return Poll(operations, call); }});
  return resource;
}

}  // namespace stele::server::rest
