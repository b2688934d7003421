// Workers that join a pool, and what becomes of the tasks that they are handed.
#include "engine/tasks/worker_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "base/clock.h"
#include "engine/tasks/agent.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr int64_t kSecond = 1'000'000;

// Writes down what it is told.
class Hand final : public Worker {
 public:
  void OnTask(const WorkerTask& task) override {
    steps.push_back(task.step);
    keys.push_back(task.key.ToString());
    leases.push_back(task.lease);
    left_us.push_back(task.left_us);
    last_config = task.config;
    if (answers) answers(task.lease);
  }
  void OnCancel(LeaseId lease, std::string_view) override { cancelled.push_back(lease); }
  void OnLeaseEnded(LeaseId lease, std::string_view) override { ended.push_back(lease); }
  void OnLeft() override { has_left = true; }

  std::vector<std::string> steps;
  std::vector<std::string> keys;
  std::vector<LeaseId> leases;
  std::vector<int64_t> left_us;
  std::vector<LeaseId> cancelled;
  std::vector<LeaseId> ended;
  Value last_config;
  bool has_left = false;
  std::function<void(LeaseId)> answers;
};

class Pool : public testing::Test {
 protected:
  Pool() {
    options_.on_waiting = [this](std::string_view type) { told_.emplace_back(type); };
    pool_ = std::make_shared<WorkerPool>(loop_.get(), &clock_, options_);
    executor_ = WorkerPool::MakeExecutor(pool_);
  }

  // A task of its own instance.
  AttemptKey Begin(std::string_view step, std::string_view type = "resize",
                   int64_t timeout_us = 0) {
    TaskRequest request = Attempt(Object{{"width", 3}});
    request.key.instance = InstanceId(++last_instance_);
    request.step_id = step;
    request.task_type = type;
    request.timeout_us = timeout_us;
    request.secrets = {"hunter2!"};
    const AttemptKey key = request.key;
    executor_->Start(std::move(request), [this, key](TaskResult result) {
      EXPECT_FALSE(results_.contains(key)) << "done was called twice";
      results_.emplace(key, std::move(result));
    });
    return key;
  }
  WorkerId Join(Hand& hand, std::vector<std::string> types = {"resize"}, uint32_t slots = 1) {
    return pool_->Join({"anna", std::move(types), slots, 30 * kSecond}, &hand);
  }
  void Pass(int64_t microseconds) {
    clock_.Advance(microseconds);
    pool_->ElapseTimers();
  }
  bool IsOver(const AttemptKey& key) const { return results_.contains(key); }
  TaskFailure FailureOf(const AttemptKey& key) {
    return IsOver(key) ? Failure(results_.at(key)) : TaskFailure{"(none)", "", false, {}};
  }

  TestLoop loop_;
  ManualClock clock_{TimeUs(1'000'000'000)};
  WorkerPoolOptions options_;
  std::vector<std::string> told_;
  std::shared_ptr<WorkerPool> pool_;
  std::unique_ptr<TaskExecutor> executor_;
  std::map<AttemptKey, TaskResult> results_;
  uint64_t last_instance_ = 0;
};

TEST_F(Pool, KeepsTasksUntilAWorkerOfTheirTypeJoins) {
  Begin("a");
  Begin("b");
  Begin("c", "other");
  Hand hand;
  Join(hand);
  EXPECT_THAT(hand.steps, ElementsAre("a"));
  EXPECT_EQ(At(hand.last_config, "width"), Value(3));
  EXPECT_THAT(told_, ElementsAre("resize", "other"));
}

TEST_F(Pool, HandsOutInTheOrderGivenAsSlotsBecomeFree) {
  Hand hand;
  const WorkerId worker = Join(hand, {"resize"}, 2);
  for (const char* step : {"a", "b", "c"}) Begin(step);
  EXPECT_THAT(hand.steps, ElementsAre("a", "b"));
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[1], Object{{"size", 6}}).has_value());
  EXPECT_THAT(hand.steps, ElementsAre("a", "b", "c"));
  pool_->SetSlots(worker, 3);
  Begin("d");
  EXPECT_THAT(hand.steps, SizeIs(4));
}

