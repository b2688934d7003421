#include "eventstore/rocksdb_store.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "eventstore/committer.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

TEST(RocksDbStore, IsOfOneUserAtATime) {
  TempDir directory;
  auto first = OpenRocksDbStore(directory.path());
  ASSERT_OK(first);
  const auto second = OpenRocksDbStore(directory.path());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kStoreLocked);
  EXPECT_NE(second.error().message.find(directory.path()), std::string::npos)
      << second.error().message;
  first->reset();
  EXPECT_OK(OpenRocksDbStore(directory.path()));
}

TEST(RocksDbStore, IsNotFoundWhenItMustExist) {
  TempDir directory;
  RocksDbOptions options;
  options.create_if_missing = false;
  const std::string path = directory.path() + "/none";
  EXPECT_CODE(OpenRocksDbStore(path, options), kStoreNotFound);
  EXPECT_FALSE(std::filesystem::exists(path));
  ASSERT_OK(OpenRocksDbStore(path));
  EXPECT_OK(OpenRocksDbStore(path, options));
}

TEST(RocksDbStore, MakesAnewWhatAnEarlierStartBeganToMake) {
  TempDir directory;
  const std::string log = directory.path() + "/log";
  std::filesystem::create_directories(log);
  EXPECT_FALSE(HasRocksDbStore(directory.path()));
  for (const char* name : {"/LOCK", "/LOG", "/IDENTITY", "/MANIFEST-000001", "/000001.dbtmp"})
    std::ofstream(log + name) << "cut o";
  EXPECT_FALSE(HasRocksDbStore(directory.path()));
  {
    auto store = OpenRocksDbStore(directory.path());
    ASSERT_OK(store);
    ASSERT_OK(AppendNext(**store, RoundRobin(3, 1, 1)));
  }
  EXPECT_TRUE(HasRocksDbStore(directory.path()));
  auto store = OpenRocksDbStore(directory.path());
  ASSERT_OK(store);
  EXPECT_EQ(ReadHistory(**store, 1, 1).size(), 3u);
}

TEST(RocksDbStore, IsNeverMadeAnewOverALogsFiles) {
  TempDir directory;
  {
    auto store = OpenRocksDbStore(directory.path());
    ASSERT_OK(store);
    ASSERT_OK(AppendNext(**store, RoundRobin(3, 1, 1)));
  }
  const std::string current = directory.path() + "/log/CURRENT";
  std::filesystem::rename(current, directory.path() + "/kept");
  EXPECT_TRUE(HasRocksDbStore(directory.path()));
  EXPECT_CODE(OpenRocksDbStore(directory.path()), kStoreCorrupt);
  std::filesystem::rename(directory.path() + "/kept", current);
  auto store = OpenRocksDbStore(directory.path());
  ASSERT_OK(store);
  EXPECT_EQ(ReadHistory(**store, 1, 1).size(), 3u);
}

TEST(RocksDbStore, SaysWhatIsWrongWithADirectoryItCannotMake) {
  TempDir directory;
  std::ofstream(directory.path() + "/file") << "not a directory";
  EXPECT_CODE(OpenRocksDbStore(directory.path() + "/file/store"), kIo);
}

TEST(RocksDbStore, RebuildsTheIndexWhenTheStateIsDeleted) {
  TempDir directory;
  RocksDbOptions options;
  options.index_chunk_records = 50;
  {
    auto store = OpenRocksDbStore(directory.path(), options);
    ASSERT_OK(store);
    for (uint64_t i = 0; i < 40; ++i) ASSERT_OK(AppendNext(**store, RoundRobin(10, 5, 1 + 2 * i)));
    ASSERT_OK((*store)->WriteCheckpoint(kShard, {Position(100), "gone"}));
  }
  std::filesystem::remove_all(directory.path() + "/state");
  auto store = OpenRocksDbStore(directory.path(), options);
  ASSERT_OK(store);
  for (uint64_t instance = 1; instance <= 5; ++instance)
    EXPECT_EQ(ReadHistory(**store, instance, 11).size(), 70u);
  EXPECT_EQ((*store)->ReadCheckpoint(kShard)->position, Position(0));
}

TEST(RocksDbStore, WritesBlocksOfACommitterWhileTheIndexIsBuilt) {
  TempDir directory;
  RocksDbOptions options;
  options.index_chunk_records = 500;
  options.write_buffer_bytes = 64 << 10;  // so that tables are written and moved
  constexpr uint64_t kBatches = 200, kRecords = 50;
  {
    auto store = OpenRocksDbStore(directory.path(), options);
    ASSERT_OK(store);
    Committer committer(**store, kShard,
                        [](const Result<Position>& durable) { EXPECT_OK(durable); });
    for (uint64_t i = 0; i < kBatches; ++i) {
      Batch batch = RoundRobin(kRecords, 10, 1 + i * kRecords / 10);
      committer.Submit(batch);
      if (i % 20 != 0) continue;
      for (const ReadRecord& record : ReadHistory(**store, 1 + i % 10)) {
        ASSERT_EQ(record.body, BodyFor(1 + i % 10, record.seq));
      }
    }
    committer.Stop();
    EXPECT_EQ((*store)->NextPosition(kShard), Position(1 + kBatches * kRecords));
    EXPECT_EQ((*store)->VerifyChain(kShard), kBatches * kRecords);
  }
  auto store = OpenRocksDbStore(directory.path(), options);
  ASSERT_OK(store);
  EXPECT_EQ((*store)->VerifyChain(kShard), kBatches * kRecords);
  for (uint64_t instance = 1; instance <= 10; ++instance) {
    const auto records = ReadHistory(**store, instance);
    ASSERT_EQ(records.size(), kBatches * kRecords / 10);
    for (size_t i = 0; i < records.size(); ++i) ASSERT_EQ(records[i].seq, 1 + i);
  }
}

TEST(RocksDbStore, DoesNotRewriteTheLog) {
  TempDir directory;
  RocksDbOptions options;
  options.write_buffer_bytes = 64 << 10;
  auto store = OpenRocksDbStore(directory.path(), options);
  ASSERT_OK(store);
  for (uint64_t i = 0; i < 300; ++i) ASSERT_OK(AppendNext(**store, RoundRobin(200, 200, 1 + i)));
  const StoreStats stats = (*store)->Stats();
  EXPECT_GT(stats.flush_bytes_written, 0u);
  EXPECT_LT(stats.compaction_bytes_written, stats.appended_bytes / 20);
}

}  // namespace
}  // namespace stele::eventstore
