// Blocks that moved into the archive are read as before, and the hot log is rid of them.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "eventstore/segment_reader.h"
#include "tests/eventstore/archive_store.h"
#include "tests/eventstore/raw_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// 40 blocks of three records: they begin at 1, 4, 7 …
class Archive : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    AppendOverlapping(store(), 1, 40, 3);
    records_ = ReadLog(store());
    ASSERT_EQ(records_.size(), 120u);
  }
  void Open(const RocksDbOptions& options = SmallSegments()) {
    store_.reset();
    auto opened = OpenRocksDbStore(path(), options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  void Close() { store_.reset(); }
  EventStore& store() { return *store_; }
  const std::string& path() const { return directory_.path(); }
  std::string archive() const { return path() + "/archive"; }
  void ExpectTheSame() {
    EXPECT_EQ(ReadLog(store()), records_);
    EXPECT_EQ(store().VerifyChain(kShard), records_.size());
    for (const uint64_t from : {2u, 3u, 58u, 61u, 119u, 120u}) {
      const auto rest = ReadLog(store(), from);
      ASSERT_EQ(rest.size(), records_.size() - from + 1);
      EXPECT_EQ(rest.front(), records_[from - 1]);
    }
    for (const uint64_t instance : {1u, 2u, 3u, 20u, 21u, 39u, 42u}) {
      std::vector<ReadRecord> history;
      for (const ReadRecord& record : records_)
        if (record.instance == instance) history.push_back(record);
      EXPECT_EQ(ReadHistory(store(), instance), history) << "instance " << instance;
    }
  }

  TempDir directory_;
  std::unique_ptr<EventStore> store_;
  std::vector<ReadRecord> records_;
};

TEST_F(Archive, ReadsAsBeforeWhateverIsArchived) {
  for (const uint64_t to : {1u, 2u, 4u, 5u, 60u, 61u, 120u, 121u}) {
    const auto report = store().Archive(kShard, Position(to));
    ASSERT_OK(report);
    EXPECT_EQ(store().ArchivedTo(kShard), Position((to - 1) / 3 * 3 + 1));
    EXPECT_EQ(report->end, store().ArchivedTo(kShard));
    ExpectTheSame();
    const auto inspected = store().InspectChain(kShard);
    ASSERT_OK(inspected);
    EXPECT_EQ(inspected->archived, (to - 1) / 3 * 3);
    EXPECT_EQ(inspected->cut, 0u);
  }
  Open();
  ExpectTheSame();
}

TEST_F(Archive, GoesNoFurtherThanTheLog) {
  const auto report = store().Archive(kShard, Position(UINT64_MAX));
  ASSERT_OK(report);
  EXPECT_EQ(report->end, Position(121));
  EXPECT_EQ(report->records, 120u);
  EXPECT_OK(store().Archive(ShardId(7), Position(10)));
  EXPECT_EQ(store().ArchivedTo(ShardId(7)), Position(1));
}

TEST_F(Archive, IsGoneOnWithWhenAllOfTheLogIsInIt) {
  ASSERT_OK(store().Archive(kShard, Position(121)));
  Open();
  EXPECT_EQ(store().NextPosition(kShard), Position(121));
  AppendOverlapping(store(), 41, 5, 3);
  EXPECT_EQ(store().VerifyChain(kShard), 135u);
  EXPECT_EQ(ReadHistory(store(), 41).size(), 3u);  // on both sides of the archive's end
  Open();
  EXPECT_EQ(store().VerifyChain(kShard), 135u);
}

TEST_F(Archive, IsOfSegmentsThatTellWhatTheyHold) {
  ASSERT_OK(store().Archive(kShard, Position(100)));
  const auto segments = store().Segments(kShard);
  ASSERT_GT(segments.size(), 2u);
  Position next(1);
  for (const SegmentInfo& segment : segments) {
    EXPECT_EQ(segment.first, next);
    next = segment.last.Next();
    EXPECT_EQ(std::filesystem::file_size(segment.file), segment.file_bytes);
    EXPECT_EQ(segment.cut, 0u);
    EXPECT_GT(segment.raw_bytes, segment.file_bytes / 4);
    EXPECT_LE(segment.earliest, segment.latest);
  }
  EXPECT_EQ(next, store().ArchivedTo(kShard));
  EXPECT_EQ(NamesIn(archive(), ".segment").size(), segments.size());
  EXPECT_TRUE(NamesIn(archive(), ".new").empty());
}

TEST_F(Archive, GrowsItsLastSegmentWhileThatIsSmall) {
  Open(SmallSegments(1 << 20));
  for (uint64_t to = 10; to <= 100; to += 10) ASSERT_OK(store().Archive(kShard, Position(to)));
  const auto segments = store().Segments(kShard);
  ASSERT_EQ(segments.size(), 1u);
  EXPECT_EQ(segments[0].last, Position(99));
  EXPECT_EQ(NamesIn(archive(), ".segment").size(), 1u);
  ExpectTheSame();
}

TEST_F(Archive, KeepsShardsApart) {
  AppendOverlapping(store(), 1, 20, 2, ShardId(1));
  const auto other = ReadLog(store(), 1, ShardId(1));
  ASSERT_OK(store().Archive(kShard, Position(100)));
  ASSERT_OK(store().Archive(ShardId(1), Position(21)));
  Open();
  ExpectTheSame();
  EXPECT_EQ(ReadLog(store(), 1, ShardId(1)), other);
  EXPECT_EQ(store().VerifyChain(ShardId(1)), 40u);
  EXPECT_EQ(store().ArchivedTo(ShardId(1)), Position(21));
}

TEST_F(Archive, MayLieElsewhere) {
  const TempDir elsewhere;
  RocksDbOptions options = SmallSegments();
  options.archive_directory = elsewhere.path() + "/other disk";
  Open(options);
  ASSERT_OK(store().Archive(kShard, Position(100)));
  EXPECT_FALSE(std::filesystem::exists(archive()));
  EXPECT_GT(NamesIn(options.archive_directory, ".segment").size(), 1u);
  Open(options);
  ExpectTheSame();
}

TEST_F(Archive, RebuildsWhatIsDerivedFromIt) {
  ASSERT_OK(store().Archive(kShard, Position(100)));
  Close();
  std::filesystem::remove_all(path() + "/state");
  Open();
  ExpectTheSame();
}

TEST_F(Archive, LeavesNothingOfItInTheHotLog) {
  ASSERT_OK(store().Archive(kShard, Position(61)));
  Close();
  const RawStore raw(path());
  const auto blocks = raw.Blocks();
  EXPECT_EQ(blocks.size(), 20u);
  for (const auto& [key, value] : blocks) EXPECT_GE(static_cast<uint8_t>(key.back()), 61);
}

TEST_F(Archive, GivesTheSpaceOfLargeLogsBack) {
  RocksDbOptions options = SmallSegments(1 << 20);
  options.write_buffer_bytes = 64 << 10;
  Open(options);
  std::string noise(4096, '\0');
  uint64_t state = 1;
  for (uint64_t seq = 1; seq <= 500; ++seq) {
    for (char& c : noise) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      c = static_cast<char>(state >> 56);
    }
    Batch batch;
    batch.Add(HeaderFor(1000, seq), noise);
    ASSERT_OK(AppendNext(store(), batch));
  }
  ASSERT_GT(store().Stats().log_bytes, 2'000'000u);
  ASSERT_OK(store().Archive(kShard, store().NextPosition(kShard)));
  EXPECT_LT(store().Stats().log_bytes, 100'000u);
  EXPECT_GT(store().Stats().archive_bytes, 2'000'000u);
  uintmax_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path() + "/log"))
    if (entry.path().extension() == ".sst" || entry.path().extension() == ".log")
      files += entry.file_size();
  EXPECT_LT(files, 200'000u);
  EXPECT_EQ(ReadHistory(store(), 1000).size(), 500u);
}

