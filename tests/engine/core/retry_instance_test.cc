// A failed instance that goes on: what failed and what was cut off starts again, nothing else does.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(RetryInstance, StartsWhatFailedAndWhatWasCutOff) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
  - {id: c, type: script, depends_on: [a]}
  - {id: d, type: script, depends_on: [b, c]}
)");
  flow.Start().Complete("a", R"({"n":1})").Fail("b");
  EXPECT_EQ(flow.Status(), "failed");
  flow.Retry();
  EXPECT_THAT(flow.Last(), ElementsAre("retried", "b: activated", "c: activated"));
  EXPECT_EQ(flow.Input("b"), R"({"n":1})");
  flow.Complete("b").Complete("c").Complete("d");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("a: activated"), 1u);
}

// c fails in the moment in which a's tokens move: d's is not lost.
TEST(RetryInstance, StartsWhatATokenHadReachedWhenItFailed) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: c, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n + 1}}"}}
  - {id: d, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
  - {id: e, type: script, depends_on: [c, d]}
)");
  flow.Start().Complete("a", R"({"n":"x"})");
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_THAT(flow.Held(), ElementsAre("d"));
  flow.Retry();
  EXPECT_THAT(flow.Last(),
              ElementsAre("retried", "d: activated", "c: activated", "c: failed, expression",
                          "d: cancelled", "failed: expression"))
      << "c still cannot begin";
}

TEST(RetryInstance, StartsWhatWasHeldWhenAPausedInstanceFailed) {
  CoreDriver flow(R"(
id: flow
error_handling: park
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: c, type: script, depends_on: [a]}
)");
  flow.Start().Fail("b").Pause().Complete("a").Resolve("b", Resolution::kFail);
  EXPECT_EQ(flow.Status(), "failed");
  flow.Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("c", "b"));
  flow.Complete("b").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryInstance, BeginsANestedScopeAnew) {
  CoreDriver flow(R"(
id: flow
steps:
  - id: inner
    type: sub_process
    steps:
      - {id: a, type: script}
      - {id: b, type: script, depends_on: [a]}
)");
  flow.Start().Complete("a").Fail("b").Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  flow.Complete("a").Complete("b");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryInstance, DoesNotRepeatAFailureThatWasHandled) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, on_error: rescue}
  - {id: rescue, type: script}
  - {id: b, type: script}
)");
  flow.Start().Fail("a").Complete("rescue").Fail("b").Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
  flow.Complete("b");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryInstance, RepeatsTheStepAndNotItsFallback) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, fallback: other}
  - {id: other, type: script}
  - {id: b, type: script}
)");
  flow.Start().Fail("a").Fail("other").Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("a", "b"));
}

TEST(RetryInstance, HasNoDeadlineAnyMore) {
  CoreDriver flow("id: flow\ntimeout: 5s\nsteps: [{id: a, type: script}]\n");
  flow.Start().Elapse();
  EXPECT_EQ(flow.Failure(), "deadline");
  flow.Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  EXPECT_EQ(flow.NextTimerInMs(), -1);
  flow.Complete("a");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryInstance, BeginsOneWhoseDeadlinePassedInTheQueue) {
  CoreDriver flow("id: flow\ntimeout: 5s\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued().Elapse();
  EXPECT_EQ(flow.Status(), "failed");
  flow.Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

// As retried where its definition's places are taken.
const model::RetryInstance kInTheQueue{.reason = "", .deadline = {}, .queued = true};

TEST(RetryInstance, HoldsWhatItWouldStartUntilItIsAdmitted) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
  - {id: c, type: script, depends_on: [a]}
)");
  flow.Start().Complete("a", R"({"n":1})").Fail("b");
  ASSERT_EQ(flow.Do(kInTheQueue), std::nullopt);
  EXPECT_THAT(flow.Last(), ElementsAre("retried", "b: held", "c: held"));
  EXPECT_EQ(flow.Status(), "queued");
  EXPECT_EQ(flow.Do(kInTheQueue)->code, ErrorCode::kWrongState);
  flow.Admit();
  EXPECT_THAT(flow.Last(), ElementsAre("admitted", "b: activated", "c: activated"));
  EXPECT_EQ(flow.Input("b"), R"({"n":1})");
  flow.Complete("b").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryInstance, StaysInTheQueueWhenItIsPausedAndResumedThere) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}, {id: b, type: script}]\n");
  flow.Start().Fail("b");
  ASSERT_EQ(flow.Do(kInTheQueue), std::nullopt);
  flow.Pause().Resume();
  EXPECT_THAT(flow.Running(), IsEmpty());
  flow.Pause().Admit();
  EXPECT_THAT(flow.Held(), ElementsAre("a", "b"));
  flow.Resume();
  EXPECT_THAT(flow.Running(), ElementsAre("a", "b"));
}

