#include "replay/history.h"

#include "engine/model/snapshot.h"
#include "replay/standing.h"
#include "replay/timeline.h"
#include "tests/replay/recorded_log.h"
#include "tests/support/definitions.h"

namespace stele::replay {
namespace {

TEST(ReadHistory, NumbersEventsWithoutGapsAndNamesTheActor) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  uint64_t next = 1;
  const Status read =
      ReadHistory(log.store, RecordedLog::kShard, one.id, [&](const HistoryEntry& entry) {
        EXPECT_EQ(entry.seq.value, next++);
        EXPECT_EQ(entry.actor, "test");
      });
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(next, one.seq.value + 1);
}

TEST(ReadHistory, RefusesAnInstanceThatHasNone) {
  RecordedLog log;
  for (const uint64_t id : {0, 5}) {
    const Status read = ReadHistory(log.store, RecordedLog::kShard, InstanceId(id),
                                    [](const HistoryEntry&) { FAIL(); });
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, ErrorCode::kUnknownInstance);
  }
}

TEST(ReadInstance, GivesTheStateThatTheEngineHad) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, Complete(1));
  const auto read = ReadInstance(log.store, RecordedLog::kShard, one.id);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(model::EncodeSnapshot(*read), model::EncodeSnapshot(one));
}

TEST(Timeline, KeepsTheAttemptsOfRunsThatHaveEnded) {
  RecordedLog log;
  model::Instance one = log.Start(1);
  log.Decide(one, model::InterruptAttempt{.run = RunId(1)});
  const auto registry = ReadRegistry(log.store, RecordedLog::kShard);
  ASSERT_TRUE(registry.has_value());
  Timeline timeline(*registry->definitions[0].definition);
  const Status read =
      ReadHistory(log.store, RecordedLog::kShard, one.id,
                  [&](const HistoryEntry& entry) { timeline.Apply(entry.event, entry.record); });
  ASSERT_TRUE(read.has_value());
  const StepLine* line = timeline.FindRun(RunId(1));
  ASSERT_NE(line, nullptr);
  EXPECT_EQ(line->label, "a");
  EXPECT_EQ(line->state, StepState::kBackoff);
  ASSERT_EQ(line->attempts.size(), 1u);
  EXPECT_EQ(line->attempts[0].state, AttemptState::kInterrupted);
  const Standing standing = StandingOf(one, *registry->definitions[0].definition);
  EXPECT_EQ(standing.motion, Motion::kWork);
  EXPECT_TRUE(standing.waits.empty()) << "for no operator either";
}

TEST(Timeline, EndsTheCompensationThatWasWaivedAndNoOther) {
  const auto definition = test::Load("id: flow\nsteps: [{id: a, type: script}]\n");
  Timeline timeline(*definition);
  const model::RecordContext record{Position(1), TimeUs(1)};
  for (const uint32_t run : {1, 2}) {
    timeline.Apply(
        model::StepActivated{
            .run = RunId(run), .of = RunId(10 + run), .purpose = model::Purpose::kCompensation},
        record);
    timeline.Apply(model::IncidentRaised{RunId(run), "boom", ""}, record);
  }
  timeline.Apply(model::CompensationWaived{RunId(12), ""}, record);
  EXPECT_EQ(timeline.FindRun(RunId(1))->state, StepState::kParked);
  EXPECT_EQ(timeline.FindRun(RunId(2))->state, StepState::kCancelled);
}

}  // namespace
}  // namespace stele::replay
