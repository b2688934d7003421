// Schedules through the service: every overlap policy, downtime, pauses, backfills, daylight
// saving.
#include <algorithm>

#include "base/json.h"
#include "engine/runtime/board.h"
#include "engine/triggers/firing_input.h"
#include "engine/triggers/moment.h"
#include "tests/engine/triggers/trigger_world.h"

namespace stele::triggers {
namespace {

using eventstore::MemoryStore;

constexpr int64_t kMinute = 60'000'000;

TimeUs At(const char* moment) {
  return TimeUs(*ParseMoment(moment, TimeZone()));
}

std::vector<std::string> KeysOf(const std::vector<Start>& starts) {
  std::vector<std::string> keys;
  for (const Start& start : starts) keys.push_back(start.key.substr(start.key.find(':', 8) + 1));
  return keys;
}

using Keys = std::vector<std::string>;

std::string EveryMinute(const std::string& more) {
  return "[{type: schedule, name: tick, cron: '* * * * *'" + more + "}]";
}

const TimeUs kStart = At("2026-05-01T09:00:30");
constexpr TriggerId kFirst(1);

TEST(ScheduleService, StartsAnInstanceAtEachMomentWithItsInput) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", input: {at: '{{trigger.scheduled_time}}'}"));
  EXPECT_TRUE(world.Starts().empty());
  world.Advance(kMinute);
  world.Advance(kMinute);
  const std::vector<Start> starts = world.Starts();
  EXPECT_EQ(KeysOf(starts), (Keys{"2026-05-01T09:01:00Z", "2026-05-01T09:02:00Z"}));
  ASSERT_EQ(starts.size(), 2u);
  EXPECT_EQ(starts[0].input, R"({"at":"2026-05-01T09:01:00Z"})");
  EXPECT_EQ((*world.shard().Find(starts[0].instance))->tags, (Keys{"trigger:1"}));
  world.service().Tick();
  world.RunUntilQuiet();
  EXPECT_EQ(world.Starts().size(), 2u) << "the same moment fired again";
}

TEST(ScheduleService, FiresOnlyWhenItsConditionsHold) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", conditions: [\"trigger.scheduled_time contains '09:02'\"]"));
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:02:00Z"}));
}

TEST(ScheduleService, SkipsWhileTheLastOneRuns) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(""), "hang");
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  ASSERT_EQ(world.Starts().size(), 1u);
  EXPECT_EQ(world.Outcomes(kFirst)[2], "skip: an instance that it started still runs");
  world.End(world.Starts()[0].instance);
  EXPECT_EQ(world.Starts().size(), 1u) << "what was skipped stays so";
  world.Advance(kMinute);
  EXPECT_EQ(world.Starts().size(), 2u);
}

TEST(ScheduleService, KeepsOneFiringInLine) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", overlap: buffer_one"), "hang");
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  EXPECT_EQ(world.Outcomes(kFirst), (Keys{"start", "buffer", "skip: a firing waits already"}));
  ASSERT_EQ(world.Starts().size(), 1u);
  world.End(world.Starts()[0].instance);
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:01:00Z", "2026-05-01T09:02:00Z"}));
}

TEST(ScheduleService, KeepsAllFiringsInLineOverARestart) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", EveryMinute(", overlap: buffer_all"), "hang");
    for (int i = 0; i < 4; ++i) world.Advance(kMinute);
    EXPECT_EQ(world.Starts().size(), 1u);
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), At("2026-05-01T09:04:40"));
  world.RunUntilQuiet();
  ASSERT_EQ(world.Starts().size(), 1u) << "the first one still runs";
  for (size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(world.Starts().size(), i + 1);
    world.End(world.Starts().back().instance);
  }
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:01:00Z", "2026-05-01T09:02:00Z",
                                          "2026-05-01T09:03:00Z", "2026-05-01T09:04:00Z"}));
}

TEST(ScheduleService, StartsBesideTheOthersWhenAllowed) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", overlap: allow"), "hang");
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  EXPECT_EQ(world.Starts().size(), 3u);
  EXPECT_EQ(world.shard().open_instances().size(), 3u);
}

TEST(ScheduleService, CancelsTheOtherFirst) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", overlap: cancel_other"), "hang");
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  const std::vector<Start> starts = world.Starts();
  ASSERT_EQ(starts.size(), 3u);
  EXPECT_EQ((*world.shard().Find(starts[0].instance))->status, model::Status::kCancelled);
  EXPECT_EQ((*world.shard().Find(starts[1].instance))->status, model::Status::kCancelled);
  EXPECT_EQ((*world.shard().Find(starts[2].instance))->status, model::Status::kRunning);
}

