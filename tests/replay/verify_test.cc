#include "replay/verify.h"

#include <gmock/gmock.h>

#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

using testing::HasSubstr;

TEST(Verify, CountsWhatItHasDecidedAgain) {
  RecordedLog log;
  model::Instance one = log.Start(1), two = log.Start(2);
  log.Decide(one, Complete(1));
  log.Decide(two, model::FailAttempt{.run = RunId(1), .kind = "exit", .message = "no"});
  log.Decide(one, Complete(2));
  ASSERT_EQ(one.status, model::Status::kCompleted);
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->records, 6u);
  EXPECT_EQ(report->instances, 2u);
  EXPECT_EQ(report->open, 1u);
  EXPECT_EQ(report->definitions, 1u);
}

TEST(Verify, NamesPositionSeqAndBothEventsWhenADecisionDiffers) {
  RecordedLog log;
  const model::Instance one = log.Start(1);
  log.Append(one.id, one.seq.Next(),
             {model::AttemptCompleted{.run = RunId(1), .output = Payload::FromText("{}")},
              model::StepFailed{.run = RunId(1), .kind = "made up"}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("position 3"));
  EXPECT_THAT(report.error().message, HasSubstr("step_completed"));
  EXPECT_THAT(report.error().message, HasSubstr("made up"));
  EXPECT_THAT(report.error().message, HasSubstr("seq " + std::to_string(one.seq.value + 2)));
}

TEST(Verify, NamesACauseThatIsRefused) {
  RecordedLog log;
  const model::Instance one = log.Start(1);
  log.Append(one.id, one.seq.Next(), {model::AttemptCompleted{.run = RunId(9)}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("refusal"));
}

TEST(Verify, NamesAGapInAHistory) {
  RecordedLog log;
  const model::Instance one = log.Start(1);
  log.Append(one.id, one.seq.Plus(2), {model::InstanceTerminated{}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_THAT(report.error().message, HasSubstr("position 3"));
}

TEST(Verify, NamesARecordBehindAnInstancesEnd) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, model::TerminateInstance{});
  log.Append(one.id, one.seq.Next(), {model::InstanceTerminated{}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_THAT(report.error().message, HasSubstr("has ended"));
}

TEST(Verify, NamesARegistrationOutOfOrder) {
  RecordedLog log;
  log.Append(InstanceId(), Seq(2), {model::DefinitionRegistered{DefinitionId(7), "x", 1, "{}"}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("position 2"));
}

}  // namespace
}  // namespace stele::replay
