// Views that follow a log: what they see, where they go on, how one takes another's place.
#include "projections/projector.h"

#include <gmock/gmock.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

#include "tests/eventstore/records.h"
#include "tests/projections/counting_view.h"

namespace stele::projections {
namespace {

using eventstore::TempDir;
using replay::Complete;
using replay::RecordedLog;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::UnorderedElementsAre;

constexpr int64_t kPatienceUs = 60'000'000;

// Two instances in turns: one completes, the other is at its second step.
void Record(RecordedLog& log, uint64_t first) {
  model::Instance one = log.Start(first), two = log.Start(first + 1);
  log.Decide(one, Complete(1));
  log.Decide(two, Complete(1));
  log.Decide(one, Complete(2));
}

TEST(Projector, ShowsWhatTheLogSaysAtItsEnd) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  const auto reader = (*views)->Read("counting");
  ASSERT_OK(reader);
  EXPECT_EQ(reader->position(), Position(6));
  EXPECT_THAT(
      Dump(*reader),
      UnorderedElementsAre(Pair("c a", "2"), Pair("c b", "1"), Pair("t a", "4000"),
                           Pair("t b", "2000"), Pair("definitions", "1 at 1"),
                           Pair("i 1", HasSubstr("completed")), Pair("i 2", HasSubstr("running"))));
}

TEST(Projector, GoesOnWhereItWasInAnotherProcess) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  {
    auto views = OpenCounting(log.store, directory.path());
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  Record(log, 3);
  uint64_t events = 0;
  auto views = OpenCounting(log.store, directory.path(), 1, &events);
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("c a", "4")));
  uint64_t new_events = 0;
  auto cursor = log.store.Read(ShardId(0), Position(7));
  ASSERT_OK(cursor);
  while (const auto record = *(*cursor)->Next()) new_events += record->header.event_count;
  EXPECT_EQ(events, new_events);
}

TEST(Projector, OfAnInstanceThatItLeftInTheMiddleKnowsWhatWasBefore) {
  TempDir directory;
  RecordedLog log;
  model::Instance one = log.Start(1);
  {
    auto views = OpenCounting(log.store, directory.path());
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  log.Decide(one, Complete(1));
  log.Decide(one, Complete(2));
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("i 1", HasSubstr("completed"))));
}

TEST(Projector, IsTheSameHoweverTheLogIsCutIntoBatches) {
  TempDir directory;
  RecordedLog log;
  for (uint64_t i = 0; i < 20; ++i) Record(log, 1 + 2 * i);
  std::vector<std::map<std::string, std::string>> dumps;
  for (const uint64_t batch : {1, 3, 1000}) {
    auto store = ViewStore::Open(fmt::format("{}/{}", directory.path(), batch));
    ASSERT_OK(store);
    auto generation = (*store)->Create("counting", 1);
    ASSERT_OK(generation);
    Feed feed(log.store, ShardId(0), **store, Position());
    feed.Add(std::make_unique<CountingView>(), *generation);
    for (;;) {
      const auto records = feed.Step(batch);
      ASSERT_OK(records);
      if (*records == 0) break;
      EXPECT_LE(*records, batch);
    }
    dumps.push_back(Dump(ViewReader(*generation)));
  }
  EXPECT_EQ(dumps[0].size(), 45u);
  EXPECT_EQ(dumps[0], dumps[1]);
  EXPECT_EQ(dumps[0], dumps[2]);
}

TEST(Projector, BuildsAnotherVersionWhileTheOldOneServes) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  {
    auto views = OpenCounting(log.store, directory.path(), 1);
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  auto views = OpenCounting(log.store, directory.path(), 2);
  ASSERT_OK(views);
  auto before = (*views)->Read("counting");
  ASSERT_OK(before);
  EXPECT_THAT(Dump(*before), Contains(Pair("i 1", HasSubstr("v1"))));
  EXPECT_TRUE((*views)->States()[0].building);
  ASSERT_OK((*views)->CatchUp());
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("i 1", HasSubstr("v2"))));
  EXPECT_THAT(Dump(*before), Contains(Pair("i 1", HasSubstr("v1"))))
      << "a reader keeps what it has";
  EXPECT_FALSE((*views)->States()[0].building);
  EXPECT_EQ((*views)->States()[0].version, 2u);
}

