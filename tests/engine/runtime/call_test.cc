// A step that starts another workflow.
#include <fmt/format.h>

#include "tests/engine/runtime/world.h"

namespace stele::runtime {
namespace {

using eventstore::MemoryStore;

constexpr const char* kChild = R"(
version: "1.0"
name: child
steps:
  - {id: work, type: script, config: {script: x}}
)";

std::string Calling(const std::string& more, const std::string& step = "") {
  return "version: '1.0'\nname: parent\nsteps:\n  - {id: ask, type: call, config: {workflow: "
         "child" +
         (more.empty() ? "" : ", " + more) + "}" + (step.empty() ? "" : ", " + step) + "}\n";
}

class Calls : public testing::Test {
 protected:
  Calls() : world_(std::make_unique<MemoryStore>()) {
    world_.Open();
    world_.Register(kChild);
  }
  InstanceId StartParent(const std::string& more = "", const std::string& step = "") {
    InstanceId id;
    EXPECT_TRUE(world_.Start(world_.Register(Calling(more, step)), &id).has_value());
    world_.RunUntilQuiet();
    return id;
  }
  model::Status StatusOf(uint64_t id) { return world_.At(InstanceId(id)).status; }

  World world_;
};

TEST_F(Calls, WaitForTheChildAndGiveItsOutput) {
  world_.held = {"work"};
  const InstanceId parent = StartParent();
  EXPECT_FALSE(world_.ended(parent));
  const InstanceId child = world_.At(parent).runs[0].child;
  ASSERT_TRUE(child);
  EXPECT_EQ(world_.At(child).parent_instance, parent);
  ASSERT_TRUE(world_.Finish("work"));
  ASSERT_TRUE(world_.RunUntilEnded(parent));
  EXPECT_EQ(world_.At(parent).output.text(), world_.At(child).output.text());
}

TEST_F(Calls, DoNotWaitWhenToldNotTo) {
  world_.held = {"work"};
  const InstanceId parent = StartParent("wait: false");
  ASSERT_TRUE(world_.RunUntilEnded(parent));
  EXPECT_NE(world_.end_state(parent).find(R"("instance":2)"), std::string::npos);
  EXPECT_EQ(StatusOf(2), model::Status::kRunning) << "and leave it alone";
  ASSERT_TRUE(world_.Finish("work"));
  EXPECT_TRUE(world_.RunUntilEnded(InstanceId(2)));
}

TEST_F(Calls, StartANewChildWhenAFailedOneIsRetried) {
  world_.failing["work"] = 1;
  const InstanceId parent = StartParent("", "retry: {max_attempts: 2, initial_delay: 1s}");
  EXPECT_FALSE(world_.ended(parent));
  EXPECT_EQ(StatusOf(2), model::Status::kFailed);
  world_.Advance(1'000'000);
  ASSERT_TRUE(world_.RunUntilEnded(parent));
  EXPECT_EQ(StatusOf(1), model::Status::kCompleted);
  EXPECT_EQ(StatusOf(3), model::Status::kCompleted);
  EXPECT_EQ(world_.shard().last_instance(), InstanceId(3));
}

TEST_F(Calls, AreCancelledWithTheirParent) {
  world_.held = {"work"};
  const InstanceId parent = StartParent();
  ASSERT_TRUE(world_.Ask(parent, model::CancelInstance{}).has_value());
  EXPECT_TRUE(world_.RunUntilEnded(InstanceId(2)));
  EXPECT_EQ(StatusOf(2), model::Status::kCancelled);
  EXPECT_EQ(world_.cancelled, std::vector<std::string>{"2-1-1"});
}

TEST_F(Calls, OutliveTheirParentWhenToldTo) {
  world_.held = {"work"};
  const InstanceId parent = StartParent("cancel_with_parent: false");
  ASSERT_TRUE(world_.Ask(parent, model::CancelInstance{}).has_value());
  world_.RunUntilQuiet();
  EXPECT_EQ(StatusOf(2), model::Status::kRunning);
  ASSERT_TRUE(world_.Finish("work"));
  EXPECT_EQ(StatusOf(2), model::Status::kCompleted);
}

TEST_F(Calls, PauseAndGoOnWithTheirParent) {
  world_.held = {"work"};
  const InstanceId parent = StartParent();
  ASSERT_TRUE(world_.Ask(parent, model::PauseInstance{}).has_value());
  world_.RunUntilQuiet();
  EXPECT_TRUE(world_.At(InstanceId(2)).paused);
  ASSERT_TRUE(world_.Finish("work"));
  EXPECT_FALSE(world_.ended(InstanceId(2)));
  ASSERT_TRUE(world_.Ask(parent, model::ResumeInstance{}).has_value());
  EXPECT_TRUE(world_.RunUntilEnded(parent));
}

TEST_F(Calls, LeaveAChildAloneThatWasPausedForItself) {
  world_.held = {"work"};
  const InstanceId parent = StartParent();
  // The reason is a text of whoever pauses it.
  ASSERT_TRUE(world_.Ask(InstanceId(2), model::PauseInstance{"its parent was paused"}).has_value());
  ASSERT_TRUE(world_.Ask(parent, model::PauseInstance{}).has_value());
  world_.RunUntilQuiet();
  ASSERT_TRUE(world_.Ask(parent, model::ResumeInstance{}).has_value());
  world_.RunUntilQuiet();
  EXPECT_TRUE(world_.At(InstanceId(2)).paused);
  ASSERT_TRUE(world_.Ask(InstanceId(2), model::ResumeInstance{}).has_value());
  ASSERT_TRUE(world_.Finish("work"));
  EXPECT_TRUE(world_.RunUntilEnded(parent));
}

TEST_F(Calls, ResumeAChildWhosePauseIsStillToBeDecided) {
  world_.held = {"work"};
  const InstanceId parent = StartParent();
  world_.shard().Send(parent, model::PauseInstance{}, "tester", nullptr);
  world_.shard().Send(parent, model::ResumeInstance{}, "tester", nullptr);
  world_.RunUntilQuiet();
  EXPECT_FALSE(world_.At(InstanceId(2)).paused);
}

TEST_F(Calls, TakeTheirChildWithThemWhenTheirTimeIsOver) {
  world_.held = {"work"};
  const InstanceId parent = StartParent("", "timeout: 10s");
  world_.Advance(10'000'000);
  ASSERT_TRUE(world_.RunUntilEnded(parent));
  EXPECT_EQ(world_.At(parent).failure.kind, "timeout");
  EXPECT_TRUE(world_.RunUntilEnded(InstanceId(2)));
  EXPECT_EQ(StatusOf(2), model::Status::kCancelled);
}

TEST_F(Calls, OfAWorkflowThatIsNotThereFail) {
  InstanceId id;
  ASSERT_TRUE(
      world_
          .Start(world_.Register("version: '1.0'\nname: lost\nsteps:\n  - {id: ask, type: call, "
                                 "config: {workflow: nowhere}}\n"),
                 &id)
          .has_value());
  ASSERT_TRUE(world_.RunUntilEnded(id));
  EXPECT_EQ(world_.At(id).failure.kind, "config");
}

TEST_F(Calls, WithAPriorityThatIsNoneFail) {
  const InstanceId parent = StartParent("priority: '{{ 1000000 + 1 }}'");
  ASSERT_TRUE(world_.RunUntilEnded(parent));
  EXPECT_EQ(world_.At(parent).failure.kind, "config");
  EXPECT_EQ(world_.shard().last_instance(), parent) << "and start nothing";
}

TEST(CallDepth, IsLimited) {
  World world(std::make_unique<MemoryStore>(), {.max_call_depth = 5});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world
                  .Start(world.Register("version: '1.0'\nname: endless\nsteps:\n  - {id: again, "
                                        "type: call, config: {workflow: endless}}\n"),
                         &id)
                  .has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_EQ(world.shard().last_instance(), InstanceId(6)) << "five calls";
  EXPECT_EQ(world.At(InstanceId(6)).failure.kind, "limit");
}

TEST(CallDepth, IsToldInOneSentenceWithTheEndsOfTheChain) {
  World world(std::make_unique<MemoryStore>(), {.max_call_depth = 5});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world
                  .Start(world.Register("version: '1.0'\nname: endless\nsteps:\n  - {id: again, "
                                        "type: call, config: {workflow: endless}}\n"),
                         &id)
                  .has_value());
  ASSERT_TRUE(world.RunUntilEnded(id));
  EXPECT_EQ(world.At(id).failure.message,
            "Expected instance 2 to complete but it has failed with instance 6: Expected at most 5 "
            "calls in each other but found one more, of instance 6 (\"endless\"); the first was of "
            "instance 1 (\"endless\"); the setting is max_call_depth");
}

