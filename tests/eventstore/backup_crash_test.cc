// Backups and restorations that die before each of their syncs, killed or with the power: what was
// there stays good, nothing half is taken for whole, and the next one works.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>

#include "tests/eventstore/backup_support.h"

namespace stele::eventstore {
namespace {

class BackupCrash : public testing::TestWithParam<const char*> {
 protected:
  const std::string& root() const { return root_.path(); }
  std::string data() const { return root() + "/data"; }
  std::string directory() const { return root() + "/backups"; }
  std::string target() const { return root() + "/restored"; }

  // What it prints.
  static std::string Run(const std::string& mode, const std::string& from, const std::string& to,
                         long number) {
    FILE* output =
        popen(fmt::format("exec '{}' {} '{}' '{}' {}", STELE_BACKUP_CHILD, mode, from, to, number)
                  .c_str(),
              "r");
    char line[1000] = "";
    while (fgets(line, sizeof line, output) != nullptr) {
    }
    pclose(output);
    return line;
  }

  // False: it was killed. What it prints is an error.
  bool Ends(const std::string& mode, const std::string& from, const std::string& to, int count) {
    const std::string command = fmt::format("exec '{}' {} '{}' '{}' {} {}", STELE_BACKUP_CHILD,
                                            mode, from, to, count, GetParam());
    FILE* output = popen(command.c_str(), "r");
    char line[1000];
    while (fgets(line, sizeof line, output) != nullptr) ADD_FAILURE() << mode << ": " << line;
    return !WIFSIGNALED(pclose(output));
  }

  // So many more blocks, and all but the newest six records archived.
  void Grow(uint64_t blocks) {
    MakeLog(data(), blocks);
    auto store = OpenRocksDbStore(data());
    ASSERT_OK(store);
    const uint64_t next = (*store)->NextPosition(ShardId(0)).value;
    ASSERT_OK((*store)->Archive(ShardId(0), Position(next - 6)));
  }

 private:
  TempDir root_;
};
INSTANTIATE_TEST_SUITE_P(Ways, BackupCrash, testing::Values("", "unplugged"),
                         [](const auto& given) {
                           return std::string(*given.param == '\0' ? "Killed" : "Unplugged");
                         });

TEST_P(BackupCrash, LeavesTheEarlierBackupsAndLetsTheNextOneWork) {
  Grow(5);
  WriteBytes(data() + "/settings.json", "{}");
  uint32_t newest = 0;
  int syncs = 0;
  // The first is cut off as often as those that have others before them and old ones to remove.
  for (int round = 0; round < 3; ++round) {
    for (int count = 1;; ++count) {
      const bool ended = Ends("backup", data(), directory(), count);
      if (HasFailure()) return;
      const auto verified = VerifyBackups(directory());
      // Before anything is there it is no directory of backups.
      const bool none = !verified && verified.error().code == ErrorCode::kStoreNotFound;
      ASSERT_TRUE(verified || (none && newest == 0))
          << "round " << round << " sync " << count << ": " << verified.error().ToString();
      const uint32_t now = none || verified->empty() ? 0 : verified->back().manifest.id;
      ASSERT_GE(now, newest);
      newest = now;
      ++syncs;
      if (ended) break;
    }
    ASSERT_OK(VerifyBackups(directory()));
    ASSERT_LE(VerifyBackups(directory())->size(), 2u);
    Grow(2);
    WriteBytes(data() + "/settings.json", std::to_string(round));
  }
  EXPECT_GT(syncs, 40);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  ASSERT_OK(Restore(RestoreInto(directory(), target())));
  EXPECT_EQ(LogIn(target()), LogIn(data()));
}

TEST_P(BackupCrash, InARestorationLeavesNothingOrAllOfIt) {
  Grow(5);
  WriteBytes(data() + "/settings.json", "{}");
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  const std::vector<ReadRecord> all = LogIn(data());
  for (const std::string mode : {"restore", "cut"}) {
    const size_t records = mode == "cut" ? 7 : all.size();
    int count = 1;
    for (;; ++count) {
      const bool ended = Ends(mode, directory(), target(), count);
      if (HasFailure()) return;
      const bool there = std::filesystem::exists(target());
      ASSERT_TRUE(there || !ended);
      if (there) {
        ASSERT_EQ(LogIn(target()), std::vector(all.begin(), all.begin() + records));
        ASSERT_EQ(ReadBytes(target() + "/settings.json"), "{}");
        std::filesystem::remove_all(target());
      }
      if (ended) break;
    }
    EXPECT_GT(count, 8);
    ASSERT_FALSE(std::filesystem::exists(target() + ".restoring"));
  }
  EXPECT_OK(VerifyBackups(directory()));
}

using BackupToAFullDisk = BackupCrash;
INSTANTIATE_TEST_SUITE_P(Once, BackupToAFullDisk, testing::Values(""));

TEST_P(BackupToAFullDisk, SaysSoAndLeavesTheEarlierOnes) {
  Grow(5);
  WriteBytes(data() + "/settings.json", "{}");
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  WriteBytes(data() + "/settings.json", std::string(2 << 20, ' '));
  EXPECT_TRUE(Run("full", data(), directory(), 1 << 20).starts_with("STL0003"));
  const auto verified = VerifyBackups(directory());
  ASSERT_OK(verified);
  EXPECT_EQ(verified->size(), 1u);
  ASSERT_OK(BackUp(data(), RequestFor(directory())));
  EXPECT_EQ(VerifyBackups(directory())->size(), 2u);
}

}  // namespace
}  // namespace stele::eventstore
