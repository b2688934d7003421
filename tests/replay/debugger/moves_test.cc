#include <gmock/gmock.h>

#include "engine/model/snapshot.h"
#include "tests/replay/debugger/debugged.h"

namespace stele::replay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kLoop = R"(
id: flow
steps:
  - {id: before, type: script}
  - id: each
    type: loop
    depends_on: [before]
    items: "{{[10, 20]}}"
    steps: [{id: inside, type: script}]
  - {id: after, type: script, depends_on: [each]}
)";

test::CoreDriver LoopOfTwo() {
  test::CoreDriver flow(kLoop);
  flow.Start().Complete("before").Complete("inside").Complete("inside").Complete("after");
  EXPECT_EQ(flow.Status(), "completed");
  return flow;
}

TEST(Debugger, BeginsAtTheFirstEventAndStaysInTheHistory) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  EXPECT_EQ(debugged.Here(), "1 instance_started");
  const Result<Stop> before = debugged->Move(Unit::kEvent, Direction::kBack);
  EXPECT_EQ(before->reason, StopReason::kBegin);
  EXPECT_EQ(before->at, Seq(1));
  ASSERT_TRUE(debugged->JumpTo(debugged->last()).has_value());
  EXPECT_THAT(debugged.Here(), HasSubstr("instance_completed"));
  const Result<Stop> behind = debugged->Move(Unit::kStep, Direction::kForward);
  EXPECT_EQ(behind->reason, StopReason::kEnd);
  EXPECT_EQ(behind->at, debugged->last());
}

TEST(Debugger, StepsFromWhereStepsBeginToWhereTheyEnd) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  std::vector<std::string> stops;
  for (int i = 0; i < 4; ++i) {
    const std::string told = debugged.Move(Unit::kStep);
    stops.push_back(told.substr(told.find(' ') + 1));
  }
  EXPECT_THAT(stops, ElementsAre("step_activated before", "step_completed before",
                                 "step_activated each", "step_activated inside[0]"));
  EXPECT_THAT(debugged.Move(Unit::kStep, Direction::kBack), HasSubstr("step_activated each"));
}

TEST(Debugger, StepsOverTheInsideOfALoop) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  ASSERT_TRUE(debugged->JumpTo(debugged.Find("step_activated", "each")).has_value());
  EXPECT_THAT(debugged.Move(Unit::kOver), HasSubstr("step_completed each"));
  EXPECT_THAT(debugged.Move(Unit::kOver, Direction::kBack), HasSubstr("step_activated each"));
}

TEST(Debugger, GoesIntoAScopeAndOutOfIt) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  ASSERT_TRUE(debugged->JumpTo(debugged.Find("step_activated", "each")).has_value());
  EXPECT_THAT(debugged.Move(Unit::kInto), HasSubstr("scope_opened each[0]"));
  debugged.Move(Unit::kStep);
  EXPECT_THAT(debugged.Move(Unit::kOut), HasSubstr("scope_closed each[0]"));
  EXPECT_THAT(debugged.Move(Unit::kOut, Direction::kBack), HasSubstr("scope_opened each[0]"));
  // Out of the root there is nothing but the end.
  const Result<Stop> out = debugged->Move(Unit::kOut, Direction::kForward);
  EXPECT_THAT(debugged.Here(), HasSubstr("scope_closed each[0]"));
  EXPECT_EQ(out->reason, StopReason::kMoved);
  EXPECT_EQ(debugged->Move(Unit::kOut, Direction::kForward)->reason, StopReason::kEnd);
  EXPECT_THAT(debugged.Move(Unit::kInto, Direction::kBack), HasSubstr("scope_closed each[1]"));
}

TEST(Debugger, StaysWhereThereIsNothingToGoInto) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  ASSERT_TRUE(debugged->JumpTo(debugged.Find("step_activated", "after")).has_value());
  const Seq at = debugged->at();
  EXPECT_EQ(debugged->Move(Unit::kInto, Direction::kForward)->reason, StopReason::kNotFound);
  EXPECT_EQ(debugged->at(), at);
}

