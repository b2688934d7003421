// A copy of a data directory never changes the archive of the original, and who was moved or was
// copied with its archive goes on.
#include "eventstore/archive_owner.h"

#include <gtest/gtest.h>

#include "tests/eventstore/archive_store.h"

namespace stele::eventstore {
namespace {

constexpr ShardId kShard(0);

// 40 blocks of three records, of which 60 are archived in `cold`. Instance 1 ended long ago.
class Owner : public testing::Test {
 protected:
  void SetUp() override { Make(cold()); }
  void Make(const std::string& archive) {
    const auto store = Open(data(), archive);
    ASSERT_NE(store, nullptr);
    AppendOverlapping(*store, 1, 40, 3);
    ASSERT_OK(store->Archive(kShard, Position(61)));
  }
  std::string data() const { return directory_.path() + "/data"; }
  std::string other() const { return directory_.path() + "/other"; }
  std::string cold() const { return directory_.path() + "/cold"; }
  static void Copy(const std::string& from, const std::string& to) {
    std::filesystem::copy(
        from, to,
        std::filesystem::copy_options::recursive | std::filesystem::copy_options::copy_symlinks);
  }
  static std::unique_ptr<EventStore> Open(const std::string& data, const std::string& archive) {
    RocksDbOptions options = SmallSegments();
    options.archive_directory = archive;
    auto store = OpenRocksDbStore(data, options);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }
  static Result<CutReport> CutFirst(EventStore& store) {
    return store.Cut(kShard, {{InstanceId(1)}, {}});
  }
  // It archives and cuts.
  static void ExpectGoesOn(const std::string& data, const std::string& archive) {
    const auto store = Open(data, archive);
    ASSERT_NE(store, nullptr);
    EXPECT_OK(store->Archive(kShard, Position(100)));
    EXPECT_OK(CutFirst(*store));
    EXPECT_EQ(store->VerifyChain(kShard), 120u);
  }
  // It reads, and changes nothing in the archive.
  static void ExpectRefused(const std::string& data, const std::string& archive) {
    const auto files = NamesIn(archive, "");
    const std::string owner = ReadFile(archive + "/OWNER");
    const auto store = Open(data, archive);
    ASSERT_NE(store, nullptr);
    EXPECT_CODE(store->Archive(kShard, Position(100)), kStoreLocked);
    EXPECT_CODE(CutFirst(*store), kStoreLocked);
    EXPECT_EQ(ReadLog(*store).size(), 120u);
    EXPECT_EQ(NamesIn(archive, ""), files);
    EXPECT_EQ(ReadFile(archive + "/OWNER"), owner);
  }

