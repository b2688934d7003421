// Sent back to an earlier step (打回).
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<Rejection> Back(CoreDriver& flow, std::string_view to, RunId from = RunId()) {
  const auto& definition = flow.definition();
  return flow.Do(model::RollBack{from, definition.IndexOf(*definition.FindStep(to))});
}

constexpr std::string_view kLine = R"(
id: line
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
  - {id: c, type: script, depends_on: [b]}
)";

TEST(RollBack, StartsAnEarlierStepAgain) {
  CoreDriver line(kLine);
  line.Start().Complete("a", R"({"n":3})").Complete("b").RollBack("b", "c");
  EXPECT_THAT(line.Last(), ElementsAre("back to b", "c: cancelled", "b: activated"));
  EXPECT_EQ(line.Input("b"), R"({"n":3})");
  line.Complete("b").Complete("c");
  EXPECT_EQ(line.Status(), "completed");
}

TEST(RollBack, MayHappenTwiceAndToTheFirstStep) {
  CoreDriver line(kLine);
  line.Start().Complete("a", R"({"n":3})").Complete("b").RollBack("b").Complete("b");
  line.RollBack("a").Complete("a", R"({"n":4})");
  EXPECT_EQ(line.Input("b"), R"({"n":4})");
}

constexpr std::string_view kBeside = R"(
id: beside
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
  - {id: side, type: script}
  - {id: meet, type: script, depends_on: [b, side]}
  - {id: end, type: script, depends_on: [meet]}
)";

TEST(RollBack, LeavesABranchBesideAlone) {
  CoreDriver flow(kBeside);
  flow.Start().Complete("a").Complete("b").RollBack("a");
  EXPECT_THAT(flow.Running(), ElementsAre("side", "a"));
  flow.Complete("side").Complete("a").Complete("b").Complete("meet").Complete("end");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("meet: activated"), 1u);
}

TEST(RollBack, RepeatsATokenThatAJoinHasUsedUp) {
  CoreDriver flow(kBeside);
  flow.Start().Complete("a").Complete("side").Complete("b").Complete("meet").RollBack("b", "end");
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
  flow.Complete("b").Complete("meet").Complete("end");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("side: activated"), 1u);
}

TEST(RollBack, KeepsATokenThatWaitsAtAJoin) {
  CoreDriver flow(kBeside);
  flow.Start().Complete("a").Complete("side").RollBack("a", "b").Complete("a").Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("meet"));
}

TEST(RollBack, RepeatsTheTokenOfAStepThatWasSkippedByAnOperator) {
  CoreDriver flow(R"(
id: beside
steps:
  - {id: b, type: script}
  - {id: side, type: script, optional: true}
  - {id: meet, type: script, depends_on: [b, side]}
)");
  flow.Start().Skip("side").Complete("b").RollBack("b", "meet").Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("meet"));
}

TEST(RollBack, LetsAnAnyJoinThatStartsAgainAbsorbWhatComesLate) {
  CoreDriver flow(R"(
id: race
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: first, type: script, depends_on: [a, b], join: any}
  - {id: then, type: script, depends_on: [first]}
)");
  flow.Start().Complete("a").Complete("first").RollBack("first", "then");
  EXPECT_THAT(flow.Running(), ElementsAre("b", "first"));
  flow.Complete("b").Complete("first").Complete("then");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("first: activated"), 2u);
}

