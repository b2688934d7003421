// Views that come to another log than theirs, and views that are read without being written.
#include "projections/log_mark.h"

#include <gmock/gmock.h>

#include "projections/current_view.h"
#include "tests/eventstore/records.h"
#include "tests/projections/counting_view.h"

namespace stele::projections {
namespace {

using eventstore::TempDir;
using replay::Complete;
using replay::RecordedLog;
using testing::HasSubstr;

// Instances of these numbers are begun.
void Record(RecordedLog& log, std::initializer_list<uint64_t> instances) {
  for (const uint64_t instance : instances) log.Start(instance);
}

void CatchUp(const RecordedLog& log, const std::string& path) {
  auto views = OpenCounting(log.store, path);
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
}

bool IsCurrent(const RecordedLog& log, const std::string& path, uint32_t version = 1) {
  const std::vector<MakeView> views{
      [=] { return std::make_unique<CountingView>(version, nullptr); }};
  const auto view = CurrentView::Find(log.store, RecordedLog::kShard, path, views, "counting");
  return view != nullptr && view->Read().position().Next() == log.store.NextPosition(ShardId(0));
}

TEST(LogMark, TellsAnotherCourseOfTheLog) {
  TempDir directory;
  RecordedLog one, other;
  Record(one, {1, 2, 3});
  Record(other, {1, 2, 7, 8, 9});
  CatchUp(one, directory.path());
  auto views = OpenCounting(other.store, directory.path());
  ASSERT_OK(views);
  EXPECT_THAT((*views)->repaired(), HasSubstr("another"));
  ASSERT_OK((*views)->CatchUp());
  const auto found = (*views)->Verify("counting");
  ASSERT_OK(found);
  EXPECT_EQ(found->differing, 0u);
}

TEST(LogMark, TellsALogThatIsShorter) {
  TempDir directory;
  RecordedLog longer, shorter;
  Record(longer, {1, 2, 3});
  Record(shorter, {1});
  CatchUp(longer, directory.path());
  auto views = OpenCounting(shorter.store, directory.path());
  ASSERT_OK(views);
  EXPECT_THAT((*views)->repaired(), HasSubstr("another"));
}

TEST(LogMark, FitsALogThatHasGrown) {
  TempDir directory;
  RecordedLog log;
  Record(log, {1, 2});
  CatchUp(log, directory.path());
  Record(log, {3});
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  EXPECT_EQ((*views)->repaired(), "");
}

TEST(LogMark, OfAnEarlierPositionTellsAnotherCourse) {
  TempDir directory;
  RecordedLog one, other;
  Record(one, {1, 2, 3});
  Record(other, {1, 2, 7});
  for (const RecordedLog* log : {&one, &other}) {
    auto views = OpenCounting(log->store, directory.path());
    ASSERT_OK(views);
    const auto then = (*views)->AsOf("counting", Position(4));
    ASSERT_OK(then);
    EXPECT_EQ(Dump((*then)->Read()).contains("i 7"), log == &other);
  }
}

TEST(CurrentView, IsThereAtTheEndOfItsOwnLogAlone) {
  TempDir directory;
  RecordedLog log, other;
  Record(log, {1, 2});
  Record(other, {1, 7});
  EXPECT_FALSE(IsCurrent(log, directory.path()));
  CatchUp(log, directory.path());
  EXPECT_TRUE(IsCurrent(log, directory.path()));
  EXPECT_FALSE(IsCurrent(other, directory.path()));
  EXPECT_FALSE(IsCurrent(log, directory.path(), 2));
  Record(log, {3});
  EXPECT_FALSE(IsCurrent(log, directory.path()));
}

TEST(CurrentView, IsReadByManyAtOnce) {
  TempDir directory;
  RecordedLog log;
  Record(log, {1});
  CatchUp(log, directory.path());
  const std::vector<MakeView> views{[] { return std::make_unique<CountingView>(1, nullptr); }};
  const auto one = CurrentView::Find(log.store, ShardId(0), directory.path(), views, "counting");
  const auto two = CurrentView::Find(log.store, ShardId(0), directory.path(), views, "counting");
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  EXPECT_EQ(Dump(one->Read()), Dump(two->Read()));
}

}  // namespace
}  // namespace stele::projections
