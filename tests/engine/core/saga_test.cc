// Undoing what was done.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::Contains;
using testing::ElementsAre;

// Completes every compensation that starts and tells their order.
Texts Undo(CoreDriver& saga) {
  Texts undone;
  while (saga.Running().size() == 1 && saga.Running()[0].starts_with("undo")) {
    undone.push_back(saga.Running()[0]);
    saga.Complete(undone.back());
  }
  return undone;
}

constexpr std::string_view kBranches = R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, compensation: undo_b, depends_on: [a]}
  - {id: c, type: script, compensation: undo_c, depends_on: [a]}
  - {id: d, type: script, depends_on: [b, c]}
  - {id: undo_a, type: script}
  - {id: undo_b, type: script}
  - {id: undo_c, type: script}
)";

TEST(Compensation, GoesInReverseOrderOfCompletionAcrossBranches) {
  for (const bool b_first : {true, false}) {
    CoreDriver saga(kBranches);
    saga.Start().Complete("a").Complete(b_first ? "b" : "c").Complete(b_first ? "c" : "b");
    saga.Fail("d");
    EXPECT_EQ(saga.Status(), "compensating");
    EXPECT_THAT(Undo(saga), b_first ? ElementsAre("undo_c", "undo_b", "undo_a")
                                    : ElementsAre("undo_b", "undo_c", "undo_a"));
    EXPECT_EQ(saga.Status(), "failed");
    EXPECT_EQ(saga.Failure(), "boom");
    EXPECT_TRUE(saga.instance().compensated);
  }
}

TEST(Compensation, CancelsWhatRunsBesideTheFailure) {
  CoreDriver saga(kBranches);
  saga.Start().Complete("a").Fail("b");
  EXPECT_EQ(saga.Count("c: cancelled"), 1u);
  EXPECT_THAT(Undo(saga), ElementsAre("undo_a"));
}

TEST(Compensation, IsNotNeededWhenNothingCanBeUndone) {
  CoreDriver saga(kBranches);
  saga.Start().Fail("a");
  EXPECT_EQ(saga.Status(), "failed");
  EXPECT_FALSE(saga.instance().compensated);
}

TEST(Compensation, ParksWhenItFailsForGoodAndIsTriedAgainOrWaived) {
  CoreDriver saga(kBranches);
  saga.Start().Complete("a").Complete("b").Fail("c");
  saga.Fail("undo_b", "unreachable");
  EXPECT_THAT(saga.Parked(), ElementsAre("undo_b"));
  EXPECT_EQ(saga.Status(), "compensating");
  saga.Resolve("undo_b", Resolution::kRetry).Elapse().Fail("undo_b");
  saga.Resolve("undo_b", Resolution::kSkip);
  EXPECT_THAT(saga.Last(), Contains("b: waived"));
  EXPECT_THAT(Undo(saga), ElementsAre("undo_a"));
  EXPECT_EQ(saga.Status(), "failed");
}

TEST(Compensation, IsTriedAgainAsItsOwnPolicySays) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script, retry: {max_attempts: 2, initial_delay: 3s}}
)");
  saga.Start().Complete("a").Fail("b").Fail("undo_a");
  EXPECT_EQ(saga.NextTimerInMs(), 3000);
  saga.Elapse().Complete("undo_a");
  EXPECT_EQ(saga.Status(), "failed");
}

TEST(Compensation, SeesTheOutputOfTheVeryRunThatItUndoes) {
  CoreDriver saga(R"(
workflow:
  id: saga
  processes:
    - id: main
      type: sequential
      error_handling: {strategy: compensate}
      tasks:
        - {id: charge, type: script, compensation: undo_charge}
        - {id: check, type: script}
        - {id: undo_charge, type: script, input_mapping: {payment: "{{steps.charge.output.payment}}"}}
      transitions:
        - {from: charge, to: check}
        - {from: check, to: charge, condition: "outputs.more"}
)");
  saga.Start().Complete("charge", R"({"payment":"P1"})").Complete("check", R"({"more":true})");
  saga.Complete("charge", R"({"payment":"P2"})").Fail("check");
  EXPECT_EQ(saga.Input("undo_charge"), R"({"payment":"P2"})");
  saga.Complete("undo_charge");
  EXPECT_EQ(saga.Input("undo_charge"), R"({"payment":"P1"})");
  saga.Complete("undo_charge");
  EXPECT_EQ(saga.Status(), "failed");
}

constexpr std::string_view kNested = R"(
id: saga
error_handling: compensate
steps:
  - {{id: a, type: script, compensation: undo_a}}
  - id: trip
    type: sub_process
    {}
    steps:
      - {{id: hotel, type: script, compensation: undo_hotel}}
      - {{id: car, type: script, compensation: undo_car, depends_on: [hotel]}}
      - {{id: undo_hotel, type: script}}
      - {{id: undo_car, type: script, input_mapping: {{h: "{{{{steps.hotel.output.h}}}}"}}}}
  - {{id: b, type: script, compensation: undo_b}}
  - {{id: last, type: script, depends_on: [a, trip, b]}}
  - {{id: undo_a, type: script}}
  - {{id: undo_b, type: script}}
  - {{id: undo_trip, type: script}}
)";

TEST(Compensation, UndoesANestedScopeAsAUnitAtThePlaceWhereItEnded) {
  CoreDriver saga(fmt::format(kNested, ""));
  saga.Start().Complete("hotel", R"({"h":1})").Complete("a").Complete("car").Complete("b");
  saga.Fail("last");
  EXPECT_THAT(saga.Running(), ElementsAre("undo_b"));
  saga.Complete("undo_b");
  EXPECT_EQ(saga.Input("undo_car"), R"({"h":1})") << "the closed scope's data is still there";
  EXPECT_THAT(Undo(saga), ElementsAre("undo_car", "undo_hotel", "undo_a"));
  EXPECT_EQ(saga.Status(), "failed");
}

