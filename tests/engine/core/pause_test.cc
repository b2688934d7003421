// Pausing: what was to start is kept and starts on resume; what is under way ends as usual.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "engine/definition/load.h"
#include "tests/engine/core/random_course.h"
#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kLine = R"(
id: line
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
)";

TEST(Pause, KeepsTheNextStepUntilResume) {
  CoreDriver line(kLine);
  line.Start().Pause();
  EXPECT_EQ(line.Status(), "paused");
  line.Complete("a", R"({"n":7})");
  EXPECT_THAT(line.Last(), ElementsAre("a: attempt 1 completed", "a: completed", "b: held"));
  EXPECT_THAT(line.Running(), IsEmpty());
  line.Resume();
  EXPECT_THAT(line.Last(), ElementsAre("resumed", "b: activated"));
  EXPECT_EQ(line.Input("b"), R"({"n":7})");
}

TEST(Pause, DoesNotEndTheInstance) {
  CoreDriver line(kLine);
  line.Start().Complete("a", R"({"n":7})").Pause().Complete("b");
  EXPECT_EQ(line.Status(), "paused");
  line.Resume();
  EXPECT_THAT(line.Last(), ElementsAre("resumed", "completed"));
}

TEST(Pause, KeepsAFailureAndDecidesAboutItOnResume) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, retry: {max_attempts: 2, initial_delay: 3s}}
)");
  flow.Start().Pause().Fail("a");
  EXPECT_THAT(flow.Last(), ElementsAre("a: attempt 1 failed, boom", "a: failing, boom"));
  flow.Resume();
  EXPECT_THAT(flow.Last(), ElementsAre("resumed", "a: retry after 3000ms"));
  flow.Elapse().Pause().Fail("a").Resume();
  EXPECT_EQ(flow.Status(), "failed");
  EXPECT_EQ(flow.Failure(), "boom");
}

TEST(Pause, RemembersThatAFailureIsNotRetryable) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, retry: {max_attempts: 2}}
)");
  flow.Start().Pause().Fail("a", "final", /*retryable=*/false).Resume();
  EXPECT_EQ(flow.Status(), "failed");
}

TEST(Pause, KeepsWhatAFailureTransitionHandsOn) {
  CoreDriver flow(R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: pay, type: script}
        - {id: sort, type: exclusive}
        - {id: apologize, type: script, input_mapping: {why: "{{outputs.error.kind}}"}}
      transitions:
        - {from: pay, to: sort, condition: failure}
        - {from: sort, to: apologize}
)");
  flow.Start().Pause().Fail("pay", "refused").Step().Step().Step();
  EXPECT_THAT(flow.Running(), ElementsAre("apologize"));
  EXPECT_EQ(flow.Input("apologize"), R"({"why":"refused"})");
}

TEST(Pause, StopsTimersThatElapseOnResume) {
  CoreDriver flow(R"(
id: flow
timeout: 1h
steps: [{id: a, type: delay, duration: 5s}, {id: b, type: script, timeout: 20s}]
)");
  flow.Start();
  EXPECT_EQ(flow.NextTimerInMs(), 5'000);
  flow.Pause();
  EXPECT_EQ(flow.NextTimerInMs(), -1);
  flow.Wait(8'000'000);
  flow.Resume();
  EXPECT_EQ(flow.NextTimerInMs(), -3'000) << "it has been due for a while";
  flow.Elapse();
  EXPECT_EQ(flow.Count("a: completed"), 1u);
}

TEST(Pause, HoldsAJoinThatHasFired) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: c, type: script, depends_on: [a, b], input_mapping: {n: "{{outputs.n}}"}}
)");
  flow.Start().Pause().Complete("a").Complete("b", R"({"n":2})");
  EXPECT_THAT(flow.Held(), ElementsAre("c"));
  flow.Resume();
  EXPECT_EQ(flow.Input("c"), R"({"n":2})");
}

TEST(Pause, OpensNoIterationThatWouldStart) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: each, type: loop, times: 2, steps: [{id: work, type: script}]}
)");
  flow.Start().Pause().Complete("work");
  EXPECT_THAT(flow.Running(), IsEmpty());
  EXPECT_THAT(flow.Held(), ElementsAre("work"));
  flow.Resume().Complete("work");
  EXPECT_EQ(flow.Status(), "completed");
}

// A dead token may not leave a loop while a step of it is held.
TEST(Pause, KeepsTheExitsOfALoopWhoseStepIsHeld) {
  CoreDriver flow(R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: ask, type: script}
        - {id: work, type: script}
        - {id: done, type: script}
      transitions:
        - {from: ask, to: work, condition: "outputs.n > 0"}
        - {from: ask, to: done, condition: "outputs.n == 0"}
        - {from: work, to: ask}
)");
  flow.Start().Pause().Complete("ask", R"({"n":1})");
  EXPECT_THAT(flow.Held(), ElementsAre("work"));
  flow.Step();
  EXPECT_EQ(flow.Count("done: skipped"), 0u);
  flow.Complete("work").Resume().Complete("ask", R"({"n":0})");
  EXPECT_THAT(flow.Running(), ElementsAre("done"));
}

