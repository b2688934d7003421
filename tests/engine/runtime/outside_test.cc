// Attempts outside: limits of how many and how often, time that is over, and back-pressure.
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kOne = R"(
version: "1.0"
name: one
steps:
  - {id: work, type: script, config: {script: x}}
)";

SchedulerSettings ScriptsAtOnce(uint32_t count) {
  return {.task_types = {{"script", {.at_once = count}}}};
}

std::vector<InstanceId> StartAll(World& world, DefinitionId definition, int count,
                                 int32_t priority = 0) {
  std::vector<InstanceId> ids(static_cast<size_t>(count));
  for (InstanceId& id : ids)
    EXPECT_TRUE(
        world.Start(model::StartInstance{.definition = definition, .priority = priority}, &id)
            .has_value());
  world.RunUntilQuiet();
  return ids;
}

TEST(Attempts, WaitForALimitOfTheirType) {
  World world(std::make_unique<MemoryStore>(), {.scheduler = ScriptsAtOnce(2)});
  world.held = {"work"};
  world.Open();
  const std::vector<InstanceId> ids = StartAll(world, world.Register(kOne), 5);
  EXPECT_EQ(world.outside("work").size(), 2u);
  EXPECT_EQ(world.shard().queued_attempts(), 3u);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(world.Finish("work"));
    EXPECT_LE(world.outside("work").size(), 2u);
  }
  for (const InstanceId id : ids) EXPECT_TRUE(world.ended(id));
}

TEST(Attempts, GoByPriorityOfTheirInstance) {
  World world(std::make_unique<MemoryStore>(), {.scheduler = ScriptsAtOnce(1)});
  world.held = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(kOne);
  StartAll(world, definition, 2);
  const InstanceId urgent = StartAll(world, definition, 1, 9)[0];
  ASSERT_TRUE(world.Finish("work"));
  EXPECT_EQ(world.outside("work"), std::vector<std::string>{std::to_string(urgent.value) + "-1-1"});
}

TEST(Attempts, TakeTheDefinitionsPriorityWhenTheStartGivesNone) {
  World world(std::make_unique<MemoryStore>());
  world.held = {"work"};
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(std::string(kOne) + "priority: 7\n"), &id).has_value());
  EXPECT_EQ(world.At(id).priority, 7);
}

TEST(Attempts, ShareTheirStepsKeyOverAllInstances) {
  World world(std::make_unique<MemoryStore>());
  world.held = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(
      "version: '1.0'\nname: keyed\nsteps:\n  - {id: work, type: script, config: {script: x},\n"
      "     concurrency: {key: '{{input.customer}}', limit: 1}}\n");
  for (const char* customer : {"a", "a", "b"})
    ASSERT_TRUE(
        world
            .Start(model::StartInstance{
                .definition = definition,
                .input = Payload::FromText(R"({"customer":")" + std::string(customer) + R"("})")})
            .has_value());
  world.RunUntilQuiet();
  EXPECT_EQ(world.outside("work"), (std::vector<std::string>{"1-1-1", "3-1-1"}));
  ASSERT_TRUE(world.Finish("work"));
  EXPECT_EQ(world.outside("work"), (std::vector<std::string>{"3-1-1", "2-1-1"}));
}

TEST(Attempts, BeginAsOftenAsTheirRateSays) {
  World world(std::make_unique<MemoryStore>());
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  world.Open();
  const DefinitionId definition = world.Register(
      "version: '1.0'\nname: rated\nsteps:\n  - {id: work, type: script, config: {script: x},\n"
      "     rate_limit: {count: 2, per: 10s}}\n");
  const std::vector<InstanceId> ids = StartAll(world, definition, 5);
  EXPECT_EQ(ledger.size(), 2u);
  world.Advance(9'999'999);
  EXPECT_EQ(ledger.size(), 2u);
  world.Advance(1);
  EXPECT_EQ(ledger.size(), 4u);
  world.Advance(10'000'000);
  EXPECT_EQ(ledger.size(), 5u);
  for (const InstanceId id : ids) EXPECT_TRUE(world.ended(id));
}

TEST(Attempts, ThatWaitLeaveMemoryAndTheQueueWhenCancelled) {
  World world(std::make_unique<MemoryStore>(),
              {.idle_memory_bytes = 0, .scheduler = ScriptsAtOnce(1)});
  world.held = {"work"};
  world.Open();
  const std::vector<InstanceId> ids = StartAll(world, world.Register(kOne), 4);
  EXPECT_EQ(world.shard().live_instances(), 1u) << "the others wait on disk";
  ASSERT_TRUE(world.Ask(ids[1], model::CancelInstance{}).has_value());
  EXPECT_EQ(world.shard().queued_attempts(), 2u);
  while (world.Finish("work")) continue;
  EXPECT_TRUE(world.ended(ids[2]));
  EXPECT_TRUE(world.ended(ids[3]));
}

TEST(Attempts, FreeTheirPlaceWhenTheyAreCancelled) {
  World world(std::make_unique<MemoryStore>(), {.scheduler = ScriptsAtOnce(1)});
  world.held = {"work"};
  world.Open();
  const std::vector<InstanceId> ids = StartAll(world, world.Register(kOne), 2);
  ASSERT_TRUE(world.Ask(ids[0], model::CancelInstance{}).has_value());
  world.RunUntilQuiet();
  EXPECT_EQ(world.outside("work"), std::vector<std::string>{"2-1-1"});
}

