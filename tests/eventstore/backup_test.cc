// Backups: complete, incremental, made while the log is written.
#include "eventstore/backup.h"

#include <sys/stat.h>

#include <atomic>
#include <thread>

#include "eventstore/committer.h"
#include "eventstore/memory_store.h"
#include "tests/eventstore/backup_support.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class Backup : public testing::Test {
 protected:
  const std::string& root() const { return root_.path(); }
  std::string data() const { return root() + "/data"; }
  std::string directory() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }

 private:
  TempDir root_;
};

TEST_F(Backup, RestoresTheLogAndTheFilesBesideIt) {
  MakeLog(data(), 40);
  WriteBytes(data() + "/settings.json", "{}");
  WriteBytes(data() + "/secrets.stele", "sealed");
  WriteBytes(data() + "/a.key", "the key");
  std::filesystem::permissions(data() + "/secrets.stele", std::filesystem::perms(0600));
  const auto made = BackUp(data(), RequestFor(directory()));
  ASSERT_OK(made);
  EXPECT_EQ(made->manifest.id, 1u);
  EXPECT_EQ(made->manifest.made, kMade);
  ASSERT_EQ(made->manifest.shards.size(), 1u);
  EXPECT_EQ(made->manifest.shards[0].end.next, Position(121));
  EXPECT_EQ(made->manifest.shards[0].last_time, HeaderFor(1, 120).time);

  const auto restored = Restore(RestoreInto(directory(), target()));
  ASSERT_OK(restored);
  EXPECT_EQ(restored->backup, 1u);
  EXPECT_EQ(restored->records, 120u);
  EXPECT_EQ(restored->shards, made->manifest.shards);
  EXPECT_EQ(LogIn(target()), LogIn(data()));
  EXPECT_EQ(ReadBytes(target() + "/settings.json"), "{}");
  EXPECT_EQ(ReadBytes(target() + "/secrets.stele"), "sealed");
  struct stat secrets{};
  ASSERT_EQ(stat((target() + "/secrets.stele").c_str(), &secrets), 0);
  EXPECT_EQ(secrets.st_mode & 07777, 0600u);
  EXPECT_FALSE(std::filesystem::exists(target() + "/a.key"));
  EXPECT_FALSE(std::filesystem::exists(target() + ".restoring"));
}

TEST_F(Backup, OfAnEmptyLogRestoresToAnEmptyLog) {
  MakeLog(data(), 0);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  ASSERT_OK(VerifyBackups(directory()));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  EXPECT_TRUE(LogIn(target()).empty());
}

TEST_F(Backup, CopiesOnlyWhatIsNew) {
  MakeLog(data(), 2000);
  WriteBytes(data() + "/settings.json", "{}");
  const auto first = BackUp(data(), RequestFor(directory()));
  ASSERT_OK(first);
  EXPECT_EQ(first->new_bytes, first->manifest.bytes());
  MakeLog(data(), 1);
  const auto second = BackUp(data(), RequestFor(directory()));
  ASSERT_OK(second);
  EXPECT_LT(second->new_bytes, first->new_bytes / 10);
  EXPECT_GT(second->manifest.bytes(), first->manifest.bytes());
}

TEST_F(Backup, EachOneCanBeRestored) {
  for (uint64_t i = 1; i <= 3; ++i) {
    MakeLog(data(), 5);
    ASSERT_OK(BackUp(data(), RequestFor(directory())));
  }
  const auto verified = VerifyBackups(directory());
  ASSERT_OK(verified);
  ASSERT_EQ(verified->size(), 3u);
  for (uint32_t id = 1; id <= 3; ++id) {
    EXPECT_EQ((*verified)[id - 1].records, 15 * id);
    RestoreRequest request = RestoreInto(directory(), target() + std::to_string(id));
    request.backup = id;
    ASSERT_OK(Restore(request));
    EXPECT_EQ(LogIn(request.target).size(), 15 * id);
  }
  RestoreRequest request = RestoreInto(directory(), target());
  request.backup = 4;
  EXPECT_CODE(Restore(request), kStoreNotFound);
}

TEST_F(Backup, KeepsSoManyOfTheNewest) {
  for (uint64_t i = 1; i <= 4; ++i) {
    MakeLog(data(), 5);
    WriteBytes(data() + "/settings.json", std::to_string(i));
    BackupRequest request = RequestFor(directory());
    request.keep = 2;
    const auto made = BackUp(data(), request);
    ASSERT_OK(made);
    const std::vector<uint32_t> removed =
        i > 2 ? std::vector{uint32_t(i - 2)} : std::vector<uint32_t>();
    EXPECT_EQ(made->removed, removed);
  }
  const auto listed = ListBackups(directory());
  ASSERT_OK(listed);
  ASSERT_EQ(listed->size(), 2u);
  EXPECT_EQ((*listed)[0].id, 3u);
  EXPECT_EQ((*listed)[1].id, 4u);
  const std::filesystem::directory_iterator files(directory() + "/files");
  EXPECT_EQ(std::distance(begin(files), end(files)), 2);
  EXPECT_FALSE(std::filesystem::exists(directory() + "/manifests/2.json"));
  EXPECT_FALSE(std::filesystem::exists(directory() + "/log/private/2"));
  EXPECT_OK(VerifyBackups(directory()));
}

