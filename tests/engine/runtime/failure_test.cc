// A store that cannot be read any more, or does not keep up: nothing is lost on the quiet,
// everybody is told.
#include <algorithm>

#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kLimited = R"(
version: "1.0"
name: limited
concurrency: {limit: 1}
steps:
  - {id: work, type: script, config: {script: x}}
)";

constexpr const char* kWait = R"(
version: "1.0"
name: wait
steps:
  - {id: d, type: delay, config: {duration: 1h}}
)";

constexpr const char* kPays = R"(
version: "1.0"
name: pays
steps:
  - {id: paid, type: message, config: {action: wait, name: paid, key: o}}
)";

TEST(UnreadableStore, AnswersAllThatWasAskedInOneTurn) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const DefinitionId limited = world.Register(kLimited);
  world.RunUntilQuiet();
  world.store().FailReads(/*snapshots=*/false, /*notes=*/true);
  std::vector<Result<Position>> answers;
  for (int i = 0; i < 3; ++i)
    world.shard().Start({.definition = limited}, "tester",
                        [&](const Result<Position>& answer) { answers.push_back(answer); });
  ASSERT_TRUE(world.RunUntil([&] { return answers.size() == 3; }));
  for (const Result<Position>& answer : answers)
    EXPECT_EQ(answer.error().code, ErrorCode::kShardStopped);
  EXPECT_TRUE(world.fatal().has_value());
  World restarted(world.Crash());
  restarted.Open();
  EXPECT_EQ(restarted.shard().last_instance(), InstanceId()) << "and nothing of it was written";
}

TEST(UnreadableStore, LosesNoTimer) {
  World world(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kWait), &id).has_value());
  world.RunUntilQuiet();
  ASSERT_EQ(world.shard().live_instances(), 0u);
  world.store().FailReads(/*snapshots=*/true, /*notes=*/false);
  world.clock().Advance(3'600'000'000);
  world.shard().ElapseTimers();
  EXPECT_FALSE(world.RunUntilEnded(id)) << "it has failed";
}

TEST(UnreadableStore, PassesOverNobodyInAResume) {
  World first(std::make_unique<MemoryStore>());
  first.hanging = {"work"};
  first.Open();
  InstanceId id;
  ASSERT_TRUE(first.Start(first.Register(kLimited), &id).has_value());
  first.RunUntilQuiet();
  first.Stop();
  World second(first.store().Crash());
  second.Open();
  second.store().FailReads(/*snapshots=*/true, /*notes=*/false);
  EXPECT_EQ(second.shard().Resume("tester"), 0u);
  EXPECT_FALSE(second.RunUntilEnded(id)) << "it has failed";
}

TEST(UnreadableStore, ForgetsNoWait) {
  World world(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kPays), &id).has_value());
  world.RunUntilQuiet();
  ASSERT_EQ(world.shard().live_instances(), 0u);
  world.store().FailReads(/*snapshots=*/true, /*notes=*/false);
  ASSERT_TRUE(world.Publish("paid", "o", "1").has_value());
  EXPECT_FALSE(world.RunUntilEnded(id)) << "it has failed";
  World restarted(world.Crash());
  restarted.Open();
  restarted.shard().Resume("tester");
  EXPECT_TRUE(restarted.RunUntil([&] { return restarted.ended(id); }));
}

TEST(SlowStore, CommandsWaitUntilWhatIsOnItsWayIsWritten) {
  World world(std::make_unique<MemoryStore>(), {.max_bytes_in_flight = 1});
  world.Open();
  const DefinitionId definition = world.Register(kLimited);
  std::vector<Position> answers;
  const uint64_t before = world.store().writes();
  for (int i = 0; i < 10; ++i)
    world.shard().Start({.definition = definition}, "tester",
                        [&](const Result<Position>& answer) { answers.push_back(*answer); });
  ASSERT_TRUE(world.RunUntil([&] { return world.ended(InstanceId(10)); }));
  EXPECT_EQ(answers.size(), 10u);
  EXPECT_TRUE(std::ranges::is_sorted(answers)) << "in the order in which they came";
  EXPECT_GE(world.store().writes() - before, 20u) << "a write for each record";
}

}  // namespace
}  // namespace stele::runtime