TEST(Compensation, OfASubProcessReplacesThoseInside) {
  CoreDriver saga(fmt::format(kNested, "compensation: undo_trip"));
  saga.Start().Complete("a").Complete("hotel").Complete("car").Complete("b").Fail("last");
  EXPECT_THAT(Undo(saga), ElementsAre("undo_b", "undo_trip", "undo_a"));
}

TEST(Compensation, OfASubProcessThatFailsIsThatOfItsSteps) {
  for (const char* own : {"", "compensation: undo_trip"}) {
    CoreDriver saga(fmt::format(kNested, own));
    saga.Start().Complete("hotel").Complete("a").Fail("car");
    EXPECT_THAT(Undo(saga), ElementsAre("undo_hotel", "undo_a"));
  }
}

TEST(Compensation, OfALoopThatFailsIsThatOfItsIterations) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - id: each
    type: loop
    times: 3
    compensation: undo_all
    steps:
      - {id: a, type: script, compensation: undo_a}
      - {id: undo_a, type: script, input_mapping: {n: "{{steps.a.output.n}}", i: "{{loop.index}}"}}
  - {id: undo_all, type: script}
)");
  saga.Start().Complete("a", R"({"n":5})").Complete("a", R"({"n":6})").Fail("a");
  EXPECT_EQ(saga.Input("undo_a"), R"({"n":6,"i":1})");
  saga.Complete("undo_a");
  EXPECT_EQ(saga.Input("undo_a"), R"({"n":5,"i":0})");
  saga.Complete("undo_a");
  EXPECT_EQ(saga.Status(), "failed");
}

TEST(Compensation, OfAProcessUndoesItBeforeTheFailureGoesOn) {
  CoreDriver saga(R"(
workflow:
  id: saga
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: inner, type: sub_process, process: trip, fallback: phone}
        - {id: phone, type: script}
    - id: trip
      type: sub_process
      error_handling: {strategy: compensate}
      tasks:
        - {id: hotel, type: script, compensation: undo_hotel}
        - {id: car, type: script}
        - {id: undo_hotel, type: script}
)");
  saga.Start().Complete("hotel").Fail("car");
  EXPECT_EQ(saga.Status(), "running");
  EXPECT_THAT(Undo(saga), ElementsAre("undo_hotel"));
  EXPECT_THAT(saga.Running(), ElementsAre("phone"));
  saga.Complete("phone");
  EXPECT_EQ(saga.Status(), "completed");
}

TEST(Compensation, MayBeASubProcess) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - id: undo_a
    type: sub_process
    steps:
      - {id: undo_1, type: script, compensation: never}
      - {id: undo_2, type: script, depends_on: [undo_1]}
      - {id: never, type: script}
)");
  saga.Start().Complete("a").Fail("b").Complete("undo_1").Fail("undo_2");
  EXPECT_THAT(saga.Parked(), ElementsAre("undo_a"));
  saga.Resolve("undo_a", Resolution::kRetry).Elapse();
  EXPECT_THAT(Undo(saga), ElementsAre("undo_1", "undo_2"));
  EXPECT_EQ(saga.Status(), "failed");
  EXPECT_EQ(saga.Count("never: activated to undo"), 0u);
}

TEST(Cancel, UndoesWhenItIsAskedTo) {
  CoreDriver saga(kBranches);
  saga.Start().Complete("a").Complete("c").Cancel(/*compensate=*/true);
  EXPECT_EQ(saga.Status(), "compensating");
  EXPECT_THAT(Undo(saga), ElementsAre("undo_c", "undo_a"));
  EXPECT_EQ(saga.Status(), "cancelled");
  EXPECT_TRUE(saga.instance().compensated);
}

TEST(Cancel, LeavesWhatWasDoneOtherwise) {
  CoreDriver saga(kBranches);
  saga.Start().Complete("a").Cancel();
  EXPECT_THAT(saga.Last(),
              ElementsAre("cancel requested", "c: cancelled", "b: cancelled", "cancelled"));
  EXPECT_EQ(saga.Status(), "cancelled");
}

TEST(Cancel, IsRefusedWhileTheInstanceUndoes) {
  CoreDriver saga(kBranches);
  saga.Start().Complete("a").Fail("b");
  EXPECT_EQ(saga.Do(model::CancelInstance{.compensate = true})->code, ErrorCode::kWrongState);
}

TEST(Cancel, TakesOverFromANestedScopeThatUndoes) {
  CoreDriver saga(R"(
workflow:
  id: saga
  processes:
    - id: main
      type: sequential
      tasks: [{id: inner, type: sub_process, process: trip}]
    - id: trip
      type: sub_process
      error_handling: {strategy: compensate}
      tasks:
        - {id: hotel, type: script, compensation: undo_hotel}
        - {id: car, type: script, compensation: undo_car}
        - {id: train, type: script}
        - {id: undo_hotel, type: script}
        - {id: undo_car, type: script}
)");
  saga.Start().Complete("hotel").Complete("car").Fail("train").Complete("undo_car");
  EXPECT_THAT(saga.Running(), ElementsAre("undo_hotel"));
  saga.Cancel(/*compensate=*/true);
  EXPECT_THAT(Undo(saga), ElementsAre("undo_hotel"));
  EXPECT_EQ(saga.Status(), "cancelled");
}

}  // namespace
}  // namespace stele::test
