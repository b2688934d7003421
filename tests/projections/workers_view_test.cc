// What workers have done, by their names.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/model/worker_actor.h"
#include "projections/views/workers.h"
#include "tests/projections/view_log.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view kTwo = R"(
id: two
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 1s}}
  - {id: b, type: script, depends_on: [a]}
)";

void CompleteBy(ViewLog& log, InstanceId id, std::string_view step, std::string_view worker) {
  const model::StepRun& run = log.RunOf(id, step);
  log.Do(id, model::CompleteAttempt{.run = run.id, .attempt = run.attempt},
         model::WorkerActor(worker));
}

void FailBy(ViewLog& log, InstanceId id, std::string_view step, std::string_view worker) {
  const model::StepRun& run = log.RunOf(id, step);
  log.Do(id,
         model::FailAttempt{.run = run.id,
                            .attempt = run.attempt,
                            .kind = "boom",
                            .message = "boom happened",
                            .retryable = true},
         model::WorkerActor(worker));
}

std::vector<WorkerRow> All(const ViewLog& log) {
  const auto list = ListWorkers(BuiltView::Of<WorkersView>(log)->Read());
  EXPECT_TRUE(list.has_value());
  return list->workers;
}

// "north: 2 completed, 1 failed"
std::vector<std::string> Told(const std::vector<WorkerRow>& workers) {
  std::vector<std::string> told;
  for (const WorkerRow& row : workers)
    told.push_back(fmt::format("{}: {} completed, {} failed", row.name, row.completed, row.failed));
  return told;
}

TEST(WorkersView, CountsTheAttemptsOfEachTheLastHeardOfFirst) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  FailBy(log, id, "a", "north");
  log.Elapse(id);
  CompleteBy(log, id, "a", "north");
  log.Wait(1'000);
  CompleteBy(log, id, "b", "south");
  EXPECT_THAT(Told(All(log)),
              ElementsAre("south: 1 completed, 0 failed", "north: 1 completed, 1 failed"));
}

TEST(WorkersView, LeavesOutWhatNoWorkerDid) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  log.Complete(id, "a");
  CompleteBy(log, id, "b", "");
  EXPECT_THAT(All(log), IsEmpty());
}

TEST(WorkersView, KnowsTheFirstAndTheLastResult) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const TimeUs first = log.now();
  CompleteBy(log, log.Start(two), "a", "north");
  log.Wait(60'000'000);
  CompleteBy(log, log.Start(two), "a", "north");
  const std::vector<WorkerRow> workers = All(log);
  ASSERT_EQ(workers.size(), 1u);
  EXPECT_EQ(workers[0].first, first);
  EXPECT_EQ(workers[0].last, first.Plus(60'000'000));
}

TEST(WorkersView, IsTheSameInAllBatches) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 0; i < 9; ++i) {
    CompleteBy(log, log.Start(two), "a", i % 3 == 0 ? "north" : "south");
    log.Wait(1'000);
  }
  ExpectTheSameInAllBatches<WorkersView>(log, 3);
}

TEST(WorkersView, CountsThoseBehindTheLimitTogether) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (uint64_t i = 0; i < kMaxWorkers + 3; ++i)
    CompleteBy(log, log.Start(two), "a", fmt::format("worker-{:04}", i));
  const std::vector<WorkerRow> workers = All(log);
  EXPECT_EQ(workers.size(), kMaxWorkers + 1);
  uint64_t others = 0;
  for (const WorkerRow& row : workers)
    if (row.name == kOtherWorkers) others = row.completed;
  EXPECT_EQ(others, 3u);
}

}  // namespace
}  // namespace stele::projections
