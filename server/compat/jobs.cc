// The dialect of jobs: executions of flows, and what is done about their tasks. A job's task has
// the number (job - 1) * kMaxFlowTasks + sequence, so that each has one before it begins.
#include "server/compat/jobs.h"

#include <fmt/format.h>

#include "engine/requests/operators.h"
#include "server/compat/decisions.h"
#include "server/compat/limits.h"
#include "server/compat/resources.h"
#include "server/compat/shown.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::compat {

namespace {

using http::Method;
using rest::Call;
using rest::Component;
using rest::ObjectOf;
using rest::Refuse;
using rest::Reply;
using rest::Route;
using rest::Whole;

// What somebody who works tells the flow that it failed with.
constexpr std::string_view kFailureKind = "failed";

struct JobTask {
  InstanceId job;
  uint64_t sequence = 0;  // from 1
};

int64_t NumberOfTask(const JobTask& task) {
  return static_cast<int64_t>((task.job.value - 1) * kMaxFlowTasks + task.sequence);
}

Result<JobTask> JobTaskOf(const Call& call) {
  const int64_t number = call.Number("job_task_id", 0);
  if (number < 1)
    return Fail(ErrorCode::kUnknownRun,
                fmt::format("Expected the number of a job's task but found {}", number));
  const auto before = static_cast<uint64_t>(number - 1);
  return JobTask{InstanceId(before / kMaxFlowTasks + 1), before % kMaxFlowTasks + 1};
}

Result<const definition::Step*> StepOf(const definition::Definition& definition,
                                       uint64_t sequence) {
  const auto tasks = TasksOf(definition);
  if (sequence >= 1 && sequence <= tasks.size()) return tasks[sequence - 1];
  return Fail(ErrorCode::kUnknownRun,
              fmt::format("Expected a task from 1 to {} but found {}", tasks.size(), sequence));
}

// The latest run of each task, and when it came among all runs.
struct LatestRun {
  const Value* run = nullptr;
  size_t place = 0;
};

std::vector<LatestRun> LatestRuns(const std::vector<const definition::Step*>& tasks,
                                  const Array& runs) {
  std::vector<LatestRun> latest(tasks.size());
  for (size_t place = 0; place < runs.size(); ++place)
    for (size_t i = 0; i < tasks.size(); ++i)
      if (TextMember(runs[place], "step") == tasks[i]->id) latest[i] = {&runs[place], place};
  return latest;
}

// A task that people wait for runs when somebody has claimed it. Where an earlier task has begun
// anew since, it was sent back.
std::string StatusOfTask(const std::vector<LatestRun>& latest, size_t index) {
  const Value* run = latest[index].run;
  if (run == nullptr) return "pending";
  std::string state = TextMember(*run, "state");
  if (state == "held") return "pending";
  if (state == "waiting") return run->Find("claimed_by") == nullptr ? "pending" : "running";
  for (size_t i = 0; i < index; ++i)
    if (latest[i].run != nullptr && latest[i].place > latest[index].place) return "rolled_back";
  for (const std::string_view over : {"completed", "failed", "skipped"})
    if (state == over) return state;
  // An operator who skips it cancels what runs of it.
  return state == "cancelled" ? "skipped" : "running";
}

Value ExecutorOf(const Value& run) {
  if (const Value* claimed = run.Find("claimed_by")) return *claimed;
  const Value votes = MemberOr(run, "votes", Array());
  return votes.as_array().empty() ? Value() : Value(TextMember(votes.as_array().back(), "person"));
}

Object ShowTask(const JobTask& task, const definition::Step& step,
                const std::vector<LatestRun>& latest) {
  static const Value kNothing;
  const size_t index = task.sequence - 1;
  const Value& run = latest[index].run == nullptr ? kNothing : *latest[index].run;
  const Value* result = run.Find("output");
  const Value* error = run.Find("error");
  return Object{
      {"id", NumberOfTask(task)},
      {"job_id", Whole(task.job.value)},
      {"sequence", Whole(task.sequence)},
      {"name", step.name.empty() ? step.id : step.name},
      {"task_type", TaskTypeOf(step)},
      {"status", StatusOfTask(latest, index)},
      {"executor", ExecutorOf(run)},
      {"started_at", MomentOf(TimeUs(NumberMember(run, "started")))},
      {"completed_at", MomentOf(TimeUs(NumberMember(run, "ended")))},
      {"result", result == nullptr ? Value() : *result},
      {"error_message", error == nullptr ? Value() : Value(TextMember(*error, "message"))}};
}

// A job and its tasks, as the handlers below show parts of them.
struct Job {
  InstanceStatus status;
  Array tasks;
};

Promised<Job> ReadJob(const Operations& operations, const Caller& caller, InstanceId id) {
  return operations.instances.Get(caller, id)
      .then([operations, caller, id](Result<InstanceStatus> found) -> Promised<Job> {
        if (!found.has_value()) return Result<Job>(std::unexpected(found.error()));
        return operations.histories.Steps(caller, id)
            .then([&desk = operations.desk,
                   status = *std::move(found)](const Result<Array>& runs) -> Result<Job> {
              if (!runs.has_value()) return std::unexpected(runs.error());
              const auto* made = desk.registry().Version(status.definition, status.version);
              const auto tasks = TasksOf(*made->definition);
              const auto latest = LatestRuns(tasks, *runs);
              Job job{status, {}};
              for (size_t i = 0; i < tasks.size(); ++i)
                job.tasks.emplace_back(ShowTask({status.id, i + 1}, *tasks[i], latest));
              return job;
            });
      });
}

bool HasBegun(const Array& tasks) {
  for (const Value& task : tasks)
    if (TextMember(task, "status") != "pending") return true;
  return false;
}

Object ShowJob(const model::Registry& registry, const Job& job) {
  const InstanceStatus& status = job.status;
  const auto flow = NumberOf(registry, status.definition);
  const bool is_pending = status.status == "paused" && !HasBegun(job.tasks);
  Value creator;
  for (const std::string& tag : status.tags)
    if (tag.starts_with("created_by:")) creator = tag.substr(tag.find(':') + 1);
  return Object{
      {"id", Whole(status.id.value)},
      {"flow_id", flow.has_value() ? Whole(flow->value) : Value()},
      {"job_name", status.business_key},
      {"status", is_pending ? std::string_view("pending") : WordOf(status.status)},
      {"created_by", creator},
      {"created_at", MomentOf(status.started)},
      {"completed_at", MomentOf(status.ended)},
      {"error_message", status.failure.message.empty() ? Value() : Value(status.failure.message)},
      {"tasks", job.tasks}};
}

Result<InstanceId> AskedJob(const Call& call, std::string_view name) {
  if (const auto number = call.AskedNumber(name)) return InstanceId(static_cast<uint64_t>(*number));
  return Fail(ErrorCode::kBadRequest,
              fmt::format("Expected the number of a job as {} but found none", name));
}

kj::Promise<http::Response> GetJob(const Operations& operations, const Call& call) {
  const auto id = AskedJob(call, "id");
  if (!id.has_value()) return Refuse(id.error());
  return Reply(ReadJob(operations, call.caller(), *id), [&desk = operations.desk](const Job& job) {
    return http::Json(200, ShowJob(desk.registry(), job));
  });
}

// What was done is durable: a job that the caller may not look at has begun all the same.
kj::Promise<http::Response> TellJob(const Operations& operations, const Caller& caller,
                                    InstanceId id, int status, std::string_view word) {
  return ReadJob(operations, caller, id)
      .then([&desk = operations.desk, id, status, word](const Result<Job>& job) {
        if (job.has_value()) return http::Json(status, ShowJob(desk.registry(), *job));
        return http::Json(status, Object{{"id", Whole(id.value)}, {"status", word}});
      });
}

kj::Promise<http::Response> CreateJob(const Operations& operations, const Call& call) {
  const auto newest =
      FindWorkflow(operations.desk.registry(), static_cast<uint64_t>(call.Number("flow_id", 0)));
  if (!newest.has_value()) return Refuse(newest.error());
  StartRequest request{.definition = (*newest)->name,
                       .business_key = call.Text("job_name"),
                       .trace_parent = call.TraceParent()};
  // Nothing of it begins before it is started.
  request.paused = true;
  if (call.Find("created_by") != nullptr)
    request.tags.push_back(fmt::format("created_by:{}", call.Number("created_by", 0)));
  return operations.instances.Start(call.caller(), std::move(request))
      .then([operations,
             caller = call.caller()](Result<Started> started) -> kj::Promise<http::Response> {
        if (!started.has_value()) return Refuse(started.error());
        return TellJob(operations, caller, started->instance, 201, "pending");
      });
}

kj::Promise<http::Response> StartJob(const Operations& operations, const Call& call) {
  const InstanceId id(static_cast<uint64_t>(call.Number("job_id", 0)));
  return operations.instances
      .Send(call.caller(), Permission::kOperate, id, requests::Resume("started"))
      .then([operations, caller = call.caller(),
             id](Result<Written> written) -> kj::Promise<http::Response> {
        if (!written.has_value()) return Refuse(written.error());
        return TellJob(operations, caller, id, 200, "running");
      });
}

kj::Promise<http::Response> NextTask(const Operations& operations, const Call& call) {
  const auto id = AskedJob(call, "job_id");
  if (!id.has_value()) return Refuse(id.error());
  return Reply(ReadJob(operations, call.caller(), *id), [](const Job& job) {
    for (const Value& task : job.tasks)
      if (const std::string status = TextMember(task, "status");
          status == "pending" || status == "running" || status == "rolled_back")
        return http::Json(200, task);
    return http::NoContent();
  });
}

// Whoever asks; where nobody is asked for a name, whom the body says. The dialect knows no
// assignees: whoever may act for others acts on any task.
requests::Person PersonOf(const Operations& operations, const Call& call, InstanceId job) {
  const Caller& caller = call.caller();
  requests::Person person{.name = caller.name, .groups = caller.groups, .comment = {}};
  if (caller.kind == CallerKind::kAnonymousDev && call.Find("executor_id") != nullptr)
    person.name = std::to_string(call.Number("executor_id", 0));
  person.as_operator =
      MayDo(caller.role, Permission::kActForOthers) &&
      operations.instances.Allow(caller, Permission::kActForOthers, job).has_value();
  return person;
}

using Make = std::function<requests::MakeCommand(const std::string& step)>;

// Sends what `make` makes of the step's id, and answers with the task as it is then.
kj::Promise<http::Response> Act(const Operations& operations, const Caller& caller,
                                Permission permission, const JobTask& task, const Make& make) {
  const auto command = [sequence = task.sequence, make](
                           const model::Instance& instance,
                           const definition::Definition& definition) -> Result<model::Command> {
    const auto step = StepOf(definition, sequence);
    if (!step.has_value()) return std::unexpected(step.error());
    return make((*step)->id)(instance, definition);
  };
  return operations.instances.Send(caller, permission, task.job, command)
      .then([operations, caller, task](Result<Written> written) -> kj::Promise<http::Response> {
        if (!written.has_value()) return Refuse(written.error());
        return ReadJob(operations, caller, task.job).then([task](const Result<Job>& job) {
          if (job.has_value()) return http::Json(200, job->tasks[task.sequence - 1]);
          return http::Json(200, Object{{"id", NumberOfTask(task)},
                                        {"job_id", Whole(task.job.value)},
                                        {"sequence", Whole(task.sequence)}});
        });
      });
}

kj::Promise<http::Response> StartTask(const Operations& operations, const Call& call) {
  const auto task = JobTaskOf(call);
  if (!task.has_value()) return Refuse(task.error());
  const requests::Person person = PersonOf(operations, call, task->job);
  return Act(operations, call.caller(), Permission::kDecideTasks, *task,
             [person](const std::string& step) { return requests::Claim(step, person); });
}

kj::Promise<http::Response> CompleteTask(const Operations& operations, const Call& call) {
  const auto task = JobTaskOf(call);
  if (!task.has_value()) return Refuse(task.error());
  const requests::Person person = PersonOf(operations, call, task->job);
  const Payload result = call.Document("result");
  return Act(operations, call.caller(), Permission::kDecideTasks, *task,
             [person, result](const std::string& step) -> requests::MakeCommand {
               return [person, result, step](
                          const model::Instance& instance,
                          const definition::Definition& definition) -> Result<model::Command> {
                 const auto run = requests::FindTask(instance, definition, step);
                 if (!run.has_value()) return std::unexpected(run.error());
                 return CompletionOf(*run, person, result)(instance, definition);
               };
             });
}

kj::Promise<http::Response> FailTask(const Operations& operations, const Call& call) {
  const auto task = JobTaskOf(call);
  if (!task.has_value()) return Refuse(task.error());
  requests::Person person = PersonOf(operations, call, task->job);
  person.comment = call.Text("error_message");
  return Act(operations, call.caller(), Permission::kDecideTasks, *task,
             [person](const std::string& step) {
               return requests::FailTask(step, person, std::string(kFailureKind));
             });
}

std::string ReasonOf(const Call& call) {
  return call.Find("operator_id") == nullptr
             ? std::string()
             : fmt::format("operator {}", call.Number("operator_id", 0));
}

kj::Promise<http::Response> SkipTask(const Operations& operations, const Call& call) {
  const auto task = JobTaskOf(call);
  if (!task.has_value()) return Refuse(task.error());
  return Act(operations, call.caller(), Permission::kOperate, *task,
             [reason = ReasonOf(call)](const std::string& step) {
               return requests::SkipStep(step, reason);
             });
}

kj::Promise<http::Response> RollTaskBack(const Operations& operations, const Call& call) {
  const auto task = JobTaskOf(call);
  if (!task.has_value()) return Refuse(task.error());
  const auto target = static_cast<uint64_t>(call.Number("target_sequence", 0));
  return Act(operations, call.caller(), Permission::kOperate, *task,
             [target, reason = ReasonOf(call)](const std::string& from) -> requests::MakeCommand {
               return [target, reason, from](
                          const model::Instance& instance,
                          const definition::Definition& definition) -> Result<model::Command> {
                 const auto to = StepOf(definition, target);
                 if (!to.has_value()) return std::unexpected(to.error());
                 return requests::RollBack(from, (*to)->id, reason)(instance, definition);
               };
             });
}

Route PostRoute(std::string pattern, std::string id, std::string summary, Permission permission,
                std::string body, std::string answer, rest::Handle handle) {
  return {.method = Method::kPost,
          .pattern = std::move(pattern),
          .id = std::move(id),
          .summary = std::move(summary),
          .permission = permission,
          .body = ObjectOf(std::move(body)),
          .answers = {{200, "it is durable", std::move(answer)}},
          .handle = std::move(handle),
          .outside = true};
}

std::vector<Route> TaskRoutes(const Operations& operations) {
  const auto of = [&](auto* handle) -> rest::Handle {
    return [operations, handle](const Call& call) { return handle(operations, call); };
  };
  return {PostRoute("/api/tasks/start", "startJobTask", "Somebody takes a task.",
                    Permission::kDecideTasks, "StartJobTask", "JobTask", of(&StartTask)),
          PostRoute("/api/tasks/complete", "completeJobTask",
                    "A task is done; an approval is rejected where `approved` is false.",
                    Permission::kDecideTasks, "CompleteJobTask", "JobTask", of(&CompleteTask)),
          PostRoute("/api/tasks/fail", "failJobTask", "A task fails.", Permission::kDecideTasks,
                    "FailJobTask", "JobTask", of(&FailTask)),
          PostRoute("/api/tasks/skip", "skipJobTask", "A task is done without.",
                    Permission::kOperate, "SkipJobTask", "JobTask", of(&SkipTask)),
          PostRoute("/api/tasks/rollback", "rollJobTaskBack", "The job goes back to a task before.",
                    Permission::kOperate, "RollJobTaskBack", "JobTask", of(&RollTaskBack))};
}

}  // namespace

