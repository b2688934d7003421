// States of the past, what differs between them, and the runs over time.
#include "replay/json_patch.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kTwo =
    "{id: a, type: script, config: {script: x}}, "
    "{id: wait, type: manual, depends_on: [a], config: {assignees: [ann]}}";

class Past : public testing::Test {
 protected:
  Past() {
    world_.served.Register("two", kTwo);
    id_ = world_.Start("two");
    world_.served.Settle();
    path_ = fmt::format("/instances/{}", id_);
  }
  int64_t Last() { return world_.Get(path_ + "/state").number("last"); }

  RestWorld world_;
  int64_t id_ = 0;
  std::string path_;
};

TEST_F(Past, HasTheWholeStateBehindAnyEvent) {
  const Answered now = world_.Get(path_ + "/state");
  ASSERT_EQ(now.status, 200) << now.body;
  EXPECT_EQ(now.number("event/seq"), now.number("last"));
  EXPECT_EQ(now.number("state/seq"), now.number("last"));
  EXPECT_EQ(now.text("state/definition/name"), "two");
  EXPECT_EQ(now.number("state/definition/version"), 1);
  EXPECT_EQ(now.text("state/steps/a/status"), "completed");
  EXPECT_EQ(now.text("state/runs/2/step"), "wait");
  const Answered first = world_.Get(path_ + "/state?at=1");
  EXPECT_EQ(first.text("event/event"), "instance_started");
  EXPECT_EQ(first.at("state/steps"), Value(Object()));
  EXPECT_EQ(world_.Get(path_ + "/state?at=now").number("state/seq"), now.number("last"));
  EXPECT_EQ(world_.Refusal(404, world_.Get(path_ + "/state?at=999")), "STL0309");
  EXPECT_EQ(world_.Refusal(404, world_.Get(path_ + "/state?at=2001-01-01")), "STL0309");
  EXPECT_EQ(world_.Refusal(422, world_.Get(path_ + "/state?at=soon")), "STL0406");
  EXPECT_EQ(world_.Refusal(404, world_.Get("/instances/999/state")), "STL0401");
}

TEST_F(Past, GoesOnWithTheInstance) {
  const int64_t before = Last();
  ASSERT_EQ(world_.Post(path_ + "/pause", "{}").status, 200);
  EXPECT_GT(Last(), before);
  EXPECT_EQ(world_.Get(path_ + "/state").at("state/paused"), Value(true));
  EXPECT_EQ(world_.Get(fmt::format("{}/state?at={}", path_, before)).at("state/paused"), Value());
  EXPECT_EQ(world_.served.histories().machines().count(), 1u);
}

TEST_F(Past, SaysWhatDiffersWithAPatchThatMakesOneOfTheOther) {
  const Answered found = world_.Get(path_ + "/diff?from=2&to=5");
  ASSERT_EQ(found.status, 200) << found.body;
  EXPECT_EQ(found.number("from/seq"), 2);
  EXPECT_EQ(found.number("to/seq"), 5);
  EXPECT_GT(found.at("changes").as_array().size(), 0u);
  const Value from = world_.Get(path_ + "/state?at=2").at("state");
  const Value to = world_.Get(path_ + "/state?at=5").at("state");
  EXPECT_EQ(replay::ApplyPatch(from, found.at("patch").as_array()), to);
  const Answered all = world_.Get(path_ + "/diff");
  EXPECT_EQ(all.number("from/seq"), 1);
  EXPECT_EQ(all.number("to/seq"), Last());
  EXPECT_EQ(world_.Get(path_ + "/diff?from=3&to=3").at("changes"), Value(Array()));
  EXPECT_EQ(world_.Refusal(404, world_.Get(path_ + "/diff?to=999")), "STL0309");
}

TEST_F(Past, FindsTheEventAtWhichAnExpressionBeganToHold) {
  const Answered found =
      world_.Get(path_ + "/bisect?expression=steps.a.status%20%3D%3D%20%22completed%22");
  ASSERT_EQ(found.status, 200) << found.body;
  EXPECT_EQ(found.text("found"), "began");
  EXPECT_EQ(found.text("event/event"), "step_completed");
  EXPECT_GT(found.at("changes").as_array().size(), 0u);
  EXPECT_EQ(world_.Get(path_ + "/bisect?expression=seq%3E0&exact=true").text("found"), "first");
  EXPECT_EQ(world_.Get(path_ + "/bisect?expression=seq%3E99").text("found"), "never");
  EXPECT_EQ(world_.Get(path_ + "/bisect?expression=seq%3E").status, 422);
  EXPECT_EQ(world_.Get(path_ + "/bisect").status, 422);
}

TEST_F(Past, DrawsTheRunsOverTime) {
  const Answered data = world_.Get(path_ + "/timeline");
  ASSERT_EQ(data.status, 200) << data.body;
  EXPECT_EQ(data.number("runs"), 2);
  EXPECT_EQ(data.text("lines/0/parts/0/doing"), "running");
  EXPECT_EQ(data.text("lines/1/parts/0/doing"), "people");
  EXPECT_EQ(world_.Get(path_ + "/timeline?limit=1").at("lines").as_array().size(), 1u);
  const Answered picture = world_.Get(path_ + "/timeline", {{"Accept", "image/svg+xml"}});
  EXPECT_EQ(picture.content_type, "image/svg+xml");
  EXPECT_TRUE(picture.body.starts_with("<svg ")) << picture.body;
}

TEST_F(Past, IsForThoseWhoMayReadTheDefinition) {
  world_.served.Register("kept", kTwo, "permissions: [{actions: [read], users: [ada]}]\n");
  const uint64_t kept = world_.served.Start("kept").value;
  world_.who = ServedWorld::Somebody(Role::kViewer);
  for (const char* what : {"state", "diff", "bisect?expression=seq", "timeline"}) {
    EXPECT_EQ(world_.Get(fmt::format("{}/{}", path_, what)).status, 200) << what;
    EXPECT_EQ(world_.Get(fmt::format("/instances/{}/{}", kept, what)).status, 403) << what;
  }
}

}  // namespace
}  // namespace stele::server::rest
