// A store that is opened to be read: nothing of it changes, and nothing can be written.
#include <gtest/gtest.h>
#include <rocksdb/db.h>

#include <filesystem>
#include <fstream>
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

// A database as a crash leaves it that came while its families were made.
void MakeWithoutFamilies(const std::string& where) {
  fs::remove_all(where);
  rocksdb::Options options;
  options.create_if_missing = true;
  rocksdb::DB* db = nullptr;
  ASSERT_TRUE(rocksdb::DB::Open(options, where, &db).ok());
  delete db;
}

TEST_F(ReadOnlyStore, DoesWithoutAStateThatWasNotMadeToItsEnd) {
  MakeWithoutFamilies(path() + "/state");
  const auto store = OpenRocksDbStore(path(), ToRead());
  ASSERT_OK(store);
  EXPECT_EQ(ReadLog(**store).size(), 23u);
  EXPECT_EQ(ReadHistory(**store, 1, 1).size(), 13u);
  EXPECT_EQ((*store)->ReadCheckpoint(kShard)->position, Position());
}

TEST_F(ReadOnlyStore, IsNotThereWhenTheLogWasNotMadeToItsEnd) {
  fs::remove_all(path() + "/state");
  MakeWithoutFamilies(path() + "/log");
  const auto store = OpenRocksDbStore(path(), ToRead());
  ASSERT_FALSE(store.has_value());
  EXPECT_EQ(store.error().code, ErrorCode::kStoreNotFound) << store.error().message;
  // Whoever writes makes the rest.
  EXPECT_OK(OpenRocksDbStore(path(), {}));
  EXPECT_OK(OpenRocksDbStore(path(), ToRead()));
}

TEST_F(ReadOnlyStore, IsDamagedWhenItsManifestCannotBeRead) {
  for (const auto& entry : fs::directory_iterator(path() + "/log"))
    if (entry.path().filename().string().starts_with("MANIFEST"))
      std::ofstream(entry.path(), std::ios::binary) << "not a manifest";
  EXPECT_CODE(OpenRocksDbStore(path(), ToRead()), kStoreCorrupt);
}

TEST_F(ReadOnlyStore, SaysOfDamageInTheStateThatItCanBeMadeAnew) {
  for (const auto& entry : fs::directory_iterator(path() + "/state")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(3);
    file.put('\xff').put('\xff');
  }
  const auto store = OpenRocksDbStore(path(), ToRead());
  const auto snapshot = store.has_value()
                            ? (*store)->GetSnapshot(kShard, InstanceId(1))
                            : Result<std::optional<Snapshot>>(std::unexpected(store.error()));
  ASSERT_FALSE(snapshot.has_value());
  EXPECT_EQ(snapshot.error().code, ErrorCode::kStoreCorrupt);
  EXPECT_NE(snapshot.error().message.find("can be rebuilt from the log beside it: delete it"),
            std::string::npos)
      << snapshot.error().message;
}

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
