// Starting instances, finding and looking at them.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kWork = "{id: work, type: script, config: {script: x}}";
constexpr const char* kWait = "{id: w, type: signal, config: {name: go}}";

TEST(StartInstance, AnswersWhereItIs) {
  RestWorld world;
  world.served.Register("order", kWork);
  const Answered started = world.Post(
      "/instances?wait=5s",
      R"({"definition":"order","input":{"n":1},"business_key":"A-1","tags":["eu"],"priority":3})");
  ASSERT_EQ(started.status, 201) << started.body;
  const int64_t id = started.number("id");
  EXPECT_EQ(started.headers.Get("Location"), fmt::format("/api/v1/instances/{}", id));
  EXPECT_EQ(started.at("known"), Value(false));
  EXPECT_EQ(started.text("result/status"), "completed");
  EXPECT_EQ(started.at("result/input"), Value(Object{{"n", 1}}));
  EXPECT_EQ(started.text("result/business_key"), "A-1");
  EXPECT_EQ(started.text("result/tags/0"), "eu");
  EXPECT_EQ(started.number("result/priority"), 3);
}

TEST(StartInstance, IsTheSameWithTheSameKey) {
  RestWorld world;
  world.served.Register("order", kWork);
  const std::string body = R"({"definition":"order","input":{"n":1}})";
  const http::Headers key{{"Idempotency-Key", "k-1"}};
  const Answered first = world.Post("/instances", body, key);
  ASSERT_EQ(first.status, 201) << first.body;
  const Answered again = world.Post("/instances", body, key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.number("id"), first.number("id"));
  EXPECT_EQ(again.at("known"), Value(true));
  const Answered by_member =
      world.Post("/instances", R"({"definition":"order","input":{"n":1},"idempotency_key":"k-1"})");
  EXPECT_EQ(by_member.number("id"), first.number("id"));
}

TEST(StartInstance, WaitsForTheEndOfWhatItsKeyHadStarted) {
  RestWorld world;
  world.served.Register("waits", kWait);
  const http::Headers key{{"Idempotency-Key", "k-1"}};
  const int64_t id = world.Post("/instances", R"({"definition":"waits"})", key).number("id");
  world.Post(fmt::format("/instances/{}/signals", id), R"({"name":"go"})");
  const Answered again = world.Post("/instances?wait=5s", R"({"definition":"waits"})", key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.text("result/status"), "completed");
}

TEST(StartInstance, AnswersAsItIsWhenTheWaitHasPassed) {
  RestWorld world;
  world.served.Register("waits", kWait);
  const Answered started = world.Post("/instances?wait=1ms", R"({"definition":"waits"})");
  EXPECT_EQ(started.status, 201);
  EXPECT_EQ(started.text("result/status"), "waiting");
}

TEST(StartInstance, IsRefusedWhenItsKeyStartedSomethingElse) {
  RestWorld world;
  world.served.Register("order", kWork);
  world.served.Register("other", kWork);
  const http::Headers key{{"Idempotency-Key", "k-1"}};
  EXPECT_EQ(world.Post("/instances", R"({"definition":"order","input":{"n":1}})", key).status, 201);
  EXPECT_EQ(world.Refusal(409, world.Post("/instances", R"({"definition":"order"})", key)),
            "STL0410");
  EXPECT_EQ(world.Refusal(
                409, world.Post("/instances", R"({"definition":"other","input":{"n":1}})", key)),
            "STL0410");
}

TEST(StartInstance, RefusesKeysThatAreNoKeys) {
  RestWorld world;
  world.served.Register("order", kWork);
  const std::string body = R"({"definition":"order"})";
  for (const std::string& key : {std::string(), std::string("a b"), std::string(256, 'x')})
    EXPECT_EQ(world.Refusal(422, world.Post("/instances", body, {{"Idempotency-Key", key}})),
              "STL0406");
  EXPECT_EQ(
      world.Refusal(422, world.Post("/instances", R"({"definition":"order","idempotency_key":"a"})",
                                    {{"Idempotency-Key", "b"}})),
      "STL0406");
  EXPECT_EQ(world.Refusal(
                422, world.Post("/instances", R"({"definition":"order","business_key":"a\nb"})")),
            "STL0406");
  EXPECT_EQ(
      world.Refusal(422, world.Post("/instances", R"({"definition":"order","tags":["a\u0007"]})")),
      "STL0406");
}