TEST_F(Pool, TakesWorkersInTurn) {
  Hand one, two;
  Join(one, {"resize"}, 5);
  Join(two, {"resize"}, 5);
  for (const char* step : {"a", "b", "c", "d"}) Begin(step);
  EXPECT_THAT(one.steps, ElementsAre("a", "c"));
  EXPECT_THAT(two.steps, ElementsAre("b", "d"));
}

TEST_F(Pool, AWorkerOfSeveralTypesHasOneCountOfSlots) {
  Hand hand;
  Join(hand, {"resize", "other", "resize"});
  Begin("a", "other");
  Begin("b", "resize");
  EXPECT_THAT(hand.steps, ElementsAre("a"));
}

TEST_F(Pool, AWorkerOfSeveralTypesGetsTheOldestTask) {
  Begin("a", "zoom");
  Begin("b", "other");
  Begin("c", "zoom");
  Hand hand;
  const WorkerId worker = Join(hand, {"other", "zoom"});
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(pool_->Complete(worker, hand.leases[i], Object()).has_value());
  EXPECT_THAT(hand.steps, ElementsAre("a", "b", "c"));
}

TEST_F(Pool, SaysThatATaskWaitsAgainForNobody) {
  Hand hand;
  const WorkerId worker = Join(hand);
  Begin("a");
  EXPECT_THAT(told_, IsEmpty());
  pool_->Lose(worker, "it hung up");
  EXPECT_THAT(told_, ElementsAre("resize"));
}

TEST_F(Pool, ALeaseIsLongerUntilTheWorkerWasHeardOf) {
  Hand hand;
  const WorkerId worker = pool_->Join({"anna", {"resize"}, 1, kSecond, 10 * kSecond}, &hand);
  Begin("a");
  Pass(9 * kSecond);
  EXPECT_THAT(hand.ended, IsEmpty());
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  Begin("b");
  Pass(2 * kSecond);
  EXPECT_THAT(hand.ended, ElementsAre(hand.leases[1]));
}

TEST_F(Pool, ATaskThatTimesOutKeepsTheEndOfItsLog) {
  Hand hand;
  const WorkerId worker = Join(hand);
  const AttemptKey key = Begin("a", "resize", kSecond);
  // It may be the beginning of a secret.
  EXPECT_TRUE(pool_->Log(worker, hand.leases[0], "it is h").has_value());
  Pass(kSecond);
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  ASSERT_TRUE(IsOver(key));
  EXPECT_EQ(results_.at(key).log.text, "it is h");
}

TEST_F(Pool, CompletesWithTheOutputAndTheLogAndMasksSecrets) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  EXPECT_TRUE(pool_->Log(worker, hand.leases[0], "opened with hunter2!\n").has_value());
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object{{"text", "it is hunter2!"}}, "done\n")
                  .has_value());
  ASSERT_TRUE(IsOver(key));
  EXPECT_EQ(Output(results_.at(key)), Json(R"({"text": "it is ***"})"));
  EXPECT_EQ(results_.at(key).log.text, "opened with ***\ndone\n");
}

TEST_F(Pool, FailsWithWhatTheWorkerSaysAndMasksSecrets) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  EXPECT_TRUE(pool_
                  ->FailTask(worker, hand.leases[0],
                             {"no_space", "hunter2! is full", false,
                              Payload::FromText(R"({"disk":"hunter2!"})")})
                  .has_value());
  EXPECT_EQ(FailureOf(key).kind, "no_space");
  EXPECT_EQ(FailureOf(key).message, "*** is full");
  EXPECT_FALSE(FailureOf(key).retryable);
  EXPECT_EQ(FailureOf(key).details.text(), R"({"disk":"***"})");
}

TEST_F(Pool, AnOutputThatIsNoObjectFailsTheTask) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Value(7)).has_value());
  EXPECT_EQ(FailureOf(key).kind, "outputs");
  EXPECT_FALSE(FailureOf(key).retryable);
}

TEST_F(Pool, AnswersMayComeAtOnce) {
  Hand hand;
  WorkerId worker(1);
  hand.answers = [&](LeaseId lease) {
    EXPECT_TRUE(pool_->Complete(worker, lease, Object()).has_value());
  };
  const AttemptKey a = Begin("a"), b = Begin("b");
  EXPECT_EQ(Join(hand), worker);
  EXPECT_TRUE(IsOver(a) && IsOver(b));
  EXPECT_TRUE(IsOver(Begin("c")));
}

