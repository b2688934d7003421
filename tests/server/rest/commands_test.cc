// What operators and other systems ask of instances.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kTwo =
    "{id: a, type: script, config: {script: x}}, "
    "{id: hang, type: script, depends_on: [a], config: {script: x}, optional: true}";
constexpr const char* kWait = "{id: w, type: signal, config: {name: go}}";

class Commands : public testing::Test {
 protected:
  std::string Path(int64_t instance, const std::string& word) {
    return fmt::format("/instances/{}/{}", instance, word);
  }
  // That it was taken, with a position.
  void Do(int64_t instance, const std::string& word, const std::string& body = "") {
    const Answered done = world_.Post(Path(instance, word), body);
    EXPECT_EQ(done.status, 200) << word << ": " << done.body;
    EXPECT_EQ(done.at("instance"), Value(instance));
    world_.served.Settle();
  }
  std::string Refused(int status, int64_t instance, const std::string& word,
                      const std::string& body = "") {
    return world_.Refusal(status, world_.Post(Path(instance, word), body));
  }

  RestWorld world_;
};

TEST_F(Commands, PauseAndResume) {
  world_.served.Register("waits", kWait);
  const int64_t id = world_.Start("waits");
  Do(id, "pause", R"({"reason":"lunch"})");
  EXPECT_EQ(world_.StatusOf(id), "paused");
  EXPECT_EQ(Refused(409, id, "pause"), "STL0405");
  Do(id, "resume");
  EXPECT_EQ(world_.StatusOf(id), "waiting");
  EXPECT_EQ(Refused(409, id, "resume"), "STL0405");
  EXPECT_EQ(Refused(404, 999, "pause"), "STL0401");
  EXPECT_EQ(Refused(422, id, "pause", R"({"raeson":"x"})"), "STL0406");
}

TEST_F(Commands, StepByStep) {
  world_.served.Register("two",
                         "{id: a, type: script, config: {script: x}}, "
                         "{id: b, type: script, depends_on: [a], config: {script: x}}");
  const int64_t id = world_.Start("two", R"(,"paused":true)");
  EXPECT_EQ(world_.StatusOf(id), "paused");
  Do(id, "step");
  const Answered steps = world_.Get(Path(id, "steps"));
  EXPECT_EQ(steps.text("steps/0/state"), "completed");
  EXPECT_EQ(steps.at("steps").as_array().size(), 1u) << steps.body;
  EXPECT_EQ(world_.StatusOf(id), "paused");
  Do(id, "step", R"({"steps":1})");
  EXPECT_EQ(world_.Get(Path(id, "steps")).text("steps/1/state"), "completed");
  EXPECT_EQ(world_.StatusOf(id), "paused");
  Do(id, "resume");
  EXPECT_EQ(world_.StatusOf(id), "completed");
}

TEST_F(Commands, CancelAndTerminate) {
  world_.served.Register("waits", kWait);
  const int64_t one = world_.Start("waits");
  const int64_t other = world_.Start("waits");
  Do(one, "cancel", R"({"reason":"wrong","compensate":true})");
  Do(other, "terminate");
  EXPECT_EQ(world_.Get(Path(one, "")).status, 404);
  EXPECT_EQ(world_.StatusOf(one), "cancelled");
  EXPECT_EQ(world_.StatusOf(other), "terminated");
  EXPECT_EQ(Refused(409, one, "cancel"), "STL0402");
}

TEST_F(Commands, RetrySkipAndRollBack) {
  world_.served.Register("two", kTwo);
  world_.served.Register("fails", "{id: fail, type: script, config: {script: x}}");
  const int64_t failed = world_.Start("fails");
  world_.served.Settle();
  EXPECT_EQ(world_.Get(fmt::format("/instances/{}", failed)).text("error/kind"), "boom");
  Do(failed, "retry", R"({"reason":"again"})");
  const int64_t two = world_.Start("two");
  world_.served.Settle();
  Do(two, "rollback", R"({"to":"a","from":"hang"})");
  Do(two, "skip", R"({"step":"hang"})");
  EXPECT_EQ(world_.StatusOf(two), "completed");
  EXPECT_EQ(Refused(422, two, "skip", "{}"), "STL0406");
  EXPECT_EQ(Refused(409, two, "rollback", R"({"to":"a"})"), "STL0402");
}

