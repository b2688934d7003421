#include <gtest/gtest.h>

#include "server/compat/graph_names.h"
#include "server/compat/limits.h"
#include "server/compat/resources.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::compat {
namespace {

using rest::Answered;
using rest::RestWorld;

class GraphsDialect : public ::testing::Test {
 protected:
  RestWorld world{AllDialects};

  void SetUp() override { world.served.CatchUp(); }

  Answered Create() {
    Answered made =
        world.Post("//workflows", R"({"name": "demo", "description": "shows it", "version": "1.0",
      "config": {"timeout": 300, "retry_count": 3}, "tags": ["a", "b"]})");
    EXPECT_EQ(made.status, 201) << made.body;
    return made;
  }
  Answered AddNode(const std::string& body) { return world.Post("//workflows/1/nodes", body); }
  Answered Execute() {
    return world.Post("//workflows/1/execute", R"({"execution_name": "trial",
      "input_data": {"value": "x", "user_id": 123, "score": 70},
      "config": {"async": true, "timeout": 600}})");
  }
};

constexpr const char* kApiNode = R"({"name": "call", "node_type": "API_CALL",
  "config": {"api_id": 1, "parameters": {"param1": "{{input.value}}"}, "timeout": 30},
  "position_x": 100, "position_y": 200, "description": "asks for users"})";

