// A log that was changed behind the store's back: VerifyChain names the place.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "eventstore/block_source.h"
#include "eventstore/format.h"
#include "eventstore/rocksdb_store.h"
#include "tests/eventstore/raw_store.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// Four blocks of three records: they begin at positions 1, 4, 7 and 10.
class DamagedLog : public testing::Test {
 protected:
  void SetUp() override {
    auto store = OpenRocksDbStore(directory_.path());
    ASSERT_OK(store);
    for (uint64_t i = 0; i < 4; ++i) ASSERT_OK(AppendNext(**store, RoundRobin(3, 1, 1 + 3 * i)));
    ASSERT_EQ((*store)->VerifyChain(kShard), 12u);
  }
  // What VerifyChain says after the damage.
  Error VerifyAfter(const std::function<void(RawStore&, std::vector<RawStore::Entry>&)>& damage) {
    {
      RawStore raw(directory_.path());
      auto blocks = raw.Blocks();
      EXPECT_EQ(blocks.size(), 4u);
      damage(raw, blocks);
    }
    return Verify();
  }
  Error Verify() {
    RocksDbOptions options;
    options.open_damaged = true;
    auto store = OpenRocksDbStore(directory_.path(), options);
    if (!store) return store.error();
    auto verified = (*store)->VerifyChain(kShard);
    if (verified) return Error{ErrorCode::kIo, "nothing is wrong"};
    return verified.error();
  }
  static bool Names(const Error& error, const std::string& text) {
    return error.message.find(text) != std::string::npos;
  }

  TempDir directory_;
};

// The blocks as they are stored, without a database in between.
class Blocks final : public BlockSource {
 public:
  explicit Blocks(std::vector<RawStore::Entry> entries) : entries_(std::move(entries)) {}
  std::string& bytes(size_t block) { return entries_[block].second; }
  Result<std::optional<StoredBlock>> Find(Position position) override {
    return Nth(position.value == 0 ? 4 : (position.value - 1) / 3);
  }
  Result<std::optional<StoredBlock>> After(Position position) override {
    return Nth((position.value + 2) / 3);
  }
  Position End() const override { return Position(13); }

 private:
  Result<std::optional<StoredBlock>> Nth(size_t block) {
    if (block >= entries_.size()) return std::nullopt;
    return StoredBlock{Position(1 + 3 * block), entries_[block].second};
  }
  std::vector<RawStore::Entry> entries_;
};

TEST_F(DamagedLog, IsNamedForEveryFlippedBitOfEveryBlock) {
  Blocks blocks(RawStore(directory_.path()).Blocks());
  ASSERT_EQ(VerifyBlocks(blocks, kShard, {}), 12u);
  for (size_t block = 0; block < 4; ++block)
    for (size_t bit = 0; bit < blocks.bytes(block).size() * 8; ++bit) {
      blocks.bytes(block)[bit / 8] ^= static_cast<char>(1 << bit % 8);
      const auto verified = VerifyBlocks(blocks, kShard, {});
      ASSERT_FALSE(verified) << "block " << block << " bit " << bit;
      ASSERT_TRUE(Names(verified.error(), fmt::format("position {} of shard 0", 1 + 3 * block)))
          << "block " << block << " bit " << bit << ": " << verified.error().message;
      blocks.bytes(block)[bit / 8] ^= static_cast<char>(1 << bit % 8);
    }
}

TEST_F(DamagedLog, IsNamedForAFlippedByteOnDisk) {
  const auto blocks = RawStore(directory_.path()).Blocks();
  for (size_t block = 0; block < blocks.size(); ++block) {
    const auto& [key, value] = blocks[block];
    for (const size_t at : {size_t{0}, size_t{50}, kBlockHeaderBytes, value.size() - 1}) {
      std::string changed = value;
      changed[at] ^= 0x55;
      RawStore(directory_.path()).PutBlock(key, changed);
      const Error error = Verify();
      EXPECT_TRUE(Names(error, fmt::format("position {} of shard 0", 1 + 3 * block)))
          << "block " << block << " byte " << at << ": " << error.message;
    }
    RawStore(directory_.path()).PutBlock(key, value);
  }
}

TEST_F(DamagedLog, IsNamedWhenTheChecksumWasMadeRightAgain) {
  const Error error = VerifyAfter([](RawStore& raw, auto& blocks) {
    std::string changed = blocks[1].second;
    changed[70] ^= 1;  // the block's own hash
    ForgeBlockChecksum(&changed);
    raw.PutBlock(blocks[1].first, changed);
  });
  EXPECT_EQ(error.code, ErrorCode::kStoreCorrupt);
  EXPECT_TRUE(Names(error, "position 4 of shard 0")) << error.message;
}

TEST_F(DamagedLog, IsNamedWhenABlockIsMissingInTheMiddle) {
  const Error error =
      VerifyAfter([](RawStore& raw, auto& blocks) { raw.DeleteBlock(blocks[2].first); });
  EXPECT_EQ(error.code, ErrorCode::kStoreCorrupt);
  EXPECT_TRUE(Names(error, "position 7 of shard 0")) << error.message;
}

TEST_F(DamagedLog, IsNamedWhenTheFirstBlockIsMissing) {
  const Error error =
      VerifyAfter([](RawStore& raw, auto& blocks) { raw.DeleteBlock(blocks[0].first); });
  EXPECT_TRUE(Names(error, "position 1 of shard 0")) << error.message;
}

