// Processes that die and disks that fill up: what was acknowledged is there afterwards.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>

#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// What a child process told before it ended.
struct Told {
  uint64_t durable = 0;
  uint64_t error = 0;
  bool killed = false;
};

Told RunChild(const std::string& mode, const std::string& path, uint64_t number = 0,
              const char* how = "") {
  // The shell is replaced by the child, whose signal is then the one that is seen here.
  const std::string command =
      fmt::format("exec '{}' {} '{}' {} {}", STELE_CRASH_CHILD, mode, path, number, how);
  FILE* output = popen(command.c_str(), "r");
  Told told;
  char what[16];
  unsigned long value = 0;
  while (fscanf(output, "%15s %lu", what, &value) == 2)
    (std::string_view(what) == "durable" ? told.durable : told.error) = value;
  const int status = pclose(output);
  told.killed = WIFSIGNALED(status);
  return told;
}

constexpr uint64_t Code(ErrorCode code) {
  return static_cast<uint64_t>(code);
}

// Instance 1 owns every record, and its events count from 1.
void ExpectSound(const std::string& path, uint64_t durable) {
  auto store = OpenRocksDbStore(path);
  ASSERT_OK(store);
  const auto verified = (*store)->VerifyChain(kShard);
  ASSERT_OK(verified);
  EXPECT_GE(*verified, durable);
  uint64_t seq = 0;
  for (const ReadRecord& record : ReadLog(**store)) ASSERT_EQ(record.seq, ++seq);
  EXPECT_EQ(ReadHistory(**store, 1).size(), *verified);
  EXPECT_OK(AppendNext(**store, RoundRobin(1, 1, *verified + 1)));
}

// A killed process leaves what it had written, a machine without power what was synced.
class Crash : public testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Ways, Crash, testing::Values("", "unplugged"), [](const auto& given) {
  return std::string(*given.param == '\0' ? "Killed" : "Unplugged");
});

TEST_P(Crash, LosesNothingThatWasAcknowledged) {
  TempDir directory;
  for (const uint64_t blocks : {1, 2, 7, 40}) {
    const Told told = RunChild("blocks", directory.path(), blocks, GetParam());
    ASSERT_TRUE(told.killed);
    ASSERT_GE(told.durable, 5 * blocks);
    ExpectSound(directory.path(), told.durable);
  }
}

TEST_P(Crash, InTheMiddleOfGroupCommitsLeavesWholeBlocks) {
  TempDir directory;
  for (const uint64_t count : {1, 300, 2000}) {
    const Told told = RunChild("commits", directory.path(), count, GetParam());
    ASSERT_TRUE(told.killed);
    ASSERT_GE(told.durable, count);
    ExpectSound(directory.path(), told.durable);
  }
}

TEST_P(Crash, TakesBackWhatWasPutAfterTheCheckpoint) {
  TempDir directory;
  const Told told = RunChild("checkpoint", directory.path(), 0, GetParam());
  ASSERT_TRUE(told.killed);
  ASSERT_EQ(told.durable, 9u);
  auto store = OpenRocksDbStore(directory.path());
  ASSERT_OK(store);
  EXPECT_EQ((*store)->ReadCheckpoint(kShard)->state, "at five");
  EXPECT_EQ((*(*store)->GetSnapshot(kShard, InstanceId(1)))->state, "five");
  size_t open = 0;
  ASSERT_OK((*store)->ForEachOpen(kShard, [&](InstanceId, std::string_view) { ++open; }));
  EXPECT_EQ(open, 1u);
}

TEST(KilledProcess, ReleasesTheLock) {
  TempDir directory;
  auto store = OpenRocksDbStore(directory.path());
  ASSERT_OK(store);
  const Told refused = RunChild("hold", directory.path());
  EXPECT_FALSE(refused.killed);
  EXPECT_EQ(refused.error, Code(ErrorCode::kStoreLocked));
  store->reset();
  EXPECT_TRUE(RunChild("hold", directory.path()).killed);
  EXPECT_OK(OpenRocksDbStore(directory.path()));
}

TEST(FullDisk, StopsTheStoreAndLosesNothingThatWasAcknowledged) {
  for (const uint64_t limit : {200'000, 203'001, 260'002}) {
    TempDir directory;
    const Told told = RunChild("full", directory.path(), limit);
    EXPECT_FALSE(told.killed);
    EXPECT_EQ(told.error, Code(ErrorCode::kStoreWriteFailed));
    ASSERT_GT(told.durable, 10u);
    ExpectSound(directory.path(), told.durable);
  }
}

}  // namespace
}  // namespace stele::eventstore
