// What happens to a failure that no retry takes away: transitions, fallbacks, strategies,
// incidents.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

TEST(FailureTransition, TakesOverAndTellsWhatFailed) {
  CoreDriver flow(R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: pay, type: script}
        - {id: thank, type: script}
        - {id: apologize, type: script, input_mapping: {why: "{{outputs.error.kind}}"}}
      transitions:
        - {from: pay, to: thank, condition: success}
        - {from: pay, to: apologize, condition: failure}
)");
  flow.Start().Fail("pay", "refused");
  EXPECT_THAT(flow.Told(": skipped"), ElementsAre("thank"));
  EXPECT_EQ(flow.Input("apologize"), R"({"why":"refused"})");
  flow.Complete("apologize");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(FailureTransition, IsDeadWhenTheStepSucceeds) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: pay, type: script, on_error: apologize}
  - {id: apologize, type: script}
)");
  flow.Start().Complete("pay", R"({"paid":1})");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Output(), R"({"paid":1})");
}

constexpr std::string_view kFallback = R"(
id: fallback
error_handling: {}
steps:
  - {{id: fast, type: script, fallback: slow, output_mapping: {{way: "{{{{response.way}}}}"}}}}
  - {{id: slow, type: script}}
  - {{id: after, type: script, depends_on: [fast]}}
)";

TEST(Fallback, StandsInForTheStep) {
  CoreDriver flow(fmt::format(kFallback, "fail"));
  flow.Start().Fail("fast");
  EXPECT_THAT(flow.Last(),
              ElementsAre("fast: attempt 1 failed, boom", "fast: failed, boom, falls back",
                          "slow: activated as fallback"));
  flow.Complete("slow", R"({"way":"slow"})");
  EXPECT_EQ(flow.Variable("way"), R"("slow")");
  EXPECT_THAT(flow.Running(), ElementsAre("after"));
  flow.Complete("after");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Fallback, ThatFailsLeavesItToTheStrategy) {
  CoreDriver flow(fmt::format(kFallback, "fail"));
  flow.Start().Fail("fast").Fail("slow", "worse");
  EXPECT_EQ(flow.Failure(), "worse");
  CoreDriver parked(fmt::format(kFallback, "park"));
  parked.Start().Fail("fast").Fail("slow", "worse");
  EXPECT_THAT(parked.Parked(), ElementsAre("fast"));
  parked.Resolve("fast", Resolution::kRetry).Elapse().Complete("fast", R"({"way":"fast"})");
  EXPECT_EQ(parked.Variable("way"), R"("fast")");
}

TEST(Fallback, GivesItsOutputEvenWhenTheStepHadOne) {
  CoreDriver flow(R"(
id: fallback
steps:
  - {id: fast, type: script, fallback: slow, output_mapping: {n: "{{response.n + 1}}"}}
  - {id: slow, type: script}
)");
  flow.Start().Complete("fast", R"({"n":"no number"})");
  EXPECT_THAT(flow.Running(), ElementsAre("slow"));
  flow.Complete("slow", R"({"n":2})");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Output(), R"({"n":2})");
}

constexpr std::string_view kStrategy = R"(
id: strategy
error_handling: {}
steps:
  - {{id: a, type: script}}
  - {{id: b, type: script}}
  - {{id: c, type: script, depends_on: [a, b]}}
)";

TEST(Strategy, FailEndsTheInstanceAndWhatRunsInIt) {
  CoreDriver flow(fmt::format(kStrategy, "fail"));
  flow.Start().Fail("a");
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_EQ(flow.Count("b: cancelled"), 1u);
}

TEST(Strategy, ContinueGoesOnAsIfTheStepHadSucceeded) {
  CoreDriver flow(fmt::format(kStrategy, "continue"));
  flow.Start().Fail("a").Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("c"));
  flow.Fail("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Strategy, ParkWaitsForAnOperatorWhileTheOthersGoOn) {
  CoreDriver flow(fmt::format(kStrategy, "park"));
  flow.Start().Fail("a");
  EXPECT_THAT(flow.Parked(), ElementsAre("a"));
  flow.Complete("b");
  EXPECT_EQ(flow.Status(), "running");
  flow.Resolve("a", Resolution::kRetry);
  EXPECT_EQ(flow.NextTimerInMs(), 0);
  flow.Elapse();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  flow.Complete("a");
  EXPECT_THAT(flow.Running(), ElementsAre("c"));
}

TEST(ResolveIncident, SkipsTheStep) {
  CoreDriver flow(fmt::format(kStrategy, "park"));
  flow.Start().Complete("b").Fail("a").Resolve("a", Resolution::kSkip);
  EXPECT_THAT(flow.Running(), ElementsAre("c"));
}

TEST(ResolveIncident, FailsTheInstance) {
  CoreDriver flow(fmt::format(kStrategy, "park"));
  flow.Start().Fail("a", "refused").Resolve("a", Resolution::kFail);
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_EQ(flow.Failure(), "refused");
}

TEST(ResolveIncident, IsRefusedForARunThatIsNotParked) {
  CoreDriver flow(fmt::format(kStrategy, "park"));
  flow.Start();
  EXPECT_EQ(flow.Do(model::ResolveIncident{flow.Run("a")})->code, ErrorCode::kWrongState);
  EXPECT_EQ(flow.Do(model::ResolveIncident{RunId(99)})->code, ErrorCode::kUnknownRun);
}

// What could not be said when the step was to start is asked again.
TEST(ResolveIncident, RetryStartsAStepAnewThatNeverBegan) {
  CoreDriver flow(R"(
id: never
error_handling: park
variables: {pause: soon, list: {type: any, default: none}}
steps:
  - {id: wait, type: delay, duration: "{{variables.pause}}"}
  - {id: each, type: loop, items: "{{variables.list}}", steps: [{id: work, type: script}]}
  - {id: which, type: exclusive, condition: "variables.list > 8", then: each2, else: each3}
  - {id: each2, type: script}
  - {id: each3, type: script}
  - {id: fix, type: script, output_mapping: {pause: "{{response.pause}}", list: "{{response.list}}"}}
)");
  flow.Start(R"({"list":"none"})");
  EXPECT_THAT(flow.Parked(), ElementsAre("wait", "each", "which"));
  flow.Resolve("each", Resolution::kRetry);
  EXPECT_THAT(flow.Parked(), ElementsAre("wait", "which", "each"));
  flow.Complete("fix", R"({"pause":"3s","list":[1]})");
  flow.Resolve("wait", Resolution::kRetry).Resolve("each", Resolution::kRetry);
  EXPECT_EQ(flow.NextTimerInMs(), 3000);
  EXPECT_THAT(flow.Running(), ElementsAre("work"));
}

TEST(Outputs, ThatCannotBeSaidFailTheInstanceAsItsStrategySays) {
  CoreDriver flow(R"(
id: outputs
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: undo_a, type: script}
outputs: {n: "{{steps.a.output.n + 1}}"}
)");
  flow.Start().Complete("a", R"({"n":"no number"})");
  EXPECT_THAT(flow.Running(), ElementsAre("undo_a"));
  flow.Complete("undo_a");
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_EQ(flow.Failure(), "expression");
}

}  // namespace
}  // namespace stele::test
