// A store that is opened to be read: nothing of it changes, and nothing can be written.
#include <gtest/gtest.h>

#include <filesystem>
#include <map>

#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

namespace fs = std::filesystem;

constexpr ShardId kShard(0);

RocksDbOptions ToRead() {
  RocksDbOptions options;
  options.read_only = true;
  return options;
}

using Files = std::map<std::string, std::pair<uintmax_t, fs::file_time_type>>;
Files FilesIn(const std::string& directory) {
  Files files;
  for (const auto& entry : fs::recursive_directory_iterator(directory))
    files[entry.path().string()] = {entry.is_directory() ? 0 : entry.file_size(),
                                    entry.last_write_time()};
  return files;
}

class ReadOnlyStore : public testing::Test {
 protected:
  ReadOnlyStore() {
    RocksDbOptions options;
    options.index_chunk_records = 8;
    auto store = OpenRocksDbStore(directory_.path(), options);
    EXPECT_OK(store);
    for (uint64_t seq = 1; seq <= 5; ++seq)
      EXPECT_OK(AppendNext(**store, RoundRobin(4, 2, seq * 2 - 1)));
    EXPECT_OK((*store)->PutSnapshot(kShard, InstanceId(1), {Seq(2), Position(3), "as it was"}));
    EXPECT_OK((*store)->WriteCheckpoint(kShard, {Position(4), "runtime"}));
    EXPECT_OK(AppendNext(**store, RoundRobin(3, 1, 11)));
  }
  const std::string& path() const { return directory_.path(); }

 private:
  TempDir directory_;
};

TEST_F(ReadOnlyStore, ShowsAllThatIsThereAndLeavesItAlone) {
  const Files before = FilesIn(path());
  {
    const auto store = OpenRocksDbStore(path(), ToRead());
    ASSERT_OK(store);
    EXPECT_EQ(ReadLog(**store).size(), 23u);
    EXPECT_EQ(ReadHistory(**store, 1, 1).size(), 13u);
    EXPECT_EQ((*store)->GetSnapshot(kShard, InstanceId(1))->value().state, "as it was");
    EXPECT_EQ((*store)->ReadCheckpoint(kShard)->position, Position(4));
    EXPECT_EQ(*(*store)->VerifyChain(kShard), 23u);
  }
  EXPECT_TRUE(FilesIn(path()) == before);
}

TEST_F(ReadOnlyStore, RefusesWhatWrites) {
  const Files before = FilesIn(path());
  {
    const auto store = OpenRocksDbStore(path(), ToRead());
    ASSERT_OK(store);
    EXPECT_CODE(AppendNext(**store, RoundRobin(1, 1, 20)), kStoreWriteFailed);
    EXPECT_CODE((*store)->PutOpen(kShard, InstanceId(1), ""), kStoreWriteFailed);
    EXPECT_CODE((*store)->WriteCheckpoint(kShard, {Position(5), ""}), kStoreWriteFailed);
    EXPECT_CODE((*store)->Archive(kShard, Position(9)), kStoreWriteFailed);
  }
  EXPECT_TRUE(FilesIn(path()) == before);
}

TEST_F(ReadOnlyStore, IsReadWithoutItsState) {
  fs::remove_all(path() + "/state");
  const auto store = OpenRocksDbStore(path(), ToRead());
  ASSERT_OK(store);
  EXPECT_EQ(ReadHistory(**store, 2, 1).size(), 10u);
  EXPECT_FALSE(fs::exists(path() + "/state"));
}

TEST_F(ReadOnlyStore, IsNotMade) {
  TempDir empty;
  EXPECT_CODE(OpenRocksDbStore(empty.path(), ToRead()), kStoreNotFound);
  EXPECT_TRUE(fs::is_empty(empty.path()));
}

TEST_F(ReadOnlyStore, HasManyReaders) {
  const auto one = OpenRocksDbStore(path(), ToRead());
  const auto two = OpenRocksDbStore(path(), ToRead());
  ASSERT_OK(one);
  ASSERT_OK(two);
  EXPECT_EQ(ReadLog(**one).size(), ReadLog(**two).size());
}

}  // namespace
}  // namespace stele::eventstore
