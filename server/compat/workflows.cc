// The dialect of graphs: executing workflows, following executions, figures, types of nodes.
#include "server/compat/workflows.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "server/compat/notes.h"
#include "server/compat/resources.h"
#include "server/compat/shown.h"
#include "server/operations/worker_types.h"
#include "server/rest/answers.h"
#include "server/rest/limits.h"

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

constexpr int64_t kUsPerSecond = 1'000'000;
constexpr int64_t kMaxTimeoutSeconds = 366 * 86'400;

using Names = std::shared_ptr<GraphNames>;

bool IsOver(const Value& step) {
  const std::string state = TextMember(step, "state");
  return state == "completed" || state == "failed" || state == "skipped" || state == "cancelled";
}

// How far it is, by its runs.
void AddProgress(Object& shown, const model::Registry& registry, const InstanceStatus& status,
                 const Array& runs) {
  const auto& steps = registry.Version(status.definition, status.version)->definition->steps;
  std::set<std::string> over;
  Value current;
  for (const Value& run : runs) {
    const std::string id = TextMember(run, "step");
    if (IsOver(run)) {
      over.insert(id);
      continue;
    }
    const auto step = std::ranges::find(steps, id, &definition::Step::id);
    current = step == steps.end() || step->name.empty() ? id : step->name;
  }
  const size_t done = std::min(over.size(), steps.size());
  const size_t percent = steps.empty() ? 100 : done * 100 / steps.size();
  const bool completed = status.status == "completed";
  shown.Set("progress", completed ? int64_t{100} : static_cast<int64_t>(percent));
  shown.Set("current_step", current);
}

Object Head(InstanceId id, const Names& names, const std::string& definition,
            const std::string& execution_name, std::string_view word) {
  const auto number = names->NumberOf(definition);
  return Object{{"id", Whole(id.value)},
                {"workflow_id", number.has_value() ? Whole(*number) : Value()},
                {"execution_name", execution_name},
                {"status", word}};
}

Object Show(const Names& names, const InstanceStatus& status) {
  Object shown =
      Head(status.id, names, status.definition, status.business_key, WordOf(status.status));
  shown.Set("started_at", MomentOf(status.started));
  shown.Set("completed_at", MomentOf(status.ended));
  shown.Set("input_data", status.input.has_value() ? status.input.value() : Value(Object()));
  shown.Set("output_data", status.output.value());
  shown.Set("error_message",
            status.failure.message.empty() ? Value() : Value(status.failure.message));
  return shown;
}

// The graph is active, unless somebody has added to it since: then the next execution registers it
// anew. Of a graph that stays a draft nothing is lost.
kj::Promise<void> MarkActive(const Operations& operations, const Caller& caller,
                             const Object& registered) {
  const auto number = static_cast<uint64_t>(NumberMember(registered, "id"));
  auto graph = FindNote(operations.desk.registry(), kGraph, number);
  for (const std::string_view parts : {"nodes", "connections"})
    if (!graph.has_value() || *graph->Find(parts) != *registered.Find(parts)) return kj::READY_NOW;
  graph->Set("status", "active");
  return WriteNote(operations.desk, caller, kGraph, number, *graph).ignoreResult();
}

// Registers what the graph has become, with the types of workers that it needs.
Promised<DefinitionStatus> Register(const Operations& operations, const Caller& caller,
                                    const Object& graph) {
  const BuiltGraph built = BuildGraph(graph);
  return RegisterWithWorkers(
             operations.definitions, operations.desk, caller,
             {.text = ToJson(Value(built.document)), .syntax = definition::Syntax::kJson},
             built.types)
      .then(
          [operations, caller, graph](Judged<DefinitionStatus> made) -> Promised<DefinitionStatus> {
            if (!made.has_value())
              return Result<DefinitionStatus>(std::unexpected(made.error().error));
            return MarkActive(operations, caller, graph).then([made = *made] {
              return Result<DefinitionStatus>(made);
            });
          });
}

StartRequest StartOf(const Call& call, const std::string& definition, TimeUs now) {
  StartRequest request{.definition = definition,
                       .input = call.Document("input_data"),
                       .business_key = call.Text("execution_name"),
                       .trace_parent = call.TraceParent()};
  if (const Value* config = call.Find("config"))
    if (const int64_t timeout = NumberMember(*config, "timeout"); timeout > 0)
      request.deadline = TimeUs(now.value + std::min(timeout, kMaxTimeoutSeconds) * kUsPerSecond);
  return request;
}

