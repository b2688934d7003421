// What a feed holds in memory while it reads the log.
#include "projections/tracker.h"

#include <gtest/gtest.h>

#include "projections/feed.h"
#include "tests/eventstore/records.h"
#include "tests/projections/counting_view.h"

namespace stele::projections {
namespace {

using eventstore::TempDir;
using replay::RecordedLog;

// Applies the whole log, each record in a batch of its own.
void Take(Tracker& tracker, const RecordedLog& log) {
  const auto cursor = log.store.Read(ShardId(), Position(1));
  ASSERT_OK(cursor);
  for (;;) {
    const auto record = (*cursor)->Next();
    ASSERT_OK(record);
    if (!record->has_value()) return;
    const model::RecordContext context{(*record)->position, (*record)->header.time};
    if (!(*record)->header.instance) {
      ASSERT_OK(model::DecodeEach((*record)->body, [&](const model::Event& event) {
        apply::Apply(tracker.registry(), event, context);
      }));
      continue;
    }
    const auto instance = tracker.Before(**record);
    ASSERT_OK(instance);
    EXPECT_EQ((*instance)->seq.Next(), (*record)->header.first_seq) << "read again, if it was gone";
    ASSERT_OK(model::DecodeEach((*record)->body, [&](const model::Event& event) {
      apply::Apply(**instance, event, context);
    }));
    tracker.Trim();
  }
}

TEST(Tracker, HoldsInstancesUpToABoundOfBytes) {
  RecordedLog log;
  std::vector<model::Instance> instances;
  for (uint64_t id = 1; id <= 100; ++id) instances.push_back(log.Start(id));
  for (model::Instance& instance : instances) log.Decide(instance, replay::Complete(1));
  Tracker all(log.store, ShardId());
  Take(all, log);
  EXPECT_EQ(all.held(), 100u);
  const auto use = model::MemoryOf(instances.front());
  Tracker some(log.store, ShardId(), 20 * (use.structure + use.payloads + use.parsed));
  Take(some, log);
  EXPECT_GE(some.held(), 5u);
  EXPECT_LE(some.held(), 20u);
}

TEST(Feed, EndsABatchWithManyBytes) {
  TempDir directory;
  RecordedLog log;
  const Payload large = Payload::FromText("\"" + std::string(4 << 20, 'x') + "\"");
  for (uint64_t id = 1; id <= 10; ++id) {
    model::Instance instance = log.Start(id);
    log.Decide(instance, model::CompleteAttempt{.run = RunId(1), .output = large});
  }
  const auto store = ViewStore::Open(directory.path() + "/views", nullptr);
  ASSERT_OK(store);
  const auto generation = (*store)->Create("counting", 1);
  ASSERT_OK(generation);
  Feed feed(log.store, ShardId(), **store, Position());
  feed.Add(std::make_unique<CountingView>(), *generation);
  const uint64_t first = *feed.Step(kBatchRecords);
  EXPECT_GT(first, 10u);
  EXPECT_LT(first, 21u);
  EXPECT_EQ(*feed.Step(kBatchRecords), 21 - first);
}

}  // namespace
}  // namespace stele::projections
