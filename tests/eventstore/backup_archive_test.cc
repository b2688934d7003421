// Backups of a log of which a part is archived, and out of which instances were cut.
#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/eventstore/backup_support.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// Small segments, so that there are several.
RocksDbOptions SmallSegments() {
  RocksDbOptions options;
  options.archive_segment_bytes = 600;
  return options;
}

class BackedUpArchive : public testing::Test {
 protected:
  const std::string& root() const { return root_.path(); }
  std::string data() const { return root() + "/data"; }
  std::string directory() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }

  // Instances 1 to `instances`, one after the other, of a block with 3 records each.
  void Append(EventStore& store, uint64_t from, uint64_t to) {
    for (uint64_t instance = from; instance <= to; ++instance) {
      Batch batch;
      for (uint64_t seq = 1; seq <= 3; ++seq) AddRecord(&batch, instance, seq);
      ASSERT_OK(AppendNext(store, batch));
    }
  }
  std::unique_ptr<EventStore> Open(const std::string& path) {
    auto store = OpenRocksDbStore(path, SmallSegments());
    EXPECT_OK(store);
    return store ? std::move(*store) : nullptr;
  }
  // 20 blocks, 14 of them archived.
  std::unique_ptr<EventStore> Make() {
    auto store = Open(data());
    Append(*store, 1, 20);
    EXPECT_OK(store->Archive(kShard, Position(43)));
    EXPECT_GT(store->Segments(kShard).size(), 2u);
    EXPECT_EQ(store->ArchivedTo(kShard), Position(43));
    return store;
  }
  Result<RestoreReport> To(uint64_t position) {
    std::filesystem::remove_all(target());
    RestoreRequest request = RestoreInto(directory(), target());
    request.to_position = Position(position);
    return Restore(request);
  }

 private:
  TempDir root_;
};

TEST_F(BackedUpArchive, IsRestored) {
  auto store = Make();
  const std::vector<ReadRecord> all = ReadLog(*store);
  ASSERT_EQ(all.size(), 60u);
  const auto made = store->Backup(RequestFor(directory()));
  ASSERT_OK(made);
  EXPECT_EQ(made->manifest.shards.at(0).end, store->Tail(kShard));
  const auto verified = VerifyBackups(directory());
  ASSERT_OK(verified);
  EXPECT_EQ(verified->at(0).records, 60u);
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  store = Open(target());
  EXPECT_EQ(ReadLog(*store), all);
  EXPECT_EQ(store->InspectChain(kShard)->archived, 42u);
  EXPECT_EQ(ReadHistory(*store, 2).size(), 3u);
  Append(*store, 21, 22);
  ASSERT_OK(store->Archive(kShard, Position(61)));
  EXPECT_EQ(store->InspectChain(kShard)->archived, 60u);
}

TEST_F(BackedUpArchive, IsRestoredWhenNothingElseIsLeft) {
  auto store = Make();
  ASSERT_OK(store->Archive(kShard, Position(61)));
  const auto made = store->Backup(RequestFor(directory()));
  ASSERT_OK(made);
  EXPECT_EQ(made->manifest.shards.at(0).end, store->Tail(kShard));
  EXPECT_EQ(made->manifest.shards.at(0).last_time, HeaderFor(20, 3).time);
  ASSERT_OK(VerifyBackups(directory()));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  EXPECT_EQ(LogIn(target()).size(), 60u);
}

TEST_F(BackedUpArchive, IsCopiedOnce) {
  auto store = Make();
  const auto first = store->Backup(RequestFor(directory()));
  ASSERT_OK(first);
  Append(*store, 21, 21);
  const auto second = store->Backup(RequestFor(directory()));
  ASSERT_OK(second);
  const auto archived = [](const BackupReport& report) {
    std::vector<BackedUpFile> files;
    for (const BackedUpFile& file : report.manifest.files)
      if (file.path.starts_with("archive/")) files.push_back(file);
    return files;
  };
  EXPECT_EQ(archived(*first).size(), store->Segments(kShard).size());
  EXPECT_EQ(archived(*first), archived(*second));
  const std::string copy = directory() + "/" + archived(*first).front().path;
  const auto written = std::filesystem::last_write_time(copy);
  ASSERT_OK(store->Backup(RequestFor(directory())));
  EXPECT_EQ(std::filesystem::last_write_time(copy), written);
}