// What was started is durable: one that the caller may not look at has started all the same.
kj::Promise<http::Response> Tell(const Operations& operations, const Names& names,
                                 const Caller& caller, InstanceId id, bool waits, Object head) {
  Instances& instances = operations.instances;
  auto looked = waits ? instances.Wait(caller, id, rest::kMaxWaitUs) : instances.Get(caller, id);
  return looked.then([operations, names, caller, head = std::move(head)](
                         Result<InstanceStatus> found) -> kj::Promise<http::Response> {
    if (!found.has_value()) return http::Json(201, head);
    return operations.histories.Steps(caller, found->id)
        .then([&desk = operations.desk, names, found = *found](const Result<Array>& runs) {
          Object shown = Show(names, found);
          if (runs.has_value()) AddProgress(shown, desk.registry(), found, *runs);
          return http::Json(201, shown);
        });
  });
}

kj::Promise<http::Response> Start(const Operations& operations, const Names& names,
                                  const Caller& caller, const StartRequest& request, bool waits) {
  return operations.instances.Start(caller, request)
      .then([operations, names, caller, waits, definition = request.definition,
             name = request.business_key](Result<Started> started) -> kj::Promise<http::Response> {
        if (!started.has_value()) return Refuse(started.error());
        return Tell(operations, names, caller, started->instance, waits,
                    Head(started->instance, names, definition, name, "running"));
      });
}

kj::Promise<http::Response> Execute(const Operations& operations, const Names& names,
                                    const Call& call) {
  const auto graph = FindGraph(operations, call, Permission::kStart);
  if (!graph.has_value()) return Refuse(graph.error());
  StartRequest request = StartOf(call, TextMember(*graph, "definition"), operations.desk.Now());
  const Value* config = call.Find("config");
  const Value* async = config == nullptr ? nullptr : config->Find("async");
  const bool waits = async != nullptr && *async == Value(false);
  if (TextMember(*graph, "status") == "active")
    return Start(operations, names, call.caller(), request, waits);
  return Register(operations, call.caller(), *graph)
      .then([operations, names, caller = call.caller(), request = std::move(request),
             waits](const Result<DefinitionStatus>& made) -> kj::Promise<http::Response> {
        if (!made.has_value()) return Refuse(made.error());
        return Start(operations, names, caller, request, waits);
      });
}

kj::Promise<http::Response> GetExecution(const Operations& operations, const Names& names,
                                         const Call& call) {
  const auto id = call.Instance();
  if (!id.has_value()) return Refuse(id.error());
  return operations.instances.Get(call.caller(), *id)
      .then([operations, names,
             caller = call.caller()](Result<InstanceStatus> found) -> kj::Promise<http::Response> {
        if (!found.has_value()) return Refuse(found.error());
        return Reply(operations.histories.Steps(caller, found->id),
                     [&desk = operations.desk, names, found = *found](const Array& runs) {
                       Object shown = Show(names, found);
                       AddProgress(shown, desk.registry(), found, runs);
                       return http::Json(200, shown);
                     });
      });
}

// A graph that was never executed has none.
kj::Promise<http::Response> Metrics(const Operations& operations, const Call& call) {
  const auto graph = FindGraph(operations, call, Permission::kRead);
  if (!graph.has_value()) return Refuse(graph.error());
  const auto show = [](double seconds, double per_minute, double errors) {
    return http::Json(200, Object{{"custom_metrics", Object{{"processing_time", seconds},
                                                            {"data_throughput", per_minute},
                                                            {"error_rate", errors}}}});
  };
  projections::StatisticsScope scope;
  scope.definition = TextMember(*graph, "definition");
  if (operations.desk.registry().Latest(scope.definition) == nullptr) return show(0, 0, 0);
  return Reply(operations.questions.Statistics(call.caller(), scope, Current()),
               [show](const projections::Statistics& figures) {
                 const projections::Histogram& durations = figures.counts.durations;
                 const double mean_us = durations.count() == 0
                                            ? 0
                                            : static_cast<double>(durations.sum()) /
                                                  static_cast<double>(durations.count());
                 return show(mean_us / static_cast<double>(kUsPerSecond),
                             figures.throughput_per_minute(), figures.failure_rate());
               });
}

// {"a": "string"} as a JSON Schema; one that is a schema already stays.
Value SchemaOf(const Value& given) {
  if (given.Find("properties") != nullptr || given.Find("$ref") != nullptr) return given;
  Object properties;
  for (const Member& member : given.as_object())
    properties.Set(member.key,
                   member.value.is_string() ? Value(Object{{"type", member.value}}) : member.value);
  return Object{{"type", "object"}, {"properties", std::move(properties)}};
}

