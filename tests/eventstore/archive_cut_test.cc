// Instances that were cut out of the log: nothing of them is left but their records' hashes.
#include <gtest/gtest.h>

#include "eventstore/memory_store.h"
#include "tests/eventstore/archive_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

Erasure Of(std::initializer_list<uint64_t> instances) {
  Erasure erasure;
  for (const uint64_t instance : instances) erasure.instances.push_back(InstanceId(instance));
  return erasure;
}

std::vector<ReadRecord> Without(std::vector<ReadRecord> records,
                                std::initializer_list<uint64_t> instances) {
  std::erase_if(records, [&](const ReadRecord& record) {
    return std::ranges::find(instances, record.instance) != instances.end();
  });
  return records;
}

// What every store owes, over 40 blocks of three records of which the first 100 positions are
// archived: instance n has a record in each of the blocks n - 2 to n.
class Cut : public testing::TestWithParam<bool> {
 protected:
  void SetUp() override {
    Reopen();
    AppendOverlapping(store(), 1, 40, 3);
    ASSERT_OK(store().Archive(kShard, Position(101)));
    ASSERT_EQ(store().ArchivedTo(kShard), Position(100));
    records_ = ReadLog(store());
  }
  EventStore& store() { return *store_; }
  void Reopen() {
    if (GetParam()) {
      store_.reset();
      auto opened = OpenRocksDbStore(directory_.path(), SmallSegments());
      ASSERT_OK(opened);
      store_ = std::move(*opened);
    } else if (store_ == nullptr) {
      store_ = std::make_unique<MemoryStore>();
    } else {
      auto& memory = static_cast<MemoryStore&>(*store_);
      store_ = memory.Crash(memory.unflushed_puts());
    }
  }

  TempDir directory_;
  std::unique_ptr<EventStore> store_;
  std::vector<ReadRecord> records_;
};

INSTANTIATE_TEST_SUITE_P(Stores, Cut, testing::Bool(), [](const auto& given) {
  return std::string(given.param ? "RocksDb" : "Memory");
});

TEST_P(Cut, LeavesAllOtherRecordsAndTheChain) {
  const auto report = store().Cut(kShard, Of({5, 6, 30}));
  ASSERT_OK(report);
  EXPECT_EQ(report->instances, 3u);
  EXPECT_EQ(report->records, 9u);
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(ReadLog(store()), Without(records_, {5, 6, 30}));
    const auto chain = store().InspectChain(kShard);
    ASSERT_OK(chain);
    EXPECT_EQ(chain->records, 120u);
    EXPECT_EQ(chain->cut, 9u);
    EXPECT_EQ(ReadHistory(store(), 7).size(), 3u);
    EXPECT_EQ(ReadHistory(store(), 4).size(), 3u);
    Reopen();
  }
}

TEST_P(Cut, SaysThatTheInstanceIsGone) {
  ASSERT_OK(store().Cut(kShard, Of({5})));
  for (int round = 0; round < 2; ++round) {
    EXPECT_CODE(store().ReadInstance(kShard, InstanceId(5), Seq(1)), kInstanceErased);
    EXPECT_OK(store().ReadInstance(kShard, InstanceId(6), Seq(1)));
    EXPECT_OK(store().ReadInstance(kShard, InstanceId(999), Seq(1)));
    Reopen();
  }
}

TEST_P(Cut, TellsHowFarAReaderCame) {
  ASSERT_OK(store().Cut(kShard, Of({1, 2})));  // position 1 is of instance 1, 4 of 2
  auto cursor = store().Read(kShard, Position(1));
  ASSERT_OK(cursor);
  EXPECT_EQ((*cursor)->Passed(), Position(0));
  const auto first = (*cursor)->Next();
  ASSERT_OK(first);
  EXPECT_EQ((*first)->position, Position(3));
  EXPECT_EQ((*cursor)->Passed(), Position(3));
}

TEST_P(Cut, PassesOverAnEndThatIsCutOut) {
  // Everything is archived, and the last block's last record is of instance 42 alone.
  ASSERT_OK(store().Archive(kShard, Position(121)));
  ASSERT_OK(store().Cut(kShard, Of({42})));
  auto cursor = store().Read(kShard, Position(118));
  ASSERT_OK(cursor);
  EXPECT_EQ(ReadAll(**cursor).size(), 2u);
  EXPECT_EQ((*cursor)->Passed(), Position(120));
  EXPECT_EQ(store().NextPosition(kShard), Position(121));
  AppendOverlapping(store(), 43, 1, 1);
  EXPECT_EQ(ReadAll(**cursor).size(), 1u);
}

