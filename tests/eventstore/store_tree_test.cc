// The tree over all records as each store keeps it: its roots and proofs, signed heads, what a cut,
// a crash and a build from before there were trees leave of it.
#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "eventstore/signed_head.h"
#include "eventstore/tree_proof.h"
#include "tests/eventstore/backends.h"
#include "tests/eventstore/plain_tree.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

HeadSigning Signing(uint64_t records, std::string_view name = "log.example") {
  return {std::make_shared<const NoteSigner>(NoteSigner::Generate(name)), records};
}

// Blocks of many sizes: `records` records of `instances` instances, in turn.
void Fill(EventStore& store, uint64_t records, uint64_t instances = 40) {
  uint64_t size = 1;
  for (uint64_t at = store.NextPosition(kShard).value - 1; at < records;) {
    Batch batch;
    for (uint64_t i = 0; i < size && at < records; ++i, ++at)
      AddRecord(&batch, 1 + at % instances, 1 + at / instances);
    size = size * 3 % 1021 % 300 + 1;
    ASSERT_OK(AppendNext(store, batch));
  }
}

std::vector<Hash> LeavesOf(const EventStore& store) {
  std::vector<Hash> leaves;
  const auto tree = store.Tree(kShard);
  for (uint64_t i = 0; i < tree->size(); ++i) {
    const auto frame = tree->Frame(Position(i + 1));
    EXPECT_TRUE(frame && *frame) << i;
    if (frame && *frame) leaves.push_back(LeafHash(Position(i + 1), **frame));
  }
  return leaves;
}

std::vector<SignedHead> Heads(const EventStore& store) {
  std::vector<SignedHead> heads;
  EXPECT_OK(store.Tree(kShard)->ForEachHead(0, [&](uint64_t size, std::string_view note) {
    const auto head = ParseHead(note);
    EXPECT_OK(head);
    EXPECT_EQ(head->head.size, size);
    heads.push_back(*head);
    return Result<bool>(true);
  }));
  return heads;
}

class StoreTree : public testing::TestWithParam<BackendCase> {
 protected:
  void SetUp() override { backend_ = GetParam().make(); }
  EventStore& store() { return backend_->store(); }
  std::unique_ptr<Backend> backend_;
};

TEST_P(StoreTree, IsThatOfTheRfcOverAllRecords) {
  Fill(store(), 1400);
  const std::vector<Hash> leaves = LeavesOf(store());
  const auto tree = store().Tree(kShard);
  ASSERT_EQ(tree->size(), 1400u);
  for (uint64_t size : {0, 1, 2, 255, 256, 257, 511, 512, 1000, 1279, 1280, 1400})
    EXPECT_EQ(tree->Root(size), PlainRoot(leaves, 0, size)) << size;
  for (uint64_t size : {1, 200, 256, 700, 1400})
    for (uint64_t index = 0; index < size; index += 41)
      EXPECT_EQ(tree->InclusionPath(index, size), PlainPath(leaves, index, 0, size));
  for (uint64_t size : {1, 256, 700, 1400})
    for (uint64_t older = 1; older <= size; older += 37)
      EXPECT_EQ(tree->ConsistencyPath(older, size), PlainConsistency(leaves, older, size));
  EXPECT_CODE(tree->Root(1401), kUnknownHead);
}

TEST_P(StoreTree, GoesOnAfterAClose) {
  Fill(store(), 300);
  backend_->Reopen();
  Fill(store(), 900);
  backend_->Reopen();
  Fill(store(), 901);
  EXPECT_EQ(store().Tree(kShard)->Root(901), PlainRoot(LeavesOf(store()), 0, 901));
  EXPECT_OK(store().InspectChain(kShard));
}

TEST_P(StoreTree, KeepsWhatProofsNeedOfWhatIsCutOut) {
  Fill(store(), 1400);
  const std::vector<Hash> leaves = LeavesOf(store());
  ASSERT_OK(store().Archive(kShard, Position(1401)));
  std::set<uint64_t> gone;
  for (const std::vector<uint64_t>& instances :
       {std::vector<uint64_t>{3, 4, 5, 8}, {6, 7, 1, 2, 40}, {9, 12, 15, 20, 30}}) {
    Erasure erasure;
    for (uint64_t id : instances) erasure.instances.push_back(InstanceId(id));
    ASSERT_OK(store().Cut(kShard, erasure));
    gone.insert(instances.begin(), instances.end());
    const auto tree = store().Tree(kShard);
    const Hash root = PlainRoot(leaves, 0, 1400);
    EXPECT_EQ(tree->Root(1400), root);
    for (uint64_t index = 0; index < 1400; ++index) {
      const auto frame = tree->Frame(Position(index + 1));
      ASSERT_OK(frame);
      EXPECT_EQ(frame->has_value(), !gone.contains(1 + index % 40));
      if (index % 7 == 0 && *frame) {
        EXPECT_EQ(RootByInclusion(index, 1400, LeafHash(Position(index + 1), **frame),
                                  *tree->InclusionPath(index, 1400)),
                  root);
      }
    }
    EXPECT_OK(store().InspectChain(kShard));
  }
  backend_->Reopen();
  Fill(store(), 2000);
  EXPECT_OK(store().InspectChain(kShard));
  EXPECT_TRUE(IsConsistent(1400, PlainRoot(leaves, 0, 1400), 2000,
                           *store().Tree(kShard)->Root(2000),
                           *store().Tree(kShard)->ConsistencyPath(1400, 2000)));
}

