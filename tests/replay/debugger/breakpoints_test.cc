#include <gmock/gmock.h>

#include <algorithm>

#include "tests/replay/debugger/debugged.h"

namespace stele::replay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kFlow = R"(
id: flow
steps:
  - {id: pay, type: script, retry_policy: {max_attempts: 3}, output_mapping: {total: "{{response.n}}"}}
  - id: each
    type: loop
    depends_on: [pay]
    times: 3
    steps: [{id: work, type: script}]
)";

test::CoreDriver Flow() {
  test::CoreDriver flow(kFlow);
  flow.Start(R"({"total":0})").Fail("pay").Elapse().Complete("pay", R"({"n":7})");
  flow.Complete("work").Complete("work").Complete("work");
  EXPECT_EQ(flow.Status(), "completed");
  return flow;
}

std::vector<uint64_t> Reversed(std::vector<uint64_t> stops) {
  std::ranges::reverse(stops);
  return stops;
}

TEST(Breakpoint, OnAStepIsWhereItBegins) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  EXPECT_EQ(*debugged->Break({.step = "work"}), 1u);
  std::vector<uint64_t> begins;
  for (int i = 1; i <= 3; ++i)
    begins.push_back(debugged.Find("step_activated", "work[" + std::to_string(i - 1) + "]").value);
  EXPECT_EQ(debugged.StopsOn(Direction::kForward), begins);
  EXPECT_EQ(debugged->at(), debugged->last());
  EXPECT_EQ(debugged.StopsOn(Direction::kBack), Reversed(begins));
  EXPECT_EQ(debugged->at(), Seq(1));
  EXPECT_EQ(debugged->breakpoints()[0].hits, 6u);
}

TEST(Breakpoint, OnAKindOfEventMayBeOfOneStep) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.step = "pay", .event = "attempt_failed"}).value();
  EXPECT_THAT(debugged.StopsOn(Direction::kForward),
              ElementsAre(debugged.Find("attempt_failed").value));
  ASSERT_TRUE(debugged->RemoveBreakpoint(1));
  debugged->Break({.step = "work", .event = "attempt_failed"}).value();
  EXPECT_THAT(debugged.StopsOn(Direction::kBack), IsEmpty());
}

TEST(Breakpoint, WithAConditionIsWhereItBecomesTrue) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.condition = "variables.total > 5"}).value();
  const std::vector<uint64_t> stops = debugged.StopsOn(Direction::kForward);
  ASSERT_THAT(stops, ElementsAre(debugged.Find("variables_set").value));
  EXPECT_EQ(debugged.StopsOn(Direction::kBack), stops);
}

TEST(Breakpoint, SeesTheScopeOfTheEvent) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.step = "work", .condition = "loop.index == 1"}).value();
  EXPECT_THAT(debugged.StopsOn(Direction::kForward),
              ElementsAre(debugged.Find("step_activated", "work[1]").value));
}

TEST(Breakpoint, OfTheEventItselfIsACondition) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.condition = "event.event == 'retry_scheduled'"}).value();
  EXPECT_THAT(debugged.StopsOn(Direction::kForward),
              ElementsAre(debugged.Find("retry_scheduled").value));
}

TEST(Breakpoint, TellsWhichOfSeveralItWas) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.step = "each"}).value();
  debugged->Break({.event = "step_activated"}).value();
  debugged->Break({.event = "step_completed"}).value();
  debugged->EnableBreakpoint(3, false);
  debugged->JumpTo(Seq(debugged.Find("step_activated", "each").value - 1)).value();
  const Result<Stop> stop = debugged->Continue(Direction::kForward);
  EXPECT_EQ(stop->reason, StopReason::kBreakpoint);
  EXPECT_THAT(stop->breakpoints, ElementsAre(1, 2));
}

TEST(Breakpoint, ThatIsDisabledDoesNotStop) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.step = "work"}).value();
  ASSERT_TRUE(debugged->EnableBreakpoint(1, false));
  EXPECT_THAT(debugged.StopsOn(Direction::kForward), IsEmpty());
  ASSERT_TRUE(debugged->EnableBreakpoint(1, true));
  EXPECT_EQ(debugged.StopsOn(Direction::kBack).size(), 3u);
  EXPECT_FALSE(debugged->EnableBreakpoint(2, true));
  EXPECT_FALSE(debugged->RemoveBreakpoint(2));
}

TEST(Breakpoint, IsRefusedForWhatThereIsNot) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  const Result<uint32_t> step = debugged->Break({.step = "wrok"});
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().code, ErrorCode::kUnknownStep);
  EXPECT_THAT(step.error().message, HasSubstr("did you mean \"work\"?"));
  const Result<uint32_t> event = debugged->Break({.event = "step_finished"});
  ASSERT_FALSE(event.has_value());
  EXPECT_EQ(event.error().code, ErrorCode::kInvalidInput);
  const Result<uint32_t> condition = debugged->Break({.condition = "1 +"});
  ASSERT_FALSE(condition.has_value());
  EXPECT_EQ(condition.error().code, ErrorCode::kExpressionSyntax);
  EXPECT_FALSE(debugged->Break({}).has_value());
  EXPECT_THAT(debugged->breakpoints(), IsEmpty());
}

TEST(Breakpoint, SaysWhyItsConditionHasNoValue) {
  const test::CoreDriver flow = Flow();
  Debugged debugged(flow);
  debugged->Break({.condition = "no_such_name > 1"}).value();
  EXPECT_THAT(debugged.StopsOn(Direction::kForward), IsEmpty());
  EXPECT_THAT(debugged->breakpoints()[0].fault, HasSubstr("no_such_name"));
}

TEST(Breakpoint, IsToldInWords) {
  EXPECT_EQ(DescriptionOf({.step = "a"}), "step a");
  EXPECT_EQ(DescriptionOf({.step = "a", .event = "step_failed", .condition = "x > 1"}),
            "event step_failed at a if x > 1");
  EXPECT_EQ(DescriptionOf({.condition = "x > 1"}), "if x > 1");
  EXPECT_EQ(DescriptionOf({.step = "a", .label = "line 4"}), "line 4");
}

}  // namespace
}  // namespace stele::replay
