// Instances that were open when the engine started stand still until somebody goes on with them,
// whatever is asked of them meanwhile.
#include "tests/engine/runtime/workflow.h"
#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kSignalled = R"(
version: "1.0"
name: signalled
steps:
  - {id: go, type: signal, config: {name: go}}
  - {id: work, type: script, depends_on: [go], config: {script: x}}
)";

class Dormant : public testing::Test {
 protected:
  // An instance that is open when the engine crashes and another is opened.
  void CrashWithOneOf(const char* workflow) {
    World first(std::make_unique<MemoryStore>());
    first.hanging = {"work"};
    first.Open();
    ASSERT_TRUE(first.Start(first.Register(workflow), &id_).has_value());
    first.RunUntilQuiet();
    world_ = std::make_unique<World>(first.Crash());
    world_->ledger = &ledger_;
  }
  bool HasEnded() {
    return world_->RunUntil([&] { return world_->ended(id_); });
  }

  std::vector<Deed> ledger_;
  std::unique_ptr<World> world_;
  InstanceId id_;
};

TEST_F(Dormant, AnInstanceThatWasLookedAtGoesOnWithTheOthers) {
  CrashWithOneOf(kWork);
  world_->Open();
  (void)world_->At(id_);
  world_->RunUntilQuiet();
  EXPECT_TRUE(ledger_.empty());
  EXPECT_EQ(world_->shard().Resume("tester"), 1u);
  EXPECT_TRUE(HasEnded());
}

TEST_F(Dormant, AnInstanceThatLeftMemoryAndWasLookedAtGoesOnWithTheOthers) {
  World first(std::make_unique<MemoryStore>());
  first.hanging = {"work"};
  first.Open();
  ASSERT_TRUE(first.Start(first.Register(kWork), &id_).has_value());
  first.RunUntilQuiet();
  first.Stop();
  World second(first.store().Crash());
  second.Open();
  (void)second.At(id_);
  second.RunUntilQuiet();
  EXPECT_EQ(second.shard().Resume("tester"), 1u);
  EXPECT_TRUE(second.RunUntil([&] { return second.ended(id_); }));
}

TEST_F(Dormant, ATimerOfAnInstanceThatWasLookedAtWaits) {
  CrashWithOneOf(
      "version: '1.0'\nname: wait\nsteps:\n  - {id: d, type: delay, config: {duration: 1h}}\n");
  world_->Open();
  (void)world_->At(id_);
  world_->Advance(7'200'000'000);
  EXPECT_FALSE(HasEnded());
  world_->shard().Resume("tester");
  world_->shard().ElapseTimers();
  EXPECT_TRUE(HasEnded());
}

TEST_F(Dormant, WhatACommandLeadsToBeginsWithTheOthersAndIsNoInterruptedAttempt) {
  CrashWithOneOf(kSignalled);
  world_->repeats_after_crash = false;
  world_->Open();
  ASSERT_TRUE(world_->Ask(id_, model::SendSignal{"go", Payload()}).has_value());
  world_->RunUntilQuiet();
  EXPECT_TRUE(ledger_.empty());
  world_->shard().Resume("tester");
  ASSERT_TRUE(HasEnded());
  EXPECT_EQ(world_->At(id_).status, model::Status::kCompleted);
  EXPECT_EQ(ledger_.size(), 1u);
}

TEST_F(Dormant, WhatACommandLeadsToBeginsWhenItIsDecidedAfterTheResume) {
  CrashWithOneOf(kSignalled);
  world_->repeats_after_crash = false;
  world_->Open();
  world_->shard().Send(id_, model::SendSignal{"go", Payload()}, "tester", nullptr);
  world_->shard().Resume("tester");
  ASSERT_TRUE(HasEnded());
  EXPECT_EQ(world_->At(id_).status, model::Status::kCompleted);
  EXPECT_EQ(ledger_.size(), 1u);
}

TEST_F(Dormant, WhatACommandLedToIsHeldByAStop) {
  CrashWithOneOf(kSignalled);
  world_->repeats_after_crash = false;
  world_->Open();
  ASSERT_TRUE(world_->Ask(id_, model::SendSignal{"go", Payload()}).has_value());
  world_->Stop();
  World third(world_->store().Crash());
  third.repeats_after_crash = false;
  third.Open();
  third.shard().Resume("tester");
  ASSERT_TRUE(third.RunUntil([&] { return third.ended(id_); }));
  EXPECT_EQ(third.At(id_).status, model::Status::kCompleted);
}

TEST_F(Dormant, AnInstanceGoesOnOnceHoweverOftenItIsAsked) {
  CrashWithOneOf(kWork);
  world_->held = {"work"};
  world_->Open();
  ASSERT_TRUE(world_->shard().ResumeInstance(id_, "tester").has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(world_->shard().Resume("tester"), 0u) << "it goes on already";
  ASSERT_TRUE(world_->shard().ResumeInstance(id_, "tester").has_value());
  world_->RunUntilQuiet();
  EXPECT_EQ(ledger_.size(), 1u);
  EXPECT_TRUE(world_->Finish("work"));
  EXPECT_TRUE(HasEnded());
}

TEST_F(Dormant, NewInstancesAreNot) {
  CrashWithOneOf(kWork);
  world_->Open();
  InstanceId other;
  ASSERT_TRUE(world_->Start(world_->Register(kWork), &other).has_value());
  EXPECT_TRUE(world_->RunUntil([&] { return world_->ended(other); }));
  EXPECT_FALSE(world_->ended(id_));
}

}  // namespace
}  // namespace stele::runtime
