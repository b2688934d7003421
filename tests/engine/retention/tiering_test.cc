// What leaves the hot log, by its age and by its size.
#include "engine/retention/tiering.h"

#include <gtest/gtest.h>

#include "tests/engine/retention/retained.h"

namespace stele::retention {
namespace {

// Each an append of its own, a second after the one before.
void AppendRecords(eventstore::MemoryStore& store, int count) {
  for (int i = 0; i < count; ++i) {
    eventstore::Batch batch;
    const Position next = store.NextPosition(ShardId());
    batch.Add({.instance = InstanceId(next.value),
               .first_seq = Seq(1),
               .event_count = 1,
               .time = TimeUs(static_cast<int64_t>(next.value) * 1'000'000),
               .actor = "test"},
              "a body of three words...");
    ASSERT_TRUE(store.Append(ShardId(), next, batch).has_value());
  }
}

TEST(Tiering, FindsTheFirstRecordThatIsNotOlder) {
  eventstore::MemoryStore store;
  AppendRecords(store, 100);
  const auto at = [&](int64_t seconds) {
    const auto found = FirstNotBefore(store, ShardId(), TimeUs(seconds * 1'000'000));
    EXPECT_TRUE(found.has_value());
    return found->value;
  };
  EXPECT_EQ(at(0), 1u);
  EXPECT_EQ(at(1), 1u);
  EXPECT_EQ(at(50), 50u);
  EXPECT_EQ(at(100), 100u);
  EXPECT_EQ(at(101), 101u);
  ASSERT_TRUE(store.Archive(ShardId(), Position(60)).has_value());
  EXPECT_EQ(at(50), 60u) << "what is archived is not looked at";
}

TEST(Tiering, ArchivesWhatIsOldAndNothingTwice) {
  eventstore::MemoryStore store;
  AppendRecords(store, 100);
  const RetentionPolicy policy{.archive_after_us = 40'000'000};
  auto report = Tier(store, ShardId(), policy, TimeUs(100'000'000), {});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->records, 59u);
  EXPECT_EQ(store.ArchivedTo(ShardId()), Position(60));
  report = Tier(store, ShardId(), policy, TimeUs(100'000'000), {});
  ASSERT_TRUE(report.has_value());
  EXPECT_EQ(report->records, 0u);
}

TEST(Tiering, ArchivesThroughARecordAndLittleMore) {
  eventstore::MemoryStore store;
  AppendRecords(store, 100);
  ASSERT_TRUE(ArchiveThrough(store, ShardId(), Position(10), Position(100), {}).has_value());
  EXPECT_EQ(store.ArchivedTo(ShardId()), Position(11));
  EXPECT_FALSE(ArchiveThrough(store, ShardId(), Position(50), Position(50), {}).has_value());
}

}  // namespace
}  // namespace stele::retention