TEST(ScheduleService, MakesUpForADowntimeWithinTheWindowAndNotesTheRest) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", EveryMinute(", overlap: allow, catch_up: 3m"));
    world.Advance(kMinute);
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), At("2026-05-01T09:10:30"));
  world.RunUntilQuiet();
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:01:00Z", "2026-05-01T09:08:00Z",
                                          "2026-05-01T09:09:00Z", "2026-05-01T09:10:00Z"}));
  EXPECT_EQ(world.Outcomes(kFirst)[1], "missed: 6 firings");
  world.Advance(kMinute);
  EXPECT_EQ(world.Starts().size(), 5u);
}

TEST(ScheduleService, CountsALongDowntimeOnlySoFar) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", "[{type: schedule, name: t, interval: 1s, catch_up: 0s, overlap: allow}]");
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), At("2026-06-01T09:00:30"));
  world.RunUntilQuiet();
  ASSERT_FALSE(world.Outcomes(kFirst).empty());
  EXPECT_EQ(world.Outcomes(kFirst)[0], "missed: more than 100000 firings");
  EXPECT_EQ(world.Starts().size(), 11u) << "those of the last ten seconds are on time";
}

TEST(ScheduleService, DoesNotMakeUpForAPause) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(", overlap: allow"));
  world.Advance(kMinute);
  ASSERT_TRUE(world.Change(kFirst, model::TriggerState::kPaused).has_value());
  for (int i = 0; i < 3; ++i) world.Advance(kMinute);
  ASSERT_TRUE(world.Change(kFirst, model::TriggerState::kActive).has_value());
  world.service().Tick();
  world.RunUntilQuiet();
  EXPECT_EQ(world.Starts().size(), 1u);
  world.Advance(kMinute);
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:01:00Z", "2026-05-01T09:05:00Z"}));
}

TEST(ScheduleService, DoesNotMakeUpForAPauseThatARestartSaw) {
  std::unique_ptr<MemoryStore> left;
  {
    TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
    world.Register("w", EveryMinute(", overlap: allow"));
    ASSERT_TRUE(world.Change(kFirst, model::TriggerState::kPaused).has_value());
    left = world.Crash();
  }
  TriggerWorld world(std::move(left), At("2026-05-01T09:05:30"));
  ASSERT_TRUE(world.Change(kFirst, model::TriggerState::kActive).has_value());
  world.Advance(kMinute);
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:06:00Z"}));
}

TEST(ScheduleService, BackfillsARangeOnce) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(""));
  world.Advance(kMinute);
  const int64_t from = At("2026-05-01T08:58:00").value;
  const int64_t to = At("2026-05-01T09:05:00").value;
  const Result<Backfilled> first = world.Backfill(kFirst, from, to);
  ASSERT_TRUE(first.has_value()) << first.error().ToString();
  EXPECT_EQ(first->fired, 3u) << "08:58, 08:59, 09:00";
  EXPECT_EQ(first->known, 1u) << "09:01 came by itself, as 09:02 and the rest will";
  const Result<Backfilled> second = world.Backfill(kFirst, from, to);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->fired, 0u);
  EXPECT_EQ(second->known, 4u);
  world.Advance(kMinute);
  EXPECT_EQ(KeysOf(world.Starts()),
            (Keys{"2026-05-01T09:01:00Z", "2026-05-01T08:58:00Z", "2026-05-01T08:59:00Z",
                  "2026-05-01T09:00:00Z", "2026-05-01T09:02:00Z"}));
}

