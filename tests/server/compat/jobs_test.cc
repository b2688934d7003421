#include <gtest/gtest.h>

#include "server/compat/resources.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::compat {
namespace {

using rest::Answered;
using rest::RestWorld;

class JobsDialect : public ::testing::Test {
 protected:
  RestWorld world{AllDialects};

  int64_t AddTask(const std::string& name, const std::string& type, const std::string& config) {
    const Answered made =
        world.Post("//api/tasks", fmt::format(R"({{"name": "{}", "description": "what {} is",
                                        "task_type": "{}", "config": {}}})",
                                              name, name, type, config));
    EXPECT_EQ(made.status, 201) << made.body;
    return made.number("id");
  }
  // Of a review, a task for a person and a program.
  int64_t AddFlow() {
    AddTask("review", "approval", R"({"approvers": ["PM", "lead"]})");
    AddTask("develop", "manual", "{}");
    AddTask("test", "automated", R"({"command": "make test"})");
    const Answered made =
        world.Post("//api/flows", R"({"name": "feature", "description": "from idea to release",
                                      "version": "1.0.0", "task_ids": [1, 2, 3], "created_by": 1})");
    EXPECT_EQ(made.status, 201) << made.body;
    return made.number("id");
  }
  Answered Do(const std::string& word, const std::string& body) {
    return world.Post("//api/tasks/" + word, body);
  }
  int64_t StartJob() {
    const Answered made = world.Post(
        "//api/jobs",
        fmt::format(R"({{"flow_id": {}, "job_name": "login", "created_by": 1}})", AddFlow()));
    EXPECT_EQ(made.status, 201) << made.body;
    const int64_t id = made.number("id");
    EXPECT_EQ(world.Post("//api/jobs/start", fmt::format(R"({{"job_id": {}}})", id)).status, 200);
    return id;
  }
  std::vector<std::string> Statuses(int64_t job) {
    std::vector<std::string> statuses;
    const Answered shown = world.Get(fmt::format("//api/jobs?id={}", job));
    for (const Value& task : shown.at("tasks").as_array())
      statuses.push_back(task.Find("status")->as_string());
    return statuses;
  }
};

using Words = std::vector<std::string>;

TEST_F(JobsDialect, KeepsTasks) {
  EXPECT_EQ(AddTask("review", "approval", R"({"min_approvers": 2})"), 1);
  EXPECT_EQ(AddTask("build", "manual", "{}"), 2);
  const Answered list = world.Get("//api/tasks?limit=20&offset=0");
  EXPECT_EQ(list.number("total"), 2);
  EXPECT_EQ(list.number("limit"), 20);
  EXPECT_EQ(list.text("tasks/0/name"), "review");
  EXPECT_EQ(world.Get("//api/tasks?limit=1&offset=1").text("tasks/0/name"), "build");
  const Answered one = world.Get("//api/tasks?id=1");
  EXPECT_EQ(one.text("task_type"), "approval");
  EXPECT_EQ(one.number("config/min_approvers"), 2);
  EXPECT_EQ(one.text("created_at"), "2026-09-21T14:13:20Z");
  const Answered changed = world.Ask(http::Method::kPut, "//api/tasks",
                                     R"({"id": 1, "name": "look", "description": "anew"})");
  EXPECT_EQ(changed.text("name"), "look") << changed.body;
  EXPECT_EQ(changed.text("task_type"), "approval");
  EXPECT_EQ(world.Ask(http::Method::kDelete, "//api/tasks?id=2").status, 204);
  EXPECT_EQ(world.Refusal(404, world.Get("//api/tasks?id=2")), "STL0407");
  EXPECT_EQ(world.Refusal(404, world.Ask(http::Method::kDelete, "//api/tasks?id=2")), "STL0407");
  // A number is never used again.
  EXPECT_EQ(AddTask("later", "manual", "{}"), 3);
  EXPECT_EQ(world.Refusal(422, world.Post("//api/tasks", R"({"name": "x", "task_type": "y"})")),
            "STL0406");
}

TEST_F(JobsDialect, MakesFlowsOfTasks) {
  const int64_t id = AddFlow();
  const Answered flow = world.Get(fmt::format("//api/flows?id={}", id));
  EXPECT_EQ(flow.text("name"), "feature");
  EXPECT_EQ(flow.text("version"), "1.0.0");
  EXPECT_EQ(flow.number("created_by"), 1);
  ASSERT_EQ(flow.at("tasks").as_array().size(), 3u) << flow.body;
  EXPECT_EQ(flow.number("tasks/1/task_id"), 2);
  EXPECT_EQ(flow.number("tasks/1/sequence"), 2);
  EXPECT_EQ(flow.text("tasks/1/name"), "develop");
  EXPECT_EQ(flow.text("tasks/2/task_type"), "automated");
  EXPECT_EQ(world.Get("//api/flows?limit=20&offset=0").number("total"), 1);
  EXPECT_EQ(world.Refusal(404, world.Post("//api/flows", R"({"name": "x", "task_ids": [9]})")),
            "STL0407");
  EXPECT_EQ(world.Refusal(422, world.Post("//api/flows", R"({"name": "x", "task_ids": []})")),
            "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Post("//api/flows",
                                          R"({"name": "x", "task_ids": [9223372036854775808]})")),
            "STL0406");
}

