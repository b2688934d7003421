#include <gtest/gtest.h>

#include "server/compat/resources.h"
#include "server/operations/logins.h"
#include "server/rest/accounts.h"
#include "tests/server/rest/rest_world.h"
#include "tests/server/support/guarded_world.h"

namespace stele::server::compat {
namespace {

using rest::Answered;
using rest::RestWorld;

constexpr const char* kProcess = R"({
  "name": "orders", "description": "what becomes of an order", "version": "1.0.0",
  "variables": {"order_id": "string", "customer_id": "string", "total_amount": "number"},
  "steps": [
    {"id": "check", "name": "checks", "type": "user_task", "config": {"assignee": "admin"},
     "next": ["book"]},
    {"id": "book", "name": "books", "type": "service_task",
     "config": {"service_name": "Booking", "method": "book", "timeout": "30s"}}]})";

class ProcessesDialect : public ::testing::Test {
 protected:
  RestWorld world{AllDialects};

  int64_t Create() {
    const Answered made = world.Post("/process-definitions", kProcess);
    EXPECT_EQ(made.status, 201) << made.body;
    return made.number("id");
  }
  Answered Start(int64_t definition, http::Headers headers = {}) {
    return world.Post("/process-instances",
                      fmt::format(R"({{"process_definition_id": {}, "business_key": "ORDER-1",
        "variables": {{"order_id": "ORDER-1", "customer_id": "C-4", "total_amount": 999.5}}}})",
                                  definition),
                      std::move(headers));
  }
};

TEST_F(ProcessesDialect, RegistersAndListsDefinitions) {
  const int64_t id = Create();
  const Answered list = world.Get("/process-definitions");
  EXPECT_EQ(list.number("total"), 1);
  EXPECT_EQ(list.number("process_definitions/0/id"), id);
  EXPECT_EQ(list.text("process_definitions/0/name"), "orders");
  EXPECT_EQ(list.text("process_definitions/0/version"), "1.0.0");
  EXPECT_EQ(list.text("process_definitions/0/status"), "active");
  EXPECT_EQ(list.text("process_definitions/0/created_at"), "2026-09-21T14:13:20Z");
  EXPECT_EQ(world.Get(fmt::format("/process-definitions/{}", id)).text("name"), "orders");
  EXPECT_EQ(world.Post("/process-definitions", kProcess).status, 200);
  // The service that it does not list is for workers from now on.
  EXPECT_EQ(world.Get("/types").text("types/0/type"), "Booking");
  EXPECT_EQ(world.Post("/process-definitions", R"({"name": "x", "steps": []})").status, 422);
}

TEST_F(ProcessesDialect, LeavesNothingOfADefinitionThatIsRefused) {
  const auto with = [](const std::string& service, const std::string& type) {
    return fmt::format(R"({{"name": "x", "steps": [
        {{"id": "a", "type": "service_task", "config": {{"service_name": "{}"}}}},
        {{"id": "b", "type": "{}", "config": {{"service_name": "Other"}}}}]}})",
                       service, type);
  };
  EXPECT_EQ(world.Post("/process-definitions", with("Booking", "nothing")).status, 422);
  EXPECT_EQ(world.Post("/process-definitions", with("no name", "service_task")).status, 422);
  EXPECT_TRUE(world.served.shard().registry().settings.empty());
  EXPECT_EQ(world.Post("/process-definitions", with("Booking", "service_task")).status, 201);
  EXPECT_EQ(world.Get("/types").at("types").as_array().size(), 2u);
}

// Only ada may look at what has become of it.
TEST_F(ProcessesDialect, TellsOfAStartWhoeverMayNotLookAtIt) {
  world.served.Register("closed", "{id: a, type: script}", ForAdaAlone("read"));
  world.who = ServedWorld::Somebody(Role::kOperator);
  const Answered started = Start(1);
  EXPECT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(started.number("process_definition_id"), 1);
  EXPECT_EQ(started.text("business_key"), "ORDER-1");
  EXPECT_EQ(started.text("status"), "running");
  EXPECT_EQ(started.at("variables"), Value());
  const std::string path = fmt::format("/process-instances/{}", started.number("id"));
  EXPECT_EQ(world.Refusal(403, world.Get(path)), "STL1002");
  world.who = Ada();
  EXPECT_EQ(world.Get(path).status, 200);
}