TEST(Attempts, DoNotTimeOutWhileTheyWait) {
  World world(std::make_unique<MemoryStore>(),
              {.timeout_grace_us = 0, .scheduler = ScriptsAtOnce(1)});
  world.held = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(
      "version: '1.0'\nname: timed\nsteps:\n"
      "  - {id: work, type: script, timeout: 10s, config: {script: x}}\n");
  const std::vector<InstanceId> ids = StartAll(world, definition, 2);
  world.Advance(9'000'000);
  ASSERT_TRUE(world.Finish("work"));
  EXPECT_EQ(world.At(ids[0]).status, model::Status::kCompleted);
  world.Advance(9'000'000);
  EXPECT_FALSE(world.ended(ids[1])) << "its time began when the first one ended";
  world.Advance(1'000'000);
  ASSERT_TRUE(world.RunUntilEnded(ids[1]));
  EXPECT_EQ(world.At(ids[1]).failure.kind, "timeout");
  EXPECT_EQ(world.cancelled, std::vector<std::string>{"2-1-1"});
}

TEST(Attempts, AreEndedALittleAfterTheirTimeoutWhenTheExecutorDoesNot) {
  World world(std::make_unique<MemoryStore>());
  world.hanging = {"work"};
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world
                  .Start(world.Register("version: '1.0'\nname: timed\nsteps:\n  - {id: work, type: "
                                        "script, timeout: 10s, config: {script: x}}\n"),
                         &id)
                  .has_value());
  world.Advance(10'000'000 + kTimeoutGraceUs - 1);
  EXPECT_FALSE(world.ended(id));
  world.Advance(1);
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_EQ(world.At(id).failure.kind, "timeout");
}

TEST(Attempts, ThatWaitAtAStopBeginAfterTheNextStart) {
  World first(std::make_unique<MemoryStore>(),
              {.idle_memory_bytes = 0, .scheduler = ScriptsAtOnce(1)});
  first.repeats_after_crash = false;
  first.held = {"work"};
  first.Open();
  const std::vector<InstanceId> ids = StartAll(first, first.Register(kOne), 3);
  first.Stop();
  World second(first.store().Crash());
  second.repeats_after_crash = false;
  second.Open();
  EXPECT_EQ(second.shard().Resume("tester"), 3u);
  for (const InstanceId id : ids) {
    ASSERT_TRUE(second.RunUntilEnded(id));
    EXPECT_EQ(second.At(id).status, model::Status::kCompleted);
  }
}

TEST(BackPressure, RefusesNewInstancesAndLosesNothing) {
  World world(std::make_unique<MemoryStore>(),
              {.max_queued_attempts = 3, .scheduler = ScriptsAtOnce(1)});
  world.held = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(kOne);
  const std::vector<InstanceId> ids = StartAll(world, definition, 4);
  const Result<Position> refused = world.Start(definition);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kBackPressure);
  EXPECT_EQ(refused.error().message,
            "Expected at most 3 waiting attempts but found 3; try again later, or raise "
            "max_queued_attempts");
  ASSERT_TRUE(world.Finish("work"));
  InstanceId later;
  EXPECT_TRUE(world.Start(definition, &later).has_value());
  while (world.Finish("work")) continue;
  for (const InstanceId id : ids) EXPECT_TRUE(world.ended(id));
  EXPECT_TRUE(world.ended(later));
}

TEST(Limits, OfOpenInstancesHoldAlsoAfterARestart) {
  const ShardOptions options{.max_open_instances = 2};
  World first(std::make_unique<MemoryStore>(), options);
  first.held = {"work"};
  first.Open();
  const DefinitionId definition = first.Register(kOne);
  StartAll(first, definition, 2);
  EXPECT_EQ(first.Start(definition).error().code, ErrorCode::kBackPressure);
  ASSERT_TRUE(first.Finish("work"));
  StartAll(first, definition, 1);
  first.Stop();
  World second(first.store().Crash(), options);
  second.held = {"work"};
  second.Open();
  EXPECT_EQ(second.Start(definition).error().code, ErrorCode::kBackPressure);
  second.shard().Resume("tester");
  second.RunUntilQuiet();
  ASSERT_TRUE(second.Finish("work"));
  EXPECT_TRUE(second.Start(definition).has_value());
}

TEST(Limits, OfWhatCommandsCarry) {
  World world(std::make_unique<MemoryStore>(), {.max_input_bytes = 50, .max_payload_bytes = 20});
  world.held = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(kOne);
  InstanceId id;
  ASSERT_TRUE(world.Start(definition, &id).has_value());
  const Payload large = Payload::FromText('"' + std::string(20, 'x') + '"');
  for (const model::Command& command :
       {model::Command(model::SendSignal{"s", large}),
        model::Command(model::AssignVariables{ScopeId(), {{"v", large}}}),
        model::Command(model::DecideTask{.run = RunId(1), .variables = large})}) {
    const Result<Position> answer = world.Ask(id, command);
    ASSERT_FALSE(answer.has_value());
    EXPECT_EQ(answer.error().code, ErrorCode::kLimitExceeded);
  }
  EXPECT_TRUE(world.Ask(id, model::SendSignal{"s", Payload::FromText("1")}).has_value());
  const std::string input = R"({"text":")" + std::string(50, 'x') + R"("})";
  EXPECT_EQ(
      world.Start(model::StartInstance{.definition = definition, .input = Payload::FromText(input)})
          .error()
          .code,
      ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace stele::runtime