TEST(Projector, DoesNotAnswerFromAVersionThatThisBuildCannotRead) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  {
    auto views = OpenCounting(log.store, directory.path(), 1);
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  auto views = Projector::Open(log.store, ShardId(0), directory.path(),
                               {[] { return std::make_unique<CountingView>(2, nullptr, 2); }});
  ASSERT_OK(views);
  const auto refused = (*views)->Read("counting");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kBackPressure);
  EXPECT_THAT(refused.error().message,
              HasSubstr("Expected version 2 of the view \"counting\" but found 1"));
  (*views)->Start();
  ASSERT_OK((*views)->WaitFor(Position(6), kPatienceUs));
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("i 1", HasSubstr("v2"))));
}

TEST(Projector, WaitsForOneViewOrUntilItIsStopped) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  EXPECT_EQ((*views)->WaitFor(Position(1), kPatienceUs, "x").error().code, ErrorCode::kUnknownView);
  (*views)->Start();
  ASSERT_OK((*views)->WaitFor(Position(6), kPatienceUs, "counting"));
  (*views)->Stop();
  ASSERT_OK((*views)->WaitFor(Position(6), kPatienceUs));  // it is there
  Record(log, 3);
  EXPECT_EQ((*views)->WaitFor(Position(11), kPatienceUs).error().code, ErrorCode::kShardStopped);
  (*views)->Start();
  ASSERT_OK((*views)->WaitFor(Position(11), kPatienceUs));
}

TEST(Projector, GoesOnWithABuildingThatWasInterrupted) {
  TempDir directory;
  RecordedLog log;
  for (uint64_t i = 0; i < 10; ++i) Record(log, 1 + 2 * i);
  {
    auto store = ViewStore::Open(directory.path() + "/0");
    ASSERT_OK(store);
    auto generation = (*store)->Create("counting", 1);
    ASSERT_OK(generation);
    Feed feed(log.store, ShardId(0), **store, Position());
    feed.Add(std::make_unique<CountingView>(), *generation);
    ASSERT_OK(feed.Step(30));
  }
  uint64_t events = 0;
  auto views = OpenCounting(log.store, directory.path(), 1, &events);
  ASSERT_OK(views);
  EXPECT_EQ((*views)->Read("counting").error().code, ErrorCode::kBackPressure);
  EXPECT_EQ((*views)->States()[0].built, Position(30));
  ASSERT_OK((*views)->CatchUp());
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("c a", "20")));
  uint64_t all = 0;
  auto cursor = log.store.Read(ShardId(0), Position(1));
  while (const auto record = *(*cursor)->Next()) all += record->header.event_count;
  EXPECT_LT(events, all / 2);
}

TEST(Projector, BeginsAgainWhenTheLogIsShorterThanItsViews) {
  TempDir directory;
  {
    RecordedLog longer;
    Record(longer, 1);
    Record(longer, 3);
    auto views = OpenCounting(longer.store, directory.path());
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
  }
  RecordedLog log;
  Record(log, 1);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("c a", "2")));
}

TEST(Projector, FollowsTheLogOnAThreadOfItsOwn) {
  TempDir directory;
  RecordedLog log;
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  (*views)->Start();
  for (uint64_t i = 0; i < 50; ++i) {
    Record(log, 1 + 2 * i);
    const Position written(log.store.NextPosition(ShardId(0)).value - 1);
    ASSERT_OK((*views)->WaitFor(written, kPatienceUs));
    const auto reader = (*views)->Read("counting");
    ASSERT_OK(reader);
    EXPECT_GE(reader->position(), written);
    EXPECT_THAT(Dump(*reader), Contains(Pair("c a", fmt::format("{}", 2 * (i + 1)))));
  }
  (*views)->Stop();
}

// Who asks for a record that is there is answered at once, and would ask again and again.
TEST(Projector, SleepsWhileTheLogDoesNotGrow) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  std::promise<Position> first;
  std::atomic<bool> is_first = true;
  log.store.OnWait([&](Position position) {
    if (is_first.exchange(false)) first.set_value(position);
  });
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  (*views)->Start();
  EXPECT_EQ(first.get_future().get(), log.store.NextPosition(ShardId(0)));
  (*views)->Stop();
}

