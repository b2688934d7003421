// Instances that wait leave memory and come back when something happens.
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kDelay = R"(
version: "1.0"
name: patience
steps:
  - {id: wait, type: delay, config: {duration: "{{input.delay ?? '10m'}}"}}
  - {id: after, type: script, depends_on: [wait], config: {script: x}}
)";

TEST(Eviction, LeavesNothingInMemoryAndTimersStillElapse) {
  World world(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0});
  world.Open();
  const DefinitionId definition = world.Register(kDelay);
  std::vector<InstanceId> ids(50);
  for (InstanceId& id : ids) ASSERT_TRUE(world.Start(definition, &id).has_value());
  world.RunUntilQuiet();
  EXPECT_EQ(world.shard().live_instances(), 0u);
  world.clock().Advance(600'000'000);
  world.shard().ElapseTimers();
  for (const InstanceId id : ids) {
    ASSERT_TRUE(world.RunUntilEnded(id));
    EXPECT_NE(world.end_state(id).find("completed"), std::string::npos);
  }
  world.RunUntilQuiet();
  EXPECT_EQ(world.shard().live_instances(), 0u);
}

TEST(Eviction, SurvivesACrashThatTakesTheSnapshotsBack) {
  World first(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0});
  first.Open();
  const DefinitionId definition = first.Register(kDelay);
  InstanceId id;
  ASSERT_TRUE(first.Start(definition, &id).has_value());
  first.RunUntilQuiet();
  ASSERT_EQ(first.shard().live_instances(), 0u);
  World second(first.Crash(0), {.idle_memory_bytes = 0});
  second.Open();
  ASSERT_EQ(second.shard().Resume("tester"), 1u);
  second.clock().Advance(600'000'000);
  second.shard().ElapseTimers();
  EXPECT_TRUE(second.RunUntilEnded(id));
}

TEST(Eviction, ComesBackForACommand) {
  World world(std::make_unique<MemoryStore>(), {.idle_memory_bytes = 0});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kDelay), &id).has_value());
  world.RunUntilQuiet();
  ASSERT_EQ(world.shard().live_instances(), 0u);
  ASSERT_TRUE(
      world.Ask(id, model::CancelInstance{.compensate = false, .reason = "enough"}).has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_NE(world.end_state(id).find("cancelled"), std::string::npos);
}

}  // namespace
}  // namespace stele::runtime