TEST(ScheduleService, RefusesABackfillOfWhatWasPurged) {
  auto world = std::make_unique<TriggerWorld>(std::make_unique<MemoryStore>(), kStart);
  world->Register("w", EveryMinute(""));
  const int64_t from = At("2026-05-01T08:56:00").value;
  const int64_t to = At("2026-05-01T08:59:00").value;
  ASSERT_EQ(world->Backfill(kFirst, from, to)->fired, 3u);
  world->Advance(kMinute);
  const std::vector<Start> starts = world->Starts();
  // Of 08:56 and 08:57; 08:58 stays.
  std::vector<InstanceId> gone;
  std::vector<std::string> keys;
  for (const Start& start : starts)
    for (const char* moment : {"2026-05-01T08:56:00Z", "2026-05-01T08:57:00Z"})
      if (start.key == runtime::FiringKey(kFirst, moment)) {
        gone.push_back(start.instance);
        keys.push_back(start.key);
      }
  ASSERT_EQ(gone.size(), 2u);
  Result<Position> purged;
  const Position end(world->store().NextPosition(ShardId()).value - 1);
  world->shard().Purge({.instances = RangesOf(gone), .firings = keys}, end, "tester",
                       [&](const Result<Position>& answer) { purged = answer; });
  world->RunUntilQuiet();
  ASSERT_TRUE(purged.has_value()) << purged.error().ToString();
  for (int round = 0; round < 2; ++round) {
    SCOPED_TRACE(round);
    // Their records, which stand in this log as before, would say that the keys are taken.
    world->shard().ForgetKeys({{keys[0], gone[0]}, {keys[1], gone[1]}});
    const Result<Backfilled> again = world->Backfill(kFirst, from, to);
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kWrongState);
    EXPECT_NE(again.error().message.find("behind 2026-05-01T08:57:00Z"), std::string::npos)
        << again.error().message;
    const auto behind = world->Backfill(kFirst, At("2026-05-01T08:57:30").value, to);
    ASSERT_TRUE(behind.has_value()) << behind.error().ToString();
    EXPECT_EQ(behind->known, 1u);
    auto left = world->Crash();
    world = std::make_unique<TriggerWorld>(std::move(left), kStart.Plus(kMinute));
  }
  EXPECT_EQ(world->Starts().size(), starts.size());
}

// What waits in line is refused one after the other, however many they are.
TEST(ScheduleService, RefusesALongLineOfARemovedTrigger) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(""), "hang");
  const int64_t from = kStart.value - 9'000 * kMinute;
  const Result<Backfilled> filled = world.Backfill(kFirst, from, kStart.value);
  ASSERT_TRUE(filled.has_value()) << filled.error().ToString();
  EXPECT_EQ(filled->fired, 9'000u);
  EXPECT_EQ(world.Starts().size(), 1u) << "the others wait for it";
  const Result<Backfilled> more = world.Backfill(kFirst, from - 2'000 * kMinute, from);
  ASSERT_FALSE(more.has_value());
  EXPECT_EQ(more.error().code, ErrorCode::kLimitExceeded);
  ASSERT_TRUE(world.Change(kFirst, model::TriggerState::kRemoved).has_value());
  world.RunUntilQuiet();
  const Keys outcomes = world.Outcomes(kFirst);
  EXPECT_EQ(
      std::ranges::count_if(
          outcomes, [](const std::string& outcome) { return outcome.starts_with("refused: "); }),
      8'999);
}

TEST(ScheduleService, RefusesABackfillOfNoRange) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", EveryMinute(""));
  EXPECT_EQ(world.Backfill(kFirst, 10, 10).error().code, ErrorCode::kInvalidInput);
  EXPECT_EQ(world.Backfill(TriggerId(7), 10, 20).error().code, ErrorCode::kUnknownTrigger);
  EXPECT_EQ(world.Backfill(kFirst, 0, kStart.value).error().code, ErrorCode::kLimitExceeded);
}

TEST(ScheduleService, FollowsDaylightSaving) {
  TriggerWorld world(std::make_unique<MemoryStore>(), At("2026-03-28T00:00:00"));
  world.Register("w", "[{type: schedule, name: t, cron: '30 2 * * *', time_zone: Europe/Berlin}]");
  for (int i = 0; i < 3 * 24 * 2; ++i) world.Advance(30 * kMinute);
  EXPECT_EQ(KeysOf(world.Starts()),
            (Keys{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}));
}

TEST(ScheduleService, IsLateByItsJitterAndNamedByItsMoment) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  world.Register("w", "[{type: schedule, name: t, cron: '5 * * * *', jitter: 50m}]");
  const int64_t due =
      ScheduleOf(*world.service().table().Find(kFirst)).NextFiring(kStart.value)->due_us;
  ASSERT_GT(due, At("2026-05-01T09:05:00").value);
  world.AdvanceTo(TimeUs(due - 1));
  EXPECT_TRUE(world.Starts().empty());
  world.AdvanceTo(TimeUs(due));
  EXPECT_EQ(KeysOf(world.Starts()), (Keys{"2026-05-01T09:05:00Z"}));
}

TEST(ScheduleService, SkipsWhenNoVersionIsActive) {
  TriggerWorld world(std::make_unique<MemoryStore>(), kStart);
  const DefinitionId id = world.Register("w", EveryMinute(""));
  world.shard().ChangeDefinition(id, model::DefinitionState::kPaused, "", "tester",
                                 [](const auto&) {});
  world.Advance(kMinute);
  EXPECT_EQ(world.Outcomes(kFirst), (Keys{"skip: no version of \"w\" is active"}));
}

}  // namespace
}  // namespace stele::triggers