kj::Promise<http::Response> AddNodeType(const Operations& operations, const Call& call) {
  const std::string name = call.Text("type_name");
  const Value* schema = call.Find("config_schema");
  Object document{{"worker", true},
                  {"description", call.Text("description")},
                  {"execution_handler", call.Text("execution_handler")}};
  if (schema != nullptr) document.Set("schema", SchemaOf(*schema));
  const Object shown{{"type_name", name},
                     {"description", call.Text("description")},
                     {"config_schema", schema == nullptr ? Value(Object()) : *schema},
                     {"execution_handler", call.Text("execution_handler")}};
  return Reply(operations.definitions.RegisterType(call.caller(), name, document),
               [shown](const Written&) { return http::Json(201, shown); });
}

std::vector<Route> RunningRoutes(const Operations& operations, const Names& names) {
  const auto of = [&](auto* handle) -> rest::Handle {
    return [operations, handle](const Call& call) { return handle(operations, call); };
  };
  const auto with_names = [&](auto* handle) -> rest::Handle {
    return
        [operations, names, handle](const Call& call) { return handle(operations, names, call); };
  };
  return {{.method = Method::kPost,
           .pattern = "/workflows/{id}/execute",
           .id = "executeGraph",
           .summary = "Starts an execution; what was changed is registered first.",
           .permission = Permission::kStart,
           .body = ObjectOf("ExecuteGraph"),
           .answers = {{201, "it is durable", "GraphExecution"}},
           .handle = with_names(&Execute),
           .outside = true},
          {.method = Method::kGet,
           .pattern = "/executions/{id}",
           .id = "getGraphExecution",
           .summary = "How far an execution is.",
           .permission = Permission::kRead,
           .answers = {{200, "it is", "GraphExecution"}},
           .handle = with_names(&GetExecution),
           .outside = true},
          {.method = Method::kGet,
           .pattern = "/workflows/{id}/metrics",
           .id = "getGraphMetrics",
           .summary = "Figures of a workflow's executions.",
           .permission = Permission::kRead,
           .parameters = {rest::Choice("type", {"custom"}, "the only ones there are")},
           .answers = {{200, "they are", "GraphMetrics"}},
           .handle = of(&Metrics),
           .outside = true},
          {.method = Method::kPost,
           .pattern = "/admin/node-types",
           .id = "addNodeType",
           .summary = "A type of nodes that workers do.",
           .permission = Permission::kDefine,
           .body = ObjectOf("AddNodeType"),
           .answers = {{201, "it is durable", "NodeType"}},
           .handle = of(&AddNodeType),
           .outside = true}};
}

std::vector<Component> RunningShapes() {
  using Others = Component::Others;
  return {{"ExecuteGraph",
           "",
           {{"execution_name?", "key|null", "its business key"},
            {"input_data?", "object|null", ""},
            {"config?", "object|null", "async: false waits for its end; timeout: in seconds"}},
           Others::kRefused},
          {"GraphExecution",
           "Of one that was started by whom may not look at it the first four alone.",
           {{"id", "count", ""},
            {"workflow_id", "count|null", "null: of a definition that is no graph"},
            {"execution_name", "text", ""},
            {"status", std::string(kStatusWords), ""},
            {"progress?", "count", "percent of its nodes"},
            {"started_at?", "text", ""},
            {"completed_at?", "text|null", ""},
            {"current_step?", "text|null", "the name of a node that is not over"},
            {"input_data?", "any", ""},
            {"output_data?", "any", ""},
            {"error_message?", "text|null", ""}}},
          {"GraphMetrics", "", {{"custom_metrics", "CustomMetrics", ""}}},
          {"CustomMetrics",
           "",
           {{"processing_time", "rate", "seconds, of those that completed on average"},
            {"data_throughput", "rate", "completed executions a minute"},
            {"error_rate", "rate", "of those that ended, a fraction of 1"}}},
          {"AddNodeType",
           "",
           {{"type_name", "name", ""},
            {"description?", "text|null", ""},
            {"config_schema?", "object|null", "types by name, or a JSON Schema"},
            {"execution_handler?", "text|null", "kept"}},
           Others::kRefused},
          {"NodeType",
           "",
           {{"type_name", "text", ""},
            {"description", "text", ""},
            {"config_schema", "object", ""},
            {"execution_handler", "text", ""}}}};
}

}  // namespace

rest::Resource WorkflowsResource(const Operations& operations) {
  const auto names = std::make_shared<GraphNames>(operations.desk.registry());
  std::vector<Route> routes = GraphRoutes(operations, names);
  for (Route& route : RunningRoutes(operations, names)) routes.push_back(std::move(route));
  std::vector<Component> components = GraphShapes();
  for (Component& component : RunningShapes()) components.push_back(std::move(component));
  return {.name = "graphs",
          .about =
              "Workflows that are put together node by node, as another engine asks for them "
              "(docs/compatibility.md).",
          .routes = std::move(routes),
          .components = std::move(components)};
}

}  // namespace stele::server::compat