TEST_F(BackedUpArchive, IsCutInSegmentsAtTheirEndsAndBehindThem) {
  auto store = Make();
  const std::vector<ReadRecord> all = ReadLog(*store);
  ASSERT_OK(store->Backup(RequestFor(directory())));
  std::vector<uint64_t> positions = {1, 2, 3, 41, 42, 43, 47, 60};
  for (const SegmentInfo& segment : store->Segments(kShard))
    positions.insert(positions.end(), {segment.last.value - 1, segment.last.value});
  for (const uint64_t last : positions) {
    const auto restored = To(last);
    ASSERT_OK(restored);
    EXPECT_EQ(restored->records, last);
    ASSERT_EQ(LogIn(target()), std::vector(all.begin(), all.begin() + static_cast<long>(last)));
  }
  // Where a segment ends the archive stays what it was, and hashes are those of the original.
  const SegmentInfo segment = store->Segments(kShard).at(1);
  const auto at_segment = To(segment.last.value);
  ASSERT_OK(at_segment);
  EXPECT_EQ(at_segment->shards.at(0).end.hash, segment.hash);
  EXPECT_EQ(Open(target())->Segments(kShard).size(), 2u);
}

TEST_F(BackedUpArchive, HoldsNothingOfAnInstanceThatWasCutOut) {
  auto store = Make();
  ASSERT_OK(store->Cut(kShard, {.instances = {InstanceId(5)}, .notes = {}}));
  ASSERT_OK(store->Backup(RequestFor(directory())));
  ASSERT_OK(VerifyBackups(directory()));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  auto restored = Open(target());
  EXPECT_CODE(restored->ReadInstance(kShard, InstanceId(5), Seq(1)), kInstanceErased);
  EXPECT_EQ(restored->InspectChain(kShard)->cut, 3u);
  EXPECT_EQ(ReadLog(*restored), ReadLog(*store));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory()))
    EXPECT_TRUE(!entry.is_regular_file() ||
                ReadBytes(entry.path().string()).find(BodyFor(5, 1)) == std::string::npos)
        << entry.path();
}

TEST_F(BackedUpArchive, IsNotCutWhereASegmentHasHolesAndIsCutAroundIt) {
  auto store = Make();
  ASSERT_OK(store->Cut(kShard, {.instances = {InstanceId(5)}, .notes = {}}));
  const auto segments = store->Segments(kShard);
  const auto holes = std::ranges::find_if(segments, [](const auto& s) { return s.cut > 0; });
  ASSERT_NE(holes, segments.end());
  ASSERT_GT(holes->first, Position(1));
  ASSERT_OK(store->Backup(RequestFor(directory())));
  EXPECT_CODE(To(holes->first.value), kUnsupported);
  EXPECT_CODE(To(holes->last.value - 1), kUnsupported);
  EXPECT_FALSE(std::filesystem::exists(target()));
  for (const uint64_t last : {holes->first.value - 1, holes->last.value, holes->last.value + 2}) {
    ASSERT_OK(To(last));
    EXPECT_EQ(*Open(target())->VerifyChain(kShard), last);
  }
}

TEST_F(BackedUpArchive, GivesTheNumberOfAnInstanceAgainThatBeganLaterAndWasCutOut) {
  auto store = Make();
  ASSERT_OK(store->Cut(kShard, {.instances = {InstanceId(1), InstanceId(14)}, .notes = {}}));
  const SegmentInfo first = store->Segments(kShard).front();
  ASSERT_GE(first.last, Position(6));
  ASSERT_LT(first.last, Position(40));
  ASSERT_OK(store->Backup(RequestFor(directory())));
  ASSERT_OK(To(first.last.value));
  auto restored = Open(target());
  EXPECT_CODE(restored->ReadInstance(kShard, InstanceId(1), Seq(1)), kInstanceErased);
  Append(*restored, 14, 14);
  EXPECT_EQ(ReadHistory(*restored, 14).size(), 3u);
}

