// An engine with views and retention over a store in memory, whose clock a test drives.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/retention/service.h"
#include "projections/all_views.h"
#include "tests/engine/retention/driven_clock.h"
#include "tests/engine/runtime/world.h"
#include "tests/eventstore/records.h"

namespace stele::retention {

inline constexpr int64_t kDayUs = int64_t{86'400} * 1'000'000;

class Retained {
 public:
  Retained(std::unique_ptr<eventstore::MemoryStore> store, std::string directory,
           RetentionPolicy policy)
      : world(std::move(store)), directory_(std::move(directory)), policy_(policy) {
    world.Open();
    auto opened =
        projections::Projector::Open(world.store(), ShardId(), directory_, projections::AllViews());
    if (!opened.has_value()) std::abort();
    views = *std::move(opened);
    views->Start();
  }
  ~Retained() { EndThreads(); }

  // `stop_at`: the step, counted from 1, behind which nothing is done any more; 0: none.
  void Start(bool runs, int stop_at = 0) {
    const auto at_step = [this, stop_at, count = 0](std::string_view step) mutable -> Status {
      steps.emplace_back(step);
      if (++count != stop_at) return {};
      return Fail(ErrorCode::kIo, "Expected no end but found the test's");
    };
    service = std::make_unique<RetentionService>(
        RetentionParts{.store = &world.store(),
                       .shard = ShardId(),
                       .projector = views.get(),
                       .views = projections::AllViews(),
                       .clock = &clock_,
                       .policy = policy_,
                       .asker = {.actor = "tester", .source = {}},
                       .problem = [this](const Error& error) { problems.push_back(error.message); },
                       .at_step = at_step});
    service->Start(&world.shard(), runs);
  }
  // Has it done on the service's thread, the loop running meanwhile.
  template <class Task>
  auto Do(Task task) -> std::invoke_result_t<Task, RetentionService&> {
    std::atomic<bool> done = false;
    std::optional<std::invoke_result_t<Task, RetentionService&>> result;
    service->Do([&](RetentionService& given) {
      result = task(given);
      done = true;
    });
    while (!done) world.RunUntilQuiet();
    return *std::move(result);
  }
  Result<RetentionReport> Run(bool dry = false) {
    return Do([dry](RetentionService& given) { return given.Run(dry); });
  }
  // The clock of the world and that of retention.
  void Advance(int64_t us) {
    clock_.Advance(us);
    world.Advance(us);
  }
  void EndThreads() {
    if (service != nullptr) service->Stop();
    if (views != nullptr) views->Stop();
  }
  // As with kill -9: what is left of the store.
  std::unique_ptr<eventstore::MemoryStore> Crash() {
    EndThreads();
    views.reset();
    return world.Crash();
  }
  std::vector<InstanceId> RunInstances(DefinitionId definition, int count) {
    std::vector<InstanceId> ids(static_cast<size_t>(count));
    for (InstanceId& id : ids) {
      EXPECT_TRUE(world.Start(definition, &id).has_value());
      EXPECT_TRUE(world.RunUntilEnded(id));
    }
    return ids;
  }
  bool IsCut(InstanceId id) {
    const auto read = world.store().ReadInstance(ShardId(), id, Seq(1));
    return !read.has_value() && read.error().code == ErrorCode::kInstanceErased;
  }
  void ExpectVerified(const std::string& when) {
    ASSERT_TRUE(world.store().VerifyChain(ShardId()).has_value()) << when;
    const Position end(world.store().NextPosition(ShardId()).value - 1);
    const Status reached = views->WaitFor(end, 60'000'000);
    ASSERT_TRUE(reached.has_value()) << reached.error().message;
    for (const projections::ViewState& state : views->States()) {
      const auto compared = views->Verify(state.name);
      ASSERT_TRUE(compared.has_value()) << state.name << compared.error().message;
      EXPECT_EQ(compared->differing, 0u)
          << state.name << " " << when << testing::PrintToString(compared->examples);
    }
  }

  runtime::World world;
  std::unique_ptr<projections::Projector> views;
  std::unique_ptr<RetentionService> service;
  std::vector<std::string> problems;  // read when the threads have ended
  std::vector<std::string> steps;

 private:
  DrivenClock clock_;
  const std::string directory_;
  const RetentionPolicy policy_;
};

}  // namespace stele::retention