std::vector<Route> JobRoutes(const Operations& operations) {
  std::vector<Route> routes = TaskRoutes(operations);
  routes.push_back(PostRoute(
      "/api/jobs", "createJob", "A job, which waits to be started.", Permission::kStart,
      "CreateJob", "Job", [operations](const Call& call) { return CreateJob(operations, call); }));
  routes.back().answers = {{201, "it is durable", "Job"}};
  routes.push_back(
      PostRoute("/api/jobs/start", "startJob", "Starts a job.", Permission::kOperate, "StartJob",
                "Job", [operations](const Call& call) { return StartJob(operations, call); }));
  routes.push_back({.method = Method::kGet,
                    .pattern = "/api/jobs",
                    .id = "getJob",
                    .summary = "A job with all of its tasks.",
                    .permission = Permission::kRead,
                    .parameters = {rest::Number("id", 1, INT64_MAX, "its number")},
                    .answers = {{200, "it is", "Job"}},
                    .handle = [operations](const Call& call) { return GetJob(operations, call); },
                    .outside = true});
  routes.push_back({.method = Method::kGet,
                    .pattern = "/api/jobs/next-task",
                    .id = "getNextJobTask",
                    .summary = "The first task of a job that is not done.",
                    .permission = Permission::kRead,
                    .parameters = {rest::Number("job_id", 1, INT64_MAX, "of that job")},
                    .answers = {{200, "it is", "JobTask"}, {204, "there is none", ""}},
                    .handle = [operations](const Call& call) { return NextTask(operations, call); },
                    .outside = true});
  return routes;
}

