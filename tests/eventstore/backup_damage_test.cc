// Backups that were damaged: every changed byte and every missing file is told, by its name.
#include <algorithm>

#include "eventstore/backup_manifest.h"
#include "tests/eventstore/backup_support.h"

namespace stele::eventstore {
namespace {

class DamagedBackup : public testing::Test {
 protected:
  void SetUp() override {
    MakeLog(data(), 3);
    WriteBytes(data() + "/settings.json", "{\"a\": 1}");
    ASSERT_OK(BackUp(data(), RequestFor(directory())));
    MakeLog(data(), 2);
    ASSERT_OK(BackUp(data(), RequestFor(directory())));
  }
  const std::string& root() const { return root_.path(); }
  std::string data() const { return root() + "/data"; }
  std::string directory() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }

  // Every file that counts.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(directory()))
      if (entry.is_regular_file() && entry.path().filename() != "LOCK")
        files.push_back(entry.path().string());
    return files;
  }
  // Whether the error is a damaged file's, with its name.
  void ExpectNamed(const std::string& file) const {
    const auto verified = VerifyBackups(directory());
    ASSERT_FALSE(verified) << file;
    EXPECT_EQ(verified.error().code, ErrorCode::kBackupDamaged) << verified.error().ToString();
    EXPECT_NE(verified.error().message.find(file), std::string::npos)
        << verified.error().ToString() << " should name " << file;
  }

 private:
  TempDir root_;
};

TEST_F(DamagedBackup, IsToldOfByTheFileWhoseByteChanged) {
  ASSERT_OK(VerifyBackups(directory()));
  const std::vector<std::string> files = Files();
  ASSERT_GE(files.size(), 12u);
  for (const std::string& file : files) {
    const std::string whole = ReadBytes(file);
    // Some of each, the first and the last among them.
    const size_t step = std::max<size_t>(whole.size() / 11, 1);
    for (size_t at = 0; at < whole.size(); at += std::min(step, whole.size() - at)) {
      std::string changed = whole;
      changed[at + step < whole.size() ? at : whole.size() - 1] ^= 0x10;
      WriteBytes(file, changed);
      ExpectNamed(file);
    }
    WriteBytes(file, whole);
  }
  EXPECT_OK(VerifyBackups(directory()));
}

// RocksDB ends the process when it reads two lists that contradict each other.
TEST_F(DamagedBackup, WithADamagedListOfFilesLeavesTheOtherOneUsable) {
  const std::string list = directory() + "/log/meta/2";
  const std::string whole = ReadBytes(list);
  const size_t checksum = whole.rfind("crc32 ") + 6;
  std::string changed = whole;
  changed[checksum] = changed[checksum] == '1' ? '2' : '1';
  WriteBytes(list, changed);
  ExpectNamed(list);
  EXPECT_OK(VerifyBackups(directory(), 1));
  RestoreRequest request;
  request.directory = directory();
  request.target = target();
  request.backup = 1;
  EXPECT_OK(Restore(request));
  EXPECT_OK(BackUp(data(), RequestFor(directory())));
  EXPECT_OK(VerifyBackups(directory(), 3));
}