TEST(Debugger, MovesByRecordsToTheirLastEvents) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  std::vector<uint64_t> ends;
  for (const test::DrivenRecord& record : flow.Records())
    ends.push_back(record.first.value + record.events - 1);
  for (const uint64_t end : ends) {
    ASSERT_EQ(debugged->Move(Unit::kRecord, Direction::kForward)->at, Seq(end));
  }
  for (size_t i = ends.size() - 1; i-- > 0;)
    ASSERT_EQ(debugged->Move(Unit::kRecord, Direction::kBack)->at, Seq(ends[i]));
}

TEST(Debugger, JumpsToMoments) {
  test::CoreDriver flow(kLoop);
  flow.Start();
  const TimeUs begun = flow.now();
  flow.Wait(5'000'000);
  flow.Complete("before");
  Debugged debugged(flow);
  ASSERT_TRUE(debugged->JumpTo(begun.Plus(1)).has_value());
  EXPECT_EQ(debugged->at().value, flow.Records()[0].events);
  const Result<Stop> early = debugged->JumpTo(begun.Plus(-1));
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, ErrorCode::kNoSuchMoment);
}

TEST(Debugger, RefusesEventsThatThereAreNot) {
  const test::CoreDriver flow = LoopOfTwo();
  Debugged debugged(flow);
  for (const Seq seq : {Seq(0), debugged->last().Next()}) {
    const Result<Stop> jump = debugged->JumpTo(seq);
    ASSERT_FALSE(jump.has_value());
    EXPECT_EQ(jump.error().code, ErrorCode::kNoSuchMoment);
  }
  EXPECT_EQ(debugged->at(), Seq(1));
}

TEST(Debugger, FindsEventsByWhatTheyHold) {
  test::CoreDriver flow(kLoop);
  flow.Start().Complete("before", R"({"note":"Needle"})").Complete("inside");
  Debugged debugged(flow);
  const Result<Stop> found = debugged->Find("needle", Direction::kForward);
  EXPECT_EQ(found->reason, StopReason::kMoved);
  EXPECT_THAT(debugged.Here(), HasSubstr("attempt_completed before"));
  debugged->JumpTo(debugged->last()).value();
  ASSERT_EQ(debugged->Find("NEEDLE", Direction::kBack)->reason, StopReason::kMoved);
  EXPECT_THAT(debugged.Here(), HasSubstr("before"));
  const Seq at = debugged->at();
  EXPECT_EQ(debugged->Find("straw", Direction::kForward)->reason, StopReason::kNotFound);
  EXPECT_EQ(debugged->at(), at);
}

TEST(Debugger, ReadsWhatALiveInstanceHasDoneSince) {
  test::CoreDriver flow(kLoop);
  flow.Start();
  Debugged debugged(flow);
  const Seq last = debugged->last();
  EXPECT_EQ(*debugged->Follow(), 0u);
  ASSERT_TRUE(debugged->JumpTo(last).has_value());
  flow.Complete("before");
  EXPECT_EQ(*debugged->Follow(), flow.instance().seq.value - last.value);
  EXPECT_EQ(debugged->at(), last) << "the position stays";
  EXPECT_EQ(debugged->last(), flow.instance().seq);
  EXPECT_THAT(debugged.Move(Unit::kEvent), HasSubstr("attempt_completed before"));
  ASSERT_TRUE(debugged->JumpTo(debugged->last()).has_value());
  EXPECT_EQ(model::EncodeSnapshot(debugged->Now()->state), model::EncodeSnapshot(flow.instance()));
}

TEST(Debugger, EndsALongMoveWhenItIsTold) {
  test::CoreDriver flow(R"(
id: flow
steps: [{id: each, type: loop, times: 300, steps: [{id: inside, type: script}]}]
)");
  flow.Start();
  for (int i = 0; i < 300; ++i) flow.Complete("inside");
  Debugged debugged(flow);
  debugged->Break({.condition = "status == 'nowhere'"}).value();
  uint64_t told = 0;
  debugged->OnProgress([&](Seq at) {
    told = at.value;
    return false;
  });
  EXPECT_EQ(debugged->Continue(Direction::kForward)->reason, StopReason::kInterrupted);
  EXPECT_GT(told, 0u);
  EXPECT_EQ(debugged->at(), Seq(1));
}

}  // namespace
}  // namespace stele::replay
