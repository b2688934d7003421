// The dialect of graphs: a workflow is a note (notes.h) to which nodes and connections are added.
// It is registered as a definition when it is executed, after each change.
#include <fmt/format.h>

#include <algorithm>

#include "server/compat/limits.h"
#include "server/compat/notes.h"
#include "server/compat/shown.h"
#include "server/compat/workflows.h"
#include "server/rest/answers.h"
#include "server/rest/call.h"
#include "server/rest/moments.h"

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

Object ShowGraph(const Object& graph) {
  Object shown;
  for (const std::string_view name : {"id", "name", "description", "version", "status", "config",
                                      "tags", "created_at", "nodes", "connections"})
    shown.Set(name, *graph.Find(name));
  return shown;
}

kj::Promise<http::Response> Create(const Operations& operations, GraphNames& names,
                                   const Call& call) {
  const auto number = NextNote(operations.desk.registry(), kGraph);
  if (!number.has_value()) return Refuse(number.error());
  Array tags;
  for (const std::string& tag : call.Texts("tags")) tags.emplace_back(tag);
  const Value* config = call.Find("config");
  const Object graph{{"id", Whole(*number)},
                     {"name", call.Text("name")},
                     {"description", call.Text("description")},
                     {"version", call.Find("version") == nullptr ? "1.0" : call.Text("version")},
                     {"status", "draft"},
                     {"config", config == nullptr ? Value(Object()) : *config},
                     {"tags", std::move(tags)},
                     {"created_at", MomentOf(operations.desk.Now())},
                     {"definition", names.Free(call.Text("name"))},
                     {"nodes", Array()},
                     {"connections", Array()}};
  return Reply(WriteNote(operations.desk, call.caller(), kGraph, *number, graph),
               [graph](const Written&) { return http::Json(201, ShowGraph(graph)); });
}

// By number; a page has one at least, however long it is.
kj::Promise<http::Response> List(const Operations& operations, GraphNames& names,
                                 const Call& call) {
  const model::Registry& registry = operations.desk.registry();
  const Sight sight = operations.desk.SightOf(call.caller(), Permission::kReadDefinitions);
  const auto after = static_cast<uint64_t>(call.AskedNumber("cursor").value_or(0));
  const size_t limit = rest::AskedLimit(call);
  Array workflows;
  int64_t total = 0;
  size_t bytes = 0;
  uint64_t last = 0;
  Value next;
  for (uint64_t number = 1; const std::string& definition : names.All()) {
    const uint64_t at = number++;
    if (definition.empty() || !sight.Sees(definition)) continue;
    ++total;
    if (at <= after || !next.is_null()) continue;
    if (!workflows.empty() && (workflows.size() == limit || bytes > kMaxPageBytes)) {
      next = std::to_string(last);
      continue;
    }
    const auto graph = FindNote(registry, kGraph, at);
    if (!graph.has_value()) continue;
    workflows.emplace_back(ShowGraph(*graph));
    bytes += BytesOf(registry, kGraph, at);
    last = at;
  }
  return http::Json(200,
                    Object{{"workflows", std::move(workflows)}, {"total", total}, {"next", next}});
}

kj::Promise<http::Response> Get(const Operations& operations, const Call& call) {
  return rest::ReplyNow(FindGraph(operations, call, Permission::kReadDefinitions),
                        [](const Object& graph) { return http::Json(200, ShowGraph(graph)); });
}

// Adds what the body says to the nodes or connections, with a number of its own there.
kj::Promise<http::Response> AddPart(const Operations& operations, const Call& call,
                                    std::string_view to, Object part) {
  auto graph = FindGraph(operations, call, Permission::kDefine);
  if (!graph.has_value()) return Refuse(graph.error());
  Array& parts = graph->Find(to)->as_array();
  if (parts.size() >= kMaxGraphParts)
    return Refuse({ErrorCode::kLimitExceeded,
                   fmt::format("Expected at most {} {} but found as many", kMaxGraphParts, to)});
  Object shown{{"id", static_cast<int64_t>(parts.size()) + 1}};
  for (Member& member : part) shown.Set(member.key, std::move(member.value));
  parts.emplace_back(shown);
  // What is registered of it is not all of it any more.
  graph->Set("status", "draft");
  const auto number = static_cast<uint64_t>(NumberMember(*graph, "id"));
  shown.Set("workflow_id", Whole(number));
  return Reply(WriteNote(operations.desk, call.caller(), kGraph, number, *graph),
               [shown](const Written&) { return http::Json(201, shown); });
}

