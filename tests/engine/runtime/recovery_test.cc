// A restart at any moment finds the state that was in memory.
#include "engine/apply/apply.h"
#include "engine/model/snapshot.h"
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

// The state that all records of the log amount to.
std::string Rebuilt(const MemoryStore& store, InstanceId id) {
  model::Instance instance;
  instance.id = id;
  auto cursor = store.ReadInstance(ShardId(), id, Seq(1));
  for (;;) {
    auto record = (*cursor)->Next();
    EXPECT_TRUE(record.has_value()) << record.error().ToString();
    if (!record->has_value()) return model::EncodeSnapshot(instance);
    const model::RecordContext context{(*record)->position, (*record)->header.time};
    const Status decoded = model::DecodeEach((*record)->body, [&](const model::Event& event) {
      apply::Apply(instance, event, context);
    });
    EXPECT_TRUE(decoded.has_value());
  }
}

TEST(Recovery, FindsTheSameBytesAfterEveryWrite) {
  // Small limits: snapshots and checkpoints happen all the time.
  const ShardOptions options{.snapshot_events = 3, .checkpoint_records = 2};
  std::vector<std::unique_ptr<MemoryStore>> moments;
  World world(std::make_unique<MemoryStore>(), options);
  world.store().OnWrite([&](uint64_t number) {
    moments.push_back(world.store().Crash(number % (world.store().unflushed_puts() + 1)));
  });
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kMixedWorkflow), &id).has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  world.Stop();
  ASSERT_GT(moments.size(), 5u);
  int compared = 0;
  for (std::unique_ptr<MemoryStore>& moment : moments) {
    World restarted(std::move(moment), options);
    restarted.Open();
    const auto found = restarted.shard().Find(id);
    if (!found.has_value()) continue;
    EXPECT_EQ(model::EncodeSnapshot(**found), Rebuilt(restarted.store(), id));
    ++compared;
  }
  EXPECT_GT(compared, 3);
}

TEST(Recovery, LeavesOpenInstancesAloneUntilTheyAreResumed) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  InstanceId id;
  const DefinitionId definition = first.Register(
      "version: '1.0'\nname: wait\nsteps:\n  - {id: d, type: delay, config: {duration: 1h}}\n");
  ASSERT_TRUE(first.Start(definition, &id).has_value());
  World second(first.Crash());
  second.Open();
  second.clock().Advance(7'200'000'000);
  second.shard().ElapseTimers();
  second.RunUntilQuiet();
  EXPECT_FALSE(second.ended(id));
  EXPECT_EQ(second.shard().Resume("tester"), 1u);
  second.shard().ElapseTimers();
  EXPECT_TRUE(second.RunUntilEnded(id));
}

TEST(Recovery, StartsAgainWhatAStopHadHeld) {
  std::unique_ptr<MemoryStore> left;
  InstanceId id;
  {
    World world(std::make_unique<MemoryStore>());
    world.hanging = {"a"};
    world.Open();
    ASSERT_TRUE(
        world
            .Start(world.Register("version: '1.0'\nname: one\nsteps:\n  - {id: a, type: script, "
                                  "config: {script: x}}\n"),
                   &id)
            .has_value());
    world.Stop();
    left = world.store().Crash();
  }
  World world(std::move(left));
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  world.Open();
  ASSERT_EQ(world.shard().Resume("tester"), 1u);
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_NE(world.end_state(id).find("completed"), std::string::npos);
  ASSERT_EQ(ledger.size(), 1u);
  EXPECT_EQ(ledger[0].attempt, 2u);
}

TEST(Recovery, LetsNoTimeGoBackThoughTheClockDoes) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  const DefinitionId definition = first.Register(kMixedWorkflow);
  first.clock().Advance(3'600'000'000);
  InstanceId id;
  ASSERT_TRUE(first.Start(definition, &id).has_value());
  ASSERT_TRUE(first.RunUntilEnded(id));
  const TimeUs ended = first.At(id).ended;
  first.Stop();
  World second(first.store().Crash());
  ASSERT_LT(second.clock().Now(), ended);
  second.Open();
  ASSERT_TRUE(second.Start(definition, &id).has_value());
  EXPECT_GE(second.At(id).started, ended);
}

TEST(Recovery, ContinuesTheNumbersOfInstancesAndDefinitions) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  const DefinitionId definition = first.Register(kMixedWorkflow);
  InstanceId id;
  ASSERT_TRUE(first.Start(definition, &id).has_value());
  ASSERT_TRUE(first.RunUntilEnded(id));
  World second(first.Crash());
  second.Open();
  EXPECT_EQ(second.Register(kMixedWorkflow), definition) << "the same text is the same version";
  InstanceId next;
  ASSERT_TRUE(second.Start(definition, &next).has_value());
  EXPECT_EQ(next, id.Next());
}

}  // namespace
}  // namespace stele::runtime
