// What changes an instance, and what is seen of it afterwards.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

constexpr char kParking[] = "error_handling: {strategy: park}";

class RpcCommands : public RpcWorld {
 protected:
  RpcCommands() {
    world_.Register("long", "{id: hang, type: script}");
    world_.Register("breaks", "{id: fail, type: script}");
    world_.Register("parks", "{id: fail, type: script}", kParking);
  }
  uint64_t Settled(const std::string& definition) {
    const uint64_t id = Started(definition);
    world_.Settle();
    return id;
  }
  std::string HistoryOf(uint64_t id) {
    std::string text;
    const auto answer = Await(Instance(id).historyRequest().send());
    for (const capnp::Text::Reader event : answer.getEvents()) text += event.cStr();
    return text;
  }
};

TEST_F(RpcCommands, PauseAndResume) {
  const uint64_t id = Settled("long");
  auto pause = Instance(id).pauseRequest();
  pause.setReason("lunch");
  Do(pause.send());
  EXPECT_EQ(StatusOf(id), "paused");
  EXPECT_EQ(CodeOf(Instance(id).pauseRequest().send()), ErrorCode::kWrongState);
  Do(Instance(id).resumeRequest().send());
  EXPECT_EQ(StatusOf(id), "running");
  EXPECT_NE(HistoryOf(id).find("lunch"), std::string::npos);
}

TEST_F(RpcCommands, ForkAndReset) {
  const uint64_t id = Settled("long");
  auto fork = Instance(id).forkRequest();
  fork.initMoment().setSeq(1);
  fork.setReason("what if");
  const auto forked = Await(fork.send());
  EXPECT_EQ(forked.getStarted().getId(), id + 1);
  EXPECT_GT(forked.getAt(), 1u);
  world_.Settle();
  EXPECT_EQ(StatusOf(id), "running");
  EXPECT_EQ(StatusOf(id + 1), "running");
  EXPECT_NE(HistoryOf(id + 1).find("what if"), std::string::npos);
  const auto status = Await(Instance(id + 1).statusRequest().send());
  EXPECT_EQ(status.getStatus().getOrigin(), id);
  EXPECT_EQ(status.getStatus().getOriginSeq(), forked.getAt());
  auto reset = Instance(id).forkRequest();
  reset.setResets(true);
  EXPECT_EQ(CodeOf(reset.send()), ErrorCode::kInvalidInput) << "it names no place";
  EXPECT_EQ(StatusOf(id), "running");
  reset = Instance(id).forkRequest();
  reset.setResets(true);
  reset.initMoment().setSeq(1);
  reset.setPlan("{}");
  EXPECT_EQ(CodeOf(reset.send()), ErrorCode::kInvalidInput) << "a plan for nothing";
  reset = Instance(id).forkRequest();
  reset.setResets(true);
  reset.initMoment().setSeq(1);
  EXPECT_EQ(Await(reset.send()).getStarted().getId(), id + 2);
  world_.Settle();
  EXPECT_EQ(StatusOf(id), "terminated");
  auto late = Instance(id).forkRequest();
  late.initMoment().setTime(INT64_MAX);
  EXPECT_EQ(CodeOf(late.send()), ErrorCode::kCannotFork);
}

TEST_F(RpcCommands, ResumeOneStepOfAPausedInstance) {
  world_.Register("line",
                  "{id: hang1, type: script}, {id: hang2, type: script, depends_on: [hang1]}");
  auto start = Starting("line");
  start.setPaused(true);
  const uint64_t id = Await(start.send()).getStarted().getId();
  world_.Settle();
  auto one = Instance(id).resumeRequest();
  one.setSteps(1);
  Do(one.send());
  world_.Settle();
  EXPECT_EQ(StatusOf(id), "paused");
  EXPECT_NE(HistoryOf(id).find("step_activated"), std::string::npos);
}

TEST_F(RpcCommands, CancelAndTerminate) {
  const uint64_t cancelled = Settled("long");
  auto cancel = Instance(cancelled).cancelRequest();
  cancel.setReason("withdrawn");
  Do(cancel.send());
  EXPECT_EQ(EndOf(cancelled), "cancelled");
  EXPECT_NE(HistoryOf(cancelled).find("withdrawn"), std::string::npos);
  EXPECT_EQ(CodeOf(Instance(cancelled).cancelRequest().send()), ErrorCode::kInstanceEnded);
  const uint64_t terminated = Settled("long");
  Do(Instance(terminated).terminateRequest().send());
  EXPECT_EQ(EndOf(terminated), "terminated");
}

TEST_F(RpcCommands, CancelUndoesWhatWasDone) {
  world_.Register("saga",
                  "{id: a, type: script, compensation: undo}, "
                  "{id: hang, type: script, depends_on: [a]}, {id: undo, type: script}");
  const uint64_t id = Settled("saga");
  auto cancel = Instance(id).cancelRequest();
  cancel.setCompensate(true);
  Do(cancel.send());
  EXPECT_EQ(EndOf(id), "cancelled");
  EXPECT_NE(HistoryOf(id).find("compensation_started"), std::string::npos);
}