TEST(CallDepth, CountsCallsThatDoNotWait) {
  World world(std::make_unique<MemoryStore>(), {.max_call_depth = 5});
  world.Open();
  InstanceId id;
  ASSERT_TRUE(world
                  .Start(world.Register("version: '1.0'\nname: endless\nsteps:\n  - {id: again, "
                                        "type: call, config: {workflow: endless, wait: false}}\n"),
                         &id)
                  .has_value());
  ASSERT_TRUE(world.RunUntil([&] { return world.ended(InstanceId(6)); }));
  EXPECT_EQ(world.shard().last_instance(), InstanceId(6));
}

TEST(CallsAndRestarts, FindTheChildThatRunsAfterAnOrderlyStop) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  first.Register(
      "version: '1.0'\nname: child\nsteps:\n  - {id: go, type: signal, config: "
      "{name: go}}\n");
  InstanceId parent;
  ASSERT_TRUE(first.Start(first.Register(Calling("")), &parent).has_value());
  first.RunUntilQuiet();
  const InstanceId child = first.At(parent).runs[0].child;
  first.Stop();
  World second(first.store().Crash());
  second.Open();
  second.shard().Resume("tester");
  second.RunUntilQuiet();
  EXPECT_EQ(second.At(parent).runs.at(0).attempt, 1u);
  ASSERT_TRUE(second.Ask(child, model::SendSignal{"go", Payload()}).has_value());
  ASSERT_TRUE(second.RunUntilEnded(parent));
  EXPECT_EQ(second.At(parent).status, model::Status::kCompleted);
  EXPECT_EQ(second.shard().last_instance(), child) << "no other child was started";
}

