// What operators change in a running engine, and that it is still so after a restart: the registry,
// an instance's version, a failed instance that goes on.
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;
using model::Status;

constexpr const char* kTwoSteps = R"(
version: "1.0"
name: work
steps:
  - {id: first, type: script, config: {script: x}}
  - {id: second, type: script, depends_on: [first], config: {script: x}}
)";

std::unique_ptr<World> OpenOn(std::unique_ptr<MemoryStore> store, ShardOptions options = {}) {
  auto world = std::make_unique<World>(std::move(store), options);
  world->Open();
  return world;
}

class Registry : public testing::Test {
 protected:
  Registry() : world_(OpenOn(std::make_unique<MemoryStore>())) {}
  // What a change of the registry answers.
  template <class Change>
  Result<Position> Answer(Change change) {
    std::optional<Result<Position>> answer;
    change([&](const Result<Position>& a) { answer = a; });
    EXPECT_TRUE(world_->RunUntil([&] { return answer.has_value(); }));
    return *answer;
  }
  Shard& shard() { return world_->shard(); }

  std::unique_ptr<World> world_;
};

TEST_F(Registry, NumbersTheVersionsOfANameAndKnowsThemAfterACrash) {
  const DefinitionId first = world_->Register(kTwoSteps);
  const DefinitionId second = world_->Register(
      std::string(kTwoSteps) +
      "  - {id: third, type: script, depends_on: [second], config: {script: x}}\n");
  world_->RunUntilQuiet();
  world_ = OpenOn(world_->Crash());
  ASSERT_NE(shard().registry().Latest("work"), nullptr);
  EXPECT_EQ(shard().registry().Latest("work")->id, second);
  EXPECT_EQ(shard().registry().Version("work", 1)->id, first);
  EXPECT_EQ(shard().registry().Latest("nothing"), nullptr);
}

TEST_F(Registry, StartsTheNewestVersionThatIsActive) {
  const DefinitionId first = world_->Register(kTwoSteps);
  const DefinitionId second = world_->Register(
      std::string(kTwoSteps) +
      "  - {id: third, type: script, depends_on: [second], config: {script: x}}\n");
  EXPECT_EQ(shard().registry().Startable("work")->id, second);
  ASSERT_TRUE(Answer([&](auto answer) {
                shard().ChangeDefinition(second, model::DefinitionState::kRetired, "bad", "tester",
                                         answer);
              }).has_value());
  EXPECT_EQ(shard().registry().Startable("work")->id, first);
  EXPECT_EQ(Answer([&](auto answer) {
              shard().ChangeDefinition(second, model::DefinitionState::kRetired, "", "tester",
                                       answer);
            })
                .error()
                .code,
            ErrorCode::kDefinitionState);
  EXPECT_EQ(Answer([&](auto answer) {
              shard().ChangeDefinition(DefinitionId(9), model::DefinitionState::kActive, "",
                                       "tester", answer);
            })
                .error()
                .code,
            ErrorCode::kUnknownDefinition);
}

TEST_F(Registry, KeepsTriggersTheirFiringsAndSettings) {
  world_->Register(kTwoSteps);
  TriggerId trigger;
  ASSERT_TRUE(Answer([&](auto answer) {
                trigger = shard().RegisterTrigger("work", "cron", R"({"cron":"* * * * *"})",
                                                  "tester", answer);
              }).has_value());
  EXPECT_EQ(Answer([&](auto answer) {
              shard().RegisterTrigger("nothing", "cron", "{}", "tester", answer);
            })
                .error()
                .code,
            ErrorCode::kUnknownDefinition);
  model::TriggerFired firing;
  firing.trigger = trigger;
  firing.outcome = "start";
  firing.key = "moment";
  ASSERT_TRUE(Answer([&](auto answer) { shard().Fire(firing, "tester", answer); }).has_value());
  ASSERT_TRUE(Answer([&](auto answer) {
                shard().ChangeSetting("colour", "\"red\"", "tester", answer);
              }).has_value());
  ASSERT_TRUE(Answer([&](auto answer) {
                shard().ChangeTrigger(trigger, model::TriggerState::kPaused, "", "tester", answer);
              }).has_value());
  world_ = OpenOn(world_->Crash());
  ASSERT_EQ(shard().registry().triggers.size(), 1u);
  EXPECT_EQ(shard().registry().Find(trigger)->state, model::TriggerState::kPaused);
  EXPECT_EQ(shard().registry().settings.at("colour"), "\"red\"");
  ASSERT_EQ(shard().board().PendingFirings()->size(), 1u);
  InstanceId id;
  ASSERT_TRUE(world_
                  ->Start(model::StartInstance{.definition = DefinitionId(1),
                                               .idempotency_key = FiringKey(trigger, "moment")},
                          &id)
                  .has_value());
  EXPECT_TRUE(shard().board().PendingFirings()->empty());
  ASSERT_TRUE(world_->RunUntilEnded(id));
  EXPECT_TRUE(shard().board().OpenOf(trigger, 10)->empty());
}

