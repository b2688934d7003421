// What every store that seals payloads owes its users, whatever it is made of.
#include <gtest/gtest.h>

#include "eventstore/block_sealer.h"
#include "tests/eventstore/backends.h"
#include "tests/eventstore/sealed_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class SealingStore : public testing::TestWithParam<BackendCase> {
 protected:
  EventStore& store() { return backend_->store(); }
  void Reopen() { backend_->Reopen(); }
  Status Destroy(const std::vector<uint64_t>& instances,
                 const std::vector<uint64_t>& records = {}) {
    std::vector<InstanceId> ids;
    for (const uint64_t instance : instances) ids.push_back(InstanceId(instance));
    std::vector<Position> positions;
    for (const uint64_t record : records) positions.push_back(Position(record));
    return store().DestroyKeys(kShard, ids, positions);
  }
  void ExpectDestroyed(uint64_t instance, bool destroyed) {
    const auto found = store().KeyDestroyed(kShard, InstanceId(instance));
    ASSERT_OK(found);
    EXPECT_EQ(*found, destroyed) << "instance " << instance;
  }
  std::optional<Snapshot> SnapshotOf(uint64_t instance) {
    auto snapshot = store().GetSnapshot(kShard, InstanceId(instance));
    EXPECT_OK(snapshot);
    return snapshot ? std::move(*snapshot) : std::nullopt;
  }

 private:
  std::unique_ptr<Backend> backend_ = GetParam().make();
};

INSTANTIATE_TEST_SUITE_P(Stores, SealingStore,
                         testing::ValuesIn(Backends(std::make_shared<TestPayloads>())),
                         [](const auto& info) { return info.param.name; });

TEST_P(SealingStore, GivesPayloadsBackBeforeAndAfterReopening) {
  AppendSecrets(store(), 3, 1, 20);
  for (int round = 0; round < 2; ++round) {
    for (uint64_t instance = 1; instance <= 3; ++instance) ExpectSecrets(store(), instance, 20);
    const auto records = ReadLog(store());
    ASSERT_EQ(records.size(), 60u);
    EXPECT_EQ(PayloadsOf(records[5].body).front(), SecretOf(3, 2));
    EXPECT_EQ(store().VerifyChain(kShard), 60u);
    Reopen();
  }
  AppendSecrets(store(), 3, 21, 5);
  for (uint64_t instance = 1; instance <= 3; ++instance) ExpectSecrets(store(), instance, 25);
}

TEST_P(SealingStore, WritesNoPayloadInClear) {
  Batch batch;
  AddSecret(&batch, 1, 1);
  SealedBlock clear, sealed;
  ASSERT_OK(BlockSealer().Seal(kShard, store().Tail(kShard), batch, &clear));
  EXPECT_NE(clear.value.find("secret-1-of-1"), std::string::npos) << "a search that finds nothing";
  ASSERT_OK(BlockSealer(store().payload_keys()).Seal(kShard, store().Tail(kShard), batch, &sealed));
  EXPECT_EQ(sealed.value.find("secret-1-of-1"), std::string::npos);
  ASSERT_EQ(sealed.keys.size(), 1u);
  ASSERT_OK(store().Write(sealed));
  ExpectSecrets(store(), 1, 1);
}

TEST_P(SealingStore, RefusesABodyInWhichPayloadsCannotBeFound) {
  Batch batch;
  batch.Add(HeaderFor(1, 1), "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF");
  EXPECT_CODE(AppendNext(store(), batch), kStoreCorrupt);
  EXPECT_EQ(store().NextPosition(kShard), Position(1));
}

TEST_P(SealingStore, HasNoPayloadsWhereKeysWereDestroyedAndAllElse) {
  AppendSecrets(store(), 4, 1, 30);
  ExpectDestroyed(2, false);
  ExpectSecrets(store(), 2, 30);  // so that its key is in memory
  ASSERT_OK(Destroy({2, 4, 77}));
  for (int round = 0; round < 2; ++round) {
    ExpectSecrets(store(), 1, 30);
    ExpectSecrets(store(), 2, 30, /*erased=*/true);
    ExpectSecrets(store(), 3, 30);
    ExpectSecrets(store(), 4, 30, /*erased=*/true);
    ExpectDestroyed(2, true);
    ExpectDestroyed(3, false);
    ExpectDestroyed(77, false);  // it never had one
    EXPECT_EQ(store().VerifyChain(kShard), 120u);
    ASSERT_OK(Destroy({2, 4}));  // once more
    Reopen();
  }
}