TEST_F(Commands, RetryAStepAndResolve) {
  world_.served.Register("parks", "{id: fail, type: script, config: {script: x}}",
                         "error_handling: {strategy: park}");
  const int64_t id = world_.Start("parks");
  world_.served.Settle();
  EXPECT_EQ(world_.StatusOf(id), "parked");
  Do(id, "retry", R"({"step":"fail"})");
  EXPECT_EQ(Refused(422, id, "resolve", R"({"step":"fail","resolution":"forget"})"), "STL0406");
  Do(id, "resolve", R"({"step":"fail","resolution":"skip","reason":"done by hand"})");
  EXPECT_EQ(world_.StatusOf(id), "completed");
}

TEST_F(Commands, SetVariables) {
  world_.served.Register("waits", kWait, "variables: {n: 1}");
  const int64_t id = world_.Start("waits", R"(,"variables":{"n":5})");
  const std::string path = Path(id, "variables");
  const Answered set = world_.Ask(http::Method::kPut, path, R"({"variables":{"n":7,"who":"x"}})");
  EXPECT_EQ(set.status, 200) << set.body;
  const Answered now = world_.Get(fmt::format("/instances/{}", id));
  EXPECT_EQ(now.number("variables/n"), 7);
  EXPECT_EQ(now.text("variables/who"), "x");
  EXPECT_EQ(world_.Refusal(422, world_.Ask(http::Method::kPut, path, R"({"n":7})")), "STL0406");
}

TEST_F(Commands, Migrate) {
  world_.served.Register("waits", kWait);
  const int64_t id = world_.Start("waits");
  world_.served.Register("waits", "{id: v, type: signal, config: {name: go}}");
  EXPECT_EQ(Refused(409, id, "migrate", R"({"version":2})"), "STL0409");
  EXPECT_EQ(world_.Post("/definitions/waits/retire", R"({"version":2})").status, 200);
  EXPECT_EQ(Refused(409, id, "migrate", R"({"version":2,"plan":{"w":"v"}})"), "STL0411");
  EXPECT_EQ(world_.Post("/definitions/waits/activate", R"({"version":2})").status, 200);
  Do(id, "migrate", R"({"version":2,"plan":{"w":"v"}})");
  EXPECT_EQ(world_.Get(fmt::format("/instances/{}", id)).number("version"), 2);
}

TEST_F(Commands, SignalsAndMessagesLetThemGoOn) {
  world_.served.Register("waits", kWait);
  world_.served.Register(
      "pays", "{id: w, type: message, config: {action: wait, name: paid, key: '{{input.key}}'}}");
  const int64_t waits = world_.Start("waits");
  const int64_t pays = world_.Start("pays", R"(,"input":{"key":"A"})");
  Do(waits, "signals", R"({"name":"go","payload":{"n":1}})");
  EXPECT_EQ(world_.StatusOf(waits), "completed");
  EXPECT_EQ(Refused(422, pays, "signals", "{}"), "STL0406");
  const std::string message = R"({"name":"paid","key":"A","payload":{},"id":"m-1"})";
  const Answered sent = world_.Post("/messages", message);
  ASSERT_EQ(sent.status, 200) << sent.body;
  EXPECT_EQ(world_.Post("/messages", message).number("position"), sent.number("position"));
  world_.served.Settle();
  EXPECT_EQ(world_.StatusOf(pays), "completed");
  EXPECT_EQ(world_.Refusal(409, world_.Post("/messages", R"({"name":"other","id":"m-1"})")),
            "STL0410");
  EXPECT_EQ(world_.Refusal(422, world_.Post("/messages", R"({"name":"x","expires":"soon"})")),
            "STL0406");
}

}  // namespace
}  // namespace stele::server::rest
