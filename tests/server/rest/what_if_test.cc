// What would have become of an instance, asked over REST.
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kTwo =
    "{id: a, type: script, config: {script: x}}, "
    "{id: wait, type: manual, depends_on: [a], config: {assignees: [ann]}}, "
    "{id: b, type: script, depends_on: [wait], config: {script: x}}";

class WhatIf : public testing::Test {
 protected:
  WhatIf() {
    world_.served.Register("two", kTwo);
    id_ = world_.Start("two");
    world_.served.Settle();
    path_ = fmt::format("/instances/{}", id_);
  }
  Answered Ask(const std::string& body) { return world_.Post(path_ + "/what-if", body); }

  RestWorld world_;
  int64_t id_ = 0;
  std::string path_;
};

TEST_F(WhatIf, FollowsTheRecordedPathWithoutAChange) {
  const int64_t position = world_.Get(path_).number("position");
  const Answered report = Ask(R"({"seq": 1})");
  ASSERT_EQ(report.status, 200) << report.body;
  EXPECT_EQ(report.at("left"), Value());
  EXPECT_EQ(report.at("patch"), Value(Array()));
  EXPECT_EQ(report.number("results/reused"), 1);
  EXPECT_EQ(report.text("now/status"), "waiting");
  EXPECT_EQ(report.text("now/end"), "waits");
  EXPECT_EQ(world_.Get(path_).number("position"), position);
}

TEST_F(WhatIf, SaysWhereAnotherResultLeavesIt) {
  const Answered report = Ask(R"({"seq": 1, "stubs": {"a": {"n": 7}}, "variables": {"v": 1}})");
  ASSERT_EQ(report.status, 200) << report.body;
  EXPECT_EQ(report.text("left/recorded/event"), "attempt_completed");
  EXPECT_EQ(report.number("left/now/output/n"), 7);
  EXPECT_EQ(report.number("changes/variables/v"), 1);
  EXPECT_EQ(report.text("changes/unknown_variables/0"), "v");
  EXPECT_EQ(report.text("steps/0/step"), "a");
  EXPECT_EQ(report.number("steps/0/now/output/n"), 7);
}

TEST_F(WhatIf, GoesOnInAText) {
  const std::string text =
      "name: two\\nsteps: [{id: a, type: script, config: {script: x}}, {id: c, type: script, "
      "depends_on: [a], config: {script: y}}]";
  const Answered report = Ask(R"({"seq": 1, "definition": ")" + text + R"("})");
  ASSERT_EQ(report.status, 200) << report.body;
  EXPECT_EQ(report.text("left/now/step"), "c");
  EXPECT_EQ(report.text("now/unanswered/0/step"), "c");
  EXPECT_EQ(report.number("changes/version"), 2);
}

TEST_F(WhatIf, RefusesWhatCannotBe) {
  EXPECT_EQ(Ask("{}").status, 422);
  EXPECT_EQ(world_.Refusal(404, Ask(R"({"seq": 99})")), "STL0309");
  EXPECT_EQ(world_.Refusal(404, Ask(R"({"seq": 1, "version": 9})")), "STL0407");
  EXPECT_EQ(world_.Refusal(422, Ask(R"({"seq": 1, "stubs": {"a": 1}})")), "STL0406");
  EXPECT_EQ(world_.Refusal(404, world_.Post("/instances/999/what-if", R"({"seq": 1})")), "STL0401");
}

}  // namespace
}  // namespace stele::server::rest