TEST(StartInstance, NamesWhatIsWrongWithTheBody) {
  RestWorld world;
  world.served.Register("order", kWork);
  const auto detail = [&](const std::string& body) {
    const Answered refused = world.Post("/instances", body);
    EXPECT_GE(refused.status, 400) << body;
    return refused.text("detail");
  };
  EXPECT_EQ(detail(R"({"definition":"order","input":5})"),
            "the body: Expected an object or null at /input but found 5");
  EXPECT_EQ(detail(R"({"definition":"order","imput":{}})"),
            "the body: Expected a member \"input\" but found \"imput\"");
  EXPECT_EQ(detail(R"({"input":{}})"), "the body: Expected a member \"definition\" but found none");
  EXPECT_EQ(detail(R"({"definition":"order","priority":3000000000})"),
            "the body: Expected a number up to 1000000 at /priority but found 3000000000");
  EXPECT_EQ(world.Refusal(400, world.Post("/instances", "{\"definition\":")), "STL0001");
  EXPECT_EQ(world.Refusal(400, world.Post("/instances", "[]")), "STL0001");
  EXPECT_EQ(world.Refusal(
                400, world.Post("/instances", R"({"definition":"order","definition":"order"})")),
            "STL0001");
  EXPECT_EQ(world.Refusal(415, world.Post("/instances", "definition: order",
                                          {{"Content-Type", "application/yaml"}})),
            "STL1009");
  EXPECT_EQ(world.Refusal(404, world.Post("/instances", R"({"definition":"ordre"})")), "STL0407");
  const Answered several = world.Post("/instances", R"({"input":5,"tags":5})");
  EXPECT_EQ(several.at("errors").as_array().size(), 3u) << several.body;
}

