// A process that dies, or loses its power, at every step of archiving and of cutting: nothing is
// lost, nothing is there twice, and what was begun can be finished.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <set>

#include "tests/eventstore/archive_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);
const std::set<uint64_t> kCut = {5, 6, 20, 30};

struct Told {
  uint64_t step = 0;
  uint64_t error = 0;
  bool done = false;
  bool killed = false;
};

Told RunChild(const std::string& mode, const std::string& path, uint64_t step, const char* how) {
  // The shell is replaced by the child, whose signal is then the one that is seen here.
  FILE* output = popen(
      fmt::format("exec '{}' {} '{}' {} {}", STELE_ARCHIVE_CHILD, mode, path, step, how).c_str(),
      "r");
  Told told;
  char what[16];
  unsigned long value = 0;
  while (fscanf(output, "%15s %lu", what, &value) == 2) {
    if (std::string_view(what) == "error")
      told.error = value;
    else
      told.step = value;
    told.done = std::string_view(what) == "done";
  }
  const int status = pclose(output);
  told.killed = WIFSIGNALED(status);
  EXPECT_TRUE(told.killed || WEXITSTATUS(status) == 0) << mode << " up to step " << step;
  return told;
}

// A killed process leaves what it had written, a machine without power what was synced.
class ArchiveCrash : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    auto store = OpenRocksDbStore(original_.path(), SmallSegments());
    ASSERT_OK(store);
    AppendOverlapping(**store, 1, 40, 3);
    records_ = ReadLog(**store);
    ASSERT_OK((*store)->PutNote(kShard, "key of 5", "private"));
    ASSERT_OK((*store)->PutSnapshot(kShard, InstanceId(5), {Seq(3), Position(20), "private"}));
    ASSERT_OK((*store)->WriteCheckpoint(kShard, {Position(120), "all"}));
  }
  void Archive() {
    auto store = OpenRocksDbStore(original_.path(), SmallSegments());
    ASSERT_OK(store);
    ASSERT_OK((*store)->Archive(kShard, Position(121)));
  }
  static void Copy(const std::string& from, const std::string& to) {
    std::filesystem::copy(from, to,
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
  }
  // Runs `mode` on a copy until it ends by itself, one step longer each time. Returns the steps.
  template <class Expect>
  uint64_t DieAtEveryStep(const std::string& mode, Expect expect) {
    for (uint64_t step = 1;; ++step) {
      const TempDir copy;
      Copy(original_.path(), copy.path());
      const Told told = RunChild(mode, copy.path(), step, GetParam());
      SCOPED_TRACE(fmt::format("{} up to step {}", mode, step));
      expect(copy.path(), told);
      if (testing::Test::HasFatalFailure() || told.done) return step - 1;
      EXPECT_TRUE(told.killed);
    }
  }
  // No file but those that are noted.
  static void ExpectNoStrays(const std::string& path, const EventStore& store) {
    std::vector<std::string> noted;
    for (const SegmentInfo& segment : store.Segments(kShard))
      noted.push_back(std::filesystem::path(segment.file).filename());
    std::ranges::sort(noted);
    EXPECT_EQ(NamesIn(path + "/archive", ".segment"), noted);
    EXPECT_TRUE(NamesIn(path + "/archive", ".new").empty());
  }
  void ExpectWhole(const std::string& path, const RocksDbOptions& options) {
    auto store = OpenRocksDbStore(path, options);
    ASSERT_OK(store);
    ExpectNoStrays(path, **store);
    EXPECT_EQ((*store)->VerifyChain(kShard), 120u);
    EXPECT_EQ(ReadLog(**store), records_);
    for (uint64_t instance = 3; instance <= 40; ++instance)
      ASSERT_EQ(ReadHistory(**store, instance).size(), 3u);
    ASSERT_OK((*store)->Archive(kShard, Position(100)));
    EXPECT_GE((*store)->ArchivedTo(kShard), Position(100));
    EXPECT_EQ(ReadLog(**store), records_);
    AppendOverlapping(**store, 41, 1, 3);
    EXPECT_EQ((*store)->VerifyChain(kShard), 123u);
    ExpectNoStrays(path, **store);
  }
  // All of it is there, or nothing that was cut is seen; then it is finished.
  void ExpectCutWholly(const std::string& path, const std::set<uint64_t>& cut, bool done) {
    auto store = OpenRocksDbStore(path, SmallSegments());
    ASSERT_OK(store);
    ExpectNoStrays(path, **store);
    EXPECT_EQ((*store)->VerifyChain(kShard), 120u);
    std::vector<ReadRecord> rest = records_;
    std::erase_if(rest, [&](const ReadRecord& record) { return cut.contains(record.instance); });
    const auto read = ReadLog(**store);
    const bool gone = read == rest;
    EXPECT_TRUE(gone || read == records_) << read.size() << " records";
    EXPECT_TRUE(gone || !done);
    for (const uint64_t instance : cut)
      EXPECT_EQ((*store)->ReadInstance(kShard, InstanceId(instance), Seq(1)).has_value(), !gone);
    EXPECT_EQ((*(*store)->GetSnapshot(kShard, InstanceId(5))).has_value(), !gone);
    ASSERT_OK((*store)->Cut(kShard, {}));
    EXPECT_EQ(ReadLog(**store), read);
    EXPECT_EQ((*(*store)->GetNote(kShard, "key of 5")).has_value(), !gone);
    EXPECT_EQ((*store)->InspectChain(kShard)->cut, gone ? records_.size() - rest.size() : 0u);
    ExpectNoStrays(path, **store);
  }

  TempDir original_;
  std::vector<ReadRecord> records_;
};