TEST_P(StoreTree, StaysWhenAllOfAGroupIsCutOut) {
  Fill(store(), 1000, 1);
  const Hash root = *store().Tree(kShard)->Root(1000);
  Batch other;
  AddRecord(&other, 2, 1);
  ASSERT_OK(AppendNext(store(), other));
  ASSERT_OK(store().Archive(kShard, Position(1001)));
  ASSERT_OK(store().Cut(kShard, {{InstanceId(1)}, {}}));
  EXPECT_EQ(store().Tree(kShard)->Root(1000), root);
  EXPECT_OK(store().Tree(kShard)->InclusionPath(1000, 1001));
  EXPECT_EQ(store().InspectChain(kShard)->cut, 1000u);
  backend_->Reopen();
  EXPECT_EQ(store().Tree(kShard)->Root(1000), root);
  EXPECT_OK(store().InspectChain(kShard));
}

TEST_P(StoreTree, OfNobodyWhoSignsHasNoHeads) {
  Fill(store(), 300);
  ASSERT_OK(store().SignHead(kShard));
  EXPECT_TRUE(Heads(store()).empty());
  EXPECT_EQ(store().head_verifier(), nullptr);
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreTree, testing::ValuesIn(Backends(nullptr)),
                         [](const auto& info) { return info.param.name; });

// Both stores, signing.
struct Signed {
  explicit Signed(HeadSigning signing) {
    options.heads = signing;
    memory.SignHeads(signing);
    Open();
  }
  void Open() {
    disk.reset();
    auto opened = OpenRocksDbStore(directory.path(), options);
    if (!opened) throw std::runtime_error(opened.error().ToString());
    disk = std::move(*opened);
  }
  TempDir directory;
  RocksDbOptions options;
  std::unique_ptr<EventStore> disk;
  MemoryStore memory;
};

TEST(SignedHeads, ComeEverySoManyRecordsAndWhenTheStoreCloses) {
  const HeadSigning signing = Signing(100);
  Signed stores(signing);
  for (EventStore* store : {stores.disk.get(), static_cast<EventStore*>(&stores.memory)}) {
    Fill(*store, 1000);
    const std::vector<Hash> leaves = LeavesOf(*store);
    uint64_t before = 0;
    for (const SignedHead& head : Heads(*store)) {
      EXPECT_GE(head.head.size - before, 100u);
      before = head.head.size;
      EXPECT_EQ(head.head.origin, "log.example");
      EXPECT_EQ(head.head.root, PlainRoot(leaves, 0, head.head.size));
      EXPECT_OK(CheckSignature(head, *store->head_verifier()));
    }
    EXPECT_GE(before, 700u);
    EXPECT_EQ(store->InspectChain(kShard)->heads, Heads(*store).size());
  }
  stores.Open();
  EXPECT_EQ(Heads(*stores.disk).back().head.size, 1000u) << "signed when it was closed";
  const size_t heads = Heads(*stores.disk).size();
  stores.Open();
  EXPECT_EQ(Heads(*stores.disk).size(), heads) << "nothing new, nothing to sign";
}

TEST(SignedHeads, ComeAfterSomeTimeByTheRecordsClock) {
  Signed stores(Signing(1'000'000));
  const auto append = [&](int64_t seconds) {
    RecordHeader header = HeaderFor(1, 1);
    header.time = TimeUs(header.time.value + seconds * 1'000'000);
    Batch batch;
    batch.Add(header, BodyFor(1, 1));
    ASSERT_OK(AppendNext(*stores.disk, batch));
  };
  for (int64_t second : {0, 30, 59}) append(second);
  EXPECT_TRUE(Heads(*stores.disk).empty());
  append(60);
  ASSERT_EQ(Heads(*stores.disk).size(), 1u);
  EXPECT_EQ(Heads(*stores.disk)[0].head.size, 4u);
}