Value GivenOr(const Call& call, std::string_view name, Value otherwise) {
  const Value* given = call.Find(name);
  return given == nullptr ? otherwise : *given;
}

kj::Promise<http::Response> AddNode(const Operations& operations, const Call& call) {
  return AddPart(operations, call, "nodes",
                 Object{{"name", call.Text("name")},
                        {"node_type", call.Text("node_type")},
                        {"config", GivenOr(call, "config", Object())},
                        {"position_x", GivenOr(call, "position_x", Value())},
                        {"position_y", GivenOr(call, "position_y", Value())},
                        {"description", call.Text("description")}});
}

kj::Promise<http::Response> AddConnection(const Operations& operations, const Call& call) {
  return AddPart(operations, call, "connections",
                 Object{{"from_node_id", call.Number("from_node_id", 0)},
                        {"to_node_id", call.Number("to_node_id", 0)},
                        {"connection_type", GivenOr(call, "connection_type", "SEQUENCE")},
                        {"condition", GivenOr(call, "condition", Value())},
                        {"config", GivenOr(call, "config", Object())}});
}

bool IsListed(const Value& config, const Value& api) {
  const Value* apis = config.Find("apis");
  if (apis == nullptr) return false;
  if (apis->is_array())
    return std::ranges::any_of(apis->as_array(), [&](const Value& one) {
      return one.Find("id") != nullptr && *one.Find("id") == api;
    });
  return api.is_int() && apis->Find(std::to_string(api.as_int())) != nullptr;
}

// Those that say nothing are left out.
Object Given(const Object& part) {
  Object given;
  for (const Member& member : part)
    if (!member.value.is_null()) given.Set(member.key, member.value);
  return given;
}

Component PartShape(const std::string& name, const std::string& about,
                    std::vector<rest::ShapeMember> members, bool is_request) {
  if (!is_request) {
    members.insert(members.begin(), {"id", "count", "within its workflow, from 1"});
    members.push_back({"workflow_id?", "count", "of one that was just added"});
  }
  return {name, about, std::move(members),
          is_request ? Component::Others::kRefused : Component::Others::kNone};
}

}  // namespace

Result<Object> FindGraph(const Operations& operations, const Call& call, Permission permission) {
  const auto number = call.NumberParam("id", INT64_MAX);
  if (!number.has_value()) return std::unexpected(number.error());
  auto graph = FindNote(operations.desk.registry(), kGraph, *number);
  if (graph.has_value()) {
    STELE_RETURN_IF_ERROR(
        operations.desk.Allow(call.caller(), permission, TextMember(*graph, "definition")));
    return *std::move(graph);
  }
  return Fail(ErrorCode::kUnknownDefinition,
              fmt::format("Expected the number of a workflow but found {}", *number));
}

BuiltGraph BuildGraph(const Object& graph) {
  BuiltGraph built;
  Object config = graph.Find("config")->as_object();
  Array nodes;
  for (const Value& node : graph.Find("nodes")->as_array()) {
    Object step = Given(node.as_object());
    const Value* api = step.Find("config")->Find("api_id");
    // An API that is nowhere to be found is for workers.
    if (api != nullptr && api->is_int() && TextMember(node, "node_type") == "API_CALL" &&
        !IsListed(*graph.Find("config"), *api)) {
      const std::string type = fmt::format("api.{}", api->as_int());
      step.Set("node_type", type);
      built.types.insert(type);
    }
    nodes.emplace_back(std::move(step));
  }
  // While it is put together, a connection may be there before its nodes.
  const auto last = static_cast<int64_t>(nodes.size());
  Array connections;
  for (const Value& connection : graph.Find("connections")->as_array())
    if (NumberMember(connection, "from_node_id") <= last &&
        NumberMember(connection, "to_node_id") <= last)
      connections.emplace_back(Given(connection.as_object()));
  built.document = Object{{"name", *graph.Find("definition")},
                          {"description", *graph.Find("description")},
                          {"version", *graph.Find("version")},
                          {"tags", *graph.Find("tags")}};
  if (const Value* apis = config.Find("apis")) {
    built.document.Set("apis", *apis);
    config.Erase("apis");
  }
  built.document.Set("config", std::move(config));
  built.document.Set("nodes", std::move(nodes));
  built.document.Set("connections", std::move(connections));
  return built;
}