TEST(Pause, HoldsBackTheNextCompensation) {
  CoreDriver saga(R"(
id: saga
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, compensation: undo_b, depends_on: [a]}
  - {id: c, type: script, depends_on: [b]}
  - {id: undo_a, type: script}
  - {id: undo_b, type: script}
)");
  saga.Start().Complete("a").Complete("b").Fail("c").Pause().Complete("undo_b");
  EXPECT_THAT(saga.Running(), IsEmpty());
  saga.Step();
  EXPECT_THAT(saga.Running(), ElementsAre("undo_a"));
  saga.Complete("undo_a");
  EXPECT_EQ(saga.Status(), "paused");
  saga.Resume();
  EXPECT_EQ(saga.Status(), "failed");
  EXPECT_TRUE(saga.instance().compensated);
}

TEST(Pause, LetsPeopleAndMessagesComeInTheMeantime) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: ask, type: approval, config: {assignees: ann}}
  - {id: paid, type: message, config: {name: paid}}
  - {id: then, type: script, depends_on: [ask, paid]}
)");
  flow.Start().Pause().Approve("ask", "ann").Correlate("paid", "paid");
  EXPECT_THAT(flow.Held(), ElementsAre("then"));
  flow.Resume();
  EXPECT_THAT(flow.Running(), ElementsAre("then"));
}

TEST(Pause, MayBeThereFromTheStart) {
  CoreDriver line(kLine);
  line.StartPaused();
  EXPECT_THAT(line.Last(), ElementsAre("started", "a: held"));
  line.Resume();
  EXPECT_THAT(line.Running(), ElementsAre("a"));
}

TEST(Pause, EndsWithACancelOrATerminate) {
  CoreDriver cancelled(kLine);
  cancelled.StartPaused().Cancel();
  EXPECT_EQ(cancelled.Status(), "cancelled");
  CoreDriver terminated(kLine);
  terminated.Start().Pause().Complete("a").Terminate();
  EXPECT_EQ(terminated.Status(), "terminated");
}

TEST(Pause, StopsTheUndoingThatACancelAsksFor) {
  CoreDriver saga(R"(
id: saga
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)");
  saga.Start().Complete("a").Pause().Cancel(/*compensate=*/true);
  EXPECT_EQ(saga.Status(), "paused");
  EXPECT_THAT(saga.Running(), IsEmpty());
  saga.Resume().Complete("undo_a");
  EXPECT_EQ(saga.Status(), "cancelled");
}

TEST(Resume, StartsAttemptsThatWereStoppedWithTheEngine) {
  CoreDriver line(kLine);
  line.Start().Pause().Interrupt("a", Interruption::kShutdown);
  EXPECT_EQ(line.Do(model::RestartAttempt{line.Run("a")})->code, ErrorCode::kWrongState);
  line.Resume();
  EXPECT_THAT(line.Running(), ElementsAre("a"));
}

TEST(Step, StartsOneThingAndStaysPaused) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: c, type: script, depends_on: [a, b]}
)");
  flow.StartPaused();
  EXPECT_THAT(flow.Held(), ElementsAre("a", "b"));
  flow.Step();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  EXPECT_THAT(flow.Held(), ElementsAre("b"));
  flow.Complete("a").Step().Complete("b").Step();
  EXPECT_THAT(flow.Running(), ElementsAre("c"));
  EXPECT_EQ(flow.Status(), "paused");
}

TEST(Step, DecidesAboutOneFailure) {
  CoreDriver flow(R"(
id: flow
error_handling: park
steps: [{id: a, type: script}, {id: b, type: script}]
)");
  flow.Start().Pause().Fail("a").Fail("b").Step();
  EXPECT_THAT(flow.Parked(), ElementsAre("a"));
  EXPECT_THAT(flow.In(model::RunState::kFailing), ElementsAre("b"));
  flow.Step();
  EXPECT_THAT(flow.Parked(), ElementsAre("a", "b"));
}

TEST(Step, OfSeveralStartsSoMany) {
  CoreDriver flow(R"(
id: flow
steps: [{id: a, type: script}, {id: b, type: script}, {id: c, type: script}]
)");
  flow.StartPaused().Step(2);
  EXPECT_THAT(flow.Running(), ElementsAre("a", "b"));
  EXPECT_THAT(flow.Held(), ElementsAre("c"));
}

std::string TextOf(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

// Every example comes to its end when nothing but single steps lets it go on.
TEST(Step, BringsEveryExampleToItsEnd) {
  size_t examples = 0;
  for (const auto& file : std::filesystem::directory_iterator(STELE_SOURCE_DIR "/examples")) {
    if (file.path().extension() != ".yml") continue;
    const auto loaded = definition::Load(TextOf(file.path()), definition::Syntax::kYaml, "example");
    ASSERT_TRUE(loaded.has_value()) << loaded.error()[0].message;
    SCOPED_TRACE(file.path().filename());
    ++examples;
    CoreDriver driver(*loaded);
    RandomCourse course(driver, 1);
    driver.StartPaused();
    EXPECT_TRUE(course.FinishStepByStep());
  }
  EXPECT_GT(examples, 5u);
}

}  // namespace
}  // namespace stele::test
