// Triggers, and requests that reach webhooks.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

using http::Method;

constexpr const char* kWork = "{id: work, type: script, config: {script: x}}";

TEST(Triggers, AreAddedFiredAndRemoved) {
  RestWorld world;
  world.served.Register("order", kWork);
  const Answered added = world.Post(
      "/triggers",
      R"({"definition":"order","trigger":{"type":"schedule","name":"nightly","cron":"0 2 * * *"}})");
  ASSERT_EQ(added.status, 201) << added.body;
  const int64_t id = added.number("id");
  const std::string path = fmt::format("/triggers/{}", id);
  EXPECT_EQ(added.headers.Get("Location"), "/api/v1" + path);
  EXPECT_GT(added.number("next"), world.served.clock().Now().value);
  EXPECT_EQ(world.Get("/triggers?definition=order").number("triggers/0/id"), id);
  const Answered fired = world.Post(path + "/fire", R"({"key":"k","input":{"n":1}})");
  ASSERT_EQ(fired.status, 200) << fired.body;
  EXPECT_EQ(world.Post(path + "/fire", R"({"key":"k"})").number("instance"),
            fired.number("instance"));
  EXPECT_EQ(world.Get(path).number("fired"), 1);
  EXPECT_EQ(world.Post(path + "/pause", R"({"reason":"holidays"})").text("state"), "paused");
  EXPECT_EQ(world.Post(path + "/resume").text("state"), "active");
  EXPECT_EQ(world.Ask(Method::kDelete, path).text("state"), "removed");
  EXPECT_TRUE(world.Get("/triggers").at("triggers").as_array().empty());
  EXPECT_EQ(world.Get("/triggers?removed=true").at("triggers").as_array().size(), 1u);
}

TEST(Triggers, AreBackfilled) {
  RestWorld world;
  world.served.Register("order", kWork);
  const int64_t id =
      world
          .Post("/triggers",
                R"({"definition":"order","trigger":{"type":"schedule","cron":"0 * * * *"}})")
          .number("id");
  const std::string path = fmt::format("/triggers/{}/backfill", id);
  const Answered filled = world.Post(path, R"({"from":"6h"})");
  ASSERT_EQ(filled.status, 200) << filled.body;
  EXPECT_GE(filled.number("fired"), 5);
  EXPECT_EQ(world.Post(path, R"({"from":"6h","to":"now"})").number("fired"), 0);
  EXPECT_EQ(world.Refusal(422, world.Post(path, R"({"from":"soon"})")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Post(path, "{}")), "STL0406");
}

TEST(Triggers, RefuseWhatIsNone) {
  RestWorld world;
  world.served.Register("order", kWork);
  EXPECT_EQ(world.Refusal(404, world.Get("/triggers/9")), "STL0904");
  EXPECT_EQ(world.Refusal(404, world.Post("/triggers/9/fire")), "STL0904");
  EXPECT_EQ(world.Refusal(404, world.Ask(Method::kDelete, "/triggers/9")), "STL0904");
  EXPECT_EQ(world.Refusal(400, world.Get("/triggers/x")), "STL1008");
  EXPECT_EQ(world.Post("/triggers", R"({"definition":"order","trigger":{"type":"moon"}})").status,
            422);
  EXPECT_EQ(world.Refusal(422, world.Post("/triggers", R"({"definition":"order"})")), "STL0406");
}

class Webhooks : public testing::Test {
 protected:
  void Add(const std::string& trigger) {
    const Answered added =
        world_.Post("/triggers", R"({"definition":"order","trigger":)" + trigger + "}");
    EXPECT_EQ(added.status, 201) << added.body;
    // Strangers have no name.
    world_.who.reset();
  }
  Webhooks() { world_.served.Register("order", kWork); }

  RestWorld world_;
};

TEST_F(Webhooks, StartWhatTheyAreFor) {
  Add(R"({"type":"webhook","name":"o","path":"/webhook/orders"})");
  const http::Headers key{{"Idempotency-Key", "d-1"}};
  const Answered first = world_.Post("//webhook/orders", R"({"n":1})", key);
  ASSERT_EQ(first.status, 202) << first.body;
  EXPECT_EQ(first.text("triggers/0/verdict"), "fired");
  EXPECT_EQ(world_.Post("//webhook/orders", R"({"n":1})", key).number("triggers/0/instance"),
            first.number("triggers/0/instance"));
  EXPECT_EQ(world_.Post("/webhook/webhook/orders", R"({"n":1})", key).status, 202);
  world_.who = ServedWorld::Somebody(Role::kViewer);
  EXPECT_EQ(world_.Get(fmt::format("/instances/{}", first.number("triggers/0/instance")))
                .number("input/n"),
            1);
}

TEST_F(Webhooks, HaveThePathOfTheirDefinitionUnlessOneIsGiven) {
  Add(R"({"type":"webhook","name":"o"})");
  EXPECT_EQ(world_.Post("//hooks/order/o", "{}").status, 202);
}

TEST_F(Webhooks, TellStrangersLittle) {
  world_.served.secrets()["orders"] = "s3cret";
  Add(R"({"type":"webhook","name":"o","path":"/webhook/a","filter":"payload.colour == 'purple'"})");
  world_.who = ServedWorld::Somebody(Role::kAdmin);
  Add(R"({"type":"webhook","name":"s","path":"/webhook/b","secret":"{{ secrets.orders }}"})");
  world_.who = ServedWorld::Somebody(Role::kAdmin);
  Add(R"({"type":"webhook","name":"u","path":"/webhook/c","secret":"{{ secrets.none }}"})");
  world_.who = ServedWorld::Somebody(Role::kAdmin);
  Add(R"({"type":"webhook","name":"i","path":"/webhook/d","input":{"x":"{{ payload.hidden }}"}})");
  const Answered ignored = world_.Post("//webhook/a", "{}");
  EXPECT_EQ(ignored.status, 202);
  EXPECT_EQ(ignored.text("triggers/0/verdict"), "ignored");
  EXPECT_FALSE(ignored.body.contains("purple")) << ignored.body;
  EXPECT_EQ(world_.Refusal(401, world_.Post("//webhook/b", "{}")), "STL0903");
  const Answered unready = world_.Post("//webhook/c", "{}");
  EXPECT_EQ(unready.status, 503);
  EXPECT_FALSE(unready.body.contains("none\"")) << unready.body;
  const Answered no_input = world_.Post("//webhook/d", "{}");
  EXPECT_EQ(no_input.status, 422) << no_input.body;
  EXPECT_FALSE(no_input.body.contains("hidden")) << no_input.body;
  EXPECT_EQ(world_.Refusal(404, world_.Post("//webhook/none", "{}")), "STL0901");
  EXPECT_EQ(world_.Refusal(405, world_.Get("//webhook/a")), "STL0902");
  EXPECT_EQ(world_.Refusal(400, world_.Post("//webhook/a", "{")), "STL0001");
}

}  // namespace
}  // namespace stele::server::rest