TEST_F(Pool, ALeaseEndsWithoutAHeartbeatAndAnotherWorkerGetsTheTask) {
  const AttemptKey key = Begin("a");
  Hand one, two;
  const WorkerId first = Join(one);
  const WorkerId second = Join(two);
  Pass(29 * kSecond);
  EXPECT_TRUE(pool_->Heartbeat(first, one.leases[0], "half done").has_value());
  Pass(29 * kSecond);
  EXPECT_THAT(two.steps, IsEmpty());
  Pass(1 * kSecond);
  EXPECT_THAT(one.ended, ElementsAre(one.leases[0]));
  EXPECT_THAT(two.keys, ElementsAre(key.ToString())) << "the same idempotency key";
  const Status late = pool_->Complete(first, one.leases[0], Object{{"late", true}});
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().code, ErrorCode::kStaleAttempt);
  EXPECT_FALSE(IsOver(key));
  EXPECT_TRUE(pool_->Complete(second, two.leases[0], Object()).has_value());
  EXPECT_THAT(results_.at(key).log.text, HasSubstr("did not renew its lease"));
}

TEST_F(Pool, ALeaseOfZeroHoldsAsLongAsTheWorker) {
  const AttemptKey key = Begin("a");
  Hand hand;
  pool_->Join({"local", {"resize"}, 1, 0}, &hand);
  Pass(1'000'000 * kSecond);
  EXPECT_THAT(hand.ended, IsEmpty());
  EXPECT_FALSE(IsOver(key));
}

TEST_F(Pool, ASlotWhoseLeaseEndedIsTakenUntilItsLateAnswer) {
  Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  Pass(30 * kSecond);
  EXPECT_THAT(hand.steps, SizeIs(1)) << "it hangs, and gets nothing more";
  EXPECT_FALSE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  EXPECT_THAT(hand.steps, SizeIs(2));
}

TEST_F(Pool, FailsATaskThatLosesWorkerAfterWorker) {
  const AttemptKey key = Begin("a");
  for (uint32_t i = 1; i <= kMaxWorkerLosses; ++i) {
    EXPECT_FALSE(IsOver(key));
    Hand hand;
    const WorkerId worker = Join(hand);
    EXPECT_THAT(hand.steps, SizeIs(1));
    EXPECT_TRUE(pool_->Heartbeat(worker, hand.leases[0], "at 10 % of hunter2!").has_value());
    pool_->Lose(worker, "it was killed");
  }
  EXPECT_EQ(FailureOf(key).kind, "worker_lost");
  EXPECT_TRUE(FailureOf(key).retryable);
  EXPECT_THAT(FailureOf(key).message, HasSubstr("it was killed"));
  EXPECT_EQ(At(FailureOf(key).details.value(), "losses"), Value(3));
  EXPECT_EQ(At(FailureOf(key).details.value(), "detail"), Value("at 10 % of ***"));
}

TEST_F(Pool, ALostTaskKeepsItsPlaceInTheQueue) {
  Hand one;
  const WorkerId worker = Join(one);
  Begin("a");
  Begin("b");
  pool_->Lose(worker, "gone");
  Hand two;
  Join(two);
  EXPECT_THAT(two.steps, ElementsAre("a"));
}

TEST_F(Pool, AnswersOfSomebodyElseAreRefused) {
  const AttemptKey key = Begin("a");
  Hand one, two;
  Join(one);
  const WorkerId other = Join(two);
  EXPECT_FALSE(pool_->Complete(other, one.leases[0], Object()).has_value());
  EXPECT_FALSE(pool_->Complete(WorkerId(99), one.leases[0], Object()).has_value());
  EXPECT_FALSE(pool_->Heartbeat(other, LeaseId(99)).has_value());
  EXPECT_FALSE(IsOver(key));
}

TEST_F(Pool, AnAnswerCountsOnce) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object{{"n", 1}}).has_value());
  EXPECT_FALSE(pool_->Complete(worker, hand.leases[0], Object{{"n", 2}}).has_value());
  EXPECT_FALSE(pool_->FailTask(worker, hand.leases[0], {"x", "", true, {}}).has_value());
  EXPECT_EQ(At(Output(results_.at(key)), "n"), Value(1));
}