INSTANTIATE_TEST_SUITE_P(Ways, ArchiveCrash, testing::Values("", "unplugged"),
                         [](const auto& given) {
                           return std::string(*given.param == '\0' ? "Killed" : "Unplugged");
                         });

TEST_P(ArchiveCrash, AtAnyStepOfArchivingLosesNothing) {
  const uint64_t steps = DieAtEveryStep(
      "archive", [&](const std::string& path, const Told&) { ExpectWhole(path, SmallSegments()); });
  EXPECT_GT(steps, 15u);
}

TEST_P(ArchiveCrash, AtAnyStepOfASegmentsGrowthLosesNothing) {
  const uint64_t steps = DieAtEveryStep("grow", [&](const std::string& path, const Told&) {
    ExpectWhole(path, SmallSegments(1 << 20));
  });
  EXPECT_GT(steps, 15u);
}

TEST_P(ArchiveCrash, AtAnyStepOfACutLeavesAllOfItOrNothing) {
  Archive();
  const uint64_t steps = DieAtEveryStep("cut", [&](const std::string& path, const Told& told) {
    ExpectCutWholly(path, kCut, told.done);
  });
  EXPECT_GT(steps, 10u);
}

TEST_P(ArchiveCrash, AtAnyStepOfPuttingSegmentsTogetherLosesNothing) {
  Archive();
  std::set<uint64_t> cut;
  for (uint64_t instance = 1; instance <= 34; ++instance) cut.insert(instance);
  size_t fewest = SIZE_MAX, most = 0;
  DieAtEveryStep("clear", [&](const std::string& path, const Told& told) {
    ExpectCutWholly(path, cut, told.done);
    const size_t segments = NamesIn(path + "/archive", ".segment").size();
    fewest = std::min(fewest, segments);
    most = std::max(most, segments);
  });
  EXPECT_LT(fewest, most) << "segments were put together";
}

TEST(FullDisk, RefusesTheArchivingAndNothingElse) {
  const TempDir directory;
  {
    auto store = OpenRocksDbStore(directory.path(), SmallSegments());
    ASSERT_OK(store);
    AppendOverlapping(**store, 1, 40, 3);
  }
  for (const uint64_t limit : {200, 700}) {
    const TempDir copy;
    std::filesystem::copy(directory.path(), copy.path(),
                          std::filesystem::copy_options::recursive |
                              std::filesystem::copy_options::overwrite_existing);
    const Told told = RunChild("full", copy.path(), limit, "");
    EXPECT_EQ(told.error, static_cast<uint64_t>(ErrorCode::kIo)) << limit;
    EXPECT_TRUE(told.done) << limit;
    auto store = OpenRocksDbStore(copy.path(), SmallSegments());
    ASSERT_OK(store);
    EXPECT_EQ((*store)->ArchivedTo(kShard), Position(121));
    EXPECT_EQ((*store)->VerifyChain(kShard), 121u);
  }
}

// The cut is finished although the index of where it was is gone.
TEST_P(ArchiveCrash, OfACutIsFinishedWithoutTheState) {
  Archive();
  DieAtEveryStep("cut", [&](const std::string& path, const Told& told) {
    std::filesystem::remove_all(path + "/state");
    auto store = OpenRocksDbStore(path, SmallSegments());
    ASSERT_OK(store);
    const size_t seen = ReadLog(**store).size();
    ASSERT_OK((*store)->Cut(kShard, {}));
    EXPECT_EQ(ReadLog(**store).size(), seen);
    EXPECT_EQ((*store)->InspectChain(kShard)->cut, 120 - seen);
    EXPECT_TRUE(seen == 120 || seen == 108) << seen;
    EXPECT_TRUE(seen == 108 || !told.done);
  });
}

}  // namespace
}  // namespace stele::eventstore