TEST_F(ProcessesDialect, StartsInstancesInTheTraceOfWhoeverAsks) {
  constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  http::Headers headers;
  headers.Add("traceparent", kParent);
  const InstanceId id(static_cast<uint64_t>(Start(Create(), headers).number("id")));
  EXPECT_EQ(world.served.shard().Find(id).value()->trace_parent, kParent);
}

TEST_F(ProcessesDialect, StartsAndFindsInstances) {
  const int64_t definition = Create();
  const Answered started = Start(definition);
  EXPECT_EQ(started.status, 201) << started.body;
  EXPECT_EQ(started.number("process_definition_id"), definition);
  EXPECT_EQ(started.text("business_key"), "ORDER-1");
  EXPECT_EQ(started.text("status"), "running");
  EXPECT_EQ(started.text("variables/customer_id"), "C-4");
  const auto total = [&](const std::string& query) {
    return world.Get("/process-instances" + query).number("total");
  };
  EXPECT_EQ(total(""), 1);
  EXPECT_EQ(total("?status=running"), 1);
  EXPECT_EQ(total("?status=completed"), 0);
  EXPECT_EQ(total("?business_key=ORDER-1"), 1);
  EXPECT_EQ(total(fmt::format("?process_definition_id={}", definition)), 1);
  EXPECT_EQ(world.Refusal(404, Start(123)), "STL0407");
  EXPECT_EQ(world.Refusal(422, world.Post("/process-instances", R"({"business_key": "A"})")),
            "STL0406");
}

TEST_F(ProcessesDialect, ListsAndCompletesTasksOfTheCaller) {
  const Answered started = Start(Create());
  world.served.CatchUp();
  const Answered tasks = world.Get("/tasks?assignee=current_user");
  EXPECT_EQ(tasks.status, 200) << tasks.body;
  ASSERT_EQ(tasks.at("tasks").as_array().size(), 1u) << tasks.body;
  EXPECT_EQ(world.Get("/tasks?assignee=nobody").at("tasks").as_array().size(), 0u);
  const std::string id = tasks.text("tasks/0/id");
  const Answered done = world.Ask(http::Method::kPut, "/tasks/" + id + "/complete",
                                  R"({"variables": {"approved": true, "comments": "fine"}})");
  EXPECT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done.number("process_instance_id"), started.number("id"));
  const Answered now = world.Get(fmt::format("/process-instances/{}", started.number("id")));
  EXPECT_EQ(now.at("variables/approved"), Value(true));
  EXPECT_EQ(now.text("variables/comments"), "fine");
  EXPECT_EQ(world.Refusal(400, world.Ask(http::Method::kPut, "/tasks/789/complete", "{}")),
            "STL1008");
}

struct LoginParts {
  explicit LoginParts(Desk& desk)
      : denials(desk),
        authenticator(Authenticator::Create(accounts, SigningKey::Own(std::string(32, 'k')).value(),
                                            KeySet(), *desk.engine().clock, SystemRandom(),
                                            {.passwords = PasswordLimits::Least()})
                          .value()),
        logins(desk, denials, accounts, authenticator, SystemRandom(), PasswordLimits::Least()) {}

  Accounts accounts;
  Denials denials;
  Authenticator authenticator;
  Logins logins;
};

TEST(ProcessesLogin, TakesAUsername) {
  std::unique_ptr<LoginParts> parts;
  RestWorld world([&parts](const Operations& operations) {
    parts = std::make_unique<LoginParts>(operations.desk);
    return std::vector<rest::Resource>{rest::SessionResource(parts->logins)};
  });
  const SecretText made = world.served.Get(parts->logins.MakeFirstAdmin());
  const std::string_view password = made.view();
  const auto login = [&](const std::string& name) {
    return world.Post("/auth/login", fmt::format(R"({{{} "password": "{}"}})", name, password));
  };
  const Answered issued = login(R"("username": "admin",)");
  EXPECT_EQ(issued.status, 200) << issued.body;
  EXPECT_FALSE(issued.text("token").empty());
  EXPECT_EQ(login(R"("name": "admin",)").status, 200);
  EXPECT_EQ(world.Refusal(422, login("")), "STL0406");
  // Its parts go before the desk that they stand on.
  parts.reset();
}

}  // namespace
}  // namespace stele::server::compat