TEST(StartInstance, TakesDeadlinesInEveryForm) {
  RestWorld world;
  world.served.Register("waits", kWait);
  const int64_t now = world.served.clock().Now().value;
  const auto deadline = [&](const std::string& given) {
    return world
        .Get(fmt::format("/instances/{}",
                         world.Start("waits", fmt::format(R"(,"deadline":{})", given))))
        .at("deadline");
  };
  EXPECT_EQ(deadline("\"2h\""), Value(now + 7'200'000'000));
  EXPECT_EQ(deadline("\"2100-01-01T00:00:00Z\""), Value(int64_t{4'102'444'800'000'000}));
  EXPECT_EQ(deadline(std::to_string(now + 5)), Value(now + 5));
  EXPECT_EQ(deadline("null"), Value());
  for (const char* bad : {"\"2001-01-01T00:00:00Z\"", "\"soon\"", "17"})
    EXPECT_EQ(world.Refusal(
                  422, world.Post("/instances",
                                  fmt::format(R"({{"definition":"waits","deadline":{}}})", bad))),
              "STL0406");
}

TEST(StartInstance, RefusesASecondOneWithTheBusinessKeyWhenItIsToBeUnique) {
  RestWorld world;
  world.served.Register("waits", kWait);
  const std::string rest = R"(,"business_key":"A","unique":true)";
  world.Start("waits", rest);
  EXPECT_EQ(world.Refusal(409, world.Post("/instances", R"({"definition":"waits")" + rest + "}")),
            "STL0410");
}

TEST(GetInstance, ShowsItAsItIsAndAsItWas) {
  RestWorld world;
  world.served.Register("waits", kWait);
  const int64_t id = world.Start("waits");
  const std::string path = fmt::format("/instances/{}", id);
  const Answered now = world.Get(path);
  EXPECT_EQ(now.status, 200);
  EXPECT_EQ(now.text("status"), "waiting");
  EXPECT_EQ(now.text("waiting_for/0/for"), "message");
  EXPECT_EQ(now.text("waiting_for/0/events/0/name"), "go");
  const int64_t seq = now.number("seq");
  const int64_t before = world.served.clock().Now().value;
  world.served.Advance(1'000'000);
  EXPECT_EQ(world.Post(path + "/signals", R"({"name":"go","payload":{}})").status, 200);
  EXPECT_EQ(world.Get(path + "?wait=5s").text("status"), "completed");
  const Answered then = world.Get(fmt::format("{}?seq={}", path, seq));
  EXPECT_EQ(then.text("status"), "waiting");
  EXPECT_EQ(then.text("steps/0/state"), "waiting");
  EXPECT_EQ(world.Get(fmt::format("{}?at={}", path, before)).text("status"), "waiting");
  EXPECT_EQ(world.Get(path + "?at=0s").text("status"), "completed");
}

TEST(GetInstance, RefusesWhatIsNotThere) {
  RestWorld world;
  world.served.Register("order", kWork);
  const int64_t id = world.Start("order");
  EXPECT_EQ(world.Refusal(404, world.Get("/instances/999")), "STL0401");
  EXPECT_EQ(world.Refusal(400, world.Get("/instances/0")), "STL1008");
  EXPECT_EQ(world.Refusal(400, world.Get("/instances/one")), "STL1008");
  EXPECT_EQ(world.Refusal(400, world.Get("/instances/99999999999999999999")), "STL1008");
  const std::string path = fmt::format("/instances/{}", id);
  EXPECT_EQ(world.Refusal(404, world.Get(path + "?seq=999")), "STL0309");
  EXPECT_EQ(world.Refusal(422, world.Get(path + "?seq=0")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get(path + "?at=soon")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get(path + "?wait=2h")), "STL0406");
  EXPECT_EQ(world.Refusal(400, world.Get(path + "?seq=1&at=1h")), "STL1008");
  EXPECT_EQ(world.Refusal(400, world.Get(path + "?seq=1&seq=2")), "STL1008");
  EXPECT_EQ(world.Refusal(400, world.Get(path + "?sec=1")), "STL1008");
}

TEST(FindInstances, NarrowsByItsParametersAndTheQuery) {
  RestWorld world;
  world.served.Register("order", kWork);
  world.served.Register("waits", kWait);
  const int64_t done = world.Start("order", R"(,"tags":["eu","big"],"business_key":"A 1")");
  const int64_t open = world.Start("waits", R"(,"tags":["eu"])");
  world.served.CatchUp();
  const auto ids = [&](const std::string& query) {
    const Answered page = world.Get("/instances" + query);
    EXPECT_EQ(page.status, 200) << page.body;
    std::vector<int64_t> found;
    for (const Value& row : page.at("instances").as_array())
      found.push_back(row.Find("instance")->as_int());
    return found;
  };
  EXPECT_EQ(ids(""), (std::vector{open, done}));
  EXPECT_EQ(ids("?status=completed"), (std::vector{done}));
  EXPECT_EQ(ids("?status=completed&status=waiting&sort=started"), (std::vector{done, open}));
  EXPECT_EQ(ids("?definition=waits"), (std::vector{open}));
  EXPECT_EQ(ids("?tag=eu&tag=big"), (std::vector{done}));
  EXPECT_EQ(ids("?business_key=A%201"), (std::vector{done}));
  EXPECT_EQ(ids("?query=step:w"), (std::vector{open}));
  EXPECT_EQ(ids("?query=tag:eu&status=failed"), std::vector<int64_t>());
  EXPECT_EQ(world.Refusal(422, world.Get("/instances?query=colour:red")), "STL0108");
  EXPECT_EQ(world.Refusal(422, world.Get("/instances?query=(")), "STL0201");
}

TEST(FindInstances, GivesPagesAndEarlierMoments) {
  RestWorld world;
  world.served.Register("order", kWork);
  const int64_t first = world.Start("order");
  world.served.Settle();
  const int64_t position =
      static_cast<int64_t>(world.served.desk().store().NextPosition(ShardId()).value) - 1;
  const int64_t second = world.Start("order");
  world.served.CatchUp();
  const Answered page = world.Get("/instances?limit=1");
  EXPECT_EQ(page.number("instances/0/instance"), second);
  const Answered next = world.Get("/instances?limit=1&cursor=" + page.text("next"));
  EXPECT_EQ(next.number("instances/0/instance"), first);
  const Answered then = world.Get(fmt::format("/instances?as_of={}", position));
  EXPECT_EQ(then.at("instances").as_array().size(), 1u);
  EXPECT_EQ(then.number("position"), position);
  for (const char* limit : {"0", "1001", "-1", "x", ""})
    EXPECT_EQ(world.Refusal(422, world.Get(fmt::format("/instances?limit={}", limit))), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get("/instances?cursor=x")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get("/instances?as_of=never")), "STL0406");
}

TEST(FindInstances, KnowsOfWhatItIsToBeAfter) {
  RestWorld world;
  world.served.Register("order", kWork);
  for (int i = 0; i < 5; ++i) {
    const Answered started = world.Post("/instances", R"({"definition":"order"})");
    const Answered page = world.Get(fmt::format("/instances?after={}", started.number("position")));
    EXPECT_EQ(page.number("instances/0/instance"), started.number("id"));
  }
}

}  // namespace
}  // namespace stele::server::rest
