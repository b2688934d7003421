// Appends, archiving, cuts and restarts in any order, against a model that is a list of records.
#include <gtest/gtest.h>

#include <map>
#include <random>
#include <set>

#include "tests/eventstore/archive_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

class RandomArchive : public testing::TestWithParam<uint32_t> {
 protected:
  void SetUp() override { Reopen(); }
  void Reopen() {
    store_.reset();
    RocksDbOptions options = SmallSegments(500 + Below(4000));
    options.index_chunk_records = 5 + Below(100);
    options.write_buffer_bytes = 64 << 10;
    auto opened = OpenRocksDbStore(directory_.path(), options);
    ASSERT_OK(opened);
    store_ = std::move(*opened);
  }
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  void Append() {
    for (uint64_t blocks = 1 + Below(10); blocks > 0; --blocks) {
      Batch batch;
      const uint64_t next = store_->NextPosition(kShard).value;
      for (uint64_t i = 0, count = 1 + Below(6); i < count; ++i) {
        // Of some instances that are not gone; a new one now and then.
        uint64_t instance = instances_ > 6 ? instances_ - Below(6) : ++instances_;
        if (Below(3) == 0) instance = ++instances_;
        if (gone_.contains(instance)) instance = ++instances_;
        const uint64_t seq = ++seqs_[instance];
        AddRecord(&batch, instance, seq);
        records_.push_back({next + i, instance, seq, BodyFor(instance, seq),
                            std::string(HeaderFor(instance, seq).actor)});
      }
      ASSERT_OK(AppendNext(*store_, batch));
    }
  }
  void Archive() {
    const uint64_t to = 1 + Below(store_->NextPosition(kShard).value + 5);
    const Position before = store_->ArchivedTo(kShard);
    ASSERT_OK(store_->Archive(kShard, Position(to)));
    EXPECT_GE(store_->ArchivedTo(kShard), before);
    EXPECT_LE(store_->ArchivedTo(kShard), std::max(before, Position(to)));
  }
  // Instances all of whose records are archived, and which get no more.
  void Cut() {
    const Position end = store_->ArchivedTo(kShard);
    std::map<uint64_t, uint64_t> last;
    for (const ReadRecord& record : records_) last[record.instance] = record.position;
    Erasure erasure;
    std::set<uint64_t> cut;
    for (const auto& [instance, position] : last)
      if (position < end.value && Below(4) == 0) cut.insert(instance);
    for (const uint64_t instance : cut) erasure.instances.push_back(InstanceId(instance));
    const size_t before = records_.size();
    std::erase_if(records_, [&](const ReadRecord& r) { return cut.contains(r.instance); });
    const auto report = store_->Cut(kShard, erasure);
    ASSERT_OK(report);
    EXPECT_EQ(report->records, before - records_.size());
    cut_ += report->records;
    gone_.insert(cut.begin(), cut.end());
  }
  void Check() {
    ASSERT_EQ(ReadLog(*store_), records_);
    const auto chain = store_->InspectChain(kShard);
    ASSERT_OK(chain);
    EXPECT_EQ(chain->records, store_->NextPosition(kShard).value - 1);
    EXPECT_EQ(chain->archived, store_->ArchivedTo(kShard).value - 1);
    EXPECT_EQ(chain->cut, cut_);
    for (int i = 0; i < 5 && instances_ > 0; ++i) {
      const uint64_t instance = 1 + Below(instances_);
      if (gone_.contains(instance)) {
        EXPECT_CODE(store_->ReadInstance(kShard, InstanceId(instance), Seq(1)), kInstanceErased);
        continue;
      }
      std::vector<ReadRecord> history;
      for (const ReadRecord& record : records_)
        if (record.instance == instance) history.push_back(record);
      ASSERT_EQ(ReadHistory(*store_, instance), history);
    }
    if (records_.empty()) return;
    const ReadRecord& some = records_[Below(records_.size())];
    const auto rest = ReadLog(*store_, some.position);
    ASSERT_FALSE(rest.empty());
    EXPECT_EQ(rest.front(), some);
  }

  TempDir directory_;
  std::mt19937_64 random_{GetParam()};
  std::unique_ptr<EventStore> store_;
  std::vector<ReadRecord> records_;  // that must be there
  std::map<uint64_t, uint64_t> seqs_;
  std::set<uint64_t> gone_;
  uint64_t instances_ = 0;
  uint64_t cut_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Seeds, RandomArchive, testing::Range(1u, 9u));

TEST_P(RandomArchive, IsWhatTheModelSays) {
  for (int step = 0; step < 60; ++step) {
    SCOPED_TRACE(fmt::format("step {}", step));
    switch (Below(8)) {
      case 0:
        Reopen();
        break;
      case 1:
      case 2:
        Archive();
        break;
      case 3:
        Cut();
        break;
      default:
        Append();
    }
    if (HasFatalFailure()) return;
    if (step % 4 == 3) Check();
    if (HasFatalFailure()) return;
  }
  Reopen();
  Check();
}

}  // namespace
}  // namespace stele::eventstore
