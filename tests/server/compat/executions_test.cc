#include <gtest/gtest.h>

#include "server/compat/resources.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::compat {
namespace {

using rest::Answered;
using rest::RestWorld;

constexpr const char* kWorkflow = R"({
  "name": "ingest", "description": "reads files",
  "definition": {
    "version": "1.0",
    "variables": {"input_file": "", "output_dir": "/srv/out"},
    "steps": [{"id": "step1", "name": "check", "type": "script",
               "config": {"script": "check.py", "timeout": "5m"}}]
  },
  "tags": ["数据", "nightly"], "owner_id": "6b1c"})";

class ExecutionsDialect : public ::testing::Test {
 protected:
  RestWorld world{AllDialects};

  // Figures come from a view.
  void SetUp() override { world.served.CatchUp(); }

  std::string Create(const std::string& body = kWorkflow) {
    const Answered made = world.Post("/workflows", body);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.text("id");
  }
  std::string Execute(const std::string& workflow) {
    EXPECT_EQ(world.Post("/workflows/" + workflow + "/activate").status, 200);
    const Answered started = world.Post("/workflows/" + workflow + "/execute",
                                        R"({"input": {"input_file": "a.csv",
                                           "parameters": {"batch_size": 1000}}, "priority": 5})");
    EXPECT_EQ(started.status, 201) << started.body;
    return started.text("id");
  }
  std::string WithStep(const std::string& step) {
    return Create(R"({"name": ")" + step +
                  R"(", "definition": {"version": "1.0", "steps": [{"id": ")" + step +
                  R"(", "type": "script", "config": {"script": "x"}}]}})");
  }
};

TEST_F(ExecutionsDialect, CreatesAndShowsWorkflows) {
  const std::string id = Create();
  world.served.CatchUp();
  const Answered shown = world.Get("/workflows/" + id);
  EXPECT_EQ(shown.status, 200);
  EXPECT_EQ(shown.text("name"), "ingest");
  EXPECT_EQ(shown.text("status"), "draft");
  EXPECT_EQ(shown.text("description"), "reads files");
  EXPECT_EQ(shown.text("owner_id"), "6b1c");
  EXPECT_EQ(shown.text("tags/0"), "数据");
  EXPECT_EQ(shown.text("variables/output_dir"), "/srv/out");
  EXPECT_EQ(shown.text("steps/0/id"), "step1");
  EXPECT_EQ(shown.text("steps/0/type"), "script");
  EXPECT_EQ(shown.text("steps/0/config/script"), "check.py");
  EXPECT_EQ(shown.number("execution_count"), 0);
  EXPECT_EQ(world.Post("/workflows", kWorkflow).status, 200);
  EXPECT_EQ(world.Refusal(404, world.Get("/workflows/77")), "STL0407");
  EXPECT_GE(world.Post("/workflows", R"({"name": "x", "definition": {"steps": 5}})").status, 400);
}

TEST_F(ExecutionsDialect, ListsWorkflowsByOwnerStatusAndTags) {
  const std::string id = Create();
  WithStep("other");
  world.Post("/workflows/" + id + "/activate");
  const auto total = [&](const std::string& query) {
    return world.Get("/workflows" + query).number("total");
  };
  EXPECT_EQ(total(""), 2);
  EXPECT_EQ(total("?owner_id=6b1c"), 1);
  EXPECT_EQ(total("?owner_id=uuid"), 0);
  EXPECT_EQ(total("?status=active"), 1);
  EXPECT_EQ(total("?tags=%E6%95%B0%E6%8D%AE"), 1);
  EXPECT_EQ(world.Get("/workflows?status=draft").text("workflows/0/name"), "other");
}

TEST_F(ExecutionsDialect, KeepsTheIdOfAWorkflowThatIsChanged) {
  const std::string id = Create();
  const Answered changed = world.Ask(http::Method::kPut, "/workflows/" + id,
                                     R"({"name": "ingest anew", "description": "more",
      "definition": {"version": "1.1", "steps": [{"id": "s", "type": "script",
                                                  "config": {"script": "y"}}]}})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.text("id"), id);
  EXPECT_EQ(changed.text("name"), "ingest anew");
  EXPECT_EQ(changed.text("version"), "1.1");
  EXPECT_EQ(changed.text("status"), "draft");
  EXPECT_EQ(changed.text("owner_id"), "6b1c");
  EXPECT_EQ(changed.text("steps/0/id"), "s");
  EXPECT_EQ(world.Get("/workflows").number("total"), 1);
  const Answered renamed =
      world.Ask(http::Method::kPut, "/workflows/" + id, R"({"description": "less"})");
  EXPECT_EQ(renamed.text("description"), "less") << renamed.body;
  EXPECT_EQ(renamed.text("steps/0/id"), "s");
}

