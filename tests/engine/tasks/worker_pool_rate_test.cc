// Workers that say how many tasks a second they take.
#include <gtest/gtest.h>

#include "base/clock.h"
#include "engine/tasks/worker_pool.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

constexpr int64_t kSecond = 1'000'000;

class Hand final : public Worker {
 public:
  void OnTask(const WorkerTask&) override { ++tasks; }
  void OnCancel(LeaseId, std::string_view) override {}
  void OnLeaseEnded(LeaseId, std::string_view) override {}
  void OnLeft() override {}

  size_t tasks = 0;
};

class Paced : public testing::Test {
 protected:
  void Begin() {
    TaskRequest request = Attempt(Object());
    request.key.instance = InstanceId(++last_instance_);
    request.task_type = "resize";
    executor_->Start(std::move(request), [](const TaskResult&) {});
  }
  void Pass(int64_t microseconds) {
    clock_.Advance(microseconds);
    pool_->ElapseTimers();
  }

  TestLoop loop_;
  ManualClock clock_{TimeUs(1'000'000'000)};
  std::shared_ptr<WorkerPool> pool_ = std::make_shared<WorkerPool>(loop_.get(), &clock_);
  std::unique_ptr<TaskExecutor> executor_ = WorkerPool::MakeExecutor(pool_);
  uint64_t last_instance_ = 0;
};

TEST_F(Paced, HandsOutNoFasterThanAWorkersRate) {
  Hand hand;
  const WorkerId worker =
      pool_->Join({.name = "anna", .types = {"resize"}, .slots = 100, .rate = 4}, &hand);
  for (int i = 0; i < 20; ++i) Begin();
  EXPECT_EQ(hand.tasks, 4u) << "those of a second come at once";
  Pass(kSecond / 4 - 1);
  EXPECT_EQ(hand.tasks, 4u);
  Pass(1);
  EXPECT_EQ(hand.tasks, 5u);
  Pass(kSecond);
  EXPECT_EQ(hand.tasks, 9u);
  pool_->SetRate(worker, 0.5);
  EXPECT_EQ(hand.tasks, 9u);
  Pass(2 * kSecond);
  EXPECT_EQ(hand.tasks, 10u);
  Pass(2 * kSecond - 1);
  EXPECT_EQ(hand.tasks, 10u);
  pool_->SetRate(worker, 0);
  EXPECT_EQ(hand.tasks, 20u);
}

TEST_F(Paced, GivesToAnotherWorkerWhatOnesRateHoldsBack) {
  Hand slow;
  Hand quick;
  const WorkerId worker =
      pool_->Join({.name = "anna", .types = {"resize"}, .slots = 9, .rate = 1}, &slow);
  pool_->Join({.name = "ben", .types = {"resize"}, .slots = 9}, &quick);
  for (int i = 0; i < 5; ++i) Begin();
  EXPECT_EQ(slow.tasks, 1u);
  EXPECT_EQ(quick.tasks, 4u);
  pool_->Lose(worker, "gone");
  Pass(kSecond);
  EXPECT_EQ(quick.tasks, 5u);
}

}  // namespace
}  // namespace stele::tasks