TEST_F(Pool, ATaskThatWaitsIsCancelledAtOnce) {
  const AttemptKey key = Begin("a");
  bool stopped = false;
  executor_->Cancel(key, [&] { stopped = true; });
  EXPECT_TRUE(stopped);
  Hand hand;
  Join(hand);
  EXPECT_THAT(hand.steps, IsEmpty());
  executor_->Cancel(key, [&] { stopped = false; });
  EXPECT_FALSE(stopped) << "an unknown key has stopped already";
}

TEST_F(Pool, CancellingWaitsForTheWorkersWord) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  int stopped = 0;
  executor_->Cancel(key, [&] { ++stopped; });
  executor_->Cancel(key, [&] { ++stopped; });
  EXPECT_THAT(hand.cancelled, ElementsAre(hand.leases[0]));
  EXPECT_EQ(stopped, 0);
  EXPECT_FALSE(pool_->Heartbeat(worker, hand.leases[0]).has_value()) << "it hears it again";
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  EXPECT_EQ(stopped, 2);
  EXPECT_FALSE(IsOver(key)) << "a cancelled attempt never answers";
}

TEST_F(Pool, CancellingWaitsOnlySoLong) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  bool stopped = false;
  executor_->Cancel(key, [&] { stopped = true; });
  Pass(kWorkerCancelGraceUs - 1);
  EXPECT_FALSE(stopped);
  Pass(1);
  EXPECT_TRUE(stopped);
  EXPECT_THAT(hand.ended, SizeIs(1));
  EXPECT_FALSE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  EXPECT_FALSE(IsOver(key));
}

TEST_F(Pool, ATimeoutCountsTheWaitForAWorker) {
  const AttemptKey waits = Begin("a", "nobody", 10 * kSecond);
  const AttemptKey runs = Begin("b", "resize", 10 * kSecond);
  Pass(4 * kSecond);
  Hand hand;
  const WorkerId worker = Join(hand);
  EXPECT_THAT(hand.left_us, ElementsAre(6 * kSecond));
  Pass(6 * kSecond);
  EXPECT_EQ(FailureOf(waits).kind, "timeout");
  EXPECT_FALSE(IsOver(runs)) << "the worker is told first";
  EXPECT_THAT(hand.cancelled, SizeIs(1));
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  EXPECT_EQ(FailureOf(runs).kind, "timeout");
  EXPECT_TRUE(FailureOf(runs).retryable);
}

TEST_F(Pool, ATaskThatTimesOutWhileItIsCancelledAnswersNoMore) {
  const AttemptKey key = Begin("a", "resize", 10 * kSecond);
  Hand hand;
  const WorkerId worker = Join(hand);
  Pass(10 * kSecond);
  bool stopped = false;
  executor_->Cancel(key, [&] { stopped = true; });
  EXPECT_THAT(hand.cancelled, SizeIs(1));
  pool_->Lose(worker, "gone");
  EXPECT_TRUE(stopped);
  EXPECT_FALSE(IsOver(key));
}

TEST_F(Pool, AWorkerThatLeavesFinishesWhatItHas) {
  const AttemptKey key = Begin("a");
  Hand hand;
  const WorkerId worker = Join(hand);
  pool_->Leave(worker);
  Begin("b");
  EXPECT_THAT(hand.steps, ElementsAre("a"));
  EXPECT_FALSE(hand.has_left);
  EXPECT_FALSE(pool_->HasWorker("resize"));
  EXPECT_TRUE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  EXPECT_TRUE(IsOver(key));
  EXPECT_TRUE(hand.has_left);
  EXPECT_FALSE(pool_->Heartbeat(worker, hand.leases[0]).has_value());
}

TEST_F(Pool, SaysWhoIsThereAndWhatWaits) {
  pool_->Expect({"resize"}, true);
  EXPECT_TRUE(pool_->MayRun("resize"));
  EXPECT_FALSE(pool_->HasWorker("resize"));
  pool_->Expect({"resize"}, false);
  EXPECT_FALSE(pool_->MayRun("resize"));
  Hand hand;
  const WorkerId worker = Join(hand);
  for (const char* step : {"a", "b", "c"}) Begin(step);
  WorkerFigures figures = pool_->figures();
  EXPECT_EQ(figures.workers, 1u);
  EXPECT_EQ(figures.workers_by_type["resize"], 1u);
  EXPECT_EQ(figures.queued_by_type["resize"], 2u);
  EXPECT_EQ(figures.leased_by_type["resize"], 1u);
  pool_->Lose(worker, "gone");
  figures = pool_->figures();
  EXPECT_EQ(figures.workers, 0u);
  EXPECT_EQ(figures.queued_by_type["resize"], 3u);
  EXPECT_THAT(figures.leased_by_type, IsEmpty());
  EXPECT_EQ(figures.handed_out, 1u);
  EXPECT_EQ(figures.lost, 1u);
}