TEST_F(ExecutionsDialect, BecomesWhatAnOlderVersionWas) {
  const std::string id = Create();
  const std::string path = "/workflows/" + id;
  const auto put = [&](const std::string& step) {
    const Answered changed =
        world.Ask(http::Method::kPut, path,
                  R"({"definition": {"version": "1.0", "steps": [{"id": ")" + step +
                      R"(", "type": "script", "config": {"script": "x"}}]}})");
    EXPECT_EQ(changed.status, 200) << changed.body;
    EXPECT_EQ(changed.text("steps/0/id"), step);
  };
  for (const char* step : {"one", "two", "one", "two", "one"}) put(step);
  EXPECT_EQ(world.Get(path).text("steps/0/id"), "one");
  // Who asks again for what has been changed meanwhile gets what it is.
  const Answered again = world.Post("/workflows", kWorkflow);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.text("steps/0/id"), "one");
  // What was deleted is there again as it is asked for.
  EXPECT_EQ(world.Ask(http::Method::kDelete, path).status, 204);
  const Answered anew = world.Post("/workflows", kWorkflow);
  EXPECT_EQ(anew.status, 201) << anew.body;
  EXPECT_EQ(anew.text("id"), id);
  EXPECT_EQ(anew.text("status"), "draft");
  EXPECT_EQ(world.Get(path).text("steps/0/id"), "step1");
  EXPECT_EQ(world.Get(path).at("definition/metadata"), Value());
}

TEST_F(ExecutionsDialect, ChangesTheStateOfWorkflows) {
  const std::string id = Create();
  const std::string path = "/workflows/" + id;
  EXPECT_EQ(world.Refusal(409, world.Post(path + "/execute", "{}")), "STL0411");
  EXPECT_EQ(world.Post(path + "/activate").text("status"), "active");
  EXPECT_EQ(world.Post(path + "/pause").text("status"), "paused");
  EXPECT_GE(world.Post(path + "/execute", "{}").status, 400);
  EXPECT_EQ(world.Post(path + "/resume").text("status"), "active");
  const Answered state = world.Get(path + "/status");
  EXPECT_EQ(state.text("status"), "active");
  EXPECT_EQ(state.number("active_executions"), 0);
  EXPECT_EQ(world.Ask(http::Method::kDelete, path).status, 204);
  EXPECT_EQ(world.Refusal(404, world.Get(path)), "STL0407");
  EXPECT_EQ(world.Get("/workflows").number("total"), 0);
}

TEST_F(ExecutionsDialect, AddsChangesAndRemovesTriggers) {
  const std::string id = Create();
  const Answered added = world.Post("/workflows/" + id + "/triggers",
                                    R"({"type": "schedule", "name": "nightly",
      "config": {"cron": "0 2 * * *", "timezone": "Asia/Shanghai"}, "is_enabled": true})");
  EXPECT_EQ(added.status, 201) << added.body;
  EXPECT_EQ(added.text("type"), "schedule");
  EXPECT_EQ(added.text("workflow_id"), id);
  EXPECT_EQ(added.at("is_enabled"), Value(true));
  const Answered list = world.Get("/workflows/" + id + "/triggers");
  EXPECT_EQ(list.number("total"), 1);
  EXPECT_EQ(list.text("triggers/0/config/cron"), "0 2 * * *");
  const std::string path = "/triggers/" + added.text("id");
  const Answered changed = world.Ask(http::Method::kPut, path,
                                     R"({"config": {"cron": "0 3 * * *"}, "is_enabled": false})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_EQ(changed.text("config/cron"), "0 3 * * *");
  EXPECT_EQ(changed.text("config/timezone"), "Asia/Shanghai");
  EXPECT_EQ(changed.at("is_enabled"), Value(false));
  // By its first id, too: it stands in its place.
  EXPECT_EQ(world.Ask(http::Method::kPut, path, R"({"is_enabled": true})").at("is_enabled"),
            Value(true));
  EXPECT_GE(world.Ask(http::Method::kPut, path, R"({"config": {"cron": "never"}})").status, 400);
  EXPECT_EQ(world.Get("/workflows/" + id + "/triggers").number("total"), 1);
  EXPECT_EQ(world.Ask(http::Method::kDelete, "/triggers/" + changed.text("id")).status, 200);
  EXPECT_EQ(world.Get("/workflows/" + id + "/triggers").number("total"), 0);
}

