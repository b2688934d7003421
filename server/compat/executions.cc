// The dialect of executions: workflows with steps and triggers, their executions and those of their
// steps. Ids are texts. This file has the executions; workflows are in executions_workflows.cc.
#include "server/compat/executions.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/requests/operators.h"
#include "engine/runtime/board.h"
#include "projections/query.h"
#include "server/compat/resources.h"
#include "server/compat/shown.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/run_name.h"

namespace stele::server::compat {

namespace {

using http::Method;
using rest::Call;
using rest::ParseRunName;
using rest::Refuse;
using rest::Reply;
using rest::Route;
using rest::ToText;

constexpr int64_t kNanosecondsPerUs = 1'000;

Value TextOrNull(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Value IdOf(const model::Registry& registry, const std::string& workflow) {
  const auto number = NumberOf(registry, workflow);
  return number.has_value() ? Value(std::to_string(number->value)) : Value();
}

// Of a run that goes on whatever it waits for.
std::string StateOf(const Value& step) {
  std::string state = TextMember(step, "state");
  for (const std::string_view over : {"completed", "failed", "cancelled", "skipped"})
    if (state == over) return state;
  return "running";
}

Object ShowStep(InstanceId instance, const Value& step) {
  const auto run = static_cast<uint32_t>(NumberMember(step, "run"));
  const Value* output = step.Find("output");
  const Value* error = step.Find("error");
  return Object{
      {"id", run == 0 ? Value() : Value(ToText(rest::RunName{instance, RunId(run)}))},
      {"execution_id", std::to_string(instance.value)},
      {"step_id", TextMember(step, "step")},
      {"status", StateOf(step)},
      {"output", output == nullptr ? Value() : *output},
      {"attempts", NumberMember(step, "attempts")},
      {"start_time", MomentOf(TimeUs(NumberMember(step, "started")))},
      {"end_time", MomentOf(TimeUs(NumberMember(step, "ended")))},
      {"error_message", error == nullptr ? Value() : Value(TextMember(*error, "message"))}};
}

// What a list shows of an instance, too.
Object Head(const model::Registry& registry, InstanceId id, const std::string& workflow,
            const std::string& status) {
  return Object{{"id", std::to_string(id.value)},
                {"workflow_id", IdOf(registry, workflow)},
                {"status", WordOf(status)}};
}

void AddTimes(Object& shown, TimeUs started, TimeUs ended, TimeUs now) {
  const TimeUs until = ended ? ended : now;
  shown.Set("start_time", MomentOf(started));
  shown.Set("end_time", MomentOf(ended));
  shown.Set("duration", std::max<int64_t>(until.value - started.value, 0) * kNanosecondsPerUs);
}

Object Show(const Desk& desk, TimeUs now, const InstanceStatus& status, const Array& steps) {
  Object shown = Head(desk.registry(), status.id, status.definition, status.status);
  shown.Set("input", status.input.has_value() ? status.input.value() : Value(Object()));
  shown.Set("output", status.output.value());
  AddTimes(shown, status.started, status.ended, now);
  const auto firing = runtime::FiringOf(status.idempotency_key);
  shown.Set("trigger_id",
            firing.has_value() ? Value(std::to_string(firing->first.value)) : Value());
  shown.Set("priority", static_cast<int64_t>(status.priority));
  shown.Set("error_message", TextOrNull(status.failure.message));
  Array runs;
  for (const Value& step : steps) runs.emplace_back(ShowStep(status.id, step));
  shown.Set("step_executions", std::move(runs));
  return shown;
}

Object ShowRow(const Desk& desk, TimeUs now, const projections::InstanceRow& row) {
  Object shown = Head(desk.registry(), row.id, row.definition, row.status);
  AddTimes(shown, row.started, row.ended, now);
  shown.Set("trigger_id", row.trigger ? Value(std::to_string(row.trigger.value)) : Value());
  shown.Set("priority", static_cast<int64_t>(row.priority));
  shown.Set("error_message", TextOrNull(row.error_message));
  return shown;
}

Promised<Object> ReadExecution(const Operations& operations, const Caller& caller, InstanceId id) {
  return operations.instances.Get(caller, id)
      .then([operations, caller, id](Result<InstanceStatus> found) -> Promised<Object> {
        if (!found.has_value()) return Result<Object>(std::unexpected(found.error()));
        return operations.histories.Steps(caller, id)
            .then([&desk = operations.desk,
                   found = *std::move(found)](const Result<Array>& steps) -> Result<Object> {
              if (!steps.has_value()) return std::unexpected(steps.error());
              return Show(desk, desk.Now(), found, *steps);
            });
      });
}

kj::Promise<http::Response> Find(const Operations& operations, const Call& call) {
  projections::Query narrowed;
  if (const auto number = call.AskedNumber("workflow_id")) {
    const auto* given =
        operations.desk.registry().Find(DefinitionId(static_cast<uint32_t>(*number)));
    if (given == nullptr)
      return Refuse({ErrorCode::kUnknownDefinition,
                     fmt::format("Expected the number of a workflow but found {}", *number)});
    projections::AddCondition(narrowed, "definition", {given->name});
  }
  if (const std::string status = call.Asked("status"); !status.empty())
    projections::AddCondition(narrowed, "status", StatusesOf(status));
  Desk& desk = operations.desk;
  return Reply(
      operations.questions.Instances(call.caller(), {.query = projections::ToText(narrowed),
                                                     .sort = "",
                                                     .cursor = call.Asked("cursor"),
                                                     .limit = rest::AskedLimit(call),
                                                     .freshness = Current()}),
      [&desk](const Found<projections::InstanceRow>& found) {
        Array rows;
        for (const projections::InstanceRow& row : found.page.rows)
          rows.emplace_back(ShowRow(desk, found.now, row));
        const auto total = static_cast<int64_t>(rows.size());
        return http::Json(200, Object{{"executions", std::move(rows)},
                                      {"total", total},
                                      {"next", TextOrNull(found.page.next)}});
      });
}

// Sends what `make` makes, and answers with the execution as it is then.
rest::Handle Sending(const Operations& operations, std::function<requests::MakeCommand()> make) {
  return [operations, make = std::move(make)](const Call& call) -> kj::Promise<http::Response> {
    const auto id = call.Instance();
    if (!id.has_value()) return Refuse(id.error());
    return operations.instances.Send(call.caller(), Permission::kOperate, *id, make())
        .then([operations, caller = call.caller(),
               id = *id](Result<Written> written) -> kj::Promise<http::Response> {
          if (!written.has_value()) return Refuse(written.error());
          return TellExecution(operations, caller, id, 200,
                               Object{{"id", std::to_string(id.value)}});
        });
  };
}

Object ShowLog(InstanceId instance, const projections::AttemptEntry& entry) {
  return Object{{"step_id", entry.row.step},
                {"step_execution_id", ToText(rest::RunName{instance, entry.place.run})},
                {"attempt", static_cast<int64_t>(entry.place.attempt)},
                {"status", replay::AttemptStateName(entry.row.state)},
                {"start_time", MomentOf(entry.row.started)},
                {"end_time", MomentOf(entry.row.ended)},
                {"message", entry.row.log},
                {"error_message", TextOrNull(entry.row.message)}};
}

kj::Promise<http::Response> Logs(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  // The view has no word for an instance that is not there.
  if (const auto there = operations.instances.Allow(call.caller(), Permission::kRead, *id);
      !there.has_value())
    return Refuse(there.error());
  return Reply(operations.questions.StepLogs(call.caller(), *id, call.Asked("step_id"),
                                             projections::kMaxPageRows, {}),
               [id = *id](const projections::StepLogPage& page) {
                 Array logs;
                 for (const projections::AttemptEntry& entry : page.attempts)
                   logs.emplace_back(ShowLog(id, entry));
                 const auto total = static_cast<int64_t>(logs.size());
                 return http::Json(200, Object{{"execution_id", std::to_string(id.value)},
                                               {"logs", std::move(logs)},
                                               {"total", total}});
               });
}

// What `show` makes of the run that the path names.
kj::Promise<http::Response> OfRun(const Operations& operations, const Caller& caller,
                                  const std::string& text,
                                  std::function<http::Response(InstanceId, const Value&)> show) {
  const auto name = ParseRunName(text);
  if (!name.has_value()) return Refuse(name.error());
  return Reply(operations.histories.Steps(caller, name->instance),
               [name = *name, show = std::move(show)](const Array& steps) {
                 const Value* step = FindRun(steps, name.run);
                 if (step != nullptr) return show(name.instance, *step);
                 return http::Problem(
                     {ErrorCode::kUnknownRun,
                      fmt::format("Expected a run of a step but found no {}", ToText(name))});
               });
}

kj::Promise<http::Response> GetStep(const Operations& operations, const Caller& caller,
                                    const std::string& text) {
  return OfRun(operations, caller, text, [](InstanceId instance, const Value& step) {
    return http::Json(200, ShowStep(instance, step));
  });
}

kj::Promise<http::Response> StepOutput(const Operations& operations, const Call& call) {
  const std::string& text = call.param("id");
  return OfRun(operations, call.caller(), text, [text](InstanceId, const Value& step) {
    const Value* output = step.Find("output");
    return http::Json(200, Object{{"step_execution_id", text},
                                  {"output", output == nullptr ? Value() : *output}});
  });
}

// A step that an instance has failed with goes on with the instance.
requests::MakeCommand RetryOf(RunId run) {
  return [run](const model::Instance& instance, const definition::Definition& definition) {
    if (instance.status == model::Status::kFailed) return requests::Retry("")(instance, definition);
    return requests::RetryStep(fmt::format("#{}", run.value), "")(instance, definition);
  };
}

kj::Promise<http::Response> RetryStep(const Operations& operations, const Call& call) {
  const auto name = ParseRunName(call.param("id"));
  if (!name.has_value()) return Refuse(name.error());
  return operations.instances
      .Send(call.caller(), Permission::kOperate, name->instance, RetryOf(name->run))
      .then([operations, caller = call.caller(),
             name = *name](Result<Written> written) -> kj::Promise<http::Response> {
        if (!written.has_value()) return Refuse(written.error());
        return operations.histories.Steps(caller, name.instance)
            .then([name](const Result<Array>& steps) -> http::Response {
              const Value* step = steps.has_value() ? FindRun(*steps, name.run) : nullptr;
              if (step != nullptr) return http::Json(200, ShowStep(name.instance, *step));
              return http::Json(200, Object{{"id", ToText(name)},
                                            {"execution_id", std::to_string(name.instance.value)}});
            });
      });
}

kj::Promise<http::Response> Scheduler(const Operations& operations, std::string_view word,
                                      const Call& call) {
  const auto triggers = operations.triggers.List(call.caller(), "", false);
  if (!triggers.has_value()) return Refuse(triggers.error());
  int64_t schedules = 0;
  TimeUs next;
  for (const TriggerStatus& trigger : *triggers) {
    if (!trigger.next) continue;
    ++schedules;
    if (!next || trigger.next < next) next = trigger.next;
  }
  return Reply(operations.questions.Statistics(call.caller(), {}, Current()),
               [schedules, next, word](const projections::Statistics& figures) {
                 return http::Json(200, Object{{"enabled", true},
                                               {"status", word == "ok" ? "running" : word},
                                               {"active_executions", figures.open},
                                               {"queued_executions", figures.queued},
                                               {"paused_executions", figures.paused},
                                               {"schedules", schedules},
                                               {"next_run", MomentOf(next)}});
               });
}

std::vector<Route> ReadingRoutes(const Operations& operations) {
  std::vector<rest::Parameter> narrowing = rest::PageParameters();
  narrowing.push_back(rest::Number("workflow_id", 1, UINT32_MAX, "of that workflow alone"));
  narrowing.push_back(
      rest::Choice("status", {"pending", "running", "paused", "completed", "failed", "cancelled"},
                   "in that state alone"));
  return {{.method = Method::kGet,
           .pattern = "/executions",
           .id = "findExecutions",
           .summary = "Finds executions, the latest first.",
           .permission = Permission::kRead,
           .parameters = narrowing,
           .answers = {{200, "a page", "ExecutionEntities"}},
           .handle = [operations](const Call& call) { return Find(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/executions/{id}",
           .id = "getExecution",
           .summary = "An execution, with its steps.",
           .permission = Permission::kRead,
           .answers = {{200, "it is", "ExecutionEntity"}},
           .handle = [operations](const Call& call) -> kj::Promise<http::Response> {
             const auto id = call.Instance();
             if (!id.has_value()) return Refuse(id.error());
             return Reply(ReadExecution(operations, call.caller(), *id),
                          [](const Object& shown) { return http::Json(200, shown); });
           }},
          {.method = Method::kGet,
           .pattern = "/executions/{id}/logs",
           .id = "getExecutionLogs",
           .summary = "What the steps of an execution printed.",
           .permission = Permission::kRead,
           .parameters = {rest::Text("step_id", "of that step alone")},
           .answers = {{200, "they are", "ExecutionLogs"}},
           .handle = [operations](const Call& call) { return Logs(operations, call); }}};
}

std::vector<Route> StepRoutes(const Operations& operations) {
  return {{.method = Method::kGet,
           .pattern = "/step-executions/{id}",
           .id = "getStepExecution",
           .summary = "A run of a step.",
           .permission = Permission::kRead,
           .answers = {{200, "it is", "StepExecution"}},
           .handle =
               [operations](const Call& call) {
                 return GetStep(operations, call.caller(), call.param("id"));
               }},
          {.method = Method::kGet,
           .pattern = "/step-executions/{id}/output",
           .id = "getStepExecutionOutput",
           .summary = "What a run of a step gave.",
           .permission = Permission::kRead,
           .answers = {{200, "it is", "StepOutput"}},
           .handle = [operations](const Call& call) { return StepOutput(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/step-executions/{id}/retry",
           .id = "retryStepExecution",
           .summary = "A step that waits for its next attempt, or has failed, is tried again.",
           .permission = Permission::kOperate,
           .answers = {{200, "it is durable", "StepExecution"}},
           .handle = [operations](const Call& call) { return RetryStep(operations, call); }}};
}

std::vector<Route> ControlRoutes(const Operations& operations) {
  struct Control {
    std::string word;
    std::string summary;
    std::function<requests::MakeCommand()> make;
  };
  const Control controls[] = {
      {"pause", "Nothing new of it starts.", [] { return requests::Pause(""); }},
      {"resume", "A paused one goes on.", [] { return requests::Resume(""); }},
      {"cancel", "It is stopped.", [] { return requests::Cancel(false, ""); }},
      {"retry", "One that has failed goes on.", [] { return requests::Retry(""); }}};
  std::vector<Route> routes;
  for (const Control& control : controls)
    routes.push_back({.method = Method::kPost,
                      .pattern = "/executions/{id}/" + control.word,
                      .id = control.word + "Execution",
                      .summary = control.summary,
                      .permission = Permission::kOperate,
                      .answers = {{200, "it is durable", "ExecutionEntity"}},
                      .handle = Sending(operations, control.make)});
  return routes;
}

}  // namespace

kj::Promise<http::Response> TellExecution(const Operations& operations, const Caller& caller,
                                          InstanceId id, int status, Object known) {
  return ReadExecution(operations, caller, id)
      .then([id, status, known = std::move(known)](const Result<Object>& read) {
        const Object& shown = read.has_value() ? *read : known;
        if (status != 201) return http::Json(status, shown);
        return http::Created(fmt::format("{}/executions/{}", rest::kPrefix, id.value), shown);
      });
}

rest::Resource ExecutionsResource(const Operations& operations, const SchedulerWord& word) {
  std::vector<Route> routes = WorkflowRoutes(operations);
  for (auto* part : {&TriggerRoutes, &ReadingRoutes, &StepRoutes, &ControlRoutes})
    for (Route& route : part(operations)) routes.push_back(std::move(route));
  routes.push_back({.method = Method::kGet,
                    .pattern = "/scheduler/status",
                    .id = "getSchedulerStatus",
                    .summary = "How much runs, and what is to be started next.",
                    .permission = Permission::kReadFigures,
                    .answers = {{200, "it is", "SchedulerStatus"}},
                    .handle = [operations, word](const Call& call) {
                      return Scheduler(operations, word(), call);
                    }});
  return {.name = "executions",
          .about =
              "Workflows and executions as another engine asks for them "
              "(docs/compatibility.md).",
          .routes = std::move(routes),
          .components = ExecutionShapes()};
}

}  // namespace stele::server::compat