TEST(RollBack, GoesOutOfANestedScope) {
  CoreDriver flow(R"(
id: nested
steps:
  - {id: a, type: script}
  - id: inner
    type: sub_process
    depends_on: [a]
    steps:
      - {id: b, type: script}
      - {id: c, type: script, depends_on: [b]}
)");
  flow.Start().Complete("a").Complete("b").RollBack("a", "c");
  EXPECT_THAT(flow.Last(), ElementsAre("back to a", "c: cancelled", "scope 1: cancelled",
                                       "inner: cancelled", "a: activated"));
  flow.Complete("a").Complete("b").RollBack("b", "c").Complete("b").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RollBack, InALoopStaysInTheIteration) {
  CoreDriver flow(R"(
id: loop
steps:
  - id: each
    type: loop
    times: 2
    steps:
      - {id: b, type: script, input_mapping: {i: "{{loop.index}}"}}
      - {id: c, type: script, depends_on: [b]}
)");
  flow.Start().Complete("b").Complete("c").Complete("b").RollBack("b", "c");
  EXPECT_EQ(flow.Input("b"), R"({"i":1})");
  flow.Complete("b").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RollBack, AsksWhichIterationWhenSeveralAreOpen) {
  CoreDriver flow(R"(
id: loop
steps:
  - id: each
    type: loop
    times: 2
    max_concurrent: 2
    steps:
      - {id: b, type: script}
      - {id: c, type: script, depends_on: [b]}
)");
  flow.Start().Complete("b").Complete("b");
  EXPECT_THAT(Back(flow, "b")->message, HasSubstr("name the run to send back"));
  flow.RollBack("b", "c");
  EXPECT_THAT(flow.Running(), ElementsAre("c", "b"));
}

TEST(RollBack, TakesTheFallbackThatStandsInAway) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], fallback: other}
  - {id: other, type: script}
)");
  flow.Start().Complete("a").Fail("b").RollBack("a", "b");
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  EXPECT_EQ(flow.Count("other: cancelled"), 1u);
}

TEST(RollBack, OfAPausedInstanceHoldsTheStep) {
  CoreDriver line(kLine);
  line.Start().Complete("a", R"({"n":3})").Pause().Complete("b").RollBack("b");
  EXPECT_THAT(line.Held(), ElementsAre("b"));
  line.Resume();
  EXPECT_EQ(line.Input("b"), R"({"n":3})");
}

TEST(RollBack, RepeatsTheTokensOfAJoinThatIsHeld) {
  CoreDriver flow(kBeside);
  flow.Start().Complete("a").Pause().Complete("side").Complete("b");
  EXPECT_THAT(flow.Held(), ElementsAre("meet"));
  flow.RollBack("b").Resume().Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("meet"));
}

TEST(RollBack, LeavesBothExecutionsToBeUndone) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)");
  saga.Start().Complete("a").RollBack("a", "b").Complete("a").Fail("b");
  saga.Complete("undo_a").Complete("undo_a");
  EXPECT_EQ(saga.Status(), "failed");
  EXPECT_EQ(saga.Count("undo_a: completed"), 2u);
}

TEST(RollBack, IsRefusedForAStepThatMayNotBeSentBack) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], allow_rollback: false}
)");
  flow.Start().Complete("a");
  EXPECT_EQ(Back(flow, "a", flow.Run("b"))->code, ErrorCode::kWrongState);
  EXPECT_EQ(Back(flow, "a")->code, ErrorCode::kWrongState);
}

TEST(RollBack, IsRefusedForStepsThatWereNotReachedAndForHandlers) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, condition: "1 > 2"}
  - {id: b, type: script, compensation: undo_b}
  - {id: c, type: script, depends_on: [b]}
  - {id: undo_b, type: script}
)");
  flow.Start();
  for (const char* step : {"a", "c", "undo_b"})
    EXPECT_EQ(Back(flow, step)->code, ErrorCode::kWrongState) << step;
  EXPECT_EQ(flow.Do(model::RollBack{RunId(), StepIndex(99)})->code, ErrorCode::kWrongState);
  EXPECT_EQ(Back(flow, "b", RunId(99))->code, ErrorCode::kUnknownRun);
}

TEST(RollBack, IsRefusedWhenTheStepIsNotBeforeTheRun) {
  CoreDriver flow(kBeside);
  flow.Start().Complete("a");
  EXPECT_THAT(Back(flow, "a", flow.Run("side"))->message,
              HasSubstr("Expected a step before \"side\" but found \"a\""));
}

TEST(RollBack, IsRefusedWhileTheInstanceUndoes) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)");
  saga.Start().Complete("a").Fail("b");
  EXPECT_EQ(Back(saga, "a")->code, ErrorCode::kWrongState);
}

}  // namespace
}  // namespace stele::test
