// The tree over all records on the disk: logs of builds from before there was one, rows that
// somebody changed, backups that are restored up to a position.
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>

#include "eventstore/backup.h"
#include "eventstore/log_rows.h"
#include "eventstore/restore.h"
#include "eventstore/rocksdb_store.h"
#include "eventstore/signed_head.h"
#include "tests/eventstore/records.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class TreeOnDisk : public testing::Test {
 protected:
  TreeOnDisk() {
    options_.heads = {std::make_shared<const NoteSigner>(NoteSigner::Generate("log.example")), 100};
    Open();
  }
  void Open(bool read_only = false) {
    store_.reset();
    RocksDbOptions options = options_;
    options.read_only = read_only;
    auto opened = OpenRocksDbStore(path(), options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  // 70 blocks of 13 records: of 6 instances, in turn, then of 6 others. `turn`: of the first block,
  // which instance begins.
  void Fill(uint64_t turn = 0) {
    for (uint64_t seq = 1; seq <= 70; ++seq) {
      const uint64_t begin = seq == 1 ? turn : 0;
      Batch batch;
      for (uint64_t i = 0; i < 13; ++i)
        AddRecord(&batch, 1 + (begin + i) % 6 + (seq > 35 ? 6 : 0), seq);
      ASSERT_OK(AppendNext(*store_, batch));
    }
  }
  Hash Root(uint64_t size) const {
    const auto root = store_->Tree(kShard)->Root(size);
    EXPECT_OK(root);
    return root.value_or(Hash{});
  }
  std::string path() const { return directory_.path() + "/data"; }
  // What is in the log's rows, and changes to it, while nobody has it open.
  void Change(const std::function<std::vector<KeyRow>(const TreeRows&)>& changes) {
    store_.reset();
    LogDb log;
    ASSERT_OK(log.Open(path() + "/log", 1 << 20, /*create=*/false, nullptr));
    ASSERT_OK(log.WriteMeta(ChangesOf(changes(LogRows(log)))));
  }
  static std::vector<KeyRow> RowsWith(const TreeRows& rows, std::string_view prefix) {
    std::vector<KeyRow> found;
    EXPECT_OK(rows.ForEach(prefix, prefix, [&](std::string_view name, std::string_view value) {
      found.push_back({std::string(name), std::string(value)});
      return Result<bool>(true);
    }));
    return found;
  }

  TempDir directory_;
  RocksDbOptions options_;
  std::unique_ptr<EventStore> store_;
};

TEST_F(TreeOnDisk, IsMadeOfALogThatHasNone) {
  Fill();
  ASSERT_OK(store_->Archive(kShard, Position(600)));
  const Hash root = Root(910);
  Change([](const TreeRows& rows) {
    std::vector<KeyRow> gone;
    for (const char* prefix : {"node", "gone", "edge", "head"})
      for (const KeyRow& row : RowsWith(rows, prefix)) gone.push_back({row.name, ""});
    return gone;
  });
  Open(/*read_only=*/true);
  EXPECT_EQ(Root(910), root) << "computed, for who only reads";
  EXPECT_OK(store_->InspectChain(kShard));
  Open();
  EXPECT_EQ(Root(910), root);
  ASSERT_OK(AppendNext(*store_, RoundRobin(200, 6, 71)));
  EXPECT_OK(store_->InspectChain(kShard));
  Change([](const TreeRows& rows) {
    EXPECT_EQ(RowsWith(rows, "node").size(), 4u);
    return std::vector<KeyRow>();
  });
}

TEST_F(TreeOnDisk, StandsInForWhatWasCutOutBeforeThereWasOne) {
  Fill();
  ASSERT_OK(store_->Archive(kShard, Position(900)));
  ASSERT_OK(AppendNext(*store_, RoundRobin(300, 3, 100)));
  ASSERT_OK(store_->Cut(kShard, {{InstanceId(6)}, {}}));
  Change([](const TreeRows& rows) {
    std::vector<KeyRow> gone;
    for (const char* prefix : {"node", "gone", "edge", "head"})
      for (const KeyRow& row : RowsWith(rows, prefix)) gone.push_back({row.name, ""});
    return gone;
  });
  Open();
  const Hash root = Root(1210);
  EXPECT_OK(store_->InspectChain(kShard));
  Open();
  EXPECT_EQ(Root(1210), root);
}

TEST_F(TreeOnDisk, IsDamagedWhenARowIsAnother) {
  Fill();
  ASSERT_OK(store_->Archive(kShard, Position(900)));
  ASSERT_OK(store_->Cut(kShard, {{InstanceId(2), InstanceId(5)}, {}}));
  for (const char* prefix : {"node", "gone", "head"}) {
    for (const bool gone : {false, true}) {
      if (gone && prefix == std::string_view("head")) continue;  // that one was never there
      KeyRow before;
      Change([&](const TreeRows& rows) {
        before = RowsWith(rows, prefix)[1];
        KeyRow after = before;
        if (prefix == std::string_view("head"))
          after.value = SignHead({"log.example", 4, {}}, *options_.heads.signer);
        else
          after.value[after.value.size() - 1] ^= 1;
        return std::vector<KeyRow>{gone ? KeyRow{before.name, ""} : after};
      });
      Open(/*read_only=*/true);
      EXPECT_CODE(store_->InspectChain(kShard), kStoreCorrupt);
      Change([&](const TreeRows&) { return std::vector<KeyRow>{before}; });
      Open(/*read_only=*/true);
      EXPECT_OK(store_->InspectChain(kShard));
    }
  }
}

// Somebody writes other records, with a chain of their own, and leaves the tree's rows.
TEST_F(TreeOnDisk, OfOtherRecordsIsFoundWhenTheRecordsAreRead) {
  Fill();
  const Hash root = Root(768);
  std::vector<KeyRow> nodes;
  Change([&](const TreeRows& rows) {
    nodes = RowsWith(rows, "node");
    return std::vector<KeyRow>();
  });
  std::filesystem::remove_all(path());
  Open();
  Fill(/*turn=*/1);
  EXPECT_NE(Root(768), root);
  EXPECT_OK(store_->InspectChain(kShard));
  Change([&](const TreeRows&) { return nodes; });
  Open(/*read_only=*/true);
  EXPECT_EQ(Root(768), root) << "stored hashes say that nothing was changed";
  EXPECT_CODE(store_->InspectChain(kShard), kStoreCorrupt);
}

TEST_F(TreeOnDisk, IsNotOpenedWhenTheLogIsShorterThanAHead) {
  Fill();
  Change([&](const TreeRows&) {
    return std::vector<KeyRow>{{HeadRowName(kShard, 5000, 7),
                                SignHead({"log.example", 5000, {}}, *options_.heads.signer)}};
  });
  EXPECT_CODE(OpenRocksDbStore(path(), options_), kStoreCorrupt);
}

TEST_F(TreeOnDisk, GoesWithABackupUpToAnyPosition) {
  Fill();
  ASSERT_OK(store_->Archive(kShard, Position(600)));
  ASSERT_OK(store_->Cut(kShard, {{InstanceId(3)}, {}}));
  BackupRequest request;
  request.directory = directory_.path() + "/backups";
  ASSERT_OK(store_->Backup(request));
  for (const uint64_t last : {600u, 605u, 768u, 800u, 910u}) {
    RestoreRequest restore;
    restore.directory = request.directory;
    restore.target = directory_.path() + "/to-" + std::to_string(last);
    restore.to_position = Position(last);
    ASSERT_OK(Restore(restore));
    const Hash root = Root(last);
    auto opened = OpenRocksDbStore(restore.target, options_);
    ASSERT_OK(opened);
    const auto tree = (*opened)->Tree(kShard);
    EXPECT_EQ(tree->Root(last), root) << last;
    uint64_t newest = 0;
    EXPECT_OK(tree->ForEachHead(0, [&](uint64_t size, std::string_view) {
      newest = size;
      return Result<bool>(true);
    }));
    EXPECT_LE(newest, last);
    EXPECT_GT(newest, last - 220);
    ASSERT_OK(AppendNext(**opened, RoundRobin(400, 6, 500)));
    EXPECT_OK((*opened)->InspectChain(kShard));
    EXPECT_OK((*opened)->Tree(kShard)->ConsistencyPath(last, last + 400));
  }
}

}  // namespace
}  // namespace stele::eventstore