TEST(RetryInstance, BeginsWhenItIsAdmittedIfItNeverDid) {
  CoreDriver flow("id: flow\ntimeout: 5s\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued().Elapse();
  ASSERT_EQ(flow.Do(kInTheQueue), std::nullopt);
  EXPECT_EQ(flow.Status(), "queued");
  flow.Admit();
  EXPECT_THAT(flow.Last(), ElementsAre("admitted", "a: activated"));
}

TEST(RetryInstance, HasTheDeadlineThatItIsGiven) {
  CoreDriver flow("id: flow\ntimeout: 5s\nsteps: [{id: a, type: script}]\n");
  flow.Start().Fail("a");
  const TimeUs deadline = flow.instance().deadline;
  EXPECT_NE(deadline, TimeUs()) << "what is left of it counts when it is retried";
  ASSERT_EQ(flow.Do(model::RetryInstance{"", deadline, false}), std::nullopt);
  flow.Elapse();
  EXPECT_EQ(flow.Failure(), "deadline");
  flow.Retry().Complete("a");
  EXPECT_EQ(flow.instance().deadline, TimeUs());
}

TEST(RetryInstance, DoesNotStartTwiceWhatARollbackTookAway) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
)");
  flow.Start().Complete("a").RollBack("a", "b").Fail("a").Retry();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(RetryInstance, IsRefusedWhenItsStepsWereUndone) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)");
  saga.Start().Complete("a").Fail("b").Complete("undo_a");
  EXPECT_EQ(saga.Do(model::RetryInstance{})->code, ErrorCode::kWrongState);
}

TEST(RetryInstance, ThatFailsAgainCanStillBeUndone) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], compensation: undo_b}
  - {id: c, type: script, depends_on: [b]}
  - {id: undo_b, type: script}
)");
  saga.Start().Fail("a");
  EXPECT_EQ(saga.Status(), "failed");
  saga.Retry().Complete("a").Complete("b").Fail("c");
  EXPECT_THAT(saga.Running(), ElementsAre("undo_b"));
  saga.Complete("undo_b");
  EXPECT_TRUE(saga.instance().compensated);
}

TEST(RetryInstance, KeepsWhatWasDoneInsideACutOffScopeUndoable) {
  CoreDriver saga(R"(
id: saga
steps:
  - id: inner
    type: sub_process
    steps:
      - {id: a, type: script, compensation: undo_a}
      - {id: b, type: script, depends_on: [a]}
      - {id: undo_a, type: script}
)");
  saga.Start().Complete("a").Fail("b").Retry().Complete("a").Cancel(/*compensate=*/true);
  saga.Complete("undo_a").Complete("undo_a");
  EXPECT_EQ(saga.Status(), "cancelled");
  EXPECT_EQ(saga.Count("undo_a: completed"), 2u);
}

TEST(RetryStep, DoesNotWaitForTheBackoff) {
  CoreDriver flow(R"(
id: flow
steps: [{id: a, type: script, retry: {max_attempts: 2, initial_delay: 1h}}]
)");
  flow.Start().Fail("a");
  EXPECT_EQ(flow.NextTimerInMs(), 3'600'000);
  flow.RetryNow("a");
  EXPECT_EQ(flow.NextTimerInMs(), 0);
  flow.Elapse();
  EXPECT_EQ(flow.RunOf("a").attempt, 2u);
}

TEST(RetryStep, OfAParkedOneIsItsResolution) {
  CoreDriver flow("id: flow\nerror_handling: park\nsteps: [{id: a, type: script}]\n");
  flow.Start().Fail("a").RetryNow("a").Elapse().Complete("a");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(RetryStep, IsRefusedForARunThatWaitsForNone) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start();
  EXPECT_EQ(flow.Do(model::RetryStep{flow.Run("a")})->code, ErrorCode::kWrongState);
}

constexpr std::string_view kOptional = R"(
id: flow
steps:
  - {id: a, type: script, optional: true}
  - {id: b, type: script, depends_on: [a]}
)";

TEST(SkipStep, GoesOnBehindAnOptionalStep) {
  CoreDriver flow(kOptional);
  flow.Start().Skip("a");
  EXPECT_THAT(flow.Last(), ElementsAre("a: skip requested", "a: cancelled", "b: activated"));
}

TEST(SkipStep, IsRefusedForOneThatIsNotOptional) {
  CoreDriver flow(kOptional);
  flow.Start().Complete("a");
  EXPECT_EQ(flow.Do(model::SkipStep{flow.Run("b")})->code, ErrorCode::kWrongState);
}