TEST(Projector, IsBuiltAnewWhileItFollowsTheLog) {
  TempDir directory;
  RecordedLog log;
  for (uint64_t i = 0; i < 200; ++i) Record(log, 1 + 2 * i);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  const uint64_t before = (*views)->Read("counting")->generation().number();
  (*views)->Start();
  ASSERT_OK((*views)->Rebuild());
  uint64_t i = 200;
  while ((*views)->States()[0].building) {
    Record(log, 1 + 2 * i++);
    std::this_thread::yield();
  }
  Record(log, 1 + 2 * i++);
  ASSERT_OK((*views)->WaitFor(Position(log.store.NextPosition(ShardId(0)).value - 1), kPatienceUs));
  const auto reader = (*views)->Read("counting");
  EXPECT_NE(reader->generation().number(), before);
  EXPECT_THAT(Dump(*reader), Contains(Pair("c a", fmt::format("{}", 2 * i))));
  (*views)->Stop();
  EXPECT_EQ((*views)->failure(), std::nullopt);
}

TEST(Projector, ComparesAViewWithANewBuilding) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  {
    auto views = OpenCounting(log.store, directory.path());
    ASSERT_OK(views);
    ASSERT_OK((*views)->CatchUp());
    Record(log, 3);
    const auto same = (*views)->Verify("counting");
    ASSERT_OK(same);
    EXPECT_EQ(same->position, Position(6)) << "what it has, not what the log has";
    EXPECT_EQ(same->keys, 7u);
    EXPECT_EQ(same->differing, 0u);
  }
  {
    auto store = ViewStore::Open(directory.path() + "/0");
    ASSERT_OK(store);
    const auto generation = (*store)->Serving("counting");
    ViewWriter writer(*generation);
    writer.Put("i 1", "another");
    writer.Put("new", "");
    writer.Erase("c b");
    const ViewStore::Change change{generation.get(), &writer};
    ASSERT_OK((*store)->Write({&change, 1}, generation->position(), generation->stored_mark()));
  }
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  const auto found = (*views)->Verify("counting");
  ASSERT_OK(found);
  EXPECT_EQ(found->keys, 5u);
  EXPECT_THAT(found->examples,
              ElementsAre("c b is only in the one that was built anew", "i 1 has another value",
                          "new is only in the one that serves"));
  ASSERT_OK((*views)->Rebuild({"counting"}));
  ASSERT_OK((*views)->CatchUp());
  EXPECT_EQ((*views)->Verify("counting")->differing, 0u);
}

TEST(Projector, TakesAwayWhatAComparisonLeftThatWasKilled) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  const std::filesystem::path left = directory.path() + "/verify";
  const auto leave = [&](const char* name) {
    std::filesystem::create_directories(left / name);
    std::ofstream(left / name / "000007.sst") << "Sekretariat";
  };
  leave("0-counting");
  leave("0-views-of-another-build");
  ASSERT_OK(OpenCounting(log.store, directory.path()));
  EXPECT_FALSE(std::filesystem::exists(left));
  leave("0-counting");
  leave("10-counting");
  ASSERT_OK(OpenCounting(log.store, directory.path()));
  EXPECT_FALSE(std::filesystem::exists(left / "0-counting"));
  EXPECT_TRUE(std::filesystem::exists(left / "10-counting")) << "it is another shard's";
}

