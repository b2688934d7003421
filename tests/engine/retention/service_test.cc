// Retention of a running engine: what goes, what stays, and what a crash at any step leaves.
#include "engine/retention/service.h"

#include <gmock/gmock.h>

#include "projections/views/statistics_rows.h"
#include "tests/engine/retention/retained.h"

namespace stele::retention {
namespace {

using eventstore::MemoryStore;
using eventstore::TempDir;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

constexpr const char* kShort = "id: short\nretention: 1d\nsteps: [{id: a, type: script}]\n";
constexpr const char* kPlain = "id: plain\nsteps: [{id: a, type: script}]\n";
constexpr const char* kCaller =
    "id: caller\nsteps: [{id: sub, type: call, config: {definition: plain}}]\n";

uint64_t StartedOf(Retained& engine, const std::string& name) {
  const auto reader = engine.views->Read(projections::kStatisticsView);
  const auto bytes = reader->Get(projections::VersionKey(name, 1));
  projections::DefinitionRow row;
  EXPECT_TRUE(bytes.has_value() && bytes->has_value() && DecodeRow(**bytes, &row));
  return row.counts.started;
}

TEST(RetentionService, PurgesWhatIsOlderThanItsDefinitionKeepsIt) {
  TempDir directory;
  Retained engine(std::make_unique<MemoryStore>(), directory.path(), {.closed_us = 30 * kDayUs});
  const auto brief = engine.RunInstances(engine.world.Register(kShort), 3);
  const auto plain = engine.RunInstances(engine.world.Register(kPlain), 2);
  engine.Start(/*runs=*/false);
  auto report = engine.Run();
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->instances, 0u);

  engine.Advance(2 * kDayUs);
  report = engine.Run(/*dry=*/true);
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->definitions, ElementsAre(Pair("short", 3u)));
  EXPECT_FALSE(engine.IsCut(brief[0]));
  report = engine.Run();
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->definitions, ElementsAre(Pair("short", 3u)));
  for (const InstanceId id : brief) EXPECT_TRUE(engine.IsCut(id));
  for (const InstanceId id : plain) EXPECT_FALSE(engine.IsCut(id));
  engine.ExpectVerified("behind the first");
  EXPECT_EQ(StartedOf(engine, "short"), 3u);

  engine.Advance(30 * kDayUs);
  report = engine.Run();
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_THAT(report->definitions, ElementsAre(Pair("plain", 2u)));
  engine.ExpectVerified("behind the second");
  EXPECT_EQ(StartedOf(engine, "plain"), 2u);
}

TEST(RetentionService, KeepsForEverWhatNobodySaysSomethingOf) {
  TempDir directory;
  Retained engine(std::make_unique<MemoryStore>(), directory.path(), {});
  const auto plain = engine.RunInstances(engine.world.Register(kPlain), 2);
  engine.Start(/*runs=*/false);
  engine.Advance(3'000 * kDayUs);
  const auto report = engine.Run();
  ASSERT_TRUE(report.has_value()) << report.error().message;
  EXPECT_EQ(report->instances, 0u);
  EXPECT_FALSE(engine.IsCut(plain[0]));
}

TEST(RetentionService, RunsByTheClockOfTheEngine) {
  TempDir directory;
  Retained engine(std::make_unique<MemoryStore>(), directory.path(),
                  {.closed_us = kDayUs, .every_us = kDayUs});
  const auto ids = engine.RunInstances(engine.world.Register(kPlain), 1);
  engine.Start(/*runs=*/true);
  // The first run is over when a task behind it is done.
  (void)engine.Do([](RetentionService&) { return true; });
  EXPECT_FALSE(engine.IsCut(ids[0]));
  engine.Advance(2 * kDayUs);
  engine.service->Tick();
  for (int i = 0; i < 100'000 && !engine.IsCut(ids[0]); ++i) engine.world.RunUntilQuiet();
  EXPECT_TRUE(engine.IsCut(ids[0]));
}

TEST(RetentionService, RefusesCommandsForWhatWasPurged) {
  TempDir directory;
  Retained engine(std::make_unique<MemoryStore>(), directory.path(), {.closed_us = kDayUs});
  const DefinitionId plain = engine.world.Register(kPlain);
  model::StartInstance start{.definition = plain};
  start.idempotency_key = "once";
  InstanceId first, again;
  ASSERT_TRUE(engine.world.Start(start, &first).has_value());
  ASSERT_TRUE(engine.world.RunUntilEnded(first));
  engine.Start(/*runs=*/false);
  engine.Advance(2 * kDayUs);
  ASSERT_TRUE(engine.Run().has_value());
  const auto answer = engine.world.Ask(first, model::RetryInstance{});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kInstanceErased);
  EXPECT_FALSE(engine.world.shard().Find(first).has_value());
  // Its key is free again.
  ASSERT_TRUE(engine.world.Start(start, &again).has_value());
  EXPECT_NE(again, first);
}

// The shard dies behind each step; the next one does the rest.
TEST(RetentionService, FinishesWhatACrashCutOffAtAnyStep) {
  constexpr int kSteps = 4;
  for (int stop_at = 1; stop_at <= kSteps; ++stop_at) {
    SCOPED_TRACE(stop_at);
    TempDir directory;
    std::vector<InstanceId> ids;
    std::unique_ptr<MemoryStore> left;
    {
      Retained engine(std::make_unique<MemoryStore>(), directory.path(), {.closed_us = kDayUs});
      ids = engine.RunInstances(engine.world.Register(kPlain), 3);
      engine.Advance(2 * kDayUs);
      engine.RunInstances(DefinitionId(1), 1);
      engine.Start(/*runs=*/false, stop_at);
      const auto report = engine.Run();
      ASSERT_FALSE(report.has_value());
      ASSERT_EQ(engine.steps.size(), static_cast<size_t>(stop_at));
      left = engine.Crash();
    }
    Retained engine(std::move(left), directory.path(), {.closed_us = kDayUs});
    engine.Start(/*runs=*/false);
    (void)engine.Do([](RetentionService&) { return true; });
    for (const InstanceId id : ids) EXPECT_TRUE(engine.IsCut(id));
    engine.ExpectVerified("behind the crash");
    EXPECT_EQ(StartedOf(engine, "plain"), 4u);
    engine.EndThreads();
    EXPECT_THAT(engine.problems, IsEmpty());
  }
}

}  // namespace
}  // namespace stele::retention
