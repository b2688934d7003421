// What keeps an instance from going on.
#include "replay/standing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::replay {
namespace {

using test::CoreDriver;
using testing::ElementsAre;
using testing::IsEmpty;

Standing Of(const CoreDriver& flow) {
  return StandingOf(flow.instance(), flow.definition());
}

// "people review", "resume" for the instance itself.
std::vector<std::string> Waits(const CoreDriver& flow) {
  std::vector<std::string> waits;
  for (const Waiting& waiting : Of(flow).waits)
    waits.push_back(std::string(WaitForName(waiting.what)) +
                    (waiting.label.empty() ? "" : " " + waiting.label));
  return waits;
}

constexpr std::string_view kOneTask = "id: flow\nsteps: [{id: a, type: script}]\n";

TEST(Standing, OfARunningTaskIsThatItMoves) {
  CoreDriver flow(kOneTask);
  flow.Start();
  EXPECT_EQ(Of(flow).motion, Motion::kWork);
  EXPECT_THAT(Waits(flow), IsEmpty());
  flow.Complete("a");
  EXPECT_EQ(Of(flow).motion, Motion::kNone) << "it has ended";
  EXPECT_THAT(Waits(flow), IsEmpty());
}

TEST(Standing, OfATaskWithoutAWorkerIsThatItWaitsForOne) {
  CoreDriver flow(kOneTask);
  flow.Start();
  const Standing standing =
      StandingOf(flow.instance(), flow.definition(),
                 [](const definition::Step& step) { return step.task_type == "script"; });
  EXPECT_EQ(standing.motion, Motion::kNone);
  ASSERT_EQ(standing.waits.size(), 1u);
  EXPECT_EQ(standing.waits[0].what, WaitFor::kWorker);
  EXPECT_EQ(standing.waits[0].type, "script");
}

TEST(Standing, OfABackoffIsThatItMovesUnlessItIsPaused) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script, retry: {max_attempts: 2}}]\n");
  flow.Start().Fail("a");
  EXPECT_EQ(Of(flow).motion, Motion::kWork);
  flow.Pause();
  EXPECT_EQ(Of(flow).motion, Motion::kNone);
  EXPECT_THAT(Waits(flow), ElementsAre("resume"));
}

TEST(Standing, OfADelayIsItsMomentAndMovesUnlessItIsPaused) {
  CoreDriver flow("id: flow\nsteps: [{id: rest, type: delay, duration: 3h}]\n");
  flow.Start();
  const Standing standing = Of(flow);
  EXPECT_THAT(Waits(flow), ElementsAre("delay rest"));
  EXPECT_EQ(standing.waits[0].due, flow.now().Plus(3 * 3'600'000'000));
  EXPECT_EQ(standing.motion, Motion::kMoment);
  EXPECT_EQ(StatusWord(flow.instance(), standing), "waiting");
  flow.Pause();
  EXPECT_THAT(Waits(flow), ElementsAre("resume", "delay rest"));
  EXPECT_EQ(Of(flow).motion, Motion::kNone);
}

TEST(Standing, OfADelayBesideATaskIsThatItWorks) {
  CoreDriver flow(
      "id: flow\nsteps: [{id: a, type: script}, {id: rest, type: delay, duration: 3h}]\n");
  flow.Start();
  EXPECT_THAT(Waits(flow), ElementsAre("delay rest"));
  EXPECT_EQ(StatusWord(flow.instance(), Of(flow)), "running");
  flow.Complete("a");
  EXPECT_EQ(StatusWord(flow.instance(), Of(flow)), "waiting");
}

TEST(Standing, OfAQueuedInstanceIsThatItWaitsForAPlace) {
  CoreDriver flow(kOneTask);
  flow.StartQueued();
  EXPECT_THAT(Waits(flow), ElementsAre("place"));
  EXPECT_EQ(Of(flow).motion, Motion::kNone);
}

TEST(Standing, OfAParkedStepNamesItsError) {
  CoreDriver flow("id: flow\nerror_handling: park\nsteps: [{id: a, type: script}]\n");
  flow.Start().Fail("a", "boom");
  EXPECT_THAT(Waits(flow), ElementsAre("operator a"));
  EXPECT_EQ(Of(flow).waits[0].kind, "boom");
  EXPECT_EQ(Of(flow).motion, Motion::kNone);
}

TEST(Standing, OfAnApprovalHasItsTitleAndTask) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: review, type: approval, config: {assignees: [ann], title: Look, deadline: 1h}}
)");
  flow.Start();
  const Standing standing = Of(flow);
  ASSERT_EQ(standing.waits.size(), 1u);
  const Waiting& waiting = standing.waits[0];
  EXPECT_EQ(waiting.what, WaitFor::kPeople);
  EXPECT_EQ(waiting.title, "Look");
  EXPECT_EQ(waiting.type, "approval");
  ASSERT_NE(waiting.task, nullptr);
  EXPECT_EQ(waiting.due, flow.now().Plus(3'600'000'000));
  EXPECT_EQ(standing.motion, Motion::kNone) << "the deadline of a task for people moves nothing on";
}

TEST(Standing, OfATaskWhoseConfigurationWasErasedShowsNoTemplate) {
  const CoreDriver flow(R"(
id: flow
steps:
  - {id: plain, type: manual, config: {assignees: [ann], title: Look}}
  - {id: call, type: manual, config: {assignees: [ann], title: "Call {{variables.n}}"}}
)");
  const auto title = [&](std::string_view step) {
    model::StepRun run;
    while (flow.definition().step(run.step).id != step) run.step = StepIndex(run.step.value + 1);
    return TaskTitle(flow.definition(), run);
  };
  EXPECT_EQ(title("plain"), "Look");
  EXPECT_EQ(title("call"), "call");
}

TEST(Standing, OfAWaitMovesWhereAMomentEndsIt) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: open, type: signal, config: {name: go}}
  - {id: bounded, type: signal, config: {name: go}, timeout: 1m}
)");
  flow.Start();
  EXPECT_THAT(Waits(flow), ElementsAre("message open", "message bounded"));
  const Standing standing = Of(flow);
  EXPECT_EQ(standing.motion, Motion::kMoment);
  EXPECT_EQ(standing.waits[0].due, TimeUs());
  EXPECT_EQ(standing.waits[1].due, flow.now().Plus(60'000'000));
  CoreDriver forever("id: flow\nsteps: [{id: open, type: signal, config: {name: go}}]\n");
  forever.Start();
  EXPECT_EQ(Of(forever).motion, Motion::kNone);
}

TEST(Standing, OfACallNamesTheChild) {
  CoreDriver flow("id: flow\nsteps: [{id: sub, type: call, config: {workflow: other}}]\n");
  flow.Start();
  EXPECT_EQ(Of(flow).motion, Motion::kWork) << "the child is about to start";
  flow.NoteChild("sub", InstanceId(42));
  EXPECT_THAT(Waits(flow), ElementsAre("child sub"));
  EXPECT_EQ(Of(flow).waits[0].child, InstanceId(42));
  EXPECT_EQ(Of(flow).motion, Motion::kNone);
}

TEST(Standing, LabelsAStepWithTheLoopsAroundIt) {
  CoreDriver flow(R"(
id: flow
steps:
  - id: outer
    type: loop
    times: 2
    max_concurrent: 2
    steps:
      - id: inner
        type: loop
        times: 1
        steps: [{id: ask, type: manual}]
)");
  flow.Start();
  EXPECT_THAT(Waits(flow), ElementsAre("people ask[0][0]", "people ask[1][0]"));
}

}  // namespace
}  // namespace stele::replay