std::vector<Route> GraphRoutes(const Operations& operations,
                               const std::shared_ptr<GraphNames>& names) {
  const auto with_names = [names](auto* handle) {
    return [names, handle](const Operations& all, const Call& call) {
      return handle(all, *names, call);
    };
  };
  const auto route = [&](Method method, const std::string& pattern, const std::string& id,
                         const std::string& summary, const std::string& body,
                         const std::string& answer, const auto& handle) -> Route {
    const bool reads = method == Method::kGet;
    return {.method = method,
            .pattern = pattern,
            .id = id,
            .summary = summary,
            .permission = reads ? Permission::kReadDefinitions : Permission::kDefine,
            .body = reads ? rest::Body() : ObjectOf(body),
            .answers = {{reads ? 200 : 201, reads ? "it is" : "it is durable", answer}},
            .handle = [operations, handle](const Call& call) { return handle(operations, call); },
            .outside = true};
  };
  Route list = route(Method::kGet, "/workflows", "listGraphs", "The workflows of this dialect.", "",
                     "Graphs", with_names(&List));
  list.parameters = rest::PageParameters();
  list.parameters.back() = rest::Number("cursor", 1, INT64_MAX, "`next` of the page before");
  return {route(Method::kPost, "/workflows", "createGraph", "A workflow without nodes.",
                "CreateGraph", "Graph", with_names(&Create)),
          list,
          route(Method::kGet, "/workflows/{id}", "getGraph", "A workflow with its nodes.", "",
                "Graph", &Get),
          route(Method::kPost, "/workflows/{id}/nodes", "addNode", "Adds a node.", "AddNode",
                "GraphNode", &AddNode),
          route(Method::kPost, "/workflows/{id}/connections", "addConnection",
                "Adds a connection; its nodes may come later.", "AddConnection", "GraphConnection",
                &AddConnection)};
}

std::vector<Component> GraphShapes() {
  const std::vector<rest::ShapeMember> node{{"name", "name", ""},
                                            {"node_type", "name", "docs/notations.md"},
                                            {"config?", "object|null", ""},
                                            {"position_x?", "rate|null", ""},
                                            {"position_y?", "rate|null", ""},
                                            {"description?", "text|null", ""}};
  const std::vector<rest::ShapeMember> connection{{"from_node_id", "count", ""},
                                                  {"to_node_id", "count", ""},
                                                  {"connection_type?", "text|null", ""},
                                                  {"condition?", "text|null", ""},
                                                  {"config?", "object|null", ""}};
  return {{"CreateGraph",
           "",
           {{"name", "name", ""},
            {"description?", "text|null", ""},
            {"version?", "text|null", ""},
            {"config?", "object|null", ""},
            {"tags?", "[text]|null", ""}},
           Component::Others::kRefused},
          PartShape("AddNode", "", node, true),
          PartShape("AddConnection", "", connection, true),
          PartShape("GraphNode", "", node, false),
          PartShape("GraphConnection", "", connection, false),
          {"Graph",
           "A workflow as a graph.",
           {{"id", "count", ""},
            {"name", "text", ""},
            {"description", "text", ""},
            {"version", "text", ""},
            {"status", "=draft,active", "active: what is registered is all of it"},
            {"config", "object", ""},
            {"tags", "[text]", ""},
            {"created_at", "text", ""},
            {"nodes", "[GraphNode]", ""},
            {"connections", "[GraphConnection]", ""}}},
          {"Graphs",
           "",
           {{"workflows", "[Graph]", ""},
            {"total", "count", "on all pages"},
            {"next", "text|null", "the cursor of the page behind it"}}}};
}

}  // namespace stele::server::compat