TEST_F(BackedUpArchive, OnAnotherDiskIsRestoredBesideTheLog) {
  RocksDbOptions options = SmallSegments();
  options.archive_directory = root() + "/elsewhere";
  auto store = OpenRocksDbStore(data(), options);
  ASSERT_OK(store);
  Append(**store, 1, 10);
  ASSERT_OK((*store)->Archive(kShard, Position(20)));
  ASSERT_OK((*store)->Backup(RequestFor(directory())));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  std::filesystem::remove_all(options.archive_directory);
  EXPECT_EQ(LogIn(target()).size(), 30u);
  EXPECT_TRUE(std::filesystem::exists(target() + "/archive"));
}

TEST_F(BackedUpArchive, ThatWasDamagedIsNamed) {
  Make()->Backup(RequestFor(directory())).value();
  for (const auto& entry : std::filesystem::directory_iterator(directory() + "/archive")) {
    const std::string file = entry.path().string();
    const std::string whole = ReadBytes(file);
    std::string changed = whole;
    changed[whole.size() / 3] ^= 1;
    WriteBytes(file, changed);
    auto verified = VerifyBackups(directory());
    EXPECT_CODE(verified, kBackupDamaged);
    EXPECT_NE(verified.error().message.find(file), std::string::npos);
    std::filesystem::remove(file);
    verified = VerifyBackups(directory());
    EXPECT_CODE(verified, kBackupDamaged);
    EXPECT_NE(verified.error().message.find(file), std::string::npos);
    WriteBytes(file, whole);
  }
  EXPECT_OK(VerifyBackups(directory()));
}

TEST_F(BackedUpArchive, IsRemovedWithTheLastBackupThatNeedsIt) {
  auto store = Make();
  ASSERT_OK(store->Backup(RequestFor(directory())));
  const auto copies = [&] {
    const std::filesystem::directory_iterator files(directory() + "/archive");
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  };
  const size_t before = copies();
  ASSERT_OK(store->Cut(kShard, {.instances = {InstanceId(5)}, .notes = {}}));
  ASSERT_OK(store->Backup(RequestFor(directory())));
  EXPECT_EQ(copies(), before + 1);
  BackupRequest request = RequestFor(directory());
  request.keep = 1;
  ASSERT_OK(store->Backup(request));
  EXPECT_EQ(copies(), before);
  EXPECT_OK(VerifyBackups(directory()));
}

// Blocks move and instances go while backups are made: each is of one moment.
TEST_F(BackedUpArchive, MayChangeWhileItIsBackedUp) {
  auto store = Open(data());
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> turns = 0;
  std::thread work([&] {
    for (uint64_t instance = 1; !stop && instance < 4000; ++instance) {
      Append(*store, instance, instance);
      if (instance % 7 == 0) EXPECT_OK(store->Archive(kShard, Position(3 * instance - 6)));
      if (instance % 14 == 0)
        EXPECT_OK(store->Cut(kShard, {.instances = {InstanceId(instance - 8)}, .notes = {}}));
      ++turns;
      turns.notify_all();
    }
  });
  uint64_t seen = 0;
  for (int round = 0; round < 8; ++round) {
    for (uint64_t now = turns; now < seen + 20; now = turns) turns.wait(now);
    seen = turns;
    const auto made = store->Backup(RequestFor(directory()));
    EXPECT_OK(made);
  }
  stop = true;
  work.join();
  const auto verified = VerifyBackups(directory());
  ASSERT_OK(verified);
  ASSERT_EQ(verified->size(), 8u);
  for (const VerifiedBackup& backup : *verified) {
    RestoreRequest request = RestoreInto(directory(), target());
    request.backup = backup.manifest.id;
    ASSERT_OK(Restore(request));
    EXPECT_EQ(*Open(target())->VerifyChain(kShard), backup.records);
    std::filesystem::remove_all(target());
  }
}

}  // namespace
}  // namespace stele::eventstore