TEST(SignedHeads, AreThereWhenTheyAreAskedFor) {
  Signed stores(Signing(1'000'000));
  for (EventStore* store : {stores.disk.get(), static_cast<EventStore*>(&stores.memory)}) {
    ASSERT_OK(store->SignHead(kShard));
    EXPECT_TRUE(Heads(*store).empty()) << "of an empty log";
    Fill(*store, 10);
    ASSERT_OK(store->SignHead(kShard));
    ASSERT_OK(store->SignHead(kShard));
    EXPECT_EQ(Heads(*store).size(), 1u);
  }
}

TEST(SignedHeads, OverWhatCameSinceAreNoneForWhoReadsWhatWasThere) {
  Signed stores(Signing(10));
  for (EventStore* store : {stores.disk.get(), static_cast<EventStore*>(&stores.memory)}) {
    const auto empty = store->Tree(kShard);
    Fill(*store, 100);
    ASSERT_OK(store->SignHead(kShard));
    const auto tree = store->Tree(kShard);
    Fill(*store, 3000);
    const auto note = tree->NewestHead();
    ASSERT_TRUE(note && *note);
    const auto head = ParseHead(**note);
    ASSERT_OK(head);
    EXPECT_EQ(head->head.size, 100u);
    EXPECT_EQ(tree->Root(100), head->head.root);
    const auto none = empty->NewestHead();
    ASSERT_OK(none);
    EXPECT_FALSE(none->has_value());
  }
}

TEST(SignedHeads, OfSeveralKeysStandBesideEachOther) {
  Signed stores(Signing(50, "first.example"));
  Fill(*stores.disk, 130);
  stores.options.heads = Signing(50, "second.example");
  stores.Open();
  Fill(*stores.disk, 300);
  std::set<std::string> origins;
  for (const SignedHead& head : Heads(*stores.disk)) origins.insert(head.head.origin);
  EXPECT_EQ(origins, (std::set<std::string>{"first.example", "second.example"}));
  EXPECT_OK(stores.disk->InspectChain(kShard));
}

TEST(SignedHeads, KeepTheirRootsWhateverIsCutOut) {
  for (const bool on_disk : {true, false}) {
    Signed stores(Signing(30));
    EventStore& store = on_disk ? *stores.disk : stores.memory;
    Fill(store, 900, 7);
    const size_t heads = Heads(store).size();
    ASSERT_OK(store.Archive(kShard, Position(901)));
    for (uint64_t id : {1, 2, 3, 4, 5, 6, 7}) {
      ASSERT_OK(store.Cut(kShard, {{InstanceId(id)}, {}}));
      const auto chain = store.InspectChain(kShard);
      ASSERT_OK(chain);
      EXPECT_EQ(chain->heads, heads);
      const auto tree = store.Tree(kShard);
      for (const SignedHead& head : Heads(store)) {
        EXPECT_EQ(tree->Root(head.head.size), head.head.root);
        EXPECT_OK(tree->ConsistencyPath(head.head.size, tree->size()));
      }
    }
  }
}

TEST(SignedHeads, ComeBackFromACrashWithTheirBlocks) {
  for (const WriteFault fault :
       {WriteFault::kNothingWritten, WriteFault::kTorn, WriteFault::kWritten}) {
    MemoryStore store;
    store.SignHeads(Signing(10));
    store.InjectFault(40, fault);
    for (uint64_t seq = 1; seq <= 60; ++seq) {
      Batch batch = RoundRobin(13, 5, seq);
      if (!AppendNext(store, batch)) break;
    }
    const auto after = store.Crash();
    EXPECT_EQ(after->NextPosition(kShard).value, fault == WriteFault::kWritten ? 521u : 508u);
    const auto chain = after->InspectChain(kShard);
    ASSERT_OK(chain);
    EXPECT_EQ(chain->heads, fault == WriteFault::kWritten ? 40u : 39u);
    Fill(*after, 1000);
    EXPECT_OK(after->InspectChain(kShard));
  }
}

TEST(SignedHeads, OfOtherShardsNameThem) {
  MemoryStore store;
  store.SignHeads(Signing(5));
  ASSERT_OK(AppendNext(store, RoundRobin(6, 1, 1), ShardId(3)));
  const auto note = store.Tree(ShardId(3))->NewestHead();
  ASSERT_TRUE(note && *note);
  EXPECT_EQ(ParseHead(**note)->head.origin, "log.example/shard/3");
}

}  // namespace
}  // namespace stele::eventstore
