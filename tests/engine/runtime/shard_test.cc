// A shard at work: answers, refusals, retries, stubs, secrets.
#include <fmt/format.h>

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
  EXPECT_NE(world.At(id).failure.message.find("stele_test_missing"), std::string::npos)
      << world.At(id).failure.message;
}

TEST(Shard, KeepsAThousandInstancesApart) {
  World world(std::make_unique<MemoryStore>());
  world.Open();
  const DefinitionId definition = world.Register(
      "version: '1.0'\nname: own\nsteps:\n  - {id: a, type: script, config: {script: x}}\n"
      "outputs: {mine: '{{ input.number }}'}\n");
  std::vector<InstanceId> ids;
  for (int i = 0; i < 1000; ++i)
    ids.push_back(
        world.shard().Start({.definition = definition,
                             .input = Payload::FromText(fmt::format(R"({{"number":{}}})", i))},
                            "tester", nullptr));
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(world.RunUntilEnded(ids[i]));
    EXPECT_EQ(world.At(ids[i]).output.text(), fmt::format(R"({{"mine":{}}})", i));
  }
}

}  // namespace
}  // namespace stele::runtime
