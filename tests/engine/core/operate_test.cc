// Which command is taken in which state, and the deadlines of an instance.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

constexpr std::string_view kSaga = R"(
id: saga
timeout: 60s
error_handling: compensate
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)";

TEST(Terminate, EndsAtOnce) {
  CoreDriver saga(kSaga);
  saga.Start().Complete("a");
  EXPECT_FALSE(saga.Do(model::TerminateInstance{"enough"}).has_value());
  EXPECT_THAT(saga.Last(), ElementsAre("terminated"));
  EXPECT_EQ(saga.Status(), "terminated");
}

TEST(Terminate, EndsWhatUndoesOrIsParkedToo) {
  CoreDriver saga(kSaga);
  saga.Start().Complete("a").Fail("b").Fail("undo_a");
  EXPECT_FALSE(saga.Do(model::TerminateInstance{"enough"}).has_value());
  EXPECT_EQ(saga.Status(), "terminated");
}

TEST(Deadline, OfTheInstanceEndsItAsItsStrategySays) {
  CoreDriver saga(kSaga);
  saga.Start().Complete("a");
  EXPECT_EQ(saga.NextTimerInMs(), 60'000);
  saga.Elapse();
  EXPECT_EQ(saga.Count("b: cancelled"), 1u);
  EXPECT_EQ(saga.Status(), "compensating");
  EXPECT_EQ(saga.NextTimerInMs(), -1) << "undoing has no deadline";
  saga.Complete("undo_a");
  EXPECT_EQ(saga.Status(), "failed");
  EXPECT_EQ(saga.Failure(), "deadline");
}

TEST(Deadline, DoesNotCutOffWhatUndoes) {
  CoreDriver saga(kSaga);
  saga.Start().Complete("a").Fail("b");
  EXPECT_EQ(saga.NextTimerInMs(), -1);
}

using ErrorCode::kInstanceEnded;
using ErrorCode::kStaleAttempt;
using ErrorCode::kUnknownInstance;
using ErrorCode::kUnknownRun;
using ErrorCode::kWrongState;

// What each command, with run 1 at attempt 1, is refused with; nothing: it is taken.
struct Row {
  std::string_view state;
  std::optional<ErrorCode> start, complete, fail, interrupt, restart, elapse, cancel, terminate,
      resolve;
};

constexpr std::optional<ErrorCode> kTaken;
const Row kTable[] = {
    {"none", kTaken, kUnknownRun, kUnknownRun, kUnknownRun, kUnknownRun, kStaleAttempt,
     kUnknownInstance, kUnknownInstance, kWrongState},
    {"attempt", kWrongState, kTaken, kTaken, kTaken, kWrongState, kStaleAttempt, kTaken, kTaken,
     kWrongState},
    {"held", kWrongState, kStaleAttempt, kStaleAttempt, kStaleAttempt, kTaken, kStaleAttempt,
     kTaken, kTaken, kWrongState},
    {"backoff", kWrongState, kStaleAttempt, kStaleAttempt, kStaleAttempt, kWrongState, kTaken,
     kTaken, kTaken, kWrongState},
    {"parked", kWrongState, kStaleAttempt, kStaleAttempt, kStaleAttempt, kWrongState, kStaleAttempt,
     kTaken, kTaken, kTaken},
    {"completed", kWrongState, kUnknownRun, kUnknownRun, kUnknownRun, kUnknownRun, kStaleAttempt,
     kInstanceEnded, kInstanceEnded, kWrongState},
    {"cancelled", kWrongState, kUnknownRun, kUnknownRun, kUnknownRun, kUnknownRun, kStaleAttempt,
     kInstanceEnded, kInstanceEnded, kWrongState},
    {"terminated", kWrongState, kUnknownRun, kUnknownRun, kUnknownRun, kUnknownRun, kStaleAttempt,
     kInstanceEnded, kInstanceEnded, kWrongState},
};

CoreDriver In(std::string_view state) {
  CoreDriver one(R"(
id: one
error_handling: park
steps: [{id: a, type: script, retry: {max_attempts: 2, initial_delay: 0s}}]
)");
  if (state == "none") return one;
  one.Start();
  if (state == "held") one.Interrupt("a", Interruption::kShutdown);
  if (state == "backoff") one.Fail("a");
  if (state == "parked") one.Fail("a", "final", /*retryable=*/false);
  if (state == "completed") one.Complete("a");
  if (state == "cancelled") one.Cancel();
  if (state == "terminated") {
    EXPECT_FALSE(one.Do(model::TerminateInstance{}).has_value());
  }
  return one;
}

TEST(Commands, AreTakenOrRefusedAsTheStateSays) {
  for (const Row& row : kTable) {
    const auto expect = [&](std::optional<ErrorCode> expected, const model::Command& command) {
      CoreDriver one = In(row.state);
      const std::optional<Rejection> rejection = one.Do(command);
      const std::string what = fmt::format("command {} in state {}", command.index(), row.state);
      ASSERT_EQ(rejection.has_value(), expected.has_value())
          << what << (rejection ? rejection->ToString() : "");
      if (expected) {
        EXPECT_EQ(rejection->code, *expected) << what;
      }
    };
    expect(row.start, model::StartInstance{.definition = DefinitionId(1)});
    expect(row.complete, model::CompleteAttempt{.run = RunId(1)});
    expect(row.fail, model::FailAttempt{.run = RunId(1), .kind = "boom"});
    expect(row.interrupt, model::InterruptAttempt{.run = RunId(1)});
    expect(row.restart, model::RestartAttempt{RunId(1)});
    expect(row.elapse, model::ElapseTimer{model::TimerKind::kRetry, RunId(1), 1});
    expect(row.cancel, model::CancelInstance{});
    expect(row.terminate, model::TerminateInstance{});
    expect(row.resolve, model::ResolveIncident{RunId(1)});
  }
}

}  // namespace
}  // namespace stele::test
