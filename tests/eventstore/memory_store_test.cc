#include "eventstore/memory_store.h"

#include <gtest/gtest.h>

#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// Three blocks of two records, the third under the fault; how many a restart finds.
struct Outcome {
  bool acknowledged;
  size_t found;
};
Outcome RunWithFault(WriteFault fault) {
  MemoryStore store;
  store.InjectFault(3, fault);
  EXPECT_OK(AppendNext(store, RoundRobin(2, 1, 1)));
  EXPECT_OK(AppendNext(store, RoundRobin(2, 1, 3)));
  const bool acknowledged = AppendNext(store, RoundRobin(2, 1, 5)).has_value();
  if (!acknowledged) {
    EXPECT_EQ(store.NextPosition(kShard), Position(5));
    const auto again = AppendNext(store, RoundRobin(2, 1, 5));
    EXPECT_EQ(again.error().code, ErrorCode::kStoreWriteFailed);
  }
  const auto after = store.Crash();
  EXPECT_OK(AppendNext(*after, RoundRobin(1, 1, 9)));
  EXPECT_OK(after->VerifyChain(kShard));
  EXPECT_EQ(ReadHistory(*after, 1).size(), ReadLog(*after).size());
  return {acknowledged, ReadLog(*after).size() - 1};
}

TEST(MemoryStore, HasNothingOfAWriteThatFailed) {
  const Outcome outcome = RunWithFault(WriteFault::kNothingWritten);
  EXPECT_FALSE(outcome.acknowledged);
  EXPECT_EQ(outcome.found, 4u);
}

TEST(MemoryStore, DropsATornBlock) {
  const Outcome outcome = RunWithFault(WriteFault::kTorn);
  EXPECT_FALSE(outcome.acknowledged);
  EXPECT_EQ(outcome.found, 4u);
}

TEST(MemoryStore, FindsABlockWhoseSyncAloneFailed) {
  const Outcome outcome = RunWithFault(WriteFault::kWritten);
  EXPECT_FALSE(outcome.acknowledged);
  EXPECT_EQ(outcome.found, 6u);
}

TEST(MemoryStore, LosesWhatALyingDiskAcknowledged) {
  const Outcome outcome = RunWithFault(WriteFault::kLost);
  EXPECT_TRUE(outcome.acknowledged);
  EXPECT_EQ(outcome.found, 4u);
}

TEST(MemoryStore, LosesEverythingBehindALostWrite) {
  MemoryStore store;
  store.InjectFault(2, WriteFault::kLost);
  for (uint64_t i = 0; i < 4; ++i) ASSERT_OK(AppendNext(store, RoundRobin(1, 1, 1 + i)));
  EXPECT_EQ(ReadLog(store).size(), 4u);
  EXPECT_EQ(ReadLog(*store.Crash()).size(), 1u);
}

TEST(MemoryStore, KeepsOfTheLatestPutsWhatACrashLeaves) {
  MemoryStore store;
  ASSERT_OK(AppendNext(store, RoundRobin(4, 1, 1)));
  ASSERT_OK(store.PutSnapshot(kShard, InstanceId(1), {Seq(1), Position(1), "one"}));
  ASSERT_OK(store.WriteCheckpoint(kShard, {Position(1), ""}));
  ASSERT_OK(store.PutSnapshot(kShard, InstanceId(1), {Seq(2), Position(2), "two"}));
  ASSERT_OK(store.PutOpen(kShard, InstanceId(1), ""));
  ASSERT_EQ(store.unflushed_puts(), 2u);
  const auto open = [](const MemoryStore& s) {
    size_t count = 0;
    EXPECT_OK(s.ForEachOpen(kShard, [&](InstanceId, std::string_view) { ++count; }));
    return count;
  };
  const auto none = store.Crash(0), some = store.Crash(1), all = store.Crash(2);
  EXPECT_EQ((*none->GetSnapshot(kShard, InstanceId(1)))->state, "one");
  EXPECT_EQ((*some->GetSnapshot(kShard, InstanceId(1)))->state, "two");
  EXPECT_EQ(open(*some), 0u);
  EXPECT_EQ(open(*all), 1u);
  EXPECT_EQ(none->ReadCheckpoint(kShard)->position, Position(1));
}

TEST(MemoryStore, TellsItsHookBeforeEachWrite) {
  MemoryStore store;
  std::vector<uint64_t> numbers;
  store.OnWrite([&](uint64_t number) {
    numbers.push_back(number);
    EXPECT_EQ(ReadLog(*store.Crash()).size(), number - 1);
  });
  ASSERT_OK(AppendNext(store, RoundRobin(1, 1, 1)));
  ASSERT_OK(AppendNext(store, RoundRobin(1, 1, 2)));
  EXPECT_EQ(numbers, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(store.writes(), 2u);
}

}  // namespace
}  // namespace stele::eventstore