TEST_P(Cut, TakesSnapshotsAndNamedNotes) {
  for (const uint64_t instance : {5, 6})
    ASSERT_OK(store().PutSnapshot(kShard, InstanceId(instance), {Seq(3), Position(20), "private"}));
  ASSERT_OK(store().PutNote(kShard, "key of 5", "private"));
  ASSERT_OK(store().PutNote(kShard, "key of 6", "private"));
  Erasure erasure = Of({5});
  erasure.notes = {"key of 5", "key of nobody"};
  ASSERT_OK(store().Cut(kShard, erasure));
  EXPECT_EQ(*store().GetSnapshot(kShard, InstanceId(5)), std::nullopt);
  EXPECT_NE(*store().GetSnapshot(kShard, InstanceId(6)), std::nullopt);
  EXPECT_EQ(*store().GetNote(kShard, "key of 5"), std::nullopt);
  EXPECT_NE(*store().GetNote(kShard, "key of 6"), std::nullopt);
  // Somebody who still had it in memory does not bring it back.
  ASSERT_OK(store().PutSnapshot(kShard, InstanceId(5), {Seq(3), Position(20), "private"}));
  EXPECT_EQ(*store().GetSnapshot(kShard, InstanceId(5)), std::nullopt);
}

TEST_P(Cut, RefusesWhatMayNotGoAndDoesNothingThen) {
  ASSERT_OK(store().PutOpen(kShard, InstanceId(8), "waits"));
  EXPECT_CODE(store().Cut(kShard, Of({5, 0})), kWrongState);
  EXPECT_CODE(store().Cut(kShard, Of({5, 8})), kWrongState);
  EXPECT_CODE(store().Cut(kShard, Of({5, 999})), kUnknownInstance);
  EXPECT_CODE(store().Cut(kShard, Of({5, 34})), kStoreWrongPosition);  // its last block is hot
  EXPECT_CODE(store().Cut(kShard, Of({5, 40})), kStoreWrongPosition);
  EXPECT_EQ(ReadLog(store()), records_);
  EXPECT_OK(store().Cut(kShard, Of({33})));
}

TEST_P(Cut, RemembersTheHighestNumberThatWasGiven) {
  EXPECT_EQ(store().LastCutInstance(kShard), InstanceId());
  ASSERT_OK(store().Cut(kShard, Of({5, 30, 12})));
  Reopen();
  EXPECT_EQ(store().LastCutInstance(kShard), InstanceId(30));
  ASSERT_OK(store().Cut(kShard, Of({6})));
  EXPECT_EQ(store().LastCutInstance(kShard), InstanceId(30));
  EXPECT_EQ(store().LastCutInstance(ShardId(1)), InstanceId());
}

TEST_P(Cut, PassesOverWhatIsGoneAlready) {
  ASSERT_OK(store().Cut(kShard, Of({5})));
  const auto again = store().Cut(kShard, Of({5, 6, 6}));
  ASSERT_OK(again);
  EXPECT_EQ(again->instances, 1u);
  EXPECT_EQ(again->records, 3u);
  EXPECT_EQ(ReadLog(store()), Without(records_, {5, 6}));
  const auto nothing = store().Cut(kShard, {});
  ASSERT_OK(nothing);
  EXPECT_EQ(nothing->records, 0u);
}

TEST_P(Cut, IsFollowedByMoreOfTheLog) {
  ASSERT_OK(store().Cut(kShard, Of({5})));
  AppendOverlapping(store(), 41, 10, 3);
  ASSERT_OK(store().Archive(kShard, Position(140)));
  ASSERT_OK(store().Cut(kShard, Of({20, 38, 41})));
  Reopen();
  const auto chain = store().InspectChain(kShard);
  ASSERT_OK(chain);
  EXPECT_EQ(chain->cut, 12u);
  EXPECT_EQ(chain->records, 150u);
  EXPECT_EQ(ReadHistory(store(), 42).size(), 3u);
}

