// The part of a log that is behind a moment, found without reading the log.
#include "replay/moment.h"

#include "tests/eventstore/records.h"
#include "tests/replay/recorded_log.h"

namespace stele::replay {
namespace {

constexpr ShardId kShard = RecordedLog::kShard;

// Its record at position N was written at N milliseconds.
void Fill(RecordedLog& log) {
  for (uint64_t id = 1; id <= 20; ++id) {
    model::Instance instance = log.Start(id);
    log.Decide(instance, Complete(1));
  }
}

TEST(PositionAt, IsThatOfTheLastRecordThatWasNotLater) {
  RecordedLog log;
  EXPECT_EQ(PositionAt(log.store, kShard, TimeUs(999)), Position(0));
  Fill(log);
  const Position end(log.store.NextPosition(kShard).value - 1);
  ASSERT_EQ(end, Position(41));
  for (uint64_t position = 1; position <= end.value; ++position) {
    const auto time = static_cast<int64_t>(position) * 1'000;
    EXPECT_EQ(PositionAt(log.store, kShard, TimeUs(time - 1)), Position(position - 1));
    EXPECT_EQ(PositionAt(log.store, kShard, TimeUs(time)), Position(position));
  }
  EXPECT_EQ(PositionAt(log.store, kShard, TimeUs(INT64_MAX)), end);
}

TEST(PositionAt, OfRecordsOfTheSameTimeIsTheLast) {
  eventstore::MemoryStore store;
  for (const int64_t time : {5, 7, 7, 7, 9}) {
    eventstore::Batch batch;
    batch.Add({.instance = InstanceId(1), .first_seq = Seq(1), .time = TimeUs(time)}, "an event");
    ASSERT_OK(store.Append(kShard, store.NextPosition(kShard), batch));
  }
  EXPECT_EQ(PositionAt(store, kShard, TimeUs(7)), Position(4));
  EXPECT_EQ(PositionAt(store, kShard, TimeUs(8)), Position(4));
  EXPECT_EQ(PositionAt(store, kShard, TimeUs(6)), Position(1));
}

TEST(TimeAt, IsThatOfTheRecordAtThePosition) {
  RecordedLog log;
  EXPECT_EQ(TimeAt(log.store, kShard, Position(2)), TimeUs());
  Fill(log);
  EXPECT_EQ(TimeAt(log.store, kShard, Position(0)), TimeUs());
  EXPECT_EQ(TimeAt(log.store, kShard, Position(1)), TimeUs(1'000));
  EXPECT_EQ(TimeAt(log.store, kShard, Position(41)), TimeUs(41'000));
  EXPECT_EQ(TimeAt(log.store, kShard, Position(42)), TimeUs());
}

}  // namespace
}  // namespace stele::replay
