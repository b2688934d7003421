#include "engine/model/instance.h"

#include <gtest/gtest.h>

#include <random>

namespace stele::model {
namespace {

Instance Running() {
  Instance instance;
  instance.status = Status::kRunning;
  return instance;
}

StepRun& AddRun(Instance& instance, RunState state, int64_t due, int64_t deadline = 0) {
  StepRun& run = instance.runs.emplace_back();
  run.id = RunId(static_cast<uint32_t>(instance.runs.size()));
  run.state = state;
  run.due = TimeUs(due);
  run.deadline = TimeUs(deadline);
  run.attempt = 10 + run.id.value;
  return run;
}

void ExpectTimer(const Instance& instance, int64_t at, TimerKind kind, uint32_t run,
                 uint32_t attempt) {
  const Timer timer = NextTimer(instance);
  EXPECT_EQ(timer.at.value, at);
  EXPECT_EQ(timer.kind, kind);
  EXPECT_EQ(timer.run.value, run);
  EXPECT_EQ(timer.attempt, attempt);
}

TEST(NextTimer, IsNoneWhenNothingWaits) {
  Instance instance = Running();
  EXPECT_FALSE(NextTimer(instance).at);
  for (const RunState state : {RunState::kAttempt, RunState::kChildren, RunState::kParked,
                               RunState::kDone, RunState::kFailed, RunState::kHeld}) {
    AddRun(instance, state, /*due=*/50);
  }
  EXPECT_FALSE(NextTimer(instance).at);
}

TEST(NextTimer, IsARetryAtTheEndOfABackoff) {
  Instance instance = Running();
  AddRun(instance, RunState::kBackoff, /*due=*/50, /*deadline=*/20);
  ExpectTimer(instance, 50, TimerKind::kRetry, 1, 11);
}

TEST(NextTimer, IsADelaysEnd) {
  Instance instance = Running();
  AddRun(instance, RunState::kDelay, /*due=*/50, /*deadline=*/20);
  ExpectTimer(instance, 50, TimerKind::kDelay, 1, 11);
}

TEST(NextTimer, IsTheDeadlineOfARunningAttempt) {
  Instance instance = Running();
  AddRun(instance, RunState::kAttempt, /*due=*/20, /*deadline=*/50);
  ExpectTimer(instance, 50, TimerKind::kAttemptDeadline, 1, 11);
}

TEST(NextTimer, IsTheEarliest) {
  Instance instance = Running();
  instance.deadline = TimeUs(60);
  ExpectTimer(instance, 60, TimerKind::kInstanceDeadline, 0, 0);
  AddRun(instance, RunState::kAttempt, 0, /*deadline=*/50);
  AddRun(instance, RunState::kBackoff, /*due=*/40);
  AddRun(instance, RunState::kDelay, /*due=*/45);
  ExpectTimer(instance, 40, TimerKind::kRetry, 2, 12);
}

TEST(NextTimer, IsTheInstancesThenTheOlderRunsAtTheSameMoment) {
  Instance instance = Running();
  AddRun(instance, RunState::kDelay, /*due=*/50);
  AddRun(instance, RunState::kBackoff, /*due=*/50);
  ExpectTimer(instance, 50, TimerKind::kDelay, 1, 11);
  instance.deadline = TimeUs(50);
  ExpectTimer(instance, 50, TimerKind::kInstanceDeadline, 0, 0);
}

TEST(NextTimer, IsNoneForAnInstanceThatHasEnded) {
  for (const Status status : {Status::kNone, Status::kCompleted, Status::kFailed,
                              Status::kCancelled, Status::kTerminated}) {
    Instance instance;
    instance.status = status;
    instance.deadline = TimeUs(60);
    AddRun(instance, RunState::kDelay, /*due=*/50);
    EXPECT_FALSE(NextTimer(instance).at) << StatusName(status);
  }
}

TEST(NextTimer, GoesOnWhileAnInstanceCompensates) {
  Instance instance;
  instance.status = Status::kCompensating;
  instance.deadline = TimeUs(60);
  ExpectTimer(instance, 60, TimerKind::kInstanceDeadline, 0, 0);
}

TEST(Instance, FindsScopesAndRunsById) {
  Instance instance;
  for (const uint32_t id : {0u, 3u, 4u, 9u}) instance.scopes.emplace_back().id = ScopeId(id);
  for (const uint32_t id : {1u, 2u, 8u}) instance.runs.emplace_back().id = RunId(id);
  EXPECT_EQ(instance.FindScope(ScopeId(0)), &instance.scopes[0]);
  EXPECT_EQ(instance.FindScope(ScopeId(9)), &instance.scopes[3]);
  EXPECT_EQ(instance.FindScope(ScopeId(5)), nullptr);
  EXPECT_EQ(instance.FindScope(ScopeId(10)), nullptr);
  const Instance& constant = instance;
  EXPECT_EQ(constant.FindRun(RunId(2)), &instance.runs[1]);
  EXPECT_EQ(constant.FindRun(RunId(0)), nullptr);
  EXPECT_EQ(constant.FindRun(RunId(9)), nullptr);
  EXPECT_EQ(Instance().FindRun(RunId(1)), nullptr);
}

TEST(SlotOf, KeepsSlotsSortedByStepAndMakesEachOnce) {
  Scope scope;
  std::mt19937 random(1);
  for (int i = 0; i < 200; ++i) {
    const StepIndex step(random() % 40);
    ++SlotOf(scope, step).completions;
  }
  ASSERT_GT(scope.slots.size(), 30u);
  uint32_t completions = 0;
  for (size_t i = 0; i < scope.slots.size(); ++i) {
    if (i > 0) {
      EXPECT_LT(scope.slots[i - 1].step, scope.slots[i].step);
    }
    EXPECT_EQ(FindSlot(scope, scope.slots[i].step), &scope.slots[i]);
    completions += scope.slots[i].completions;
  }
  EXPECT_EQ(completions, 200u);
  EXPECT_EQ(FindSlot(scope, StepIndex(40)), nullptr);
}

TEST(MemoryOf, CountsPayloadsApart) {
  Instance instance;
  const MemoryUse before = MemoryOf(instance);
  EXPECT_EQ(before.structure, sizeof(Instance));
  EXPECT_EQ(before.payloads, 0u);
  instance.input = Payload::FromText(std::string(1'000, '1'));
  const MemoryUse after = MemoryOf(instance);
  EXPECT_EQ(after.structure, before.structure);
  EXPECT_GE(after.payloads, 1'000u);
  EXPECT_LE(after.payloads, 1'050u);
}

TEST(MemoryOf, CountsTheHeapOfListsAndLongTexts) {
  Instance instance;
  instance.business_key = "short";
  EXPECT_EQ(MemoryOf(instance).structure, sizeof(Instance));
  instance.business_key.assign(500, 'k');
  EXPECT_GE(MemoryOf(instance).structure, sizeof(Instance) + 500);
  const size_t before = MemoryOf(instance).structure;
  instance.scopes.reserve(4);
  instance.scopes.emplace_back().slots.reserve(10);
  EXPECT_EQ(MemoryOf(instance).structure, before + 4 * sizeof(Scope) + 10 * sizeof(Slot));
}

TEST(StatusName, NamesEveryStatus) {
  EXPECT_EQ(StatusName(Status::kRunning), "running");
  EXPECT_EQ(StatusName(Status::kTerminated), "terminated");
}

}  // namespace
}  // namespace stele::model
