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
  EXPECT_EQ(debugged->Move(Unit::kInto, Direction::kForward)->reason, StopReason::kNoInside);
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
  ASSERT_TRUE(debugged->JumpTo(When{.seq = {}, .time = begun.Plus(1)}).has_value());
  EXPECT_EQ(debugged->at().value, flow.Records()[0].events);
  const Result<Stop> early = debugged->JumpTo(When{.seq = {}, .time = begun.Plus(-1)});
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

// Of more events than a move looks at in one stretch.
test::CoreDriver LongLoop() {
  test::CoreDriver flow(R"(
id: flow
steps: [{id: each, type: loop, times: 300, steps: [{id: inside, type: script}]}]
)");
  flow.Start();
  for (int i = 0; i < 300; ++i) flow.Complete("inside");
  return flow;
}

// As if the connection to a server broke at one of the readings.
class BrokenSource final : public Source {
 public:
  explicit BrokenSource(const Source& source) : source_(source) {}
  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override {
    if (readings_ != 0 && --readings_ == 0) return Fail(ErrorCode::kIo, "it broke");
    return source_.RecordsFrom(instance, from);
  }
  // The n-th from now on, from 1.
  void BreakAt(uint64_t reading) { readings_ = reading; }
  bool has_broken() const { return readings_ == 0; }

 private:
  const Source& source_;
  mutable uint64_t readings_ = 0;
};

TEST(Debugger, StaysInWhatItHasReadWhenItCannotReadOn) {
  test::CoreDriver flow(kLoop);
  flow.Start();
  const test::DrivenSource whole(flow);
  BrokenSource source(whole);
  const auto debugger = Debugger::Open(source, flow.instance().id, whole.Registry());
  ASSERT_TRUE(debugger.has_value()) << debugger.error().message;
  const Seq begun = (*debugger)->last();
  flow.Complete("before");
  bool has_failed = true;
  for (uint64_t reading = 1; has_failed; ++reading) {
    source.BreakAt(reading);
    const Result<uint64_t> more = (*debugger)->Follow();
    has_failed = source.has_broken();
    ASSERT_EQ(more.has_value(), !has_failed) << reading;
    source.BreakAt(0);
    ASSERT_EQ((*debugger)->last(), has_failed ? begun : flow.instance().seq) << reading;
    ASSERT_TRUE((*debugger)->JumpTo((*debugger)->last()).has_value());
    ASSERT_TRUE((*debugger)->Values().has_value());
    EXPECT_EQ((*debugger)->Move(Unit::kEvent, Direction::kForward)->reason, StopReason::kEnd);
  }
}

TEST(Debugger, EndsALongMoveWhenItIsTold) {
  const test::CoreDriver flow = LongLoop();
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
  debugged->JumpTo(debugged->last()).value();
  told = 0;
  EXPECT_EQ(debugged->Continue(Direction::kBack)->reason, StopReason::kInterrupted);
  EXPECT_GT(told, 0u);
  EXPECT_EQ(debugged->at(), debugged->last());
}

TEST(Debugger, IsNotEndedOnTheWayBackBeforeItHasLooked) {
  const test::CoreDriver flow = LongLoop();
  Debugged debugged(flow);
  ASSERT_GT(debugged->last(), Seq(1100));
  const Seq begun = debugged.Find("step_activated", "inside[298]");
  ASSERT_TRUE(begun);
  debugged->Break({.step = "inside", .condition = "loop.index == 298"}).value();
  debugged->JumpTo(debugged->last()).value();
  // As of a step back that leads no further than there.
  debugged->OnProgress([&](Seq at) { return at >= begun; });
  const Result<Stop> stop = debugged->Continue(Direction::kBack);
  EXPECT_EQ(stop->reason, StopReason::kBreakpoint);
  EXPECT_EQ(debugged->at(), begun);
}

}  // namespace
}  // namespace stele::replay
