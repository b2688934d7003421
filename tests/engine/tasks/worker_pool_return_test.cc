// Tasks that a worker gives back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "engine/tasks/worker_pool.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;

constexpr int64_t kSecond = 1'000'000;

class Hand final : public Worker {
 public:
  void OnTask(const WorkerTask& task) override {
    steps.push_back(task.step);
    leases.push_back(task.lease);
  }
  void OnCancel(LeaseId, std::string_view) override {}
  void OnLeaseEnded(LeaseId, std::string_view) override {}
  void OnLeft() override { has_left = true; }

  std::vector<std::string> steps;
  std::vector<LeaseId> leases;
  bool has_left = false;
};

class Returning : public testing::Test {
 protected:
  AttemptKey Begin(std::string_view step) {
    TaskRequest request = Attempt(Object());
    request.key.instance = InstanceId(++last_instance_);
    request.step_id = step;
    request.task_type = "resize";
    const AttemptKey key = request.key;
    executor_->Start(std::move(request), [this](TaskResult) { ++answered_; });
    return key;
  }
  WorkerId Join(Hand& hand, uint32_t slots = 1) {
    return pool_->Join({"anna", {"resize"}, slots, 30 * kSecond}, &hand);
  }

  TestLoop loop_;
  ManualClock clock_{TimeUs(1'000'000'000)};
  std::shared_ptr<WorkerPool> pool_ = std::make_shared<WorkerPool>(loop_.get(), &clock_);
  std::unique_ptr<TaskExecutor> executor_ = WorkerPool::MakeExecutor(pool_);
  uint64_t last_instance_ = 0;
  int answered_ = 0;
};

TEST_F(Returning, GivesTheTaskToTheNextInItsOldPlaceAndIsNoLoss) {
  Hand one, two;
  const WorkerId worker = Join(one);
  Begin("a");
  Begin("b");
  pool_->SetSlots(worker, 0);
  EXPECT_TRUE(pool_->Return(worker, one.leases[0]).has_value());
  EXPECT_EQ(pool_->figures().lost, 0U);
  Join(two, 2);
  EXPECT_THAT(two.steps, ElementsAre("a", "b"));
  EXPECT_FALSE(pool_->Complete(worker, one.leases[0], Object()).has_value());
  EXPECT_EQ(answered_, 0);
}

TEST_F(Returning, OfACancelledTaskSaysThatItHasStopped) {
  Hand hand;
  const WorkerId worker = Join(hand);
  const AttemptKey key = Begin("a");
  bool stopped = false;
  executor_->Cancel(key, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  EXPECT_TRUE(pool_->Return(worker, hand.leases[0]).has_value());
  EXPECT_TRUE(stopped);
  EXPECT_EQ(answered_, 0);
}

TEST_F(Returning, OfALeaseThatHasEndedFreesItsSlot) {
  Hand hand;
  const WorkerId worker = Join(hand);
  Begin("a");
  clock_.Advance(31 * kSecond);
  pool_->ElapseTimers();
  EXPECT_EQ(hand.steps.size(), 1U);
  EXPECT_FALSE(pool_->Return(worker, hand.leases[0]).has_value());
  EXPECT_THAT(hand.steps, ElementsAre("a", "a"));
}

TEST_F(Returning, LetsAWorkerLeaveThatHasNothingElse) {
  Hand hand;
  const WorkerId worker = Join(hand);
  Begin("a");
  pool_->Leave(worker);
  EXPECT_FALSE(hand.has_left);
  EXPECT_TRUE(pool_->Return(worker, hand.leases[0]).has_value());
  EXPECT_TRUE(hand.has_left);
  EXPECT_EQ(pool_->figures().queued_by_type.at("resize"), 1U);
}

}  // namespace
}  // namespace stele::tasks