TEST_F(ExecutionsDialect, KeepsATriggerThatCannotBecomeWhatIsAsked) {
  const std::string triggers = "/workflows/" + Create() + "/triggers";
  const auto add = [&](const std::string& name) {
    return world
        .Post(triggers,
              fmt::format(R"({{"type": "schedule", "config": {{"cron": "0 2 * * *"}}{}}})", name))
        .text("id");
  };
  add(R"(, "name": "nightly")");
  const std::string path = "/triggers/" + add(R"(, "name": "hourly")");
  EXPECT_EQ(world.Refusal(422, world.Ask(http::Method::kPut, path, R"({"name": "nightly"})")),
            "STL0103");
  EXPECT_EQ(world.Get(triggers).number("total"), 2);
  // One without a name has been given one, and keeps it.
  const std::string unnamed = "/triggers/" + add("");
  const std::string name = world.Get(triggers).text("triggers/2/name");
  for (const char* cron : {"0 3 * * *", "0 4 * * *"}) {
    const Answered changed = world.Ask(http::Method::kPut, unnamed,
                                       fmt::format(R"({{"config": {{"cron": "{}"}}}})", cron));
    EXPECT_EQ(changed.text("config/cron"), cron) << changed.body;
    EXPECT_EQ(changed.text("name"), name);
  }
  EXPECT_EQ(world.Get(triggers).number("total"), 3);
}

