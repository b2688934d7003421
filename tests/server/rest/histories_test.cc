// What happened to instances, and figures of them.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kTwo =
    "{id: a, type: script, config: {script: x}}, "
    "{id: b, type: script, depends_on: [a], config: {script: x}}";

TEST(History, ComesInPagesAndAsLines) {
  RestWorld world;
  world.served.Register("two", kTwo);
  const int64_t id = world.Start("two");
  world.served.CatchUp();
  const std::string path = fmt::format("/instances/{}/history", id);
  const Answered all = world.Get(path);
  ASSERT_EQ(all.status, 200) << all.body;
  const size_t count = all.at("events").as_array().size();
  EXPECT_EQ(all.text("events/0/event"), "instance_started");
  EXPECT_EQ(all.text("events/0/actor"), "admin");
  EXPECT_EQ(all.at("next"), Value());
  const Answered page = world.Get(path + "?limit=2");
  EXPECT_EQ(page.at("events").as_array().size(), 2u);
  EXPECT_EQ(page.number("next"), 3);
  EXPECT_EQ(world.Get(path + "?from=3&limit=1").number("events/0/seq"), 3);
  const Answered lines = world.Get(path, {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(lines.content_type, "application/x-ndjson");
  EXPECT_EQ(static_cast<size_t>(std::ranges::count(lines.body, '\n')), count);
  EXPECT_TRUE(lines.body.starts_with(stele::ToJson(all.at("events/0")) + "\n")) << lines.body;
  const Answered some = world.Get(path + "?limit=2", {{"Accept", "application/x-ndjson"}});
  EXPECT_EQ(std::ranges::count(some.body, '\n'), 2);
  EXPECT_EQ(world.Refusal(404, world.Get("/instances/999/history")), "STL0401");
  EXPECT_EQ(world.Refusal(422, world.Get(path + "?limit=1001")), "STL0406");
}

TEST(History, TellsWhatBecameOfStepsAndWhatTheyPrinted) {
  RestWorld world;
  world.served.Register("two", kTwo);
  const int64_t id = world.Start("two");
  world.served.CatchUp();
  const std::string path = fmt::format("/instances/{}", id);
  const Answered steps = world.Get(path + "/steps");
  EXPECT_EQ(steps.text("steps/0/step"), "a");
  EXPECT_EQ(steps.text("steps/1/state"), "completed");
  const Answered logs = world.Get(path + "/logs");
  ASSERT_EQ(logs.at("attempts").as_array().size(), 2u) << logs.body;
  EXPECT_EQ(logs.text("attempts/0/log"), "did a\n");
  EXPECT_EQ(world.Get(path + "/logs?step=b").text("attempts/0/log"), "did b\n");
  const Answered page = world.Get(path + "/logs?limit=1");
  EXPECT_EQ(page.text("attempts/0/step"), "a");
  const Answered next = world.Get(path + "/logs?limit=1&cursor=" + page.text("next"));
  EXPECT_EQ(next.text("attempts/0/step"), "b");
  EXPECT_EQ(world.Refusal(422, world.Get(path + "/logs?cursor=x")), "STL0406");
  EXPECT_EQ(world.Refusal(404, world.Get("/instances/999/logs")), "STL0401");
  EXPECT_EQ(world.Refusal(404, world.Get("/instances/999/steps")), "STL0401");
}

TEST(Statistics, OfAllAndOfOne) {
  RestWorld world;
  world.served.Register("two", kTwo);
  world.served.Register("fails", "{id: fail, type: script, config: {script: x}}");
  world.Start("two");
  world.Start("fails");
  world.served.CatchUp();
  EXPECT_EQ(world.Get("/statistics").number("counts/started"), 2);
  const Answered one = world.Get("/statistics/two");
  EXPECT_EQ(one.number("counts/completed"), 1);
  EXPECT_EQ(one.at("steps").as_array().size(), 2u);
  EXPECT_EQ(world.Get("/statistics/two?version=1").number("version"), 1);
  EXPECT_EQ(world.Get("/statistics?definition=two&from=1h&to=now").text("resolution"), "minute");
  EXPECT_EQ(world.Get("/statistics/series?by=minute").number("points/0/started"), 2);
  const Answered each = world.Get("/statistics/definitions?limit=1");
  EXPECT_EQ(each.text("definitions/0/definition"), "fails");
  EXPECT_EQ(world.Get("/statistics/definitions?cursor=" + each.text("next"))
                .text("definitions/0/definition"),
            "two");
  EXPECT_EQ(world.Refusal(404, world.Get("/statistics/none")), "STL0407");
  EXPECT_EQ(world.Refusal(400, world.Get("/statistics?version=1")), "STL1008");
  EXPECT_EQ(world.Refusal(422, world.Get("/statistics/series?by=week")), "STL0406");
}

TEST(Statistics, OfErrorsWorkersAndViews) {
  RestWorld world;
  world.served.Register("fails", "{id: fail, type: script, config: {script: x}}");
  world.Start("fails");
  world.served.CatchUp();
  const Answered errors = world.Get("/errors?definition=fails&since=1h");
  EXPECT_EQ(errors.text("errors/0/error_type"), "boom");
  EXPECT_EQ(errors.text("errors/0/message"), "told to fail");
  EXPECT_TRUE(world.Get("/errors?kind=other").at("errors").as_array().empty());
  EXPECT_EQ(world.Get("/workers").status, 200);
  const Answered views = world.Get("/views");
  EXPECT_GT(views.at("views").as_array().size(), 3u);
  EXPECT_EQ(views.at("views/0/serves"), Value(true));
}

}  // namespace
}  // namespace stele::server::rest
