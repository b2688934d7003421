// A shard at work: answers, refusals, retries, stubs, secrets.
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

TEST(Shard, RunsAWorkflowToItsEnd) {
  World world(std::make_unique<MemoryStore>());
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kMixedWorkflow), &id).has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_NE(world.end_state(id).find("completed"), std::string::npos);
  EXPECT_NE(world.end_state(id).find("seen=6"), std::string::npos) << world.end_state(id);
  EXPECT_EQ(ledger.size(), 7u);
  ASSERT_GE(world.records().size(), 3u);
  EXPECT_EQ(world.records()[1], "1@2: instance_started step_activated");
}

TEST(Shard, RetriesWithTheNextAttemptNumber) {
  World world(std::make_unique<MemoryStore>());
  std::vector<Deed> ledger;
  world.ledger = &ledger;
  world.failing["left"] = 2;
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kMixedWorkflow), &id).has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  std::vector<uint32_t> attempts;
  for (const Deed& deed : ledger)
    if (deed.step == "left") attempts.push_back(deed.attempt);
  EXPECT_EQ(attempts, (std::vector<uint32_t>{1, 2, 3}));
}

TEST(Shard, RefusesACommandToAnInstanceThatIsNotThere) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const Result<Position> answer = world.Ask(InstanceId(99), model::TerminateInstance{});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnknownInstance);
}

TEST(Shard, RefusesACommandToAnInstanceThatHasEnded) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world.Start(world.Register(kMixedWorkflow), &id).has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  const Result<Position> answer = world.Ask(id, model::CancelInstance{});
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kInstanceEnded);
}

TEST(Shard, RefusesAStartOfADefinitionThatIsNotThere) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const Result<Position> answer = world.Start(DefinitionId(3));
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().code, ErrorCode::kUnknownDefinition);
}

TEST(Shard, FailsAStepWhoseSecretIsMissingAndNamesIt) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  InstanceId id;
  ASSERT_TRUE(
      world
          .Start(world.Register("version: '1.0'\nname: s\nsteps:\n  - {id: a, type: script, "
                                "config: {script: 'x {{secrets.stele_test_missing}}'}}\n"),
                 &id)
          .has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_NE(world.end_state(id).find("failed"), std::string::npos);
}

TEST(Shard, KeepsAThousandInstancesApart) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const DefinitionId definition = world.Register(kMixedWorkflow);
  std::vector<InstanceId> ids;
  for (int i = 0; i < 1000; ++i)
    ids.push_back(world.shard().Start({.definition = definition}, "tester", nullptr));
  for (const InstanceId id : ids) ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_EQ(world.end_state(ids.front()), world.end_state(ids.back()));
}

}  // namespace
}  // namespace stele::runtime
