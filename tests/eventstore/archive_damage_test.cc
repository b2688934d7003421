// Archive segments that were changed behind the store's back: every flip is noticed, reading them
// never does more than say so.
#include <gtest/gtest.h>

#include "eventstore/archive_format.h"
#include "eventstore/block_reader.h"
#include "eventstore/cut_frames.h"
#include "eventstore/format.h"
#include "tests/eventstore/archive_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// Three segments or more over 20 blocks of three records, one record of the first cut out.
class DamagedArchive : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    AppendOverlapping(*store_, 1, 20, 3);
    ASSERT_OK(store_->Archive(kShard, Position(61)));
    ASSERT_OK(store_->Cut(kShard, {{InstanceId(3)}, {}}));
    segments_ = store_->Segments(kShard);
    ASSERT_GE(segments_.size(), 3u);
    for (const SegmentInfo& segment : segments_) originals_.push_back(ReadFile(segment.file));
    ASSERT_EQ(store_->VerifyChain(kShard), 60u);
  }
  void Open() {
    store_.reset();
    RocksDbOptions options = SmallSegments(700);
    auto opened = OpenRocksDbStore(directory_.path(), options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  void Change(size_t segment, const std::string& bytes) {
    WriteFile(segments_[segment].file, bytes);
  }
  // Verifies, and reads all of it, which may fail but nothing else.
  Error Verify() {
    auto cursor = store_->Read(kShard, Position(1));
    for (size_t i = 0; cursor && i < 100; ++i) {
      const auto next = (*cursor)->Next();
      if (!next || !*next) break;
    }
    auto verified = store_->VerifyChain(kShard);
    if (verified) return Error{ErrorCode::kIo, "nothing is wrong"};
    return verified.error();
  }
  void ExpectNamed(const Error& error, size_t segment, const std::string& where) {
    EXPECT_NE(error.code, ErrorCode::kIo) << where << ": " << error.message;
    const std::string name = std::filesystem::path(segments_[segment].file).filename();
    EXPECT_NE(error.message.find(name), std::string::npos) << where << ": " << error.message;
    const std::string range =
        fmt::format("positions {} to {} of shard 0", segments_[segment].first.value,
                    segments_[segment].last.value);
    EXPECT_NE(error.message.find(range), std::string::npos) << where << ": " << error.message;
    EXPECT_NE(error.message.find("Expected"), std::string::npos);
  }

  TempDir directory_;
  std::unique_ptr<EventStore> store_;
  std::vector<SegmentInfo> segments_;
  std::vector<std::string> originals_;
};

TEST_F(DamagedArchive, IsNamedForEveryFlippedByte) {
  for (size_t segment = 0; segment < 2; ++segment) {
    for (size_t at = 0; at < originals_[segment].size(); ++at) {
      std::string changed = originals_[segment];
      changed[at] = static_cast<char>(changed[at] ^ (1 << at % 8));
      Change(segment, changed);
      ExpectNamed(Verify(), segment, fmt::format("byte {} of segment {}", at, segment));
      if (HasFailure()) return;
    }
    Change(segment, originals_[segment]);
  }
  EXPECT_EQ(store_->VerifyChain(kShard), 60u);
}

TEST_F(DamagedArchive, IsNamedForEveryLengthThatItIsCutTo) {
  for (size_t size = 0; size < originals_[1].size(); size += 7) {
    Change(1, originals_[1].substr(0, size));
    ExpectNamed(Verify(), 1, fmt::format("{} bytes", size));
  }
  Change(1, originals_[1] + '\0');
  ExpectNamed(Verify(), 1, "a byte more");
}

TEST_F(DamagedArchive, IsNamedForAMissingSegment) {
  std::filesystem::remove(segments_[1].file);
  ExpectNamed(Verify(), 1, "missing");
  const auto cursor = store_->Read(kShard, segments_[1].first);
  ASSERT_OK(cursor);
  EXPECT_CODE((*cursor)->Next(), kStoreCorrupt);
  Open();  // an engine starts without it, and reads what is not in it
  EXPECT_EQ(ReadLog(*store_, segments_[1].last.value + 1).size(), 60 - segments_[1].last.value);
}

TEST_F(DamagedArchive, IsNamedForSwappedSegments) {
  Change(0, originals_[1]);
  Change(1, originals_[0]);
  ExpectNamed(Verify(), 0, "swapped");
}

// The segment as it was before the cut, in the place of the one that was written for it.
TEST_F(DamagedArchive, IsNamedForAnOlderSegment) {
  const auto last = segments_.size() - 1;
  ASSERT_OK(store_->Cut(kShard, {{InstanceId(20)}, {}}));
  segments_ = store_->Segments(kShard);
  Change(last, originals_[last]);
  ExpectNamed(Verify(), last, "older");
}

TEST_F(DamagedArchive, IsNamedForAHashThatAForgerMadeFit) {
  // The first chunk lies behind the header. Its blocks are stored as they are when they are written
  // so, with right checksums: what does not fit is the chain.
  const std::string& original = originals_[1];
  const SegmentHeader header = *DecodeSegmentHeader(original.substr(0, kSegmentHeaderBytes));
  const std::string index =
      original.substr(header.index_at, size_t{header.chunks} * kIndexEntryBytes);
  const uint64_t at = IndexSlotAt(index, 0).at;
  const uint64_t end = header.chunks > 1 ? IndexSlotAt(index, 1).at : header.index_at;
  std::string chunk = original.substr(at, end - at);
  auto chunk_header = DecodeChunkHeader(chunk);
  ASSERT_OK(chunk_header);
  chunk_header->records += 1;
  EncodeChunkHeader(*chunk_header, &chunk);
  std::string changed = original;
  changed.replace(at, chunk.size(), chunk);
  Change(1, changed);
  ExpectNamed(Verify(), 1, "forged chunk");
}

TEST_F(DamagedArchive, IsNeverCutNorGrown) {
  std::string changed = originals_[1];
  changed[kSegmentHeaderBytes + kChunkHeaderBytes + 5] ^= 1;
  Change(1, changed);
  const uint64_t instance = segments_[1].first.value / 3 + 2;
  EXPECT_CODE(store_->Cut(kShard, {{InstanceId(instance)}, {}}), kStoreCorrupt);
  EXPECT_EQ(ReadFile(segments_[1].file), changed);
}

// A block of so many records with these frames, as a segment gives it.
std::string BlockOf(uint32_t records, std::string_view frames) {
  BlockHeader header;
  header.count = records;
  header.first = Position(1);
  std::string block;
  MakePlainBlock(header, frames, &block);
  return block;
}

TEST(CutFrame, IsRefusedInTheHotLog) {
  std::string frames;
  AppendCutFrame({1, Hash{1, 2, 3}}, &frames);
  const std::string block = BlockOf(1, frames);
  BlockReader reader;
  RecordView view;
  Error error{};
  ASSERT_OK(reader.Open(block, kShard, Position(1)));
  EXPECT_FALSE(reader.Next(&view, &error));
  EXPECT_EQ(error.code, ErrorCode::kStoreUnknownFormat);
  ASSERT_OK(reader.Open(block, kShard, Position(1), /*archived=*/true));
  ASSERT_TRUE(reader.Next(&view, &error)) << error.message;
  EXPECT_EQ(reader.cut(), 1u);
  EXPECT_EQ(reader.Node().hash, (Hash{1, 2, 3}));
  EXPECT_CODE(reader.Open(BlockOf(2, frames), kShard, Position(1)), kStoreCorrupt);
}

TEST(CutFrame, HasNothingButANumberOfRecordsAndTheirHash) {
  std::string frames;
  AppendCutFrame({2, Hash{}}, &frames);
  ASSERT_EQ(frames.size(), kCutFrameBytes);
  BlockReader reader;
  RecordView view;
  Error error{};
  for (size_t at = 0; at < kFrameHeaderBytes; ++at) {
    std::string changed = frames;
    changed[at] ^= 2;
    ASSERT_OK(reader.Open(BlockOf(2, changed), kShard, Position(1), /*archived=*/true));
    const bool is_read = reader.Next(&view, &error);
    EXPECT_FALSE(is_read && reader.cut() > 0) << at;
  }
  TreeNode node;
  EXPECT_FALSE(
      DecodeCutFrame(frames.substr(0, kCutFrameBytes - 1), kShard, Position(1), &node, &error));
}

TEST(CutFrame, StandsAtANodeOfTheTree) {
  std::string frames;
  AppendCutFrame({1, Hash{}}, &frames);
  AppendCutFrame({2, Hash{}}, &frames);  // records 2 and 3 of 4 have no node of their own
  AppendCutFrame({1, Hash{}}, &frames);
  BlockReader reader;
  ASSERT_OK(reader.Open(BlockOf(4, frames), kShard, Position(1), /*archived=*/true));
  const Status verified = reader.VerifyHash();
  ASSERT_FALSE(verified);
  EXPECT_NE(verified.error().message.find("at a node of the tree"), std::string::npos)
      << verified.error().message;
}

TEST(SegmentHeader, IsReadAsItWasWritten) {
  SegmentHeader header;
  header.shard = ShardId(3);
  header.chunks = 2;
  header.first = Position(10);
  header.last = Position(30);
  header.earliest = TimeUs(-5);
  header.latest = TimeUs(1'700'000'000'000'000);
  header.cut = 4;
  header.index_at = 1000;
  header.file_bytes = 1000 + 2 * kIndexEntryBytes + kFooterBytes;
  header.previous = {1};
  header.hash = {2};
  header.raw_bytes = 5000;
  const auto decoded = DecodeSegmentHeader(EncodeSegmentHeader(header));
  ASSERT_OK(decoded);
  EXPECT_EQ(*decoded, header);
  header.cut = 22;  // of 21 records
  EXPECT_CODE(DecodeSegmentHeader(EncodeSegmentHeader(header)), kStoreCorrupt);
}

}  // namespace
}  // namespace stele::eventstore
