// A shard that is about to stop: nothing begins, what runs may go on, what it leads to is held.
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kTwo = R"(
version: "1.0"
name: two
steps:
  - {id: pay, type: script, config: {script: x}}
  - {id: ship, type: script, depends_on: [pay], config: {script: x}}
)";

// A world in which one instance pays.
class Draining : public testing::Test {
 protected:
  Draining() {
    world_.held = {"pay"};
    world_.repeats_after_crash = false;
    world_.ledger = &ledger_;
    world_.Open();
    definition_ = world_.Register(kTwo);
    EXPECT_TRUE(world_.Start(definition_, &id_).has_value());
    world_.RunUntilQuiet();
    EXPECT_EQ(world_.shard().running_attempts(), 1u);
  }

  // What the ledger has of a step.
  size_t Count(const std::string& step) const {
    size_t count = 0;
    for (const Deed& deed : ledger_) count += deed.step == step ? 1 : 0;
    return count;
  }

  // The next start, with everything that has been held.
  std::unique_ptr<World> StopAndGoOn(bool repeats = false) {
    world_.Stop();
    auto next = std::make_unique<World>(world_.store().Crash());
    next->repeats_after_crash = repeats;
    next->ledger = &ledger_;
    next->Open();
    EXPECT_EQ(next->shard().Resume("tester"), 1u);
    return next;
  }

  std::vector<Deed> ledger_;
  World world_{std::make_unique<MemoryStore>()};
  DefinitionId definition_;
  InstanceId id_;
};

TEST_F(Draining, RecordsWhatRunsAndHoldsWhatFollows) {
  world_.shard().Drain();
  world_.RunUntilQuiet();
  EXPECT_EQ(world_.outside("pay").size(), 1u) << "it has its time";
  ASSERT_TRUE(world_.Finish("pay"));
  EXPECT_EQ(world_.shard().running_attempts(), 0u);
  EXPECT_EQ(Count("ship"), 0u);
  const auto next = StopAndGoOn();
  ASSERT_TRUE(next->RunUntilEnded(id_));
  EXPECT_EQ(next->At(id_).status, model::Status::kCompleted);
  EXPECT_EQ(Count("pay"), 1u);
  EXPECT_EQ(Count("ship"), 1u);
}

TEST_F(Draining, LeavesWhatIsCutOffToItsPolicy) {
  world_.shard().Drain();
  const auto next = StopAndGoOn();
  ASSERT_TRUE(next->RunUntilEnded(id_));
  EXPECT_EQ(next->At(id_).status, model::Status::kFailed);
  EXPECT_EQ(next->At(id_).failure.kind, "interrupted");
  EXPECT_EQ(Count("pay"), 1u);
}

TEST_F(Draining, RepeatsUnderTheSameKeyWhatIsCutOffAndMayBeRepeated) {
  world_.shard().Drain();
  const auto next = StopAndGoOn(/*repeats=*/true);
  ASSERT_TRUE(next->RunUntilEnded(id_));
  EXPECT_EQ(next->At(id_).status, model::Status::kCompleted);
  ASSERT_EQ(Count("pay"), 2u);
  EXPECT_EQ(ledger_[0].key, ledger_[1].key);
}

TEST_F(Draining, StartsNoInstance) {
  world_.shard().Drain();
  const Result<Position> refused = world_.Start(definition_);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kShardStopped);
}

TEST(Drain, ElapsesNoTimerOfAnInstanceButTimeoutsOfWhatRuns) {
  World world(std::make_unique<MemoryStore>());
  world.hanging = {"work"};
  world.Open();
  const DefinitionId definition = world.Register(
      "version: '1.0'\nname: timed\nsteps:\n"
      "  - {id: rest, type: delay, config: {duration: 5s}}\n"
      "  - {id: work, type: script, timeout: 10s, config: {script: x},\n"
      "     retry_policy: {max_attempts: 2, backoff_strategy: fixed, initial_delay: 1s}}\n");
  InstanceId id;
  ASSERT_TRUE(world.Start(definition, &id).has_value());
  world.RunUntilQuiet();
  world.shard().Drain();
  world.Advance(5'000'000);
  EXPECT_EQ(world.At(id).runs[0].state, model::RunState::kDelay);
  world.Advance(5'000'000 + kTimeoutGraceUs);
  EXPECT_EQ(world.shard().running_attempts(), 0u);
  EXPECT_EQ(world.At(id).runs[1].state, model::RunState::kBackoff);
  world.Advance(60'000'000);
  EXPECT_EQ(world.At(id).runs[1].attempt, 1u);
}

TEST(Drain, HoldsWhatWaitsForAPlace) {
  World world(std::make_unique<MemoryStore>(),
              {.scheduler = {.task_types = {{"script", {.at_once = 1}}}}});
  world.held = {"pay"};
  world.Open();
  const DefinitionId definition = world.Register(kTwo);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(world.Start(definition).has_value());
  world.RunUntilQuiet();
  ASSERT_EQ(world.shard().queued_attempts(), 1u);
  world.shard().Drain();
  EXPECT_EQ(world.shard().queued_attempts(), 0u);
  ASSERT_TRUE(world.Finish("pay"));
  EXPECT_FALSE(world.Finish("pay")) << "the other one has not begun";
  EXPECT_EQ(world.At(InstanceId(2)).runs[0].state, model::RunState::kHeld);
}

}  // namespace
}  // namespace stele::runtime