// What only a store with files can owe.
class CutFiles : public testing::Test {
 protected:
  void SetUp() override {
    Open();
    AppendOverlapping(*store_, 1, 40, 3);
    ASSERT_OK(store_->PutSnapshot(kShard, InstanceId(5), {Seq(3), Position(20), BodyFor(5, 77)}));
  }
  void Open(const RocksDbOptions& options = SmallSegments()) {
    store_.reset();
    auto opened = OpenRocksDbStore(directory_.path(), options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  TempDir directory_;
  std::unique_ptr<EventStore> store_;
};

// One segment, stored as it is, so that its text can be looked for.
TEST_F(CutFiles, LeavesNoTextOfTheInstanceInAnyFile) {
  std::string noise;
  for (uint64_t i = 0; i < 64; ++i) noise += fmt::format("{:016x}", i * 0x9E3779B97F4A7C15u);
  Batch batch;
  batch.Add(HeaderFor(77, 1), noise);
  ASSERT_OK(AppendNext(*store_, batch));
  ASSERT_OK(store_->PutSnapshot(kShard, InstanceId(77), {Seq(1), Position(121), noise}));
  ASSERT_OK(store_->WriteCheckpoint(kShard, {Position(121), ""}));
  ASSERT_OK(store_->Archive(kShard, Position(122)));
  ASSERT_OK(store_->Cut(kShard, Of({77})));
  EXPECT_FALSE(AnyFileHas(directory_.path(), noise.substr(64, 16)));
  for (const SegmentInfo& segment : store_->Segments(kShard))
    EXPECT_TRUE(segment.last != Position(121) || segment.cut == 1u);
  EXPECT_EQ(NamesIn(directory_.path() + "/archive", ".segment").size(),
            store_->Segments(kShard).size());
  store_.reset();
  EXPECT_FALSE(AnyFileHas(directory_.path(), noise.substr(64, 16)));
}

TEST_F(CutFiles, RewritesOnlySegmentsThatHoldTheInstance) {
  ASSERT_OK(store_->Archive(kShard, Position(121)));
  const auto before = store_->Segments(kShard);
  ASSERT_GT(before.size(), 3u);
  const auto report = store_->Cut(kShard, Of({3}));
  ASSERT_OK(report);
  EXPECT_LT(report->segments, 3u);
  EXPECT_EQ(store_->Segments(kShard).back().file, before.back().file);
  EXPECT_NE(store_->Segments(kShard).front().file, before.front().file);
  EXPECT_EQ(store_->Segments(kShard).front().earliest, before.front().earliest);
  EXPECT_EQ(store_->Segments(kShard).front().hash, before.front().hash);
}

TEST_F(CutFiles, StaysDoneWhenTheStateIsRebuilt) {
  ASSERT_OK(store_->Archive(kShard, Position(121)));
  ASSERT_OK(store_->Cut(kShard, Of({5})));
  store_.reset();
  std::filesystem::remove_all(directory_.path() + "/state");
  Open();
  EXPECT_CODE(store_->ReadInstance(kShard, InstanceId(5), Seq(1)), kInstanceErased);
  EXPECT_EQ(ReadHistory(*store_, 6).size(), 3u);
  EXPECT_EQ(ReadLog(*store_).size(), 117u);
}

TEST_F(CutFiles, MayLeaveNothingOfASegment) {
  Open(SmallSegments(1 << 20));
  ASSERT_OK(store_->Archive(kShard, Position(121)));
  Erasure all;
  for (uint64_t instance = 1; instance <= 42; ++instance)
    all.instances.push_back(InstanceId(instance));
  const auto report = store_->Cut(kShard, all);
  ASSERT_OK(report);
  EXPECT_EQ(report->records, 120u);
  EXPECT_TRUE(ReadLog(*store_).empty());
  store_.reset();
  std::filesystem::remove_all(directory_.path() + "/state");
  Open();
  EXPECT_EQ(store_->InspectChain(kShard)->cut, 120u);
  AppendOverlapping(*store_, 43, 5, 2);
  EXPECT_EQ(ReadLog(*store_).size(), 10u);
  EXPECT_EQ(ReadHistory(*store_, 44).size(), 2u);
}

uint64_t FileBytes(const std::vector<SegmentInfo>& segments) {
  uint64_t bytes = 0;
  for (const SegmentInfo& segment : segments) bytes += segment.file_bytes;
  return bytes;
}

// Blocks of 50 records, ten blocks an instance, which get numbers from 100 on.
void AppendDense(EventStore& store, uint64_t blocks) {
  for (uint64_t block = 0; block < blocks; ++block) {
    Batch batch;
    for (uint64_t i = 1; i <= 50; ++i) AddRecord(&batch, 100 + block / 10, block % 10 * 50 + i);
    ASSERT_OK(AppendNext(store, batch));
  }
}

TEST_F(CutFiles, LeavesOneHashOfABlockThatIsGone) {
  Open(SmallSegments(1 << 20));
  AppendDense(*store_, 300);
  ASSERT_OK(store_->Archive(kShard, store_->NextPosition(kShard)));
  Erasure erasure;
  for (uint64_t i = 0; i < 30; ++i) erasure.instances.push_back(InstanceId(100 + i));
  const auto report = store_->Cut(kShard, erasure);
  ASSERT_OK(report);
  EXPECT_EQ(report->records, 15'000u);
  // The other 40 blocks have what they had.
  EXPECT_LT(FileBytes(store_->Segments(kShard)), 300 * 36 + 8'000);
  EXPECT_EQ(store_->VerifyChain(kShard), 15'120u);
  EXPECT_EQ(store_->InspectChain(kShard)->cut, 15'000u);
  EXPECT_EQ(ReadLog(*store_).size(), 120u);
  // From within what is gone.
  auto cursor = store_->Read(kShard, Position(7'025));
  ASSERT_OK(cursor);
  EXPECT_TRUE(ReadAll(**cursor).empty());
  EXPECT_EQ((*cursor)->Passed(), Position(15'120));
}

TEST_F(CutFiles, PutsSegmentsTogetherThatHaveBecomeSmall) {
  AppendDense(*store_, 60);
  ASSERT_OK(store_->Archive(kShard, store_->NextPosition(kShard)));
  const size_t before = store_->Segments(kShard).size();
  std::vector<ReadRecord> records = ReadLog(*store_);
  auto reader = store_->Read(kShard, Position(1));
  ASSERT_OK(reader);
  for (int i = 0; i < 5; ++i) ASSERT_OK((*reader)->Next());
  // One by one, as they come to their end.
  for (uint64_t instance = 100; instance < 105; ++instance)
    ASSERT_OK(store_->Cut(kShard, Of({instance})));
  std::erase_if(records, [](const ReadRecord& record) {
    return record.instance >= 100 && record.instance < 105;
  });
  EXPECT_LE(store_->Segments(kShard).size(), before / 2);
  EXPECT_EQ(ReadAll(**reader), std::vector(records.begin() + 5, records.end()));
  EXPECT_EQ(NamesIn(directory_.path() + "/archive", ".segment").size(),
            store_->Segments(kShard).size());
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(store_->VerifyChain(kShard), 3'120u);
    EXPECT_EQ(ReadLog(*store_), records);
    Open();
  }
}

TEST_F(CutFiles, StopsBehindASegmentAndIsFinishedByTheNext) {
  std::stop_source stop;
  uint64_t begun = 0;
  RocksDbOptions options = SmallSegments();
  options.on_archive_step = [&](std::string_view step) {
    begun += step == "a segment is begun" ? 1 : 0;
    if (begun == 1) stop.request_stop();
  };
  Open(options);
  const auto archived = store_->Archive(kShard, Position(121), stop.get_token());
  ASSERT_OK(archived);
  EXPECT_EQ(begun, 1u);
  EXPECT_GT(archived->end, Position(1));
  EXPECT_LT(archived->end, Position(121));
  ASSERT_OK(store_->Archive(kShard, Position(121)));
  const auto records = ReadLog(*store_);

  begun = 0;
  stop = std::stop_source();
  EXPECT_CODE(store_->Cut(kShard, Of({5, 30}), stop.get_token()), kShardStopped);
  EXPECT_EQ(begun, 1u);
  // Nobody sees them any more, whatever is still in the files.
  EXPECT_EQ(ReadLog(*store_), Without(records, {5, 30}));
  EXPECT_LT(store_->InspectChain(kShard)->cut, 6u);
  begun = 1;
  ASSERT_OK(store_->Cut(kShard, {}));
  EXPECT_EQ(ReadLog(*store_), Without(records, {5, 30}));
  EXPECT_EQ(store_->InspectChain(kShard)->cut, 6u);
}

// A reader that is under way sees a beginning of the instance, or nothing: never a part without
// what came before it.
TEST_F(CutFiles, ShowsAReaderNoLaterPartOfTheInstanceThanBefore) {
  ASSERT_OK(store_->Archive(kShard, Position(121)));
  auto cursor = store_->Read(kShard, Position(1));
  ASSERT_OK(cursor);
  for (int i = 0; i < 15; ++i) ASSERT_OK((*cursor)->Next());
  ASSERT_OK(store_->Cut(kShard, Of({7, 30})));
  std::vector<uint64_t> seqs;
  for (const ReadRecord& record : ReadAll(**cursor)) {
    EXPECT_NE(record.instance, 30u);
    if (record.instance == 7) seqs.push_back(record.seq);
  }
  for (size_t i = 1; i < seqs.size(); ++i) EXPECT_EQ(seqs[i], seqs[i - 1] + 1);
}

}  // namespace
}  // namespace stele::eventstore