TEST(CallsAndRestarts, GoOnWhenTheChildsDefinitionIsRetiredMeanwhile) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  const DefinitionId child = first.Register(
      "version: '1.0'\nname: child\nsteps:\n  - {id: go, type: signal, config: "
      "{name: go}}\n");
  InstanceId parent;
  ASSERT_TRUE(first.Start(first.Register(Calling("")), &parent).has_value());
  first.RunUntilQuiet();
  first.shard().ChangeDefinition(child, model::DefinitionState::kRetired, "old", "tester",
                                 [](const auto&) {});
  first.RunUntilQuiet();
  World second(first.Crash());
  second.Open();
  second.shard().Resume("tester");
  second.RunUntilQuiet();
  ASSERT_TRUE(second.Ask(InstanceId(2), model::SendSignal{"go", Payload()}).has_value());
  ASSERT_TRUE(second.RunUntilEnded(parent));
  EXPECT_EQ(second.At(parent).status, model::Status::kCompleted);
}

TEST(CallsAndRestarts, LeaveAChildAloneThatWasPausedForItself) {
  World first(std::make_unique<MemoryStore>());
  first.held = {"work"};
  first.Open();
  first.Register(kChild);
  InstanceId parent;
  ASSERT_TRUE(first.Start(first.Register(Calling("")), &parent).has_value());
  first.RunUntilQuiet();
  ASSERT_TRUE(first.Ask(InstanceId(2), model::PauseInstance{"its parent was paused"}).has_value());
  World second(first.Crash());
  second.Open();
  second.shard().Resume("tester");
  second.RunUntilQuiet();
  EXPECT_TRUE(second.At(InstanceId(2)).paused);
}

TEST(CallsAndRestarts, LeaveAChildAloneThatWasRetriedAfterItsParentFailed) {
  World first(std::make_unique<MemoryStore>());
  first.failing["work"] = 1;
  first.Open();
  first.Register(kChild);
  InstanceId parent;
  ASSERT_TRUE(first.Start(first.Register(Calling("")), &parent).has_value());
  ASSERT_TRUE(first.RunUntilEnded(parent));
  first.held = {"work"};
  ASSERT_TRUE(first.Ask(InstanceId(2), model::RetryInstance{}).has_value());
  World second(first.Crash());
  second.held = {"work"};
  second.Open();
  second.shard().Resume("tester");
  second.RunUntilQuiet();
  ASSERT_TRUE(second.Finish("work"));
  EXPECT_EQ(second.At(InstanceId(2)).status, model::Status::kCompleted);
}

TEST(CallsAndStops, LeaveNoFailureWhenTheChildCouldNotStartAnyMore) {
  World first(std::make_unique<MemoryStore>());
  first.Open();
  first.Register(kChild);
  InstanceId parent;
  ASSERT_TRUE(first.Start(first.Register(Calling("")), &parent).has_value());
  // Somewhere between the parent's start and the child's.
  first.Stop();
  World second(first.store().Crash());
  second.Open();
  second.shard().Resume("tester");
  if (!model::HasEnded(second.At(parent).status)) {
    ASSERT_TRUE(second.RunUntilEnded(parent));
  }
  EXPECT_EQ(second.At(parent).status, model::Status::kCompleted);
  EXPECT_EQ(second.shard().last_instance(), InstanceId(2));
}

}  // namespace
}  // namespace stele::runtime