// Only ada may look at what has become of it.
TEST_F(JobsDialect, TellsOfWhatIsDurableWhoeverMayNotLookAtIt) {
  world.served.Register("closed", "{id: a, type: manual, config: {assignees: [operator]}}",
                        ForAdaAlone("read"));
  world.who = ServedWorld::Somebody(Role::kOperator);
  const Answered made = world.Post("//api/jobs", R"({"flow_id": 1, "job_name": "login"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made.number("id"), 1);
  EXPECT_EQ(made.text("status"), "pending");
  EXPECT_EQ(made.at("tasks"), Value());
  const Answered started = world.Post("//api/jobs/start", R"({"job_id": 1})");
  EXPECT_EQ(started.status, 200) << started.body;
  EXPECT_EQ(started.text("status"), "running");
  const Answered done = Do("complete", R"({"job_task_id": 1})");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.number("job_id"), 1);
  EXPECT_EQ(done.number("sequence"), 1);
  EXPECT_EQ(world.Refusal(403, world.Get("//api/jobs?id=1")), "STL1002");
  world.who = Ada();
  EXPECT_EQ(world.Get("//api/jobs?id=1").text("status"), "completed");
}

TEST_F(JobsDialect, WaitsWithAJobUntilItIsStarted) {
  const Answered made = world.Post(
      "//api/jobs",
      fmt::format(R"({{"flow_id": {}, "job_name": "login", "created_by": 1}})", AddFlow()));
  const int64_t id = made.number("id");
  EXPECT_EQ(made.text("status"), "pending");
  EXPECT_EQ(made.text("job_name"), "login");
  EXPECT_EQ(made.text("created_by"), "1");
  EXPECT_EQ(made.number("tasks/0/id"), 1);
  EXPECT_EQ(Statuses(id), (Words{"pending", "pending", "pending"}));
  const std::string body = fmt::format(R"({{"job_id": {}}})", id);
  EXPECT_EQ(world.Post("//api/jobs/start", body).text("status"), "running");
  EXPECT_EQ(world.Refusal(409, world.Post("//api/jobs/start", body)), "STL0405");
  EXPECT_EQ(world.Refusal(404, world.Post("//api/jobs", R"({"flow_id": 7})")), "STL0407");
}

TEST_F(JobsDialect, DoesOneTaskAfterAnother) {
  const int64_t job = StartJob();
  const auto next = [&] { return world.Get(fmt::format("//api/jobs/next-task?job_id={}", job)); };
  EXPECT_EQ(next().number("sequence"), 1);
  const Answered begun = Do("start", R"({"job_task_id": 1, "executor_id": 100})");
  EXPECT_EQ(begun.text("status"), "running") << begun.body;
  EXPECT_EQ(begun.text("executor"), "admin");
  const Answered done = Do("complete", R"({"job_task_id": 1, "result": {"approved": true}})");
  EXPECT_EQ(done.text("status"), "completed") << done.body;
  EXPECT_EQ(done.at("result/approved"), Value(true));
  EXPECT_EQ(next().text("name"), "develop");
  const Answered second = Do(
      "complete", R"({"job_task_id": 2, "result": {"status": "success", "output": "it works"}})");
  EXPECT_EQ(second.text("result/output"), "it works") << second.body;
  world.served.Settle();
  EXPECT_EQ(Statuses(job), (Words{"completed", "completed", "completed"}));
  EXPECT_EQ(world.Get(fmt::format("//api/jobs?id={}", job)).text("status"), "completed");
  EXPECT_EQ(next().status, 204);
  EXPECT_EQ(world.Refusal(404, Do("complete", R"({"job_task_id": 9})")), "STL0403");
  EXPECT_EQ(world.Refusal(404, Do("start", R"({"job_task_id": 5001})")), "STL0401");
}

TEST_F(JobsDialect, FailsATask) {
  const int64_t job = StartJob();
  const Answered failed = Do("fail", R"({"job_task_id": 1, "error_message": "no permission"})");
  EXPECT_EQ(failed.text("status"), "failed") << failed.body;
  EXPECT_TRUE(failed.text("error_message").contains("no permission")) << failed.body;
  EXPECT_EQ(world.Get(fmt::format("//api/jobs?id={}", job)).text("status"), "failed");
}

TEST_F(JobsDialect, SkipsTasksAndGoesBack) {
  const int64_t job = StartJob();
  EXPECT_EQ(Do("skip", R"({"job_task_id": 1, "operator_id": 100})").text("status"), "skipped");
  EXPECT_EQ(Statuses(job), (Words{"skipped", "pending", "pending"}));
  const Answered back =
      Do("rollback", R"({"job_task_id": 2, "operator_id": 100, "target_sequence": 1})");
  EXPECT_EQ(back.text("status"), "rolled_back") << back.body;
  EXPECT_EQ(Statuses(job), (Words{"pending", "rolled_back", "pending"}));
  EXPECT_EQ(world.Refusal(404, Do("rollback", R"({"job_task_id": 1, "target_sequence": 7})")),
            "STL0403");
}

TEST_F(JobsDialect, ActsForOthersOnlyWhereTheCallerMay) {
  StartJob();
  world.who = ServedWorld::Somebody(Role::kDeveloper);
  EXPECT_EQ(Do("complete", R"({"job_task_id": 1, "result": {"approved": true}})").status, 403);
  EXPECT_EQ(Do("skip", R"({"job_task_id": 1})").status, 403);
  world.who = AnonymousDeveloper("127.0.0.1");
  EXPECT_EQ(Do("start", R"({"job_task_id": 1, "executor_id": 100})").text("executor"), "100");
}

}  // namespace
}  // namespace stele::server::compat
