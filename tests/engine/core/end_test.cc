// The end of an instance by an operator or by its deadline.
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

}  // namespace
}  // namespace stele::test