TEST_F(Archive, GoesOnUnderReadersAndAppends) {
  std::atomic<bool> done = false;
  std::thread archiver([&] {
    for (uint64_t to = 4; to <= 121; to += 3) EXPECT_OK(store().Archive(kShard, Position(to)));
    done = true;
  });
  std::thread writer([&] { AppendOverlapping(store(), 41, 60, 3); });
  size_t rounds = 0;
  do {
    const auto read = ReadLog(store());
    EXPECT_GE(read.size(), 120u);
    for (size_t i = 0; i < read.size(); ++i) ASSERT_EQ(read[i].position, i + 1);
    EXPECT_EQ(ReadHistory(store(), 1 + rounds % 38).size(), 1 + std::min<size_t>(rounds % 38, 2));
    ++rounds;
  } while (!done);
  archiver.join();
  writer.join();
  EXPECT_EQ(store().VerifyChain(kShard), 300u);
}

TEST_F(Archive, HoldsForACursorThatWasThereBefore) {
  auto cursor = store().Read(kShard, Position(1));
  ASSERT_OK(cursor);
  for (int i = 0; i < 50; ++i) ASSERT_OK((*cursor)->Next());
  EXPECT_EQ((*cursor)->Passed(), Position(50));
  ASSERT_OK(store().Archive(kShard, Position(100)));
  const auto rest = ReadAll(**cursor);
  EXPECT_EQ(rest, std::vector(records_.begin() + 50, records_.end()));
  EXPECT_EQ((*cursor)->Passed(), Position(120));
}