TEST_P(SealingStore, KeepsNoPayloadOfWhatIsRecordedAfterDestruction) {
  AppendSecrets(store(), 1, 1, 1);
  ASSERT_OK(Destroy({1}));
  AppendSecrets(store(), 1, 2, 1);
  Reopen();
  const auto records = ReadHistory(store(), 1);
  ASSERT_EQ(records.size(), 2u);
  EXPECT_TRUE(PayloadsOf(records[1].body).empty());
  EXPECT_EQ(records[1].body.find("secret"), std::string::npos);
}

TEST_P(SealingStore, HasAKeyForEachRecordOfTheRegistry) {
  AppendSecrets(store(), 1, 1, 1);
  Batch batch;
  for (uint64_t seq = 1; seq <= 3; ++seq) AddSecret(&batch, 0, seq);
  ASSERT_OK(AppendNext(store(), batch));  // positions 2 to 4
  ASSERT_OK(Destroy({}, {3}));
  for (int round = 0; round < 2; ++round) {
    const auto records = ReadLog(store());
    ASSERT_EQ(records.size(), 4u);
    EXPECT_EQ(PayloadsOf(records[1].body).front(), SecretOf(0, 1));
    EXPECT_TRUE(PayloadsOf(records[2].body).empty());
    EXPECT_EQ(PayloadsOf(records[3].body).front(), SecretOf(0, 3));
    Reopen();
  }
  EXPECT_CODE(Destroy({0}), kWrongState);
}

TEST_P(SealingStore, KeepsNoSnapshotOfAnInstanceWithoutKey) {
  AppendSecrets(store(), 2, 1, 3);
  for (const uint64_t instance : {1, 2})
    ASSERT_OK(store().PutSnapshot(kShard, InstanceId(instance), {Seq(3), Position(6), "early"}));
  ASSERT_OK(store().WriteCheckpoint(kShard, {Position(6), ""}));
  ASSERT_OK(store().PutSnapshot(kShard, InstanceId(1), {Seq(3), Position(6), "late"}));
  ASSERT_OK(Destroy({1}));
  EXPECT_EQ(SnapshotOf(1), std::nullopt);
  ASSERT_OK(store().PutSnapshot(kShard, InstanceId(1), {Seq(3), Position(6), "too late"}));
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(SnapshotOf(1), std::nullopt);
    EXPECT_TRUE(SnapshotOf(2).has_value());
    Reopen();
  }
}

TEST_P(SealingStore, EncryptsWhatIsDerivedAndInClearDoesNot) {
  EXPECT_NE(store().file_cipher(), nullptr);
  EXPECT_EQ(MemoryStore().file_cipher(), nullptr);
  EXPECT_EQ(MemoryStore().payload_keys(), nullptr);
  EXPECT_CODE(MemoryStore().DestroyKeys(kShard, {}, {}), kUnsupported);
}

// The row of a key and the first block that needs it are there together, or neither is.
TEST(SealingMemoryStore, FindsKeysWithTheirBlocksAfterAFailedWrite) {
  struct Case {
    WriteFault fault;
    size_t found;
  };
  for (const auto& [fault, found] : {Case{WriteFault::kNothingWritten, 1},
                                     {WriteFault::kTorn, 1},
                                     {WriteFault::kLost, 1},
                                     {WriteFault::kWritten, 2}}) {
    MemoryStore store(std::make_shared<TestPayloads>());
    store.InjectFault(2, fault);
    Batch first, second;
    AddSecret(&first, 1, 1);
    AddSecret(&second, 2, 1);
    ASSERT_OK(AppendNext(store, first));
    EXPECT_EQ(AppendNext(store, second).has_value(), fault == WriteFault::kLost);
    const auto after = store.Crash();
    ExpectSecrets(*after, 1, 1);
    ASSERT_EQ(ReadLog(*after).size(), found);
    if (found == 1) ASSERT_OK(AppendNext(*after, second));
    ExpectSecrets(*after, 2, 1);
    ExpectSecrets(*after->Crash(), 2, 1);
  }
}

}  // namespace
}  // namespace stele::eventstore