std::vector<Component> JobShapes() {
  using Others = Component::Others;
  const rest::ShapeMember task{"job_task_id", "count", ""};
  const rest::ShapeMember by{"operator_id?", "number|null", "kept as the reason"};
  return {{"CreateJob",
           "",
           {{"flow_id", "count", ""},
            {"job_name?", "key|null", "its business key"},
            {"created_by?", "number|null", "kept"}},
           Others::kRefused},
          {"StartJob", "", {{"job_id", "count", ""}}, Others::kRefused},
          {"StartJobTask",
           "",
           {task, {"executor_id?", "number|null", "who, where nobody is asked for a name"}},
           Others::kRefused},
          {"CompleteJobTask",
           "",
           {task, {"result?", "object|null", "becomes variables"}},
           Others::kRefused},
          {"FailJobTask", "", {task, {"error_message?", "text|null", ""}}, Others::kRefused},
          {"SkipJobTask", "", {task, by}, Others::kRefused},
          {"RollJobTaskBack",
           "",
           {task, by, {"target_sequence", "count", "of the task to go back to"}},
           Others::kRefused},
          {"JobTask",
           "What was done to it is told to whom may not look at it by the first three alone.",
           {{"id", "count", "(job_id - 1) * 1000 + sequence"},
            {"job_id", "count", ""},
            {"sequence", "count", "from 1"},
            {"name?", "text", ""},
            {"task_type?", "=manual,automated,approval", ""},
            {"status?", "=pending,running,completed,failed,skipped,rolled_back", ""},
            {"executor?", "text|null", ""},
            {"started_at?", "text|null", ""},
            {"completed_at?", "text|null", ""},
            {"result?", "any", ""},
            {"error_message?", "text|null", ""}}},
          {"Job",
           "One that was made or started by whom may not look at it has its id and status alone.",
           {{"id", "count", ""},
            {"flow_id?", "count|null", ""},
            {"job_name?", "text", ""},
            {"status", std::string(kStatusWords), "pending: it was not started"},
            {"created_by?", "text|null", ""},
            {"created_at?", "text", ""},
            {"completed_at?", "text|null", ""},
            {"error_message?", "text|null", ""},
            {"tasks?", "[JobTask]", ""}}}};
}

rest::Resource JobsResource(const Operations& operations) {
  std::vector<Route> routes = FlowRoutes(operations);
  for (Route& route : JobRoutes(operations)) routes.push_back(std::move(route));
  std::vector<Component> components = FlowShapes();
  for (Component& component : JobShapes()) components.push_back(std::move(component));
  return {.name = "jobs",
          .about = "Tasks, flows and jobs as another engine asks for them (docs/compatibility.md).",
          .routes = std::move(routes),
          .components = std::move(components)};
}

}  // namespace stele::server::compat