TEST(SkipStep, EndsEverythingInsideALoop) {
  CoreDriver flow(R"(
id: flow
steps:
  - id: each
    type: loop
    optional: true
    times: 3
    max_concurrent: 2
    steps: [{id: work, type: script}]
  - {id: then, type: script, depends_on: [each]}
)");
  flow.Start().Skip("each");
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
  EXPECT_EQ(flow.Count("work: cancelled"), 2u);
}

TEST(SkipStep, EndsTheFallbackThatStandsIn) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, optional: true, fallback: other}
  - {id: other, type: script}
  - {id: b, type: script, depends_on: [a]}
)");
  flow.Start().Fail("a").Skip("a");
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
  EXPECT_EQ(flow.Do(model::SkipStep{RunId(2)})->code, ErrorCode::kUnknownRun);
}

TEST(SkipStep, IsRefusedWhenTheWayOnNeedsItsOutput) {
  CoreDriver flow(R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: a, type: script, optional: true}
        - {id: b, type: script}
      transitions: [{from: a, to: b, condition: "outputs.n > 1"}]
)");
  flow.Start();
  EXPECT_EQ(flow.Do(model::SkipStep{flow.Run("a")})->code, ErrorCode::kWrongState);
}

TEST(AssignVariables, IsSeenByTheNextStep) {
  CoreDriver flow(R"(
id: flow
variables: {n: {type: integer, default: 1}}
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{variables.n}}"}}
)");
  flow.Start().Assign(R"({"n":5})").Complete("a");
  EXPECT_EQ(flow.Input("b"), R"({"n":5})");
}

TEST(AssignVariables, IsRefusedForAnotherTypeAScopeThatIsNotOpenAndNothing) {
  CoreDriver flow(R"(
id: flow
variables: {n: {type: integer, default: 1}}
steps: [{id: a, type: script}]
)");
  flow.Start();
  const auto code = [&](ScopeId scope, std::vector<model::NamedPayload> variables) {
    return flow.Do(model::AssignVariables{scope, std::move(variables)})->code;
  };
  EXPECT_EQ(code(ScopeId(), {{"n", Payload::FromText("\"x\"")}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(ScopeId(9), {{"n", Payload::FromText("1")}}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code(ScopeId(), {}), ErrorCode::kInvalidInput);
}

TEST(Admit, LetsAQueuedInstanceBegin) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued();
  EXPECT_EQ(flow.Status(), "queued");
  EXPECT_THAT(flow.Running(), IsEmpty());
  flow.Admit();
  EXPECT_THAT(flow.Last(), ElementsAre("admitted", "a: activated"));
  EXPECT_EQ(flow.Do(model::AdmitInstance{})->code, ErrorCode::kWrongState);
}

TEST(Admit, OfAPausedInstanceHoldsItsFirstSteps) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued().Pause().Admit();
  EXPECT_THAT(flow.Held(), ElementsAre("a"));
  flow.Resume();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(Admit, IsStillToComeWhenAPausedInstanceIsResumedInTheQueue) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued().Pause().Resume();
  EXPECT_EQ(flow.Status(), "queued");
  flow.Admit();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(Admit, IsTooLateForAQueuedInstanceThatWasCancelled) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.StartQueued().Cancel();
  EXPECT_EQ(flow.Status(), "cancelled");
  EXPECT_EQ(flow.Do(model::AdmitInstance{})->code, ErrorCode::kInstanceEnded);
}

TEST(NoteChild, TellsTheCallWhichInstanceItStarted) {
  CoreDriver flow("id: flow\nsteps: [{id: child, type: call, config: {workflow: other}}]\n");
  flow.Start().NoteChild("child", InstanceId(42));
  EXPECT_EQ(flow.RunOf("child").child, InstanceId(42));
  EXPECT_EQ(flow.Do(model::NoteChild{flow.Run("child"), InstanceId(43)})->code,
            ErrorCode::kWrongState);
  flow.Complete("child", R"({"n":1})");
  EXPECT_EQ(flow.Output(), R"({"n":1})");
}

TEST(NoteChild, BelongsToAnAttempt) {
  CoreDriver flow(R"(
id: flow
steps: [{id: child, type: call, config: {workflow: other}, retry: {max_attempts: 2}}]
)");
  flow.Start().NoteChild("child", InstanceId(42)).Fail("child").Elapse();
  EXPECT_EQ(flow.RunOf("child").child, InstanceId());
  flow.NoteChild("child", InstanceId(43));
  EXPECT_EQ(flow.RunOf("child").child, InstanceId(43));
}

}  // namespace
}  // namespace stele::test
