// Data directories that are made of a backup: as it was, or up to a moment.
#include "eventstore/restore.h"

#include "tests/eventstore/backup_support.h"
#include "tests/eventstore/raw_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class Restored : public testing::Test {
 protected:
  const std::string& root() const { return root_.path(); }
  std::string data() const { return root() + "/data"; }
  std::string directory() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }
  // 4 blocks of 3 records, and their backup.
  void Make() {
    MakeLog(data(), 4);
    ASSERT_OK(BackUp(data(), RequestFor(directory())));
  }
  Result<RestoreReport> To(Position position) const {
    RestoreRequest request = RestoreInto(directory(), target());
    request.to_position = position;
    return Restore(request);
  }
  Result<RestoreReport> To(TimeUs time) const {
    RestoreRequest request = RestoreInto(directory(), target());
    request.to_time = time;
    return Restore(request);
  }

 private:
  TempDir root_;
};

TEST_F(Restored, UpToEachPositionHasTheRecordsUpToIt) {
  Make();
  const std::vector<ReadRecord> all = LogIn(data());
  for (uint64_t last = 1; last <= 12; ++last) {
    const auto restored = To(Position(last));
    ASSERT_OK(restored);
    EXPECT_EQ(restored->records, last);
    ASSERT_EQ(restored->shards.size(), 1u);
    EXPECT_EQ(restored->shards[0].end.next, Position(last + 1));
    EXPECT_EQ(restored->shards[0].last_time, HeaderFor(1, last).time);
    EXPECT_EQ(LogIn(target()), std::vector(all.begin(), all.begin() + last));
    auto store = OpenRocksDbStore(target());
    ASSERT_OK(store);
    EXPECT_EQ((*store)->Tail(kShard), restored->shards[0].end);
    EXPECT_EQ(ReadHistory(**store, 1).size(), last);
    EXPECT_OK(AppendNext(**store, RoundRobin(2, 1, last + 1)));
    EXPECT_EQ(*(*store)->VerifyChain(kShard), last + 2);
    store->reset();
    std::filesystem::remove_all(target());
  }
}

TEST_F(Restored, AtTheEndOfABlockKeepsItsHash) {
  Make();
  const auto at_six = To(Position(6));
  ASSERT_OK(at_six);
  RawStore original(data());
  RawStore cut(target());
  const auto blocks = original.Blocks();
  ASSERT_EQ(cut.Blocks().size(), 2u);
  EXPECT_EQ(cut.Blocks()[1], blocks[1]);
}

TEST_F(Restored, NoticesWhenItsEndGoesMissing) {
  Make();
  ASSERT_OK(To(Position(8)));
  {
    RawStore raw(target());
    ASSERT_EQ(raw.Blocks().size(), 3u);
    raw.DeleteBlock(raw.Blocks().back().first);
  }
  EXPECT_CODE(OpenRocksDbStore(target()), kStoreCorrupt);
}

TEST_F(Restored, UpToATimeEndsWithTheLastRecordAtOrBeforeIt) {
  Make();
  for (const int64_t after : {0, 1}) {
    // The records' times are a microsecond apart.
    const auto restored = To(HeaderFor(1, 5 + static_cast<uint64_t>(after)).time);
    ASSERT_OK(restored);
    EXPECT_EQ(restored->records, 5u + static_cast<uint64_t>(after));
    std::filesystem::remove_all(target());
  }
  ASSERT_OK(To(kMade));
  EXPECT_EQ(LogIn(target()), LogIn(data()));
}

TEST_F(Restored, UpToATimeOfAClockThatWasPutBackLosesNothingAtOrBeforeIt) {
  {
    auto store = OpenRocksDbStore(data());
    ASSERT_OK(store);
    Batch batch;
    for (const uint64_t time : {10, 20, 30, 15, 40}) {
      RecordHeader header = HeaderFor(1, batch.count() + 1);
      header.time = TimeUs(static_cast<int64_t>(time));
      batch.Add(header, BodyFor(1, time));
    }
    ASSERT_OK(AppendNext(**store, batch));
  }
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  const auto restored = To(TimeUs(17));
  ASSERT_OK(restored);
  EXPECT_EQ(restored->records, 4u);
}

TEST_F(Restored, CutsEveryShardAtATimeAndNoneAtAPosition) {
  {
    auto store = OpenRocksDbStore(data());
    ASSERT_OK(store);
    for (uint64_t seq = 1; seq <= 9; ++seq) {
      Batch batch;
      AddRecord(&batch, 1, seq);
      ASSERT_OK(AppendNext(**store, batch, ShardId(static_cast<uint32_t>(seq % 3))));
    }
  }
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  EXPECT_CODE(To(Position(2)), kNoSuchMoment);
  const auto restored = To(HeaderFor(1, 5).time);
  ASSERT_OK(restored);
  EXPECT_EQ(restored->records, 5u);
  auto store = OpenRocksDbStore(target());
  ASSERT_OK(store);
  EXPECT_EQ(ReadLog(**store, 1, ShardId(0)).size(), 1u);
  EXPECT_EQ(ReadLog(**store, 1, ShardId(1)).size(), 2u);
  EXPECT_EQ(ReadLog(**store, 1, ShardId(2)).size(), 2u);
}