TEST_F(ExecutionsDialect, ExecutesAndShowsExecutions) {
  const std::string workflow = Create();
  const std::string id = Execute(workflow);
  world.served.Settle();
  const Answered shown = world.Get("/executions/" + id);
  EXPECT_EQ(shown.text("workflow_id"), workflow);
  EXPECT_EQ(shown.text("status"), "completed");
  EXPECT_EQ(shown.text("input/input_file"), "a.csv");
  EXPECT_EQ(shown.number("priority"), 5);
  EXPECT_EQ(shown.text("start_time"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(shown.text("end_time"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(shown.at("error_message"), Value());
  EXPECT_EQ(shown.text("step_executions/0/step_id"), "step1");
  EXPECT_EQ(shown.text("step_executions/0/status"), "completed");
  const auto total = [&](const std::string& query) {
    return world.Get("/executions" + query).number("total");
  };
  EXPECT_EQ(total(""), 1);
  EXPECT_EQ(total("?workflow_id=" + workflow), 1);
  EXPECT_EQ(total("?status=completed"), 1);
  EXPECT_EQ(total("?status=running"), 0);
  EXPECT_EQ(world.Get("/workflows/" + workflow).number("execution_count"), 1);
}

TEST_F(ExecutionsDialect, ControlsExecutions) {
  const std::string id = Execute(WithStep("hang"));
  const std::string path = "/executions/" + id;
  EXPECT_EQ(world.Get(path).text("status"), "running");
  EXPECT_EQ(world.Post(path + "/pause").text("status"), "paused");
  EXPECT_EQ(world.Post(path + "/resume").text("status"), "running");
  EXPECT_EQ(world.Post(path + "/cancel").text("status"), "cancelled");
  EXPECT_EQ(world.Refusal(409, world.Post(path + "/retry")), "STL0405");
}

TEST_F(ExecutionsDialect, ShowsAndRetriesRunsOfSteps) {
  const std::string id = Execute(WithStep("fails"));
  world.served.CatchUp();
  const Answered shown = world.Get("/executions/" + id);
  EXPECT_EQ(shown.text("status"), "failed");
  EXPECT_EQ(shown.text("error_message"), shown.text("step_executions/0/error_message"));
  const std::string path = "/step-executions/" + shown.text("step_executions/0/id");
  const Answered step = world.Get(path);
  EXPECT_EQ(step.text("execution_id"), id);
  EXPECT_EQ(step.text("status"), "failed");
  EXPECT_EQ(world.Get(path + "/output").at("output"), Value());
  const Answered logs = world.Get("/executions/" + id + "/logs");
  EXPECT_EQ(logs.text("logs/0/message"), "did fails\n");
  EXPECT_EQ(world.Get("/executions/" + id + "/logs?step_id=fails").number("total"), 1);
  EXPECT_EQ(world.Get("/executions/" + id + "/logs?step_id=x").number("total"), 0);
  EXPECT_EQ(world.Post(path + "/retry").status, 200);
  EXPECT_EQ(world.Refusal(400, world.Get("/step-executions/789")), "STL1008");
  const Answered again = world.Post("/executions/" + id + "/retry");
  EXPECT_EQ(again.status, 200) << again.body;
}

TEST_F(ExecutionsDialect, TellsOfTheScheduler) {
  const std::string id = Create();
  Execute(WithStep("hang"));
  world.Post("/workflows/" + id + "/triggers",
             R"({"type": "schedule", "name": "n", "config": {"cron": "0 2 * * *"}})");
  const Answered status = world.Get("/scheduler/status");
  EXPECT_EQ(status.number("active_executions"), 1);
  EXPECT_EQ(status.text("status"), "running");
  EXPECT_EQ(status.number("schedules"), 1);
  EXPECT_EQ(status.text("next_run"), "2026-09-22T02:00:00Z");
}

TEST(ExecutionsScheduler, HasTheStateThatHealthHas) {
  std::string_view word = "starting";
  RestWorld world([&word](const Operations& operations) -> std::vector<rest::Resource> {
    return DialectsWith(operations, [&word] { return word; });
  });
  world.served.CatchUp();
  EXPECT_EQ(world.Get("/scheduler/status").text("status"), "starting");
  word = "ok";
  EXPECT_EQ(world.Get("/scheduler/status").text("status"), "running");
  word = "stopping";
  EXPECT_EQ(world.Get("/scheduler/status").text("status"), "stopping");
}

// Only ada may look at what has become of it.
TEST_F(ExecutionsDialect, TellsOfWhatIsDurableWhoeverMayNotLookAtIt) {
  world.served.Register("closed", "{id: fail, type: script}", ForAdaAlone("read"));
  world.who = ServedWorld::Somebody(Role::kOperator);
  const Answered started = world.Post("/workflows/1/execute", R"({"input": {}})");
  EXPECT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(started.text("workflow_id"), "1");
  EXPECT_EQ(started.text("status"), "running");
  EXPECT_EQ(started.at("priority"), Value());
  const std::string path = "/executions/" + started.text("id");
  EXPECT_EQ(world.Refusal(403, world.Get(path)), "STL1002");
  world.served.CatchUp();
  const Answered again = world.Post("/step-executions/" + started.text("id") + "-1/retry");
  EXPECT_EQ(again.status, 200) << again.body;
  EXPECT_EQ(again.text("execution_id"), started.text("id"));
  world.served.CatchUp();
  const Answered retried = world.Post(path + "/retry");
  EXPECT_EQ(retried.status, 200) << retried.body;
  EXPECT_EQ(retried.text("id"), started.text("id"));
  EXPECT_EQ(retried.at("status"), Value());
}

TEST_F(ExecutionsDialect, TellsOfAWorkflowWhoeverMayNotReadItsDefinition) {
  const std::string body = R"({"name": "closed", "definition": {
      "permissions": [{"action": "read_definitions", "users": ["ada"]}],
      "steps": [{"id": "a", "type": "script", "config": {"script": "x"}}]}})";
  world.who = ServedWorld::Somebody(Role::kDeveloper);
  const Answered made = world.Post("/workflows", body);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.text("name"), "closed");
  EXPECT_EQ(made.at("definition"), Value());
  EXPECT_EQ(world.Refusal(403, world.Get("/workflows/" + made.text("id"))), "STL1002");
}

TEST_F(ExecutionsDialect, StartsByWebhook) {
  const std::string id = Create();
  world.Post("/workflows/" + id + "/activate");
  const Answered added = world.Post("/workflows/" + id + "/triggers",
                                    R"({"type": "webhook", "name": "hook",
                     "config": {"path": "/webhook/data-process", "method": "POST"}})");
  EXPECT_EQ(added.status, 201) << added.body;
  const Answered fired = world.Post("//webhook/data-process", R"({"a": 1})");
  EXPECT_EQ(fired.status, 202) << fired.body;
  EXPECT_EQ(fired.text("triggers/0/verdict"), "fired") << fired.body;
  const Answered shown =
      world.Get("/executions/" + std::to_string(fired.number("triggers/0/instance")));
  EXPECT_EQ(shown.text("trigger_id"), added.text("id"));
}

}  // namespace
}  // namespace stele::server::compat
