// Views on a disk that changes what it keeps: whatever is done to any of their files, an answer is
// the right one or an error, and who opens them next finds the right one.
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

#include "projections/all_views.h"
#include "projections/projector.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

namespace fs = std::filesystem;
using eventstore::TempDir;

using Keys = std::map<std::string, std::string>;

class ViewsDamage : public testing::Test {
 protected:
  ViewsDamage() { busy_.Run(120); }

  Result<std::unique_ptr<Projector>> Open(const std::string& path) {
    return Projector::Open(busy_.log.store, ViewLog::kShard, path, AllViews());
  }

  // All keys of all views, or the first error.
  static Result<Keys> ReadAll(Projector& views) {
    STELE_RETURN_IF_ERROR(views.CatchUp());
    Keys all;
    for (const ViewState& state : views.States()) {
      const auto reader = views.Read(state.name);
      if (!reader.has_value()) return std::unexpected(reader.error());
      KeyCursor keys = reader->Keys("");
      for (; keys.valid(); keys.Next())
        all[state.name + " " + std::string(keys.key())] = keys.value();
      STELE_RETURN_IF_ERROR(keys.status());
    }
    return all;
  }

  // The truth, or an error whose next opening gives the truth.
  void Check(const std::string& path, const Keys& truth, const std::string& what) {
    {
      auto views = Open(path);
      ASSERT_TRUE(views.has_value()) << what << ": " << views.error().message;
      const auto found = ReadAll(**views);
      if (found.has_value()) {
        EXPECT_TRUE(*found == truth) << what << " gave another answer";
        return;
      }
      ++told_;
      EXPECT_EQ(found.error().code, ErrorCode::kStoreCorrupt)
          << what << ": " << found.error().message;
    }
    auto views = Open(path);
    ASSERT_TRUE(views.has_value()) << what << ": " << views.error().message;
    EXPECT_FALSE((*views)->repaired().empty()) << what;
    const auto found = ReadAll(**views);
    ASSERT_TRUE(found.has_value()) << what << ": " << found.error().message;
    EXPECT_TRUE(*found == truth) << what << " gave another answer when it was opened again";
  }

  BusyLog busy_;
  int told_ = 0;  // errors of readers
};

void Flip(const fs::path& file, uint64_t at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekg(static_cast<std::streamoff>(at));
  const auto byte = static_cast<char>(stream.get() ^ 0x55);
  stream.seekp(static_cast<std::streamoff>(at));
  stream.put(byte);
}

TEST_F(ViewsDamage, OfAnyFileIsToldOrRepaired) {
  TempDir directory;
  const std::string good = directory.path() + "/good";
  Keys truth;
  {
    auto views = Open(good);
    ASSERT_OK(views);
    const auto all = ReadAll(**views);
    ASSERT_OK(all);
    truth = *all;
  }
  ASSERT_GT(truth.size(), 300u);
  int files = 0;
  const std::string work = directory.path() + "/work";
  const auto damage = [&](const fs::path& name, const std::string& what, auto change) {
    fs::remove_all(work);
    fs::copy(good, work, fs::copy_options::recursive);
    change(fs::path(work) / "0" / name);
    Check(work, truth, fmt::format("{}, {}", name.string(), what));
  };
  for (const auto& entry : fs::directory_iterator(good + "/0")) {
    const fs::path name = entry.path().filename();
    const uint64_t size = entry.file_size();
    ++files;
    damage(name, "deleted", [](const fs::path& file) { fs::remove(file); });
    damage(name, "emptied", [](const fs::path& file) { fs::resize_file(file, 0); });
    if (size < 2) continue;
    damage(name, "cut", [&](const fs::path& file) { fs::resize_file(file, size / 2); });
    for (const uint64_t part : {1, 8, 14}) {
      const uint64_t at = size * part / 16;
      damage(name, fmt::format("another byte at {} of {}", at, size),
             [&](const fs::path& file) { Flip(file, at); });
    }
  }
  EXPECT_GT(files, 8);
  EXPECT_GT(told_, 0) << "no damage was met while reading";
}

TEST_F(ViewsDamage, ThatAFollowerMeetsStopsItAndIsRepairedByTheNext) {
  TempDir directory;
  {
    auto views = Open(directory.path());
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  for (const auto& entry : fs::directory_iterator(directory.path() + "/0"))
    if (entry.path().extension() == ".sst")
      for (uint64_t part = 1; part < 8; ++part) Flip(entry.path(), entry.file_size() * part / 10);
  busy_.Run(100);
  const Position end(busy_.log.store.NextPosition(ViewLog::kShard).value - 1);
  {
    auto views = Open(directory.path());
    ASSERT_OK(views);
    (*views)->Start();
    const Status waited = (*views)->WaitFor(end, 60'000'000);
    ASSERT_TRUE(!waited.has_value() || !(*views)->repaired().empty());
  }
  auto views = Open(directory.path());
  ASSERT_OK(views);
  (*views)->Start();
  ASSERT_OK((*views)->WaitFor(end, 60'000'000));
  (*views)->Stop();
  for (const ViewState& state : (*views)->States())
    EXPECT_EQ((*views)->Verify(state.name)->differing, 0u) << state.name;
}

}  // namespace
}  // namespace stele::projections