// The log goes on while it is copied: each backup ends where the log once ended, not before the
// call.
TEST_F(Backup, IsMadeUnderAFullLoadOfAppends) {
  RocksDbOptions options;
  options.write_buffer_bytes = 256 << 10;
  auto store = OpenRocksDbStore(data(), options);
  ASSERT_OK(store);
  std::atomic<bool> stop = false;
  std::atomic<bool> failed = false;
  std::thread load([&] {
    Committer committer(**store, kShard,
                        [&](const Result<Position>& durable) { failed = failed || !durable; });
    for (uint64_t next = 1; !stop; next += 50) {
      Batch batch = RoundRobin(50, 1, next);
      committer.Submit(batch);
      (*store)->WaitForRecords(kShard, Position(next > 5000 ? next - 5000 : 0), 1'000'000, {});
    }
  });
  uint64_t before = 1;
  for (uint32_t id = 1; id <= 6; ++id) {
    // The log grows between two backups, and so does what must be in the next one.
    ASSERT_TRUE((*store)->WaitForRecords(kShard, Position(before + 5000), 60'000'000, {}));
    before = (*store)->NextPosition(kShard).value;
    const auto made = (*store)->Backup(RequestFor(directory()));
    EXPECT_OK(made);
    EXPECT_TRUE(made && made->manifest.shards.at(0).end.next.value >= before);
  }
  stop = true;
  load.join();
  EXPECT_FALSE(failed);
  const std::vector<ReadRecord> all = ReadLog(**store);
  store->reset();
  const auto verified = VerifyBackups(directory());
  ASSERT_OK(verified);
  ASSERT_EQ(verified->size(), 6u);
  for (const VerifiedBackup& backup : *verified) {
    RestoreRequest request =
        RestoreInto(directory(), target() + std::to_string(backup.manifest.id));
    request.backup = backup.manifest.id;
    ASSERT_OK(Restore(request));
    const std::vector<ReadRecord> restored = LogIn(request.target);
    ASSERT_EQ(restored.size(), backup.records);
    EXPECT_TRUE(std::equal(restored.begin(), restored.end(), all.begin()));
  }
}

TEST_F(Backup, OfARestoredLogGoesOnInTheSameDirectory) {
  MakeLog(data(), 5);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  MakeLog(target(), 5);
  const auto made = BackUp(target(), RequestFor(directory()));
  ASSERT_OK(made);
  EXPECT_EQ(made->manifest.id, 2u);
  EXPECT_OK(VerifyBackups(directory()));
}

TEST_F(Backup, OfAnotherLogIsRefused) {
  MakeLog(data(), 5);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  MakeLog(root() + "/other", 1);
  EXPECT_CODE(BackUp(root() + "/other", RequestFor(directory())), kWrongDirectory);
  // A history that was cut and went on is another one.
  RestoreRequest request = RestoreInto(directory(), target());
  request.to_position = Position(7);
  ASSERT_OK(Restore(request));
  MakeLog(target(), 30);
  EXPECT_CODE(BackUp(target(), RequestFor(directory())), kWrongDirectory);
  EXPECT_EQ(ListBackups(directory())->size(), 1u);
}

TEST_F(Backup, ElsewhereThanApartFromTheDataIsRefused) {
  MakeLog(data(), 1);
  for (const std::string& place :
       {data(), data() + "/backups", data() + "/../data/log", root(), data() + "/"}) {
    EXPECT_CODE(BackUp(data(), RequestFor(place)), kWrongDirectory);
  }
  EXPECT_FALSE(std::filesystem::exists(data() + "/backups"));
  std::filesystem::create_directory(root() + "/full");
  WriteBytes(root() + "/full/letter", "dear");
  EXPECT_CODE(BackUp(data(), RequestFor(root() + "/full")), kWrongDirectory);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(root() + "/full"), {}), 1);
  WriteBytes(root() + "/file", "");
  EXPECT_CODE(BackUp(data(), RequestFor(root() + "/file")), kWrongDirectory);
}

TEST_F(Backup, DirectoriesThatAreNoneAreRefused) {
  MakeLog(data(), 1);
  const TempDir elsewhere;
  for (const std::string& place : {root(), root() + "/missing", data()}) {
    EXPECT_CODE(ListBackups(place), kStoreNotFound);
    EXPECT_CODE(VerifyBackups(place), kStoreNotFound);
    EXPECT_CODE(Restore(RestoreInto(place, elsewhere.path() + "/new")), kStoreNotFound);
  }
  EXPECT_TRUE(std::filesystem::is_empty(elsewhere.path()));
  EXPECT_FALSE(std::filesystem::exists(root() + "/missing"));
}

TEST_F(Backup, KeepsItsDirectoryToItself) {
  MakeLog(data(), 1);
  auto store = OpenRocksDbStore(data());
  ASSERT_OK(store);
  BackupRequest request = RequestFor(directory());
  size_t told = 0;
  request.progress = [&](std::string_view) {
    ++told;
    EXPECT_CODE(ListBackups(directory()), kStoreLocked);
    EXPECT_CODE((*store)->Backup(RequestFor(directory())), kStoreLocked);
  };
  ASSERT_OK((*store)->Backup(request));
  EXPECT_GT(told, 3u);
  EXPECT_OK(ListBackups(directory()));
}

TEST_F(Backup, NeedsAStoreThatMayBeWritten) {
  MemoryStore memory;
  EXPECT_CODE(memory.Backup(RequestFor(directory())), kUnsupported);
  EXPECT_FALSE(std::filesystem::exists(directory()));
}

}  // namespace
}  // namespace stele::eventstore