TEST_F(Restored, AShardThatBeganLaterIsEmpty) {
  {
    auto store = OpenRocksDbStore(data());
    ASSERT_OK(store);
    Batch first, second;
    AddRecord(&first, 1, 1);
    AddRecord(&second, 1, 2);
    ASSERT_OK(AppendNext(**store, first, ShardId(0)));
    ASSERT_OK(AppendNext(**store, second, ShardId(1)));
  }
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  ASSERT_OK(To(HeaderFor(1, 1).time));
  auto store = OpenRocksDbStore(target());
  ASSERT_OK(store);
  EXPECT_EQ((*store)->NextPosition(ShardId(1)), Position(1));
  Batch batch;
  AddRecord(&batch, 1, 2);
  EXPECT_OK(AppendNext(**store, batch, ShardId(1)));
}

TEST_F(Restored, AMomentThatTheBackupDoesNotHoldIsRefused) {
  Make();
  EXPECT_CODE(To(Position(0)), kNoSuchMoment);
  EXPECT_CODE(To(Position(13)), kNoSuchMoment);
  EXPECT_CODE(To(TimeUs(HeaderFor(1, 1).time.value - 1)), kNoSuchMoment);
  EXPECT_CODE(To(TimeUs(kMade.value + 1)), kNoSuchMoment);
  EXPECT_FALSE(std::filesystem::exists(target()));
  EXPECT_FALSE(std::filesystem::exists(target() + ".restoring"));
  EXPECT_OK(To(Position(12)));
}

TEST_F(Restored, AMomentOfAnEmptyLogIsRefused) {
  MakeLog(data(), 0);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  EXPECT_CODE(To(Position(1)), kNoSuchMoment);
  EXPECT_CODE(To(kMade), kNoSuchMoment);
}

TEST_F(Restored, TakesAnEmptyDirectoryAndNoOther) {
  Make();
  std::filesystem::create_directory(target());
  ASSERT_OK(Restore(RestoreInto(directory(), target() + "/")));
  const std::string log = ReadBytes(target() + "/log/CURRENT");
  EXPECT_CODE(Restore(RestoreInto(directory(), target())), kWrongDirectory);
  EXPECT_EQ(ReadBytes(target() + "/log/CURRENT"), log);
  WriteBytes(root() + "/file", "dear");
  EXPECT_CODE(Restore(RestoreInto(directory(), root() + "/file")), kWrongDirectory);
  EXPECT_EQ(ReadBytes(root() + "/file"), "dear");
  EXPECT_CODE(Restore(RestoreInto(directory(), directory() + "/new")), kWrongDirectory);
  EXPECT_CODE(Restore(RestoreInto(directory(), data())), kWrongDirectory);
  std::filesystem::create_symlink(root() + "/linked", root() + "/link");
  EXPECT_CODE(Restore(RestoreInto(directory(), root() + "/link")), kWrongDirectory);
  std::filesystem::create_directory(root() + "/linked");
  ASSERT_OK(Restore(RestoreInto(directory(), root() + "/link")));
  EXPECT_TRUE(std::filesystem::is_directory(root() + "/linked/log"));
  EXPECT_TRUE(std::filesystem::is_symlink(root() + "/link"));
}

TEST_F(Restored, LeavesADirectoryAloneThatHasTheNameOfItsOwn) {
  Make();
  std::filesystem::create_directory(target() + ".restoring");
  WriteBytes(target() + ".restoring/letter", "dear");
  EXPECT_CODE(Restore(RestoreInto(directory(), target())), kWrongDirectory);
  EXPECT_EQ(ReadBytes(target() + ".restoring/letter"), "dear");
}

TEST_F(Restored, IsOneAtATime) {
  Make();
  RestoreRequest request = RestoreInto(directory(), target());
  size_t refused = 0;
  request.progress = [&](std::string_view what) {
    if (!what.starts_with("the log")) return;
    EXPECT_CODE(Restore(RestoreInto(directory(), target())), kStoreLocked);
    EXPECT_CODE(BackUp(data(), RequestFor(directory())), kStoreLocked);
    EXPECT_OK(Restore(RestoreInto(directory(), root() + "/other")));
    ++refused;
  };
  ASSERT_OK(Restore(request));
  EXPECT_EQ(refused, 1u);
  EXPECT_EQ(LogIn(target()), LogIn(root() + "/other"));
}

TEST_F(Restored, DoesNotReplaceWhatCameToItsPlaceMeanwhile) {
  Make();
  RestoreRequest request = RestoreInto(directory(), target());
  request.progress = [&](std::string_view what) {
    if (!what.starts_with("the log")) return;
    std::filesystem::create_directory(target());
    WriteBytes(target() + "/letter", "dear");
  };
  EXPECT_CODE(Restore(request), kWrongDirectory);
  EXPECT_EQ(ReadBytes(target() + "/letter"), "dear");
  EXPECT_FALSE(std::filesystem::exists(target() + ".restoring"));
}

}  // namespace
}  // namespace stele::eventstore