TEST_F(DamagedLog, IsNamedWhenBlocksAreSwapped) {
  const Error error = VerifyAfter([](RawStore& raw, auto& blocks) {
    raw.PutBlock(blocks[1].first, blocks[2].second);
    raw.PutBlock(blocks[2].first, blocks[1].second);
  });
  EXPECT_TRUE(Names(error, "position 4 of shard 0")) << error.message;
}

TEST_F(DamagedLog, IsNamedWhenABlockIsThereTwice) {
  const Error error = VerifyAfter([](RawStore& raw, auto& blocks) {
    std::string key = blocks[1].first;
    key.back() = 5;  // positions 4 to 6 once more, as if they began at 5
    raw.PutBlock(key, blocks[1].second);
  });
  EXPECT_TRUE(Names(error, "position 7 of shard 0")) << error.message;
}

TEST_F(DamagedLog, IsNamedWhenTheTailIsCutAndNotOpenedForWork) {
  const Error error =
      VerifyAfter([](RawStore& raw, auto& blocks) { raw.DeleteBlock(blocks[3].first); });
  EXPECT_EQ(error.code, ErrorCode::kStoreCorrupt);
  EXPECT_TRUE(Names(error, "position 12 of shard 0")) << error.message;
  EXPECT_CODE(OpenRocksDbStore(directory_.path()), kStoreCorrupt);
}

TEST_F(DamagedLog, IsNamedWhenAllOfItIsGone) {
  const Error error = VerifyAfter([](RawStore& raw, auto& blocks) {
    for (const auto& [key, value] : blocks) raw.DeleteBlock(key);
  });
  EXPECT_TRUE(Names(error, "shard 0")) << error.message;
  EXPECT_EQ(error.code, ErrorCode::kStoreCorrupt);
}

TEST_F(DamagedLog, CanBeReadUpToTheDamageAndNotWritten) {
  {
    RawStore raw(directory_.path());
    raw.DeleteBlock(raw.Blocks()[3].first);
  }
  RocksDbOptions options;
  options.open_damaged = true;
  auto store = OpenRocksDbStore(directory_.path(), options);
  ASSERT_OK(store);
  EXPECT_EQ(ReadLog(**store).size(), 9u);
  EXPECT_CODE(AppendNext(**store, RoundRobin(1, 1, 10)), kStoreCorrupt);
}

TEST_F(DamagedLog, StopsACursorAtTheMissingBlock) {
  {
    RawStore raw(directory_.path());
    raw.DeleteBlock(raw.Blocks()[1].first);
  }
  RocksDbOptions options;
  options.open_damaged = true;
  auto store = OpenRocksDbStore(directory_.path(), options);
  ASSERT_OK(store);
  auto cursor = (*store)->Read(kShard, Position(1));
  ASSERT_OK(cursor);
  for (int i = 0; i < 3; ++i) ASSERT_OK((*cursor)->Next());
  EXPECT_CODE((*cursor)->Next(), kStoreCorrupt);
  auto inside = (*store)->Read(kShard, Position(5));
  EXPECT_CODE((*inside)->Next(), kStoreCorrupt);
}

TEST_F(DamagedLog, IsRefusedWhenANewerBuildWroteTheDirectory) {
  RawStore(directory_.path()).PutMeta("format", std::string("\x02\0\0\0", 4));
  EXPECT_CODE(OpenRocksDbStore(directory_.path()), kStoreUnknownFormat);
}

// What was written last is in RocksDB's write-ahead file, which guards itself.
TEST_F(DamagedLog, InTheWriteAheadFileIsNamedByPosition) {
  const auto files = [](const std::string& path) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(path + "/log"))
      if (entry.path().extension() == ".log" && entry.file_size() > 0)
        found.push_back(entry.path().filename());
    return found;
  };
  const std::vector<std::string> names = files(directory_.path());
  ASSERT_FALSE(names.empty());
  int flips = 0;
  for (const std::string& name : names) {
    const uintmax_t size = std::filesystem::file_size(directory_.path() + "/log/" + name);
    for (uintmax_t at = 3; at < size; at += std::max<uintmax_t>(size / 12, 1)) {
      const TempDir copy;
      std::filesystem::copy(directory_.path(), copy.path(),
                            std::filesystem::copy_options::recursive |
                                std::filesystem::copy_options::overwrite_existing);
      {
        std::fstream file(copy.path() + "/log/" + name,
                          std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(at));
        const int byte = file.get();
        if (byte == 0) continue;  // what follows the last entry
        file.seekp(static_cast<std::streamoff>(at));
        file.put(static_cast<char>(byte ^ 0x20));
      }
      RocksDbOptions options;
      options.open_damaged = true;
      auto store = OpenRocksDbStore(copy.path(), options);
      ASSERT_OK(store);
      const auto verified = (*store)->VerifyChain(kShard);
      ASSERT_FALSE(verified.has_value()) << name << " at " << at;
      EXPECT_TRUE(Names(verified.error(), "position")) << verified.error().message;
      EXPECT_FALSE(AppendNext(**store, RoundRobin(1, 1, 99)).has_value());
      ++flips;
    }
  }
  EXPECT_GT(flips, 3);
}

}  // namespace
}  // namespace stele::eventstore