TEST_F(Pool, AClosedPoolForgetsItsTasksAndRefusesAnswers) {
  const AttemptKey key = Begin("a");
  Begin("b");
  Hand hand;
  const WorkerId worker = Join(hand);
  bool stopped = false;
  executor_->Cancel(key, [&] { stopped = true; });
  pool_->Close();
  EXPECT_TRUE(stopped);
  EXPECT_FALSE(pool_->Complete(worker, hand.leases[0], Object()).has_value());
  pool_->Leave(worker);
  EXPECT_TRUE(hand.has_left);
  EXPECT_THAT(results_, IsEmpty());
}

TEST_F(Pool, ItsTimerElapsesOnTheLoop) {
  SystemClock clock;
  WorkerPool pool(loop_.get(), &clock);
  Hand hand;
  pool.Join({"brief", {"test"}, 1, 1000}, &hand);
  auto executor = WorkerPool::MakeExecutor(std::shared_ptr<WorkerPool>(&pool, [](WorkerPool*) {}));
  executor->Start(Attempt(Object()), [](TaskResult) { ADD_FAILURE() << "it waits again"; });
  loop_.RunUntil([&] { return !hand.ended.empty(); });
  EXPECT_THAT(hand.ended, ElementsAre(hand.leases[0]));
}

TEST_F(Pool, ItsTimerIsSetAnewForWhatIsNearer) {
  SystemClock clock;
  WorkerPool pool(loop_.get(), &clock);
  auto executor = WorkerPool::MakeExecutor(std::shared_ptr<WorkerPool>(&pool, [](WorkerPool*) {}));
  Hand patient, hand;
  pool.Join({"patient", {"test"}, 1, 3'600 * kSecond}, &patient);
  executor->Start(Attempt(Object()), [](TaskResult) { ADD_FAILURE() << "it is held"; });
  ASSERT_THAT(patient.leases, SizeIs(1));
  pool.Join({"brief", {"test"}, 1, 1000}, &hand);
  TaskRequest other = Attempt(Object());
  other.key.instance = InstanceId(1'000);
  executor->Start(std::move(other), [](TaskResult) { ADD_FAILURE() << "it waits again"; });
  loop_.RunUntil([&] { return !hand.ended.empty(); });
  EXPECT_THAT(patient.ended, IsEmpty());
}

TEST_F(Pool, RepeatsAfterACrashWithTheSameKey) {
  EXPECT_TRUE(executor_->repeats_after_crash());
  EXPECT_TRUE(executor_->outlives_engine());
}

TEST_F(Pool, AnAgentsConfigurationIsCheckedAndItsTimeoutKept) {
  auto agent = MakeAgentExecutor(pool_);
  EXPECT_THAT(agent->CheckConfig(Json(R"({"agent_id": "a", "task": "t", "tools": ["x"],
                                          "more": [1], "context": {"a": 1}})")),
              IsEmpty());
  EXPECT_THAT(agent->CheckConfig(Json(R"({"agent_id": "{{ variables.a }}", "tools": "${t}"})")),
              IsEmpty());
  EXPECT_THAT(agent->CheckConfig(Json(R"({"agent_id": [], "task": "", "tools": "x",
                                          "context": 3, "timeout": "soon"})")),
              SizeIs(5));
  Hand hand;
  Join(hand, {"agent"});
  TaskRequest request = Attempt(Json(R"({"timeout": "7s"})"));
  request.task_type = "agent";
  agent->Start(std::move(request), [](TaskResult) {});
  EXPECT_THAT(hand.left_us, ElementsAre(7 * kSecond));
  EXPECT_EQ(Failure(RunToEnd(loop_, *agent, Attempt(Json(R"({"task": []})")))).kind, "config");
}

}  // namespace
}  // namespace stele::tasks