TEST_F(Archive, IsNeverThatOfAnotherLog) {
  ASSERT_OK(store().Archive(kShard, Position(100)));
  Close();
  const TempDir other;
  RocksDbOptions options = SmallSegments();
  options.archive_directory = archive();
  {
    auto store = OpenRocksDbStore(other.path(), options);
    ASSERT_OK(store);
    AppendOverlapping(**store, 1, 5, 2);
    EXPECT_CODE((*store)->Archive(kShard, Position(10)), kStoreLocked);
  }
  Open();
  ExpectTheSame();
}

TEST_F(Archive, IsRefusedWhereNoDirectoryCanBe) {
  RocksDbOptions options = SmallSegments();
  options.archive_directory = path() + "/file/archive";
  WriteFile(path() + "/file", "no directory");
  Open(options);
  EXPECT_CODE(store().Archive(kShard, Position(100)), kIo);
  AppendOverlapping(store(), 41, 1, 3);
  EXPECT_EQ(store().VerifyChain(kShard), 123u);
}

TEST_F(Archive, RemovesFilesThatItDoesNotKnow) {
  ASSERT_OK(store().Archive(kShard, Position(100)));
  const auto names = NamesIn(archive(), "");
  Close();
  WriteFile(archive() + "/0-100-1.segment", "never noted");
  WriteFile(archive() + "/0-1-2.segment", "never noted");
  WriteFile(archive() + "/0-100-1.segment.new", "cut o");
  Open();
  EXPECT_EQ(NamesIn(archive(), ""), names);
  ExpectTheSame();
}

TEST_F(Archive, IsNotGoneOnWithWhileASegmentIsMissing) {
  ASSERT_OK(store().Archive(kShard, Position(60)));
  Close();
  const std::string lost = path() + "/lost";
  std::filesystem::rename(archive(), lost);
  Open();
  EXPECT_CODE(store().Archive(kShard, Position(100)), kStoreCorrupt);
  EXPECT_EQ(ReadLog(store(), 61).size(), 60u);
  Close();
  std::filesystem::rename(lost, archive());
  Open();
  ASSERT_OK(store().Archive(kShard, Position(100)));
  ExpectTheSame();
}

TEST_F(Archive, OpensWithoutReadingSegments) {
  ASSERT_OK(store().Archive(kShard, Position(100)));
  const std::string first = store().Segments(kShard)[0].file;
  Close();
  WriteFile(first, "");
  Open();
  EXPECT_EQ(ReadLog(store(), 100).size(), 21u);
  AppendOverlapping(store(), 41, 1, 3);
}

}  // namespace
}  // namespace stele::eventstore
