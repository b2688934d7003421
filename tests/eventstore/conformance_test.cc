// What every event store owes its users, whatever it is made of.
#include <gtest/gtest.h>

#include <functional>
#include <thread>

#include "eventstore/block_sealer.h"
#include "eventstore/format.h"
#include "tests/eventstore/backends.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class EventStoreTest : public testing::TestWithParam<BackendCase> {
 protected:
  EventStore& store() { return backend_->store(); }
  void Reopen() { backend_->Reopen(); }
  void Fill(uint32_t blocks, uint32_t records, uint64_t instances) {
    for (uint32_t i = 0; i < blocks; ++i)
      ASSERT_OK(AppendNext(store(), RoundRobin(records, instances, 1 + i * records / instances)));
  }

 private:
  std::unique_ptr<Backend> backend_ = GetParam().make();
};

// Sealed: a whole body is the payload.
class BodyPayloads final : public PayloadFinder {
 public:
  bool Find(std::string_view body, std::vector<PayloadSpan>* spans) const override {
    spans->clear();
    if (body.size() > 8) spans->push_back({0, 8, static_cast<uint32_t>(body.size() - 8)});
    return true;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, EventStoreTest, testing::ValuesIn(Backends(nullptr)),
                         [](const auto& info) { return info.param.name; });
INSTANTIATE_TEST_SUITE_P(SealingStores, EventStoreTest,
                         testing::ValuesIn(Backends(std::make_shared<BodyPayloads>())),
                         [](const auto& info) { return info.param.name; });

TEST_P(EventStoreTest, IsEmptyWhenNew) {
  EXPECT_EQ(store().NextPosition(kShard), Position(1));
  EXPECT_TRUE(ReadLog(store()).empty());
  EXPECT_TRUE(ReadHistory(store(), 1).empty());
  EXPECT_EQ(store().VerifyChain(kShard), 0u);
}

TEST_P(EventStoreTest, GivesBackWhatWasAppended) {
  ASSERT_OK(AppendNext(store(), RoundRobin(3, 2, 1)));
  ASSERT_OK(AppendNext(store(), RoundRobin(2, 1, 3)));
  const std::vector<ReadRecord> expected = {{1, 1, 1, BodyFor(1, 1), ""},
                                            {2, 2, 1, BodyFor(2, 1), ""},
                                            {3, 1, 2, BodyFor(1, 2), ""},
                                            {4, 1, 3, BodyFor(1, 3), "an operator"},
                                            {5, 1, 4, BodyFor(1, 4), ""}};
  EXPECT_EQ(ReadLog(store()), expected);
  EXPECT_EQ(store().NextPosition(kShard), Position(6));
  Reopen();
  EXPECT_EQ(ReadLog(store()), expected);
  EXPECT_EQ(store().NextPosition(kShard), Position(6));
}

TEST_P(EventStoreTest, ContinuesTheChainAfterReopening) {
  Fill(3, 4, 2);
  Reopen();
  Fill(3, 4, 2);
  Reopen();
  EXPECT_EQ(store().VerifyChain(kShard), 24u);
}

TEST_P(EventStoreTest, RefusesAWrongPositionAndStaysAsItWas) {
  Fill(1, 3, 1);
  const Batch batch = RoundRobin(1, 1, 4);
  EXPECT_CODE(store().Append(kShard, Position(3), batch), kStoreWrongPosition);
  EXPECT_CODE(store().Append(kShard, Position(5), batch), kStoreWrongPosition);
  EXPECT_EQ(store().NextPosition(kShard), Position(4));
  EXPECT_EQ(ReadLog(store()).size(), 3u);
  EXPECT_OK(store().Append(kShard, Position(4), batch));
}

TEST_P(EventStoreTest, RefusesABlockSealedBehindAnotherChain) {
  Fill(1, 3, 1);
  BlockSealer sealer;
  SealedBlock block;
  LogTail tail = store().Tail(kShard);
  tail.hash[0] ^= 1;
  ASSERT_OK(sealer.Seal(kShard, tail, RoundRobin(1, 1, 4), &block));
  EXPECT_CODE(store().Write(block), kStoreWrongPosition);
  EXPECT_EQ(store().VerifyChain(kShard), 3u);
}

TEST_P(EventStoreTest, RefusesAnEmptyBatch) {
  EXPECT_CODE(AppendNext(store(), Batch()), kLimitExceeded);
  EXPECT_EQ(store().NextPosition(kShard), Position(1));
}

TEST_P(EventStoreTest, ReadsFromAnyPosition) {
  Fill(4, 5, 2);
  for (uint64_t from = 0; from <= 22; ++from) {
    const auto records = ReadLog(store(), from);
    const uint64_t first = std::max<uint64_t>(from, 1);
    ASSERT_EQ(records.size(), first > 20 ? 0 : 21 - first) << from;
    if (!records.empty()) {
      EXPECT_EQ(records.front().position, first);
    }
  }
}

TEST_P(EventStoreTest, KeepsShardsApart) {
  ASSERT_OK(AppendNext(store(), RoundRobin(3, 1, 1), ShardId(1)));
  ASSERT_OK(AppendNext(store(), RoundRobin(2, 1, 1), ShardId(0)));
  ASSERT_OK(AppendNext(store(), RoundRobin(4, 1, 4), ShardId(1)));
  Reopen();
  EXPECT_EQ(ReadLog(store(), 1, ShardId(0)).size(), 2u);
  EXPECT_EQ(ReadLog(store(), 1, ShardId(1)).size(), 7u);
  EXPECT_EQ(ReadHistory(store(), 1, 1, ShardId(0)).size(), 2u);
  EXPECT_EQ(ReadHistory(store(), 1, 1, ShardId(1)).size(), 7u);
  EXPECT_EQ(store().VerifyChain(ShardId(0)), 2u);
  EXPECT_EQ(store().VerifyChain(ShardId(1)), 7u);
  EXPECT_EQ(store().NextPosition(ShardId(2)), Position(1));
}

TEST_P(EventStoreTest, ReadsAnInstanceOnBothSidesOfTheIndex) {
  Fill(25, 6, 3);
  for (int round = 0; round < 2; ++round) {
    for (uint64_t instance = 1; instance <= 3; ++instance) {
      for (uint64_t from : {1, 2, 7, 20, 21, 33, 49, 50}) {
        const auto records = ReadHistory(store(), instance, from);
        ASSERT_EQ(records.size(), 51 - from) << "instance " << instance << " from " << from;
        for (size_t i = 0; i < records.size(); ++i) {
          EXPECT_EQ(records[i].seq, from + i);
          EXPECT_EQ(records[i].body, BodyFor(instance, from + i));
        }
      }
      EXPECT_TRUE(ReadHistory(store(), instance, 51).empty());
    }
    EXPECT_TRUE(ReadHistory(store(), 4).empty());
    Reopen();
  }
}

TEST_P(EventStoreTest, FindsTheRecordThatHoldsAnEventInItsMiddle) {
  Batch batch;
  AddRecord(&batch, 1, 1, 5);
  AddRecord(&batch, 1, 6, 5);
  ASSERT_OK(AppendNext(store(), batch));
  EXPECT_EQ(ReadHistory(store(), 1, 5).size(), 2u);
  EXPECT_EQ(ReadHistory(store(), 1, 6).size(), 1u);
  EXPECT_EQ(ReadHistory(store(), 1, 10).size(), 1u);
  EXPECT_EQ(ReadHistory(store(), 1, 11).size(), 0u);
}

TEST_P(EventStoreTest, CursorsFollowTheTail) {
  auto log = store().Read(kShard, Position(1));
  auto history = store().ReadInstance(kShard, InstanceId(1), Seq(1));
  ASSERT_OK(log);
  ASSERT_OK(history);
  for (uint64_t round = 0; round < 12; ++round) {
    EXPECT_TRUE(ReadAll(**log).empty());
    EXPECT_TRUE(ReadAll(**history).empty());
    ASSERT_OK(AppendNext(store(), RoundRobin(6, 2, 1 + 3 * round)));
    const auto records = ReadAll(**log);
    ASSERT_EQ(records.size(), 6u);
    EXPECT_EQ(records.front().position, 6 * round + 1);
    const auto events = ReadAll(**history);
    ASSERT_EQ(events.size(), 3u);
    EXPECT_EQ(events.front().seq, 3 * round + 1);
  }
}

TEST_P(EventStoreTest, WaitsForRecordsOfAnotherThread) {
  EXPECT_FALSE(store().WaitForRecords(kShard, Position(1), 0, {}));
  std::thread writer([&] { EXPECT_OK(AppendNext(store(), RoundRobin(2, 1, 1))); });
  EXPECT_TRUE(store().WaitForRecords(kShard, Position(2), 60'000'000, {}));
  writer.join();
  EXPECT_EQ(ReadLog(store()).size(), 2u);
  EXPECT_TRUE(store().WaitForRecords(kShard, Position(2), 0, {}));
  EXPECT_FALSE(store().WaitForRecords(kShard, Position(3), 0, {}));
}

TEST_P(EventStoreTest, KeepsTheLatestSnapshot) {
  Fill(1, 5, 1);
  EXPECT_EQ(*store().GetSnapshot(kShard, InstanceId(1)), std::nullopt);
  ASSERT_OK(store().PutSnapshot(kShard, InstanceId(1), {Seq(2), Position(2), "two"}));
  ASSERT_OK(store().PutSnapshot(kShard, InstanceId(1), {Seq(4), Position(4), "four"}));
  for (int round = 0; round < 2; ++round) {
    auto snapshot = store().GetSnapshot(kShard, InstanceId(1));
    ASSERT_OK(snapshot);
    ASSERT_TRUE(snapshot->has_value());
    EXPECT_EQ((*snapshot)->seq, Seq(4));
    EXPECT_EQ((*snapshot)->position, Position(4));
    EXPECT_EQ((*snapshot)->state, "four");
    EXPECT_FALSE(store().GetSnapshot(kShard, InstanceId(2))->has_value());
    Reopen();
  }
}

TEST_P(EventStoreTest, RefusesASnapshotOfWhatIsNotDurable) {
  Fill(1, 5, 1);
  EXPECT_CODE(store().PutSnapshot(kShard, InstanceId(1), {Seq(6), Position(6), ""}),
              kStoreWrongPosition);
  EXPECT_CODE(store().WriteCheckpoint(kShard, {Position(6), ""}), kStoreWrongPosition);
}

TEST_P(EventStoreTest, ListsOpenInstancesInOrder) {
  ASSERT_OK(store().PutOpen(kShard, InstanceId(300), "c"));
  ASSERT_OK(store().PutOpen(kShard, InstanceId(2), "b"));
  ASSERT_OK(store().PutOpen(kShard, InstanceId(1), "gone"));
  ASSERT_OK(store().PutOpen(ShardId(1), InstanceId(5), "of another shard"));
  ASSERT_OK(store().PutOpen(kShard, InstanceId(2), "b again"));
  ASSERT_OK(store().EraseOpen(kShard, InstanceId(1)));
  for (int round = 0; round < 2; ++round) {
    std::vector<std::pair<uint64_t, std::string>> open;
    ASSERT_OK(store().ForEachOpen(kShard, [&](InstanceId instance, std::string_view summary) {
      open.emplace_back(instance.value, summary);
    }));
    const std::vector<std::pair<uint64_t, std::string>> expected = {{2, "b again"}, {300, "c"}};
    EXPECT_EQ(open, expected);
    Reopen();
  }
}

TEST_P(EventStoreTest, KeepsTheLatestCheckpoint) {
  Fill(1, 5, 1);
  EXPECT_EQ(store().ReadCheckpoint(kShard)->position, Position(0));
  ASSERT_OK(store().WriteCheckpoint(kShard, {Position(2), "early"}));
  ASSERT_OK(store().WriteCheckpoint(kShard, {Position(5), "late"}));
  Reopen();
  auto checkpoint = store().ReadCheckpoint(kShard);
  ASSERT_OK(checkpoint);
  EXPECT_EQ(checkpoint->position, Position(5));
  EXPECT_EQ(checkpoint->state, "late");
  EXPECT_EQ(store().VerifyChain(kShard), 5u);
}

TEST_P(EventStoreTest, TakesLargeRecords) {
  const std::string body(5 << 20, 'x');
  Batch batch;
  batch.Add(HeaderFor(1, 1), body);
  ASSERT_OK(AppendNext(store(), batch));
  Reopen();
  const auto records = ReadLog(store());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].body, body);
}

TEST_P(EventStoreTest, CountsWhatItStores) {
  const Batch batch = RoundRobin(50, 5, 1);
  ASSERT_OK(AppendNext(store(), batch));
  const StoreStats stats = store().Stats();
  const uint64_t seals = GetParam().sealed ? batch.count() * kSealBytes : 0;
  EXPECT_EQ(stats.raw_bytes, batch.bytes() + seals);
  EXPECT_GT(stats.appended_bytes, 0u);
  EXPECT_LT(stats.appended_bytes, stats.raw_bytes);
  EXPECT_GE(stats.log_bytes, stats.appended_bytes);
}

}  // namespace
}  // namespace stele::eventstore