TEST(Migration, GoesOnInTheNewVersionAlsoAfterACrash) {
  for (const bool crash : {false, true}) {
    auto world = OpenOn(std::make_unique<MemoryStore>());
    world->held = {"first"};
    InstanceId id;
    ASSERT_TRUE(world->Start(world->Register(kTwoSteps), &id).has_value());
    world->RunUntilQuiet();
    const DefinitionId next = world->Register(
        std::string(kTwoSteps) +
        "  - {id: third, type: script, depends_on: [second], config: {script: x}}\n");
    ASSERT_TRUE(world->Ask(id, model::MigrateInstance{next, ""}).has_value());
    std::vector<Deed> ledger;
    if (crash) {
      world = OpenOn(world->Crash());
      world->ledger = &ledger;
      world->shard().Resume("tester");
    } else {
      world->ledger = &ledger;
      ASSERT_TRUE(world->Finish("first"));
    }
    ASSERT_TRUE(world->RunUntilEnded(id));
    EXPECT_EQ(world->At(id).definition, next);
    ASSERT_FALSE(ledger.empty());
    EXPECT_EQ(ledger.back().step, "third");
    world->ledger = nullptr;
  }
}

TEST(Migration, ToAVersionThatIsNotThereIsRefused) {
  auto world = OpenOn(std::make_unique<MemoryStore>());
  world->held = {"first"};
  InstanceId id;
  ASSERT_TRUE(world->Start(world->Register(kTwoSteps), &id).has_value());
  EXPECT_FALSE(world->Ask(id, model::MigrateInstance{DefinitionId(9), ""}).has_value());
}

// A failed instance that is retried is open again, whatever was written down when.
class RetriedInstance : public testing::TestWithParam<bool> {};

TEST_P(RetriedInstance, IsResumedAfterACrash) {
  // With checkpoints all the time, its end has been written down before the retry.
  const ShardOptions options =
      GetParam() ? ShardOptions{.idle_memory_bytes = 0, .checkpoint_records = 1} : ShardOptions{};
  auto world = OpenOn(std::make_unique<MemoryStore>(), options);
  world->failing["second"] = 1;
  InstanceId id;
  ASSERT_TRUE(world->Start(world->Register(kTwoSteps), &id).has_value());
  ASSERT_TRUE(world->RunUntilEnded(id));
  ASSERT_TRUE(world->end_state(id).starts_with("failed"));
  world->RunUntilQuiet();
  world->held = {"second"};
  ASSERT_TRUE(world->Ask(id, model::RetryInstance{}).has_value());
  world->RunUntilQuiet();
  EXPECT_EQ(world->outside("second"), std::vector<std::string>{"1-3-1"});
  for (int i = 0; i < 3; ++i) {
    world = OpenOn(world->Crash(), options);
    if (i < 2) world->held = {"second"};
    EXPECT_EQ(world->shard().Resume("tester"), 1u);
    world->RunUntilQuiet();
  }
  ASSERT_TRUE(world->RunUntilEnded(id));
  EXPECT_EQ(world->At(id).status, Status::kCompleted);
  world = OpenOn(world->Crash(), options);
  EXPECT_EQ(world->shard().Resume("tester"), 0u);
}

INSTANTIATE_TEST_SUITE_P(Checkpoints, RetriedInstance, testing::Bool());

}  // namespace
}  // namespace stele::runtime
