#include "replay/verify.h"

#include <gmock/gmock.h>

#include <functional>

#include "engine/model/snapshot.h"
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

model::ForkedState StateOf(model::Instance state) {
  return model::ForkedState(std::make_shared<const model::Instance>(std::move(state)));
}

model::ForkInstance ForkOf(RecordedLog& log, const model::Instance& origin) {
  const auto frame = log.store.Tree(RecordedLog::kShard)->Frame(origin.position);
  CHECK(frame.has_value() && frame->has_value(), "no record {}", origin.position.value);
  const eventstore::Hash leaf = eventstore::LeafHash(origin.position, **frame);
  return {.origin = origin.id,
          .origin_seq = origin.seq,
          .origin_hash = std::string(reinterpret_cast<const char*>(leaf.data()), leaf.size()),
          .origin_position = origin.position,
          .state = StateOf(model::CopyOf(origin))};
}

void Begin(RecordedLog& log, const model::ForkInstance& fork) {
  model::Instance instance;
  instance.id = InstanceId(2);
  log.Decide(instance, fork);
}

TEST(Verify, FollowsAForkOfWhatItsOriginWas) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  const model::ForkInstance fork = ForkOf(log, one);
  log.Decide(one, Complete(1));
  Begin(log, fork);
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->instances, 2u);
}

TEST(Verify, NamesAForkOfWhatItsOriginNeverWas) {
  struct Forgery {
    std::function<void(model::ForkInstance&)> forge;
    const char* said;
  };
  const Forgery forgeries[] = {
      {[](model::ForkInstance& fork) {
         model::Instance state = model::CopyOf(*fork.state);
         state.input = Payload::FromText(R"({"rate":7})");
         fork.state = StateOf(std::move(state));
       },
       "the state of instance 1"},
      {[](model::ForkInstance& fork) { fork.origin_seq = Seq(1); }, "the state of instance 1"},
      {[](model::ForkInstance& fork) { fork.origin_hash.back() ^= 1; }, "the hash of the record"},
      {[](model::ForkInstance& fork) { fork.origin_position = Position(3); },
       "a record before the fork's"},
      {[](model::ForkInstance& fork) { fork.origin = InstanceId(7); }, "no such instance"},
  };
  for (const Forgery& forgery : forgeries) {
    RecordedLog log;
    model::ForkInstance fork = ForkOf(log, log.Start(1));
    forgery.forge(fork);
    Begin(log, fork);
    const auto report = Verify(log.store, RecordedLog::kShard);
    ASSERT_FALSE(report.has_value()) << forgery.said;
    EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
    EXPECT_THAT(report.error().message, HasSubstr(forgery.said));
    EXPECT_THAT(report.error().message, HasSubstr("position 3"));
  }
}

// A step that no definition has, which nothing may look up.
TEST(Verify, DecidesNothingOnAStateThatItsOriginNeverHad) {
  RecordedLog log;
  const model::ForkInstance fork = ForkOf(log, log.Start(1));
  model::Instance forged = model::CopyOf(*fork.state);
  ASSERT_FALSE(forged.runs.empty());
  forged.runs[0].step = StepIndex(60'000);
  log.Append(InstanceId(2), Seq(1),
             {model::InstanceForked{.origin = fork.origin,
                                    .origin_seq = fork.origin_seq,
                                    .origin_hash = fork.origin_hash,
                                    .origin_position = fork.origin_position,
                                    .state = StateOf(std::move(forged))}});
  const auto report = Verify(log.store, RecordedLog::kShard);
  ASSERT_FALSE(report.has_value());
  EXPECT_EQ(report.error().code, ErrorCode::kReplayMismatch);
  EXPECT_THAT(report.error().message, HasSubstr("the state of instance 1"));
}

}  // namespace
}  // namespace stele::replay
