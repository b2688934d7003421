// The dialect of processes: their definitions, their instances, and the tasks that people complete.
// Ids are numbers; a task's is INSTANCE-RUN.
#include <fmt/format.h>

#include <set>

#include "base/json.h"
#include "projections/query.h"
#include "server/compat/decisions.h"
#include "server/compat/resources.h"
#include "server/compat/shown.h"
#include "server/operations/worker_types.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"
#include "server/rest/run_name.h"

namespace stele::server::compat {

namespace {

using http::Method;
using rest::Call;
using rest::Component;
using rest::ObjectOf;
using rest::ParseRunName;
using rest::Refuse;
using rest::Reply;
using rest::Route;
using rest::Whole;

Object ShowDefinition(const model::Registry& registry, const model::RegisteredDefinition& newest) {
  const definition::Definition& made = *newest.definition;
  return Object{{"id", Whole(NumberOf(registry, newest.name)->value)},
                {"name", newest.name},
                {"description", made.description},
                {"version", made.version},
                {"status", model::DefinitionStateName(newest.state)},
                {"created_at", MomentOf(newest.registered)}};
}

// Services that a definition calls without saying where they are: workers do them.
std::set<std::string> UnlistedServices(const Value& document) {
  std::set<std::string> names;
  const Value* services = document.Find("services");
  const Value steps = MemberOr(document, "steps", Array());
  for (const Value& step : steps.as_array()) {
    const Value config = MemberOr(step, "config", Object());
    const std::string name = TextMember(config, "service_name");
    const bool says_where = config.Find("url") != nullptr || config.Find("endpoint") != nullptr;
    const bool is_listed = services != nullptr && services->Find(name) != nullptr;
    if (TextMember(step, "type") == "service_task" && !name.empty() && !says_where && !is_listed)
      names.insert(name);
  }
  return names;
}

kj::Promise<http::Response> Create(const Operations& operations, const Call& call) {
  const auto body = call.request().JsonObject();
  if (!body.has_value()) return Refuse(body.error());
  return RegisterWithWorkers(operations.definitions, operations.desk, call.caller(),
                             {.text = ToJson(Value(*body)), .syntax = definition::Syntax::kJson},
                             UnlistedServices(*body))
      .then([&desk = operations.desk](Judged<DefinitionStatus> made) -> http::Response {
        if (!made.has_value()) return http::Problem(made.error().error);
        const Object shown = ShowDefinition(desk.registry(), *desk.registry().Find(made->id));
        if (!made->is_new) return http::Json(200, shown);
        return http::Created(
            fmt::format("{}/process-definitions/{}", rest::kPrefix, shown.Find("id")->as_int()),
            shown);
      });
}

kj::Promise<http::Response> List(const Operations& operations, const Call& call) {
  const auto all = operations.definitions.List(call.caller(), "");
  if (!all.has_value()) return Refuse(all.error());
  const model::Registry& registry = operations.desk.registry();
  Array definitions;
  for (const DefinitionStatus& status : *all) {
    if (status.version != 1) continue;
    const model::RegisteredDefinition& newest = *registry.Latest(status.name);
    if (newest.state != model::DefinitionState::kRetired)
      definitions.emplace_back(ShowDefinition(registry, newest));
  }
  const auto total = static_cast<int64_t>(definitions.size());
  return http::Json(200, Object{{"process_definitions", std::move(definitions)}, {"total", total}});
}

Object Head(const model::Registry& registry, InstanceId id, const std::string& definition,
            const std::string& status, const std::string& business_key) {
  const auto number = NumberOf(registry, definition);
  return Object{{"id", Whole(id.value)},
                {"process_definition_id", number.has_value() ? Whole(number->value) : Value()},
                {"business_key", business_key.empty() ? Value() : Value(business_key)},
                {"status", WordOf(status)}};
}

Object ShowInstance(const model::Registry& registry, const InstanceStatus& status) {
  Object shown = Head(registry, status.id, status.definition, status.status, status.business_key);
  Object variables;
  for (const model::NamedPayload& variable : status.variables)
    variables.Set(variable.name, variable.value.value());
  shown.Set("variables", std::move(variables));
  shown.Set("start_time", MomentOf(status.started));
  shown.Set("end_time", MomentOf(status.ended));
  return shown;
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  return Reply(operations.instances.Get(call.caller(), *id),
               [&desk = operations.desk](const InstanceStatus& found) {
                 return http::Json(200, ShowInstance(desk.registry(), found));
               });
}

// What was started is durable: one that the caller may not look at has started all the same.
kj::Promise<http::Response> Tell(const Operations& operations, const Caller& caller,
                                 const Started& started, Object head) {
  return operations.instances.Get(caller, started.instance)
      .then([&desk = operations.desk, id = started.instance,
             head = std::move(head)](const Result<InstanceStatus>& found) {
        return http::Created(fmt::format("{}/process-instances/{}", rest::kPrefix, id.value),
                             found.has_value() ? ShowInstance(desk.registry(), *found) : head);
      });
}

kj::Promise<http::Response> Start(const Operations& operations, const Call& call) {
  const auto newest = FindWorkflow(operations.desk.registry(),
                                   static_cast<uint64_t>(call.Number("process_definition_id", 0)));
  if (!newest.has_value()) return Refuse(newest.error());
  const StartRequest request{.definition = (*newest)->name,
                             .variables = call.Variables("variables"),
                             .business_key = call.Text("business_key"),
                             .trace_parent = call.TraceParent()};
  return operations.instances.Start(call.caller(), request)
      .then([operations, caller = call.caller(),
             request](Result<Started> started) -> kj::Promise<http::Response> {
        if (!started.has_value()) return Refuse(started.error());
        return Tell(operations, caller, *started,
                    Head(operations.desk.registry(), started->instance, request.definition,
                         "running", request.business_key));
      });
}

kj::Promise<http::Response> Find(const Operations& operations, const Call& call) {
  const model::Registry& registry = operations.desk.registry();
  projections::Query narrowed;
  if (const auto number = call.AskedNumber("process_definition_id")) {
    const auto newest = FindWorkflow(registry, static_cast<uint64_t>(*number));
    if (!newest.has_value()) return Refuse(newest.error());
    projections::AddCondition(narrowed, "definition", {(*newest)->name});
  }
  if (const std::string status = call.Asked("status"); !status.empty())
    projections::AddCondition(narrowed, "status", StatusesOf(status));
  projections::AddCondition(narrowed, "key", call.AllAsked("business_key"));
  return Reply(
      operations.questions.Instances(call.caller(), {.query = projections::ToText(narrowed),
                                                     .sort = "",
                                                     .cursor = call.Asked("cursor"),
                                                     .limit = rest::AskedLimit(call),
                                                     .freshness = Current()}),
      [&registry](const Found<projections::InstanceRow>& found) {
        Array rows;
        for (const projections::InstanceRow& row : found.page.rows) {
          Object shown = Head(registry, row.id, row.definition, row.status, row.business_key);
          shown.Set("start_time", MomentOf(row.started));
          shown.Set("end_time", MomentOf(row.ended));
          rows.emplace_back(std::move(shown));
        }
        const auto total = static_cast<int64_t>(rows.size());
        const std::string& next = found.page.next;
        return http::Json(200, Object{{"process_instances", std::move(rows)},
                                      {"total", total},
                                      {"next", next.empty() ? Value() : Value(next)}});
      });
}

kj::Promise<http::Response> Complete(const Operations& operations, const Call& call) {
  const auto name = ParseRunName(call.param("task"));
  if (!name.has_value()) return Refuse(name.error());
  const requests::Person person{.name = call.caller().name,
                                .groups = call.caller().groups,
                                .comment = call.Text("comment"),
                                .as_operator = false};
  return Reply(
      operations.instances.Send(call.caller(), Permission::kDecideTasks, name->instance,
                                CompletionOf(name->run, person, call.Document("variables"))),
      [name = *name](const Written& written) {
        return http::Json(200, Object{{"id", ToText(name)},
                                      {"process_instance_id", Whole(name.instance.value)},
                                      {"status", "completed"},
                                      {"position", Whole(written.position.value)}});
      });
}

std::vector<Route> DefinitionRoutes(const Operations& operations) {
  return {{.method = Method::kGet,
           .pattern = "/process-definitions",
           .id = "listProcessDefinitions",
           .summary = "Every definition that is not retired.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "they are", "ProcessDefinitions"}},
           .handle = [operations](const Call& call) { return List(operations, call); }},
          {.method = Method::kPost,
           .pattern = "/process-definitions",
           .id = "createProcessDefinition",
           .summary = "Registers a definition; services that it does not list are for workers.",
           .permission = Permission::kDefine,
           .body = rest::Raw({"application/json"}),
           .answers = {{201, "it is durable", "ProcessDefinition"},
                       {200, "it was there", "ProcessDefinition"}},
           .handle = [operations](const Call& call) { return Create(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/process-definitions/{id}",
           .id = "getProcessDefinition",
           .summary = "A definition.",
           .permission = Permission::kReadDefinitions,
           .answers = {{200, "it is", "ProcessDefinition"}},
           .handle = [operations](const Call& call) -> kj::Promise<http::Response> {
             const auto newest = FindWorkflow(operations, call, "id");
             if (!newest.has_value()) return Refuse(newest.error());
             const auto allowed = operations.definitions.Get(call.caller(), (*newest)->name, 0);
             if (!allowed.has_value()) return Refuse(allowed.error());
             return http::Json(200, ShowDefinition(operations.desk.registry(), **newest));
           }}};
}

std::vector<Route> InstanceRoutes(const Operations& operations) {
  std::vector<rest::Parameter> narrowing = rest::PageParameters();
  narrowing.push_back(rest::Number("process_definition_id", 1, UINT32_MAX, "of that one alone"));
  narrowing.push_back(rest::Texts("business_key", "one of those"));
  narrowing.push_back(
      rest::Choice("status", {"pending", "running", "paused", "completed", "failed", "cancelled"},
                   "in that state alone"));
  return {{.method = Method::kPost,
           .pattern = "/process-instances",
           .id = "startProcessInstance",
           .summary = "Starts an instance.",
           .permission = Permission::kStart,
           .body = ObjectOf("StartProcessInstance"),
           .answers = {{201, "it is durable", "ProcessInstance"}},
           .handle = [operations](const Call& call) { return Start(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/process-instances",
           .id = "findProcessInstances",
           .summary = "Finds instances, the latest first.",
           .permission = Permission::kRead,
           .parameters = narrowing,
           .answers = {{200, "a page", "ProcessInstances"}},
           .handle = [operations](const Call& call) { return Find(operations, call); }},
          {.method = Method::kGet,
           .pattern = "/process-instances/{id}",
           .id = "getProcessInstance",
           .summary = "An instance, with its variables.",
           .permission = Permission::kRead,
           .answers = {{200, "it is", "ProcessInstance"}},
           .handle = [operations](const Call& call) { return Get(operations, call); }},
          {.method = Method::kPut,
           .pattern = "/tasks/{task}/complete",
           .id = "completeProcessTask",
           .summary = "A manual task is done, an approval is decided by `approved`.",
           .permission = Permission::kDecideTasks,
           .body = ObjectOf("CompleteProcessTask"),
           .answers = {{200, "it is durable", "CompletedProcessTask"}},
           .handle = [operations](const Call& call) { return Complete(operations, call); }}};
}

std::vector<Component> Shapes() {
  using Others = Component::Others;
  return {{"ProcessDefinition",
           "",
           {{"id", "count", "the number of its first version"},
            {"name", "text", ""},
            {"description", "text", ""},
            {"version", "text", "the file's own word for it"},
            {"status", "=draft,active,paused,retired", ""},
            {"created_at", "text", "of the newest version"}}},
          {"ProcessDefinitions",
           "",
           {{"process_definitions", "[ProcessDefinition]", ""}, {"total", "count", ""}}},
          {"StartProcessInstance",
           "",
           {{"process_definition_id", "count", ""},
            {"business_key?", "key|null", ""},
            {"variables?", "object|null", ""}},
           Others::kRefused},
          {"ProcessInstance",
           "Of one that was started by whom may not look at it the first four alone.",
           {{"id", "count", ""},
            {"process_definition_id", "count|null", ""},
            {"business_key", "text|null", ""},
            {"status", std::string(kStatusWords), ""},
            {"variables?", "object", "of one that is asked for alone"},
            {"start_time?", "text", ""},
            {"end_time?", "text|null", ""}}},
          {"ProcessInstances",
           "",
           {{"process_instances", "[ProcessInstance]", ""},
            {"total", "count", "on this page"},
            {"next", "text|null", "the cursor of the page behind it"}}},
          {"CompleteProcessTask",
           "",
           {{"variables?", "object|null", ""}, {"comment?", "text|null", ""}},
           Others::kRefused},
          {"CompletedProcessTask",
           "",
           {{"id", "text", ""},
            {"process_instance_id", "count", ""},
            {"status", "=completed", "of what was asked; an approval may want more votes"},
            {"position", "count", "of its record in the log"}}}};
}

}  // namespace

rest::Resource ProcessesResource(const Operations& operations) {
  std::vector<Route> routes = DefinitionRoutes(operations);
  for (Route& route : InstanceRoutes(operations)) routes.push_back(std::move(route));
  return {.name = "processes",
          .about =
              "Process definitions and instances as another engine asks for them "
              "(docs/compatibility.md).",
          .routes = std::move(routes),
          .components = Shapes()};
}

}  // namespace stele::server::compat
