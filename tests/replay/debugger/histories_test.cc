// Of any history: the same moves forward and back lead to where they began, breakpoints stop at the
// same events from both sides, and every state is the one that the instance had. Of some histories:
// what migrations and forks change.
#include <gmock/gmock.h>

#include <algorithm>

#include "engine/model/snapshot.h"
#include "replay/debugger/graph.h"
#include "tests/engine/core/random_course.h"
#include "tests/replay/debugger/debugged.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

constexpr uint64_t kHistories = 60;

// An instance after a course that the seed decides.
void Live(test::CoreDriver& driver, uint64_t seed) {
  test::RandomCourse course(driver, ~seed);
  course.Start();
  for (int i = 0; i < 50; ++i) course.Happen();
}

class AnyHistory : public testing::TestWithParam<uint64_t> {
 protected:
  AnyHistory() : driver_(test::RandomDefinition(GetParam())), random_(GetParam()) {
    Live(driver_, GetParam());
  }
  test::CoreDriver driver_;
  test::Random random_;
};

TEST_P(AnyHistory, LeadsBackToWhereAMoveBegan) {
  Debugged debugged(driver_);
  const uint64_t last = debugged->last().value;
  for (int i = 0; i < 40; ++i) {
    const bool by_step = random_.OneIn(2);
    const Unit unit = by_step ? Unit::kStep : Unit::kEvent;
    debugged->JumpTo(Seq(1 + random_.Below(last))).value();
    // From an event that the unit stops at.
    if (by_step) debugged->Move(unit, Direction::kBack).value();
    if (by_step && !debugged->index()[debugged->at()].is_step_boundary()) continue;
    const Seq begun = debugged->at();
    const std::string state = model::EncodeSnapshot(debugged->Now()->state);
    uint64_t moves = 0;
    for (uint64_t wanted = 1 + random_.Below(30); moves < wanted; ++moves)
      if (debugged->Move(unit, Direction::kForward)->reason != StopReason::kMoved) break;
    // The end is no stop of a step's, but it is one more event that was left.
    if (by_step && !debugged->index()[debugged->at()].is_step_boundary()) ++moves;
    for (; moves > 0; --moves) debugged->Move(unit, Direction::kBack).value();
    ASSERT_EQ(debugged->at(), begun);
    ASSERT_EQ(model::EncodeSnapshot(debugged->Now()->state), state);
  }
}

TEST_P(AnyHistory, StopsAtTheSameEventsFromBothSides) {
  Debugged debugged(driver_);
  debugged->Break({.event = "step_activated"}).value();
  debugged->Break({.condition = "variables.v == 2"}).value();
  debugged->Break({.condition = "size(state.runs) > 2"}).value();
  debugged->Break({.event = "attempt_failed", .condition = "status == 'running'"}).value();
  const std::vector<uint64_t> forward = debugged.StopsOn(Direction::kForward);
  // The last event is where going back begins, so it is not met again.
  std::vector<uint64_t> back = debugged.StopsOn(Direction::kBack);
  std::ranges::reverse(back);
  if (!forward.empty() && forward.back() == debugged->last().value) back.push_back(forward.back());
  EXPECT_EQ(forward, back);
}

TEST_P(AnyHistory, IsDrawnAndListedBehindEveryEvent) {
  Debugged debugged(driver_);
  const size_t steps = driver_.definition().steps.size();
  for (Seq seq(1); seq <= debugged->last(); seq = seq.Next()) {
    debugged->JumpTo(seq).value();
    const ScopeId scope = *debugged->Scope();
    const std::vector<GraphRow> rows = DrawGraph(*debugged->Now(), scope, "");
    const auto has_step = [](const GraphRow& row) { return !row.step.empty(); };
    ASSERT_EQ(static_cast<size_t>(std::ranges::count_if(rows, has_step)), steps);
    const model::Instance& state = debugged->Now()->state;
    const auto has_token = [](const GraphRow& row) { return row.has_token; };
    ASSERT_GE(static_cast<size_t>(std::ranges::count_if(rows, has_token)),
              state.runs.empty() ? 0u : 1u);
    ASSERT_TRUE(debugged->Values().has_value());
  }
}

INSTANTIATE_TEST_SUITE_P(Random, AnyHistory, testing::Range(uint64_t{1}, kHistories + 1));

constexpr std::string_view kOld = R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
)";
constexpr std::string_view kNew = R"(
id: flow
steps:
  - {id: before, type: script}
  - {id: a, type: script, depends_on: [before]}
  - {id: second, type: script, depends_on: [a]}
  - {id: last, type: script, depends_on: [second]}
)";

TEST(Debugger, KnowsStepsByIdAcrossAMigration) {
  test::CoreDriver flow(kOld);
  flow.Start().Complete("a").Migrate(kNew, R"({"b":"second"})");
  flow.Complete("second").Complete("last");
  Debugged debugged(flow);
  // Steps of either version may be stopped at.
  for (const char* step : {"a", "b", "second", "last"}) {
    debugged->JumpTo(Seq(1)).value();
    debugged->Break({.step = step, .event = "step_activated"}).value();
  }
  std::vector<std::string> told;
  for (const uint64_t stop : debugged.StopsOn(Direction::kForward)) {
    const std::string text = debugged.Told(Seq(stop));
    told.push_back(text.substr(text.rfind(' ') + 1));
  }
  EXPECT_THAT(told, testing::ElementsAre("a", "b", "last"));
  EXPECT_THAT(debugged.Told(debugged.Find("step_completed", "second")), HasSubstr("second"));
  // And the graph is that of the version which runs then.
  debugged->JumpTo(Seq(2)).value();
  EXPECT_EQ(DrawGraph(*debugged->Now(), ScopeId(), "").size(), 2u);
  debugged->JumpTo(debugged->last()).value();
  EXPECT_EQ(DrawGraph(*debugged->Now(), ScopeId(), "").size(), 4u);
}

TEST(Debugger, BeginsAForkWithTheStateOfItsOrigin) {
  constexpr std::string_view kLoop = R"(
id: flow
steps:
  - {id: each, type: loop, times: 3, steps: [{id: work, type: script}]}
)";
  test::CoreDriver origin(kLoop);
  origin.Start().Complete("work");
  test::CoreDriver fork(test::Load(kLoop), InstanceId(2));
  const auto refused = fork.Do(model::ForkInstance{
      .origin = InstanceId(1),
      .origin_seq = origin.instance().seq,
      .state =
          model::ForkedState(std::make_shared<model::Instance>(model::CopyOf(origin.instance())))});
  ASSERT_FALSE(refused.has_value()) << refused->message;
  Debugged debugged(fork);
  EXPECT_EQ(debugged.Here(), "1 instance_forked");
  EXPECT_EQ(*debugged->Evaluate("state.runs['1'].step"), Value("each"));
  // It goes on inside the loop that the origin had opened.
  const std::string begun = debugged.Move(Unit::kInto);
  EXPECT_THAT(begun, HasSubstr("work[1]"));
}

}  // namespace
}  // namespace stele::replay