// Such a copy is named by its content.
TEST_F(DamagedBackup, SaysWhichFileOfTheDataDirectoryACopyIsOf) {
  std::string copy;
  for (const std::string& file : Files())
    if (file.find("/files/") != std::string::npos) copy = file;
  const std::string whole = ReadBytes(copy);
  const auto expect = [&] {
    ExpectNamed(copy + ", the copy of settings.json, but found");
    RestoreRequest request;
    request.directory = directory();
    request.target = target();
    const auto restored = Restore(request);
    EXPECT_CODE(restored, kBackupDamaged);
    EXPECT_NE(restored.error().message.find("settings.json"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(target()));
  };
  WriteBytes(copy, whole + " ");
  expect();
  WriteBytes(copy, "{\"a\": 2}");
  expect();
  std::filesystem::remove(copy);
  expect();
  WriteBytes(copy, whole);
  EXPECT_OK(VerifyBackups(directory()));
}

TEST_F(DamagedBackup, IsToldOfByTheFileThatIsMissingOrCut) {
  for (const std::string& file : Files()) {
    const std::string whole = ReadBytes(file);
    std::filesystem::remove(file);
    ExpectNamed(file);
    if (!whole.empty()) {
      WriteBytes(file, whole.substr(0, whole.size() - 1));
      ExpectNamed(file);
      WriteBytes(file, "");
      ExpectNamed(file);
    }
    WriteBytes(file, whole);
  }
  EXPECT_OK(VerifyBackups(directory()));
}

TEST_F(DamagedBackup, TellsOfEveryByteOfAManifest) {
  for (const std::string name : {"/manifests/1.json", "/manifests/2.json", "/backups.json"}) {
    const std::string file = directory() + name;
    const std::string whole = ReadBytes(file);
    for (size_t at = 0; at < whole.size(); ++at) {
      std::string changed = whole;
      changed[at] ^= 0x01;
      WriteBytes(file, changed);
      const auto listed = ListBackups(directory());
      ASSERT_FALSE(listed) << file << " at " << at;
      ASSERT_EQ(listed.error().code, ErrorCode::kBackupDamaged);
      ASSERT_NE(listed.error().message.find(file), std::string::npos);
      WriteBytes(file, whole.substr(0, at));
      ASSERT_FALSE(ListBackups(directory())) << file << " cut at " << at;
    }
    WriteBytes(file, whole);
  }
  EXPECT_OK(ListBackups(directory()));
}

TEST_F(DamagedBackup, IsNotRestored) {
  const auto listed = ListBackups(directory());
  ASSERT_OK(listed);
  for (const BackedUpFile& file : listed->back().files) {
    const std::string path = directory() + "/" + file.path;
    const std::string whole = ReadBytes(path);
    if (whole.empty()) continue;
    std::string changed = whole;
    changed[whole.size() / 2] ^= 0x40;
    WriteBytes(path, changed);
    const auto restored = Restore(RestoreInto(directory(), target()));
    ASSERT_FALSE(restored) << path;
    EXPECT_EQ(restored.error().code, ErrorCode::kBackupDamaged);
    EXPECT_NE(restored.error().message.find(path), std::string::npos)
        << restored.error().ToString();
    WriteBytes(path, whole);
  }
  EXPECT_FALSE(std::filesystem::exists(target()));
  EXPECT_FALSE(std::filesystem::exists(target() + ".restoring"));
  EXPECT_OK(Restore(RestoreInto(directory(), target())));
}

TEST_F(DamagedBackup, LeavesTheOthersGood) {
  const std::string manifest = directory() + "/manifests/2.json";
  WriteBytes(manifest, ReadBytes(manifest) + " ");
  EXPECT_CODE(VerifyBackups(directory()), kBackupDamaged);
  EXPECT_OK(VerifyBackups(directory(), 1));
  RestoreRequest request = RestoreInto(directory(), target());
  EXPECT_CODE(Restore(request), kBackupDamaged);
  request.backup = 1;
  EXPECT_OK(Restore(request));
  EXPECT_EQ(LogIn(target()).size(), 9u);
  // What comes behind a damaged one might not continue it.
  EXPECT_CODE(BackUp(data(), RequestFor(directory())), kBackupDamaged);
}

TEST_F(DamagedBackup, ThatIsNamedIsRestoredWithoutTheListOfAll) {
  std::filesystem::remove(directory() + "/backups.json");
  EXPECT_CODE(Restore(RestoreInto(directory(), target())), kBackupDamaged);
  RestoreRequest request = RestoreInto(directory(), target());
  request.backup = 2;
  EXPECT_OK(Restore(request));
  EXPECT_EQ(LogIn(target()).size(), 15u);
}

TEST_F(DamagedBackup, OfANewerFormatIsLeftAlone) {
  const std::string list = directory() + "/backups.json";
  WriteBytes(list, SealJson(Object{{"format", kBackupFormat + 1}, {"backups", Array()}}));
  EXPECT_CODE(ListBackups(directory()), kStoreUnknownFormat);
  EXPECT_CODE(BackUp(data(), RequestFor(directory())), kStoreUnknownFormat);
}

// Somebody may have made it to be restored elsewhere.
TEST(BackupManifest, NamesNothingOutsideOfItsDirectory) {
  BackupManifest manifest;
  manifest.id = 1;
  for (const std::string name : {"../settings.json", "/etc/passwd", "a/../../b", "."}) {
    manifest.files = {{.path = "files/a", .digest = {}, .name = name, .mode = 0600}};
    EXPECT_CODE(DecodeManifest(EncodeManifest(manifest), "1.json"), kBackupDamaged);
    manifest.files = {{.path = name, .digest = {}, .name = "a", .mode = 0600}};
    EXPECT_CODE(DecodeManifest(EncodeManifest(manifest), "1.json"), kBackupDamaged);
  }
}

TEST(BackupManifest, IsReadAsItWasWritten) {
  BackupManifest manifest;
  manifest.id = 7;
  manifest.made = TimeUs(1'800'000'000'000'001);
  manifest.shards = {{ShardId(3), {Position(18), Sha256("a")}, TimeUs(-5)}};
  manifest.files = {
      {.path = "log/meta/7", .digest = {4, Sha256("b")}, .name = {}, .mode = 0},
      {.path = "files/c", .digest = {0, Sha256("c")}, .name = "a \"b\"", .mode = 0640}};
  const auto read = DecodeManifest(EncodeManifest(manifest), "7.json");
  ASSERT_OK(read);
  EXPECT_EQ(*read, manifest);
}

}  // namespace
}  // namespace stele::eventstore