  TempDir directory_;
};

TEST_F(Owner, IsNotACopyThatKnowsLessThanTheOriginal) {
  Copy(data(), other());
  // What the original archives from now on the copy would take for strays.
  ASSERT_OK(Open(data(), cold())->Archive(kShard, Position(100)));
  const auto files = NamesIn(cold(), "");
  {
    const auto copy = Open(other(), cold());
    EXPECT_CODE(copy->Archive(kShard, Position(100)), kStoreLocked);
    EXPECT_CODE(CutFirst(*copy), kStoreLocked);
  }
  EXPECT_EQ(NamesIn(cold(), ""), files);
  EXPECT_EQ(Open(data(), cold())->VerifyChain(kShard), 120u);
}

TEST_F(Owner, SaysWhereTheOriginalIsAndWhatToDo) {
  Copy(data(), other());
  const auto store = Open(other(), cold());
  const auto refused = store->Archive(kShard, Position(100));
  ASSERT_FALSE(refused);
  for (const std::string& part : {data() + "/log", other() + "/log", cold() + "/OWNER"})
    EXPECT_NE(refused.error().message.find(part), std::string::npos) << refused.error().message;
}

TEST_F(Owner, IsACopyOnceTheFileIsDeletedAndThenTheOriginalIsNot) {
  Copy(data(), other());
  ExpectRefused(other(), cold());
  std::filesystem::remove(cold() + "/OWNER");
  ASSERT_OK(Open(other(), cold())->Archive(kShard, Position(70)));
  const auto original = Open(data(), cold());
  EXPECT_CODE(original->Archive(kShard, Position(100)), kStoreLocked);
}

TEST_F(Owner, IsACopyWithCopiesOfTheSegments) {
  Copy(data(), other());
  const std::string own = directory_.path() + "/own";
  Copy(cold(), own);
  // Whose they are is not known: a file system may give other numbers to what is the same.
  ExpectRefused(other(), own);
  std::filesystem::remove(own + "/OWNER");
  ExpectGoesOn(other(), own);
  ExpectGoesOn(data(), cold());
}

TEST_F(Owner, IsStillTheSameWhenTheDataDirectoryIsMoved) {
  std::filesystem::rename(data(), other());
  ASSERT_OK(Open(other(), cold())->Archive(kShard, Position(70)));
  Copy(other(), data());
  ExpectRefused(data(), cold());
  ExpectGoesOn(other(), cold());
}

TEST_F(Owner, IsStillTheSameWhenTheArchiveIsMoved) {
  const std::string moved = directory_.path() + "/moved";
  Copy(cold(), moved);  // as to another disk
  std::filesystem::remove_all(cold());
  ExpectGoesOn(data(), moved);
}

TEST_F(Owner, IsNotKnownWhenAnOlderBuildWroteTheFile) {
  std::string text = ReadFile(cold() + "/OWNER");
  WriteFile(cold() + "/OWNER", text.substr(0, text.find('\n')));
  ExpectRefused(data(), cold());
  std::filesystem::remove(cold() + "/OWNER");
  ExpectGoesOn(data(), cold());
}

TEST_F(Owner, IsNotKnownFromADamagedFile) {
  const std::string text = ReadFile(cold() + "/OWNER");
  for (const std::string& damaged : {std::string(), std::string("x\n1 2\n3"), text.substr(0, 40)}) {
    WriteFile(cold() + "/OWNER", damaged);
    ExpectRefused(data(), cold());
  }
}

class OwnerWithin : public Owner {
 protected:
  void SetUp() override { Make(""); }
  std::string archive() const { return data() + "/archive"; }
};

TEST_F(OwnerWithin, IsACopyOfBoth) {
  Copy(data(), other());
  ExpectGoesOn(other(), "");
  ExpectGoesOn(data(), "");
  ExpectGoesOn(other(), "");
}

TEST_F(OwnerWithin, IsKnownWhenAnOlderBuildWroteTheFile) {
  const std::string text = ReadFile(archive() + "/OWNER");
  WriteFile(archive() + "/OWNER", text.substr(0, text.find('\n')));
  ExpectGoesOn(data(), "");
}

TEST_F(OwnerWithin, IsNotACopyWhoseLinkLeadsToTheSameArchive) {
  std::filesystem::rename(archive(), cold());
  std::filesystem::create_directory_symlink(cold(), archive());
  Copy(data(), other());
  ExpectRefused(other(), other() + "/archive");
  ExpectGoesOn(data(), "");
}

TEST_F(OwnerWithin, IsNotALogThatWasPutInThePlaceOfTheOther) {
  std::filesystem::rename(data() + "/log", other());
  Copy(other(), data() + "/log");
  ExpectRefused(data(), archive());
}

ArchiveOwner Sample() {
  return {"name", {12, 34}, "8:1", {56, 78}, "/data/with a\nline/log"};
}

TEST(ArchiveOwner, IsReadAsItWasWritten) {
  EXPECT_EQ(ArchiveOwner::Parse(Sample().Text()), Sample());
}

TEST(ArchiveOwner, MayHaveAnotherDeviceOrAnotherPlaceButNotBoth) {
  ArchiveOwner now = Sample();
  now.log_device = "8:2";  // after a start of the machine
  EXPECT_TRUE(IsSameOwner(Sample(), now, "/cold"));
  now.log_path = "/snapshot/log";  // of the whole disk
  EXPECT_FALSE(IsSameOwner(Sample(), now, "/cold"));
  now.log_device = "8:1";
  EXPECT_TRUE(IsSameOwner(Sample(), now, "/cold"));
}

TEST(ArchiveOwner, IsNotWhoHasTheSameNumberSinceAnotherTime) {
  ArchiveOwner now = Sample();
  ++now.log.birth_ns;
  EXPECT_FALSE(IsSameOwner(Sample(), now, "/cold"));
}

}  // namespace
}  // namespace stele::eventstore