TEST(Projector, RefusesWhatStandsWhereItsDirectoryShouldBe) {
  namespace fs = std::filesystem;
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  const std::string path = directory.path() + "/views";
  const auto refused = [&] {
    const auto views = OpenCounting(log.store, path);
    EXPECT_FALSE(views.has_value());
    if (views.has_value()) return std::string();
    EXPECT_EQ(views.error().code, ErrorCode::kWrongDirectory) << views.error().message;
    return views.error().message;
  };
  std::ofstream(path) << "mine";
  EXPECT_THAT(refused(), HasSubstr(path + " but found a file; take it away"));
  EXPECT_TRUE(fs::is_regular_file(path)) << "it is somebody's";
  fs::remove(path);
  fs::create_symlink(directory.path() + "/elsewhere", path);
  EXPECT_THAT(refused(), HasSubstr("but found a link that leads nowhere"));
  fs::create_directory(directory.path() + "/elsewhere");
  std::ofstream(path + "/0") << "mine";
  EXPECT_THAT(refused(), HasSubstr(path + "/0 but found a file"));
  fs::remove(path + "/0");
  ASSERT_OK(OpenCounting(log.store, path));
}

TEST(Projector, AnswersAsOfAnEarlierPositionAndSaysWhatItCost) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  Record(log, 3);
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  ASSERT_OK((*views)->CatchUp());
  {
    const auto then = (*views)->AsOf("counting", Position(6));
    ASSERT_OK(then);
    EXPECT_EQ((*then)->records_read(), 6u);
    EXPECT_EQ((*then)->Read().position(), Position(6));
    EXPECT_THAT(Dump((*then)->Read()), Contains(Pair("c a", "2")));
    EXPECT_THAT(Dump(*(*views)->Read("counting")), Contains(Pair("c a", "4")));
    EXPECT_EQ((*views)->AsOf("counting", Position(6))->get(), then->get());
    EXPECT_TRUE(Dump((*(*views)->AsOf("counting", Position()))->Read()).empty());
  }
  EXPECT_EQ((*views)->AsOf("counting", Position(99)).error().code, ErrorCode::kNoSuchMoment);
  EXPECT_EQ((*views)->AsOf("x", Position(1)).error().code, ErrorCode::kUnknownView);
  views->reset();
  views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  const auto again = (*views)->AsOf("counting", Position(6));
  ASSERT_OK(again);
  EXPECT_EQ((*again)->records_read(), 0u) << "it is still there";
  for (uint64_t position = 1; position <= 10; ++position)
    ASSERT_OK((*views)->AsOf("counting", Position(position)));
  const std::filesystem::directory_iterator kept(directory.path() + "/as-of");
  EXPECT_EQ(std::distance(begin(kept), end(kept)), 4);
  EXPECT_THAT(Dump((*again)->Read()), Contains(Pair("c a", "2"))) << "its reader has its files";
  EXPECT_EQ((*views)->AsOf("counting", Position(6))->get(), again->get());
}

TEST(Projector, RefusesWhatIsNotThere) {
  TempDir directory;
  RecordedLog log;
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  const auto unknown = (*views)->Read("countin");
  ASSERT_FALSE(unknown.has_value());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnknownView);
  EXPECT_THAT(unknown.error().message, HasSubstr("views counting but found \"countin\""));
  EXPECT_EQ((*views)->Rebuild({"x"}).error().code, ErrorCode::kUnknownView);
  EXPECT_EQ((*views)->Verify("x").error().code, ErrorCode::kUnknownView);
  EXPECT_EQ((*views)->WaitFor(Position(2), kPatienceUs).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ((*views)->WaitFor(Position(1), 0).error().code, ErrorCode::kTimeout);
  EXPECT_EQ(OpenCounting(log.store, directory.path()).error().code, ErrorCode::kStoreLocked);
}

TEST(Projector, StopsAtDamageAndSaysSo) {
  TempDir directory;
  RecordedLog log;
  Record(log, 1);
  eventstore::Batch batch;
  batch.Add({.instance = InstanceId(1), .first_seq = Seq(99), .event_count = 1}, "no event");
  ASSERT_OK(log.store.Append(ShardId(0), log.store.NextPosition(ShardId(0)), batch));
  auto views = OpenCounting(log.store, directory.path());
  ASSERT_OK(views);
  (*views)->Start();
  const Status waited = (*views)->WaitFor(Position(7), kPatienceUs);
  ASSERT_FALSE(waited.has_value());
  EXPECT_EQ(waited.error().code, ErrorCode::kStoreCorrupt);
  EXPECT_EQ((*views)->failure()->code, ErrorCode::kStoreCorrupt);
}

}  // namespace
}  // namespace stele::projections