TEST_F(RpcCommands, RetryAnInstanceThatHasFailed) {
  const uint64_t id = Settled("breaks");
  EXPECT_EQ(EndOf(id), "failed");
  const auto status = Await(Instance(id).statusRequest().send());
  EXPECT_STREQ(status.getStatus().getErrorKind().cStr(), "boom");
  Do(Instance(id).retryRequest().send());
  EXPECT_EQ(EndOf(id), "failed");
  EXPECT_NE(HistoryOf(id).find("instance_retry_requested"), std::string::npos);
}

TEST_F(RpcCommands, RetrySkipAndResolveAParkedStep) {
  const uint64_t id = Settled("parks");
  EXPECT_EQ(StatusOf(id), "parked");
  auto retry = Instance(id).retryStepRequest();
  retry.setStep("fail");
  Do(retry.send());
  world_.Settle();
  EXPECT_EQ(StatusOf(id), "parked");
  auto resolve = Instance(id).resolveStepRequest();
  resolve.setStep("fail");
  resolve.setResolution(api::Resolution::SKIP);
  resolve.setReason("by hand");
  Do(resolve.send());
  EXPECT_EQ(EndOf(id), "completed");
  EXPECT_NE(HistoryOf(id).find("by hand"), std::string::npos);
}

TEST_F(RpcCommands, ResolveByFailing) {
  const uint64_t id = Settled("parks");
  auto resolve = Instance(id).resolveStepRequest();
  resolve.setStep("fail");
  resolve.setResolution(api::Resolution::FAIL);
  Do(resolve.send());
  EXPECT_EQ(EndOf(id), "failed");
  auto unknown = Instance(id).resolveStepRequest();
  unknown.setResolution(static_cast<api::Resolution>(77));
  EXPECT_EQ(CodeOf(unknown.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcCommands, SkipAStep) {
  world_.Register("may", "{id: fail, type: script, optional: true}", kParking);
  const uint64_t id = Settled("may");
  auto skip = Instance(id).skipStepRequest();
  skip.setStep("nowhere");
  EXPECT_EQ(CodeOf(skip.send()), ErrorCode::kUnknownRun);
  auto right = Instance(id).skipStepRequest();
  right.setStep("fail");
  Do(right.send());
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcCommands, RollBack) {
  world_.Register("back", "{id: a, type: script}, {id: hang, type: script, depends_on: [a]}");
  const uint64_t id = Settled("back");
  auto back = Instance(id).rollBackRequest();
  back.setToStep("a");
  back.setReason("wrong");
  Do(back.send());
  world_.Settle();
  EXPECT_NE(HistoryOf(id).find("step_rolled_back"), std::string::npos);
  back = Instance(id).rollBackRequest();
  back.setToStep("nowhere");
  EXPECT_EQ(CodeOf(back.send()), ErrorCode::kUnknownRun);
}

TEST_F(RpcCommands, SetVariables) {
  const uint64_t id = Settled("long");
  auto set = Instance(id).setVariablesRequest();
  auto variables = set.initVariables(1);
  variables[0].setName("n");
  variables[0].setValue("25");
  Do(set.send());
  const auto status = Await(Instance(id).statusRequest().send());
  ASSERT_EQ(status.getStatus().getVariables().size(), 1u);
  EXPECT_STREQ(status.getStatus().getVariables()[0].getValue().cStr(), "25");
  auto bad = Instance(id).setVariablesRequest();
  bad.initVariables(1)[0].setValue("{");
  EXPECT_EQ(CodeOf(bad.send()), ErrorCode::kInvalidJson);
}

TEST_F(RpcCommands, Signal) {
  world_.Register("waits", "{id: w, type: signal, config: {name: go}}");
  const uint64_t id = Settled("waits");
  auto signal = Instance(id).signalRequest();
  signal.setName("go");
  signal.setPayload(R"({"n": 4})");
  Do(signal.send());
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcCommands, Migrate) {
  const uint64_t id = Settled("long");
  world_.Register("long", "{id: hang, type: script}, {id: b, type: script, depends_on: [hang]}");
  const auto change = [&](api::DefinitionState state) {
    auto request = Session().definitionsRequest().send().getDefinitions().changeRequest();
    request.setName("long");
    request.setVersion(2);
    request.setState(state);
    Await(request.send());
  };
  auto migrate = Instance(id).migrateRequest();
  migrate.setVersion(2);
  change(api::DefinitionState::RETIRED);
  EXPECT_EQ(CodeOf(migrate.send()), ErrorCode::kDefinitionState);
  change(api::DefinitionState::ACTIVE);
  migrate = Instance(id).migrateRequest();
  migrate.setVersion(2);
  Do(migrate.send());
  const auto status = Await(Instance(id).statusRequest().send());
  EXPECT_EQ(status.getStatus().getVersion(), 2u);
  auto plan = Instance(id).migrateRequest();
  plan.setVersion(2);
  plan.setPlan("[]");
  EXPECT_EQ(CodeOf(plan.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcCommands, StepsHistoryAndStateOfAnyMoment) {
  const uint64_t id = Settled("breaks");
  const auto steps = Await(Instance(id).stepsRequest().send());
  const Value parsed = ParseJson(steps.getSteps().cStr()).value();
  ASSERT_EQ(parsed.as_array().size(), 1u);
  EXPECT_EQ(*parsed.as_array()[0].Find("step"), Value("fail"));
  auto page = Instance(id).historyRequest();
  page.setLimit(2);
  const auto first = Await(page.send());
  ASSERT_EQ(first.getEvents().size(), 2u);
  EXPECT_EQ(first.getNext(), 3u);
  page = Instance(id).historyRequest();
  page.setFrom(first.getNext());
  const auto rest = Await(page.send());
  EXPECT_GT(rest.getEvents().size(), 0u);
  EXPECT_EQ(rest.getNext(), 0u);
  EXPECT_EQ(*ParseJson(rest.getEvents()[0].cStr()).value().Find("seq"), Value(3));
  auto at = Instance(id).stateAtRequest();
  at.initMoment().setSeq(1);
  const auto state = Await(at.send());
  const Value then = ParseJson(state.getState().cStr()).value();
  EXPECT_EQ(*then.Find("state")->Find("status"), Value("running"));
  EXPECT_EQ(*then.Find("event")->Find("event"), Value("instance_started"));
  const auto now = Await(Instance(id).stateAtRequest().send());
  EXPECT_EQ(*ParseJson(now.getState().cStr()).value().Find("state")->Find("status"),
            Value("failed"));
  at = Instance(id).stateAtRequest();
  at.initMoment().setSeq(99);
  EXPECT_EQ(CodeOf(at.send()), ErrorCode::kNoSuchMoment);
  at = Instance(id).stateAtRequest();
  at.initMoment().setTime(0);
  EXPECT_EQ(CodeOf(at.send()), ErrorCode::kInvalidInput);
  page = Instance(id).historyRequest();
  page.setLimit(5'001);
  EXPECT_EQ(CodeOf(page.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcCommands, WhatDiffersWhenItBeganAndTheRunsOverTime) {
  const uint64_t id = Settled("breaks");
  auto diff = Instance(id).diffRequest();
  diff.initFrom().setSeq(1);
  const Value found = ParseJson(Await(diff.send()).getDiff().cStr()).value();
  EXPECT_EQ(*found.Find("from")->Find("seq"), Value(1));
  EXPECT_FALSE(found.Find("patch")->as_array().empty());
  auto bisect = Instance(id).bisectRequest();
  bisect.setExpression("status == 'failed'");
  const Value began = ParseJson(Await(bisect.send()).getFound().cStr()).value();
  EXPECT_EQ(*began.Find("found"), Value("began"));
  EXPECT_EQ(*began.Find("event")->Find("event"), Value("instance_failed"));
  bisect = Instance(id).bisectRequest();
  bisect.setExpression("status ==");
  EXPECT_EQ(CodeOf(bisect.send()), ErrorCode::kExpressionSyntax);
  const auto timeline = Await(Instance(id).timelineRequest().send());
  const Value chart = ParseJson(timeline.getTimeline().cStr()).value();
  EXPECT_EQ(*chart.Find("runs"), Value(1));
  auto limited = Instance(id).timelineRequest();
  limited.setLimit(10'001);
  EXPECT_EQ(CodeOf(limited.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcCommands, LogsOfStepsPageByPage) {
  world_.Register("two", "{id: a, type: script}, {id: b, type: script, depends_on: [a]}");
  const uint64_t id = Settled("two");
  world_.CatchUp();
  auto logs = Instance(id).logsRequest();
  logs.setLimit(1);
  const auto first = Await(logs.send());
  ASSERT_EQ(first.getPage().getAttempts().size(), 1u);
  EXPECT_STREQ(first.getPage().getAttempts()[0].getLog().cStr(), "did a\n");
  EXPECT_STREQ(first.getPage().getAttempts()[0].getState().cStr(), "completed");
  logs = Instance(id).logsRequest();
  logs.setAfter(first.getPage().getNext());
  const auto second = Await(logs.send());
  ASSERT_EQ(second.getPage().getAttempts().size(), 1u);
  EXPECT_STREQ(second.getPage().getAttempts()[0].getStep().cStr(), "b");
  EXPECT_EQ(second.getPage().getNext().getRun(), 0u);
}

}  // namespace
}  // namespace stele::server::rpc
