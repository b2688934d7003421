// The dialect of jobs: tasks to choose from, and the flows that are made of them. Tasks are notes
// (notes.h); a flow is a definition with the tasks as they were when it was made.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "server/compat/jobs.h"
#include "server/compat/limits.h"
#include "server/compat/notes.h"
#include "server/compat/resources.h"
#include "server/compat/shown.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"

namespace stele::server::compat {

namespace {

using definition::StepKind;
using http::Method;
using rest::Call;
using rest::Component;
using rest::ObjectOf;
using rest::Refuse;
using rest::Reply;
using rest::Route;
using rest::Whole;

constexpr std::string_view kTask = "task";
constexpr int64_t kDefaultRows = 20;
constexpr int64_t kMaxRows = 1'000;

Error NoTask(uint64_t number) {
  return {ErrorCode::kUnknownDefinition,
          fmt::format("Expected the number of a task but found {}", number)};
}

// {NAME: rows from `offset` on, at most `limit`, "total", "limit", "offset"}
http::Response PageOf(const Call& call, std::string_view name, const Array& all) {
  const int64_t limit = call.AskedNumber("limit").value_or(kDefaultRows);
  const int64_t offset = call.AskedNumber("offset").value_or(0);
  Array rows;
  for (auto i = static_cast<size_t>(offset);
       i < all.size() && rows.size() < static_cast<size_t>(limit); ++i)
    rows.push_back(all[i]);
  Object page;
  page.Set(name, std::move(rows));
  page.Set("total", static_cast<int64_t>(all.size()));
  page.Set("limit", limit);
  page.Set("offset", offset);
  return http::Json(200, page);
}

std::vector<rest::Parameter> PageParameters() {
  return {rest::Number("id", 1, INT64_MAX, "that one alone"),
          rest::Number("limit", 1, kMaxRows, "at most so many; 20 unless given"),
          rest::Number("offset", 0, INT64_MAX, "behind so many")};
}

kj::Promise<http::Response> WriteTask(const Operations& operations, const Call& call,
                                      uint64_t number, Object task, int status) {
  const Value now = MomentOf(operations.desk.Now());
  if (task.Find("created_at") == nullptr) task.Set("created_at", now);
  task.Set("updated_at", now);
  for (const std::string_view name : {"name", "description", "task_type", "config"})
    if (const Value* given = call.Find(name)) task.Set(name, *given);
  if (task.Find("description") == nullptr) task.Set("description", "");
  if (task.Find("config") == nullptr) task.Set("config", Object());
  return Reply(WriteNote(operations.desk, call.caller(), kTask, number, task),
               [task, status](const Written&) { return http::Json(status, task); });
}

kj::Promise<http::Response> CreateTask(const Operations& operations, const Call& call) {
  const auto number = NextNote(operations.desk.registry(), kTask);
  if (!number.has_value()) return Refuse(number.error());
  return WriteTask(operations, call, *number, Object{{"id", Whole(*number)}}, 201);
}

kj::Promise<http::Response> UpdateTask(const Operations& operations, const Call& call) {
  const auto number = static_cast<uint64_t>(call.Number("id", 0));
  auto task = FindNote(operations.desk.registry(), kTask, number);
  if (!task.has_value()) return Refuse(NoTask(number));
  return WriteTask(operations, call, number, *std::move(task), 200);
}

kj::Promise<http::Response> DeleteTask(const Operations& operations, const Call& call) {
  const auto number = static_cast<uint64_t>(call.AskedNumber("id").value_or(0));
  if (!FindNote(operations.desk.registry(), kTask, number).has_value())
    return Refuse(NoTask(number));
  return Reply(RemoveNote(operations.desk, call.caller(), kTask, number),
               [](const Written&) { return http::NoContent(); });
}

kj::Promise<http::Response> GetTasks(const Operations& operations, const Call& call) {
  const model::Registry& registry = operations.desk.registry();
  if (const auto number = call.AskedNumber("id")) {
    const auto task = FindNote(registry, kTask, static_cast<uint64_t>(*number));
    if (!task.has_value()) return Refuse(NoTask(static_cast<uint64_t>(*number)));
    return http::Json(200, *task);
  }
  Array all;
  for (auto& [number, task] : AllNotes(registry, kTask)) all.emplace_back(task);
  return PageOf(call, "tasks", all);
}

// The flow in the notation of tasks in their order, where an operator may skip any of them.
Result<Object> DocumentOf(const model::Registry& registry, const Call& call) {
  const Array& ids = call.Find("task_ids")->as_array();
  if (ids.empty() || ids.size() > kMaxFlowTasks)
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected 1 to {} task_ids but found {}", kMaxFlowTasks, ids.size()));
  Array library;
  Array tasks;
  for (const Value& id : ids) {
    // Schemas count 1.0 and 1e19 among the integers.
    if (!id.is_int())
      return Fail(
          ErrorCode::kInvalidInput,
          fmt::format("Expected the numbers of tasks as task_ids but found {}", stele::ToJson(id)));
    const auto number = static_cast<uint64_t>(id.as_int());
    const auto task = FindNote(registry, kTask, number);
    if (!task.has_value()) return std::unexpected(NoTask(number));
    Object step;
    for (const std::string_view name : {"id", "name", "description", "task_type", "config"})
      step.Set(name, *task->Find(name));
    if (std::ranges::find(library, Value(step)) == library.end())
      library.emplace_back(std::move(step));
    tasks.emplace_back(Object{{"task_id", id},
                              {"sequence", static_cast<int64_t>(tasks.size()) + 1},
                              {"is_optional", true}});
  }
  Object flow;
  for (const std::string_view name : {"name", "description", "version", "created_by"})
    if (const Value* given = call.Find(name)) flow.Set(name, *given);
  flow.Set("tasks", std::move(tasks));
  return Object{{"tasks", std::move(library)}, {"flow", std::move(flow)}};
}

Object ShowFlow(const model::Registry& registry, const model::RegisteredDefinition& newest) {
  const definition::Definition& made = *newest.definition;
  // What it was made of; a flow that was registered in another notation has no ids of tasks.
  Array ids;
  if (const auto source = ParseJson(newest.source); source.has_value())
    if (const Value* flow = source->Find("flow")) {
      const Value placed = MemberOr(*flow, "tasks", Array());
      for (const Value& task : placed.as_array()) ids.emplace_back(NumberMember(task, "task_id"));
    }
  Array tasks;
  for (const definition::Step* step : TasksOf(made))
    tasks.emplace_back(Object{{"sequence", static_cast<int64_t>(tasks.size()) + 1},
                              {"task_id", tasks.size() < ids.size() ? ids[tasks.size()] : Value()},
                              {"name", step->name.empty() ? step->id : step->name},
                              {"task_type", TaskTypeOf(*step)},
                              {"is_optional", step->optional},
                              {"allow_rollback", step->returnable}});
  const Value* creator = made.extra.Find("created_by");
  return Object{{"id", Whole(NumberOf(registry, newest.name)->value)},
                {"name", newest.name},
                {"description", made.description},
                {"version", made.version},
                {"is_active", newest.state == model::DefinitionState::kActive},
                {"created_by", creator == nullptr ? Value() : *creator},
                {"created_at", MomentOf(newest.registered)},
                {"tasks", std::move(tasks)}};
}

kj::Promise<http::Response> CreateFlow(const Operations& operations, const Call& call) {
  const auto document = DocumentOf(operations.desk.registry(), call);
  if (!document.has_value()) return Refuse(document.error());
  return operations.definitions
      .Register(call.caller(),
                {.text = ToJson(Value(*document)), .syntax = definition::Syntax::kJson})
      .then([&registry =
                 operations.desk.registry()](Judged<DefinitionStatus> made) -> http::Response {
        if (!made.has_value()) return http::Problem(made.error().error);
        return http::Json(made->is_new ? 201 : 200, ShowFlow(registry, *registry.Find(made->id)));
      });
}

kj::Promise<http::Response> GetFlows(const Operations& operations, const Call& call) {
  const auto visible = operations.definitions.List(call.caller(), "");
  if (!visible.has_value()) return Refuse(visible.error());
  const model::Registry& registry = operations.desk.registry();
  if (const auto number = call.AskedNumber("id")) {
    const auto newest = FindWorkflow(registry, static_cast<uint64_t>(*number));
    if (!newest.has_value()) return Refuse(newest.error());
    const auto allowed = operations.definitions.Get(call.caller(), (*newest)->name, 0);
    if (!allowed.has_value()) return Refuse(allowed.error());
    return http::Json(200, ShowFlow(registry, **newest));
  }
  Array all;
  for (const DefinitionStatus& status : *visible)
    if (const auto& newest = *registry.Latest(status.name);
        status.version == 1 && newest.state != model::DefinitionState::kRetired)
      all.emplace_back(ShowFlow(registry, newest));
  return PageOf(call, "flows", all);
}

Route TaskRoute(Method method, std::string id, std::string summary, int status, std::string answer,
                rest::Handle handle) {
  const bool reads = method == Method::kGet;
  return {.method = method,
          .pattern = "/api/tasks",
          .id = std::move(id),
          .summary = std::move(summary),
          .permission = reads ? Permission::kReadDefinitions : Permission::kDefine,
          .answers = {{status, reads ? "it is, or a page" : "it is durable", std::move(answer)}},
          .handle = std::move(handle),
          .outside = true};
}

Component Paged(const std::string& name, const std::string& rows, const std::string& of) {
  return {name,
          "",
          {{rows, "[" + of + "]", ""},
           {"total", "count", ""},
           {"limit", "count", ""},
           {"offset", "count", ""}}};
}

std::vector<Component> TaskTemplateShapes() {
  using Others = Component::Others;
  return {{"CreateTaskTemplate",
           "",
           {{"name", "name", ""},
            {"description?", "text|null", ""},
            {"task_type", "=manual,automated,approval", ""},
            {"config?", "object|null", "docs/notations.md"}},
           Others::kRefused},
          {"UpdateTaskTemplate",
           "What is not given stays.",
           {{"id", "count", ""},
            {"name?", "name", ""},
            {"description?", "text|null", ""},
            {"task_type?", "=manual,automated,approval", ""},
            {"config?", "object|null", ""}},
           Others::kRefused},
          {"TaskTemplate",
           "",
           {{"id", "count", ""},
            {"name", "text", ""},
            {"description", "text", ""},
            {"task_type", "=manual,automated,approval", ""},
            {"config", "object", ""},
            {"created_at", "text", ""},
            {"updated_at", "text", ""}}},
          Paged("TaskTemplates", "tasks", "TaskTemplate")};
}

std::vector<Component> FlowOwnShapes() {
  using Others = Component::Others;
  return {{"CreateFlow",
           "",
           {{"name", "name", ""},
            {"description?", "text|null", ""},
            {"version?", "text|null", ""},
            {"task_ids", "[count]", "in their order"},
            {"created_by?", "number|null", "kept"}},
           Others::kRefused},
          {"FlowTask",
           "",
           {{"sequence", "count", "from 1"},
            {"task_id", "count|null", ""},
            {"name", "text", ""},
            {"task_type", "=manual,automated,approval", ""},
            {"is_optional", "flag", "it may be skipped"},
            {"allow_rollback", "flag", "it may be sent back"}}},
          {"Flow",
           "",
           {{"id", "count", ""},
            {"name", "text", ""},
            {"description", "text", ""},
            {"version", "text", ""},
            {"is_active", "flag", ""},
            {"created_by", "any", ""},
            {"created_at", "text", ""},
            {"tasks", "[FlowTask]", ""}}},
          Paged("Flows", "flows", "Flow")};
}

}  // namespace

std::vector<const definition::Step*> TasksOf(const definition::Definition& definition) {
  std::vector<const definition::Step*> tasks;
  for (const definition::Step& step : definition.steps)
    if ((step.kind == StepKind::kTask || step.kind == StepKind::kHuman) && !step.handler &&
        tasks.size() < kMaxFlowTasks)
      tasks.push_back(&step);
  return tasks;
}

std::string TaskTypeOf(const definition::Step& step) {
  return step.kind == StepKind::kHuman ? step.task_type : "automated";
}

std::vector<Route> FlowRoutes(const Operations& operations) {
  Route create = TaskRoute(Method::kPost, "createTaskTemplate", "A task to make flows of.", 201,
                           "TaskTemplate",
                           [operations](const Call& call) { return CreateTask(operations, call); });
  create.body = ObjectOf("CreateTaskTemplate");
  Route update = TaskRoute(
      Method::kPut, "updateTaskTemplate", "Changes a task; flows that have it stay as they are.",
      200, "TaskTemplate", [operations](const Call& call) { return UpdateTask(operations, call); });
  update.body = ObjectOf("UpdateTaskTemplate");
  Route remove = TaskRoute(Method::kDelete, "deleteTaskTemplate",
                           "Removes a task; flows that have it stay as they are.", 204, "",
                           [operations](const Call& call) { return DeleteTask(operations, call); });
  remove.parameters = {rest::Number("id", 1, INT64_MAX, "its number")};
  Route get = TaskRoute(Method::kGet, "getTaskTemplates", "The task with that id, or all.", 200,
                        "TaskTemplate|TaskTemplates",
                        [operations](const Call& call) { return GetTasks(operations, call); });
  get.parameters = PageParameters();
  return {create,
          update,
          remove,
          get,
          {.method = Method::kPost,
           .pattern = "/api/flows",
           .id = "createFlow",
           .summary = "Registers a flow of tasks, one after another.",
           .permission = Permission::kDefine,
           .body = ObjectOf("CreateFlow"),
           .answers = {{201, "it is durable", "Flow"}, {200, "it was there", "Flow"}},
           .handle = [operations](const Call& call) { return CreateFlow(operations, call); },
           .outside = true},
          {.method = Method::kGet,
           .pattern = "/api/flows",
           .id = "getFlows",
           .summary = "The flow with that id, or all.",
           .permission = Permission::kReadDefinitions,
           .parameters = PageParameters(),
           .answers = {{200, "it is, or a page", "Flow|Flows"}},
           .handle = [operations](const Call& call) { return GetFlows(operations, call); },
           .outside = true}};
}

std::vector<Component> FlowShapes() {
  std::vector<Component> all = TaskTemplateShapes();
  for (Component& component : FlowOwnShapes()) all.push_back(std::move(component));
  return all;
}

}  // namespace stele::server::compat