TEST_F(GraphsDialect, CreatesWorkflows) {
  const Answered made = Create();
  EXPECT_EQ(made.number("id"), 1);
  EXPECT_EQ(made.text("name"), "demo");
  EXPECT_EQ(made.text("description"), "shows it");
  EXPECT_EQ(made.text("version"), "1.0");
  EXPECT_EQ(made.text("status"), "draft");
  EXPECT_EQ(made.text("created_at"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(Create().number("id"), 2);
  EXPECT_EQ(world.Get("//workflows").number("total"), 2);
  EXPECT_EQ(world.Get("//workflows/2").text("tags/1"), "b");
  EXPECT_EQ(world.Refusal(404, world.Get("//workflows/3")), "STL0407");
}

TEST_F(GraphsDialect, ExecutesWhatIsThereOfAWorkflow) {
  Create();
  const Answered node = AddNode(kApiNode);
  EXPECT_EQ(node.status, 201) << node.body;
  EXPECT_EQ(node.number("id"), 1);
  EXPECT_EQ(node.number("workflow_id"), 1);
  EXPECT_EQ(node.text("node_type"), "API_CALL");
  EXPECT_EQ(node.number("position_y"), 200);
  // The node that it leads to comes later.
  const Answered connection =
      world.Post("//workflows/1/connections", R"({"from_node_id": 1, "to_node_id": 2,
      "connection_type": "SEQUENCE", "condition": null, "config": {"delay": 0}})");
  EXPECT_EQ(connection.status, 201) << connection.body;
  EXPECT_EQ(connection.number("to_node_id"), 2);
  const Answered started = Execute();
  EXPECT_EQ(started.status, 201) << started.body;
  const Answered shown = world.Get(fmt::format("//executions/{}", started.number("id")));
  EXPECT_EQ(shown.number("workflow_id"), 1);
  EXPECT_EQ(shown.text("execution_name"), "trial");
  EXPECT_EQ(shown.text("status"), "running");
  EXPECT_EQ(shown.number("progress"), 0);
  EXPECT_EQ(shown.text("started_at"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(shown.text("current_step"), "call");
  EXPECT_EQ(world.Get("//workflows/1").text("status"), "active");
  EXPECT_EQ(world.Get("/types").text("types/0/type"), "api.1");
}

// The registration waits for the disk; who adds something meanwhile is told that it is there.
TEST_F(GraphsDialect, KeepWhatIsAddedWhileTheyAreRegistered) {
  Create();
  AddNode(kApiNode);
  const rest::Route* execute = world.RouteOf("executeGraph");
  ASSERT_NE(execute, nullptr);
  http::Request request;
  request.method = http::Method::kPost;
  request.path = "/workflows/1/execute";
  request.params.emplace("id", "1");
  const rest::Call call(*world.who, request, {});
  auto executing = execute->handle(call);
  EXPECT_EQ(AddNode(kApiNode).number("id"), 2);
  EXPECT_EQ(world.served.Await(kj::mv(executing)).status, 201);
  const Answered graph = world.Get("//workflows/1");
  EXPECT_EQ(graph.at("nodes").as_array().size(), 2u) << graph.body;
  EXPECT_EQ(graph.text("status"), "draft");
  EXPECT_EQ(AddNode(kApiNode).number("id"), 3);
  EXPECT_EQ(Execute().status, 201);
  EXPECT_EQ(world.Get("//workflows/1").text("status"), "active");
}

TEST_F(GraphsDialect, LeaveNoTypesOfAGraphThatIsRefused) {
  Create();
  AddNode(kApiNode);
  AddNode(R"({"name": "x", "node_type": "NOTHING"})");
  EXPECT_EQ(Execute().status, 422);
  EXPECT_EQ(world.Get("/types").at("types").as_array().size(), 0u);
  EXPECT_EQ(world.Get("//workflows/1").text("status"), "draft");
}

TEST_F(GraphsDialect, TellOfAStartWhoeverMayNotLookAtIt) {
  Create();
  AddNode(kApiNode);
  Execute();
  world.served.Register("demo", "{id: a, type: script}", ForAdaAlone("read"));
  world.who = ServedWorld::Somebody(Role::kOperator);
  const Answered started = Execute();
  EXPECT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(started.number("id"), 2);
  EXPECT_EQ(started.number("workflow_id"), 1);
  EXPECT_EQ(started.text("execution_name"), "trial");
  EXPECT_EQ(started.text("status"), "running");
  EXPECT_EQ(started.at("input_data"), Value());
}

TEST_F(GraphsDialect, ComeInPages) {
  for (int i = 0; i < 5; ++i) Create();
  const Answered first = world.Get("//workflows?limit=2");
  EXPECT_EQ(first.number("total"), 5);
  EXPECT_EQ(first.number("workflows/1/id"), 2);
  EXPECT_EQ(first.text("next"), "2");
  const Answered last = world.Get("//workflows?limit=3&cursor=2");
  EXPECT_EQ(last.number("workflows/0/id"), 3);
  EXPECT_EQ(last.at("workflows").as_array().size(), 3u);
  EXPECT_EQ(last.at("next"), Value());
  EXPECT_EQ(world.Refusal(422, world.Get("//workflows?cursor=x")), "STL0406");
}

TEST_F(GraphsDialect, HaveNamesOfTheirOwnAsDefinitions) {
  world.served.Register("demo 3", "{id: a, type: script}");
  for (int i = 0; i < 3; ++i) Create();
  GraphNames names(world.served.shard().registry());
  EXPECT_EQ(names.All(), (std::vector<std::string>{"demo", "demo 2", "demo 4"}));
  EXPECT_EQ(names.NumberOf("demo 4"), 3u);
  EXPECT_EQ(names.NumberOf("demo 3"), std::nullopt);
  EXPECT_EQ(names.Free("demo"), "demo 5");
  EXPECT_EQ(names.Free("other"), "other");
}

TEST_F(GraphsDialect, ExecutesBranches) {
  Create();
  AddNode(R"({"name": "begin", "node_type": "START"})");
  AddNode(R"({"name": "enough", "node_type": "CONDITION",
              "config": {"condition": "{{input.score}} >= 60", "true_path": "pass",
                         "false_path": "fail"}})");
  AddNode(R"({"name": "pass", "node_type": "SCRIPT", "config": {"script": "x"}})");
  AddNode(R"({"name": "fail", "node_type": "SCRIPT", "config": {"script": "x"}})");
  for (const char* connection :
       {R"({"from_node_id": 1, "to_node_id": 2})",
        R"({"from_node_id": 2, "to_node_id": 3, "connection_type": "CONDITIONAL_TRUE"})",
        R"({"from_node_id": 2, "to_node_id": 4, "connection_type": "CONDITIONAL_FALSE"})"})
    EXPECT_EQ(world.Post("//workflows/1/connections", connection).status, 201);
  const Answered started = Execute();
  EXPECT_EQ(started.status, 201) << started.body;
  world.served.CatchUp();
  const Answered shown = world.Get(fmt::format("//executions/{}", started.number("id")));
  EXPECT_EQ(shown.text("status"), "completed") << shown.body;
  EXPECT_EQ(shown.number("progress"), 100);
  EXPECT_EQ(shown.at("current_step"), Value());
  const Answered metrics = world.Get("//workflows/1/metrics?type=custom");
  EXPECT_TRUE(metrics.at("custom_metrics/processing_time").is_number()) << metrics.body;
  EXPECT_TRUE(metrics.at("custom_metrics/data_throughput").is_number()) << metrics.body;
  EXPECT_EQ(metrics.at("custom_metrics/error_rate"), Value(0.0));
  // Without a change nothing is registered anew.
  EXPECT_EQ(Execute().status, 201);
  EXPECT_EQ(world.Get("/definitions").at("definitions").as_array().size(), 1u);
}

TEST_F(GraphsDialect, RefusesToExecuteWhatIsNoWorkflow) {
  Create();
  EXPECT_GE(Execute().status, 400);
  EXPECT_EQ(world.Get("//workflows/1/metrics").at("custom_metrics/processing_time"), Value(0.0));
  EXPECT_EQ(world.Refusal(404, world.Get("//executions/9")), "STL0401");
}

std::string Nested(size_t depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

std::string NodeWith(const std::string& config) {
  return fmt::format(R"({{"name": "deep", "node_type": "SCRIPT", "config": {{"a": {}}}}})", config);
}

TEST_F(GraphsDialect, StayReadableWhateverNodesTheyWereGiven) {
  Create();
  EXPECT_EQ(AddNode(NodeWith(Nested(kMaxNoteDepth - 4))).status, 201);
  EXPECT_EQ(world.Get("//workflows/1").at("nodes").as_array().size(), 1u);
  // As deep as a body may be: the workflow would be deeper.
  EXPECT_EQ(world.Refusal(413, AddNode(NodeWith(Nested(kMaxJsonDepth - 2)))), "STL0002");
  const std::string large = '"' + std::string(3'900'000, 'x') + '"';
  int added = 1;
  while (added < 20 && AddNode(NodeWith(large)).status == 201) ++added;
  EXPECT_EQ(added, 3);
  EXPECT_EQ(world.Refusal(413, AddNode(NodeWith(large))), "STL0002");
  EXPECT_EQ(world.Get("//workflows/1").at("nodes").as_array().size(), 3u);
  EXPECT_EQ(world.Get("//workflows").number("total"), 1);
  EXPECT_EQ(AddNode(kApiNode).status, 201);
}

// As an older program wrote it.
TEST_F(GraphsDialect, AreReadBeyondTheBoundsOfWhatIsWritten) {
  Create();
  std::string text = world.served.shard().registry().settings.at("dialect/graph/1");
  text.insert(text.find(R"("config":{)") + 10, fmt::format(R"("deep":{},)", Nested(200)));
  auto answering = world.served.desk().Await();
  world.served.shard().ChangeSetting("dialect/graph/1", text, "ada", std::move(answering.answer));
  world.served.Get(kj::mv(answering.promise));
  EXPECT_EQ(world.Get("//workflows/1").status, 200);
}

// A schema is put around what is given.
TEST_F(GraphsDialect, KeepTypesOfNodesThatAreDeep) {
  const Answered made = world.Post(
      "//admin/node-types",
      fmt::format(R"({{"type_name": "DEEP", "config_schema": {{"x": {{"default": {}}}}}}})",
                  Nested(kMaxJsonDepth - 3)));
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(world.Get("/types").text("types/0/type"), "DEEP");
}

TEST_F(GraphsDialect, RegistersTypesOfNodes) {
  const Answered made = world.Post("//admin/node-types", R"({"type_name": "CUSTOM_PROCESSOR",
    "description": "processes", "config_schema": {"processor_type": "string",
    "parameters": "object"}, "execution_handler": "custom_processor_handler"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.text("type_name"), "CUSTOM_PROCESSOR");
  EXPECT_EQ(made.text("config_schema/parameters"), "object");
  Create();
  AddNode(R"({"name": "own", "node_type": "CUSTOM_PROCESSOR",
              "config": {"processor_type": "fast", "parameters": {}}})");
  const Answered started = Execute();
  EXPECT_EQ(started.text("current_step"), "own") << started.body;
}

}  // namespace
}  // namespace stele::server::compat
