// What a running engine is told of as metrics.
#include "server/observation/figures.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "server/observation/named_series.h"
#include "tests/server/observation/observed_world.h"

namespace stele::server {
namespace {

using projections::DefinitionRow;

TEST(Figures, CountInstancesByDefinitionAndEnd) {
  ObservedWorld world;
  world.Work();
  const Scrape scrape = world.Read();
  EXPECT_EQ(scrape.Value("stele_instances_started_total", {{"definition", "album"}}), 2);
  EXPECT_EQ(scrape.Value("stele_instances_ended_total",
                         {{"definition", "album"}, {"status", "completed"}}),
            2);
  EXPECT_EQ(
      scrape.Value("stele_instances_ended_total", {{"definition", "broken"}, {"status", "failed"}}),
      1);
  EXPECT_EQ(scrape.Value("stele_instances_open", {{"definition", "depot"}}), 1);
  EXPECT_EQ(scrape.Value("stele_instances_open", {{"definition", "album"}}), 0);
  EXPECT_EQ(scrape.Value("stele_instance_duration_seconds_count", {{"definition", "album"}}), 2);
  EXPECT_EQ(scrape.Value("stele_instance_duration_seconds_bucket",
                         {{"definition", "album"}, {"le", "+Inf"}}),
            2);
}

TEST(Figures, HaveTheNamesOfOtherEnginesToo) {
  ObservedWorld world;
  world.Work();
  world.requests.Count({.method = "GET", .route = "/health", .status = 200, .duration_us = 7});
  const Scrape scrape = world.Read();
  EXPECT_EQ(scrape.Value("workflow_instances_total"), 4);
  EXPECT_EQ(scrape.Value("workflow_instances_active"), 1);
  EXPECT_EQ(scrape.Value("orchestrator_active_executions"), 1);
  EXPECT_EQ(scrape.Value("orchestrator_executions_total",
                         {{"workflow_id", "album"}, {"status", "completed"}}),
            2);
  EXPECT_EQ(
      scrape.Value("orchestrator_execution_duration_seconds_count", {{"workflow_id", "album"}}), 2);
  EXPECT_EQ(scrape.Value("task_completion_time_count", {{"type", "script"}}), 2);
  EXPECT_EQ(scrape.Value("api_request_duration_count"), 1);
  EXPECT_EQ(scrape.Value("http_requests_total", {{"status", "200"}}), 1);
  EXPECT_EQ(scrape.Value("database_connections"), 1);
}

TEST(Figures, CountStepsByType) {
  ObservedWorld world;
  world.Work();
  const Scrape scrape = world.Read();
  EXPECT_EQ(scrape.Value("stele_steps_completed_total", {{"type", "script"}}), 2);
  EXPECT_EQ(scrape.Value("stele_steps_failed_total", {{"type", "script"}}), 1);
  EXPECT_EQ(scrape.Value("stele_attempts_failed_total", {{"type", "script"}}), 1);
  EXPECT_EQ(scrape.Value("stele_steps_completed_total", {{"type", "worker"}}), 0);
  EXPECT_EQ(scrape.Value("stele_worker_tasks_queued", {{"type", "worker"}}), 1);
  EXPECT_EQ(scrape.Value("stele_step_runs", {{"state", "attempt"}}), 1);
}

TEST(Figures, TellOfTheLogAndTheViews) {
  ObservedWorld world;
  const double before = world.Read().Value("stele_records_total");
  world.Work();
  const Scrape scrape = world.Read();
  EXPECT_GT(scrape.Value("stele_records_total"), before);
  EXPECT_EQ(scrape.Value("stele_shard_up"), 1);
  EXPECT_EQ(scrape.Value("stele_views_failed"), 0);
  EXPECT_EQ(scrape.Value("stele_view_lag_records", {{"view", "statistics"}}), 0);
  EXPECT_GT(scrape.Value("stele_store_appended_raw_bytes_total"), 0);
  EXPECT_EQ(scrape.Value("stele_definitions"), 3);
  EXPECT_EQ(scrape.types.at("stele_records_total"), "counter");
  EXPECT_EQ(scrape.types.at("stele_instances_open"), "gauge");
  EXPECT_EQ(scrape.types.at("stele_instance_duration_seconds"), "histogram");
}

TEST(Figures, TellHowRecordsComeToTheDisk) {
  ObservedWorld world;
  world.Work();
  const Scrape scrape = world.Read();
  const double records = scrape.Value("stele_records_total");
  EXPECT_EQ(scrape.Value("stele_commit_block_records_sum"), records);
  EXPECT_GT(scrape.Value("stele_commit_block_records_count"), 0);
  EXPECT_LE(scrape.Value("stele_commit_block_records_count"), records);
  EXPECT_GT(scrape.Value("stele_commit_block_bytes_sum"), 0);
  EXPECT_GT(scrape.Value("stele_commit_duration_seconds_count"), 0);
  EXPECT_GT(scrape.Value("stele_commit_duration_seconds_sum"), 0);
  EXPECT_EQ(scrape.Value("stele_records_in_flight"), 0);
  EXPECT_EQ(scrape.Value("stele_bytes_in_flight"), 0);
  EXPECT_EQ(scrape.Value("stele_inbox_commands"), 0);
  EXPECT_EQ(scrape.Value("stele_timers_pending"), 0);
  world.served.Register("later", "{id: rest, type: delay, config: {duration: 1h}}");
  world.served.Start("later");
  EXPECT_EQ(world.Read().Value("stele_timers_pending"), 1);
}

TEST(Figures, AreWhatTheEdgeAdds) {
  ObservedWorld world;
  const Scrape scrape = world.Read();
  EXPECT_EQ(scrape.Value("stele_spans_exported_total"), 5);
  EXPECT_EQ(scrape.Value("stele_spans_dropped_total"), 1);
  EXPECT_EQ(scrape.Value("stele_spans_queued"), 2);
  const std::map<std::string, std::string> start = {{"method", "Instances.start"}};
  EXPECT_EQ(
      scrape.Value("stele_rpc_calls_total", {{"method", "Instances.start"}, {"result", "ok"}}), 7);
  EXPECT_EQ(
      scrape.Value("stele_rpc_calls_total", {{"method", "Instances.start"}, {"result", "failed"}}),
      1);
  EXPECT_EQ(scrape.Value("stele_rpc_call_duration_seconds_count", start), 8);
  EXPECT_EQ(scrape.Value("stele_rpc_call_duration_seconds_sum", start), 8);
  EXPECT_EQ(scrape.Value("stele_http_connections"), 3);
  EXPECT_EQ(scrape.Value("stele_rpc_connections"), 2);
}

TEST(Figures, AreReadOnceForThoseWhoAskSoon) {
  ObservedWorld world(false, 3'600 * kj::SECONDS);
  const auto first = world.served.Get(world.figures.Read());
  world.Work();
  EXPECT_EQ(world.served.Get(world.figures.Read()), first);
}

TEST(Figures, AreReadOnceForThoseWhoAskTogether) {
  ObservedWorld world;
  auto first = world.figures.Read();
  auto second = world.figures.Read();
  const auto reading = world.served.Get(kj::mv(first));
  EXPECT_EQ(world.served.Get(kj::mv(second)), reading);
  EXPECT_NE(world.served.Get(world.figures.Read()), reading);
}

TEST(Figures, AreReadAnewLater) {
  ObservedWorld world;
  const auto first = world.served.Get(world.figures.Read());
  world.Work();
  const auto second = world.served.Get(world.figures.Read());
  EXPECT_GT(second->stored.last, first->stored.last);
}

TEST(Exposition, LeavesOutWhatAViewThatIsNotThereCounts) {
  const Scrape scrape = Scrape::Of(WriteFamilies(FamiliesOf(Reading())));
  EXPECT_FALSE(scrape.Has("stele_instances_open"));
  EXPECT_FALSE(scrape.Has("workflow_instances_total"));
  EXPECT_TRUE(scrape.Has("stele_records_total"));
}

TEST(Exposition, SaysThatTheLogTakesNoRecords) {
  Reading reading;
  reading.durability.state = Durability::State::kFailed;
  const Scrape scrape = Scrape::Of(WriteFamilies(FamiliesOf(reading)));
  EXPECT_EQ(scrape.Value("stele_shard_up"), 0);
  EXPECT_EQ(scrape.Value("database_connections"), 0);
}

TEST(Exposition, BoundsTheTypesOfWorkers) {
  Reading reading;
  for (size_t i = 0; i < 2 * kMaxNamedSeries; ++i)
    reading.loop.workers.queued_by_type["type-" + std::to_string(i)] = 1;
  const Scrape scrape = Scrape::Of(WriteFamilies(FamiliesOf(reading)));
  EXPECT_EQ(std::ranges::count(scrape.series, "stele_worker_tasks_queued", &Series::name),
            static_cast<std::ptrdiff_t>(kMaxNamedSeries));
  EXPECT_EQ(scrape.Value("stele_worker_tasks_queued", {{"type", "other"}}), kMaxNamedSeries + 1);
}

TEST(NamedSeries, AreBounded) {
  std::map<std::string, int> rows;
  for (size_t i = 0; i < kMaxNamedSeries + 5; ++i) ++SeriesOf(rows, fmt::format("name-{}", i));
  ++SeriesOf(rows, "name-0");
  EXPECT_EQ(rows.size(), kMaxNamedSeries);
  EXPECT_EQ(rows.at("name-0"), 2);
  EXPECT_EQ(rows.at("other"), 6);
}

TEST(Exposition, EscapesLabels) {
  Reading reading;
  reading.stored.work.emplace().definitions["a\"b\\c\nd"] = DefinitionRow();
  const Scrape scrape = Scrape::Of(WriteFamilies(FamiliesOf(reading)));
  EXPECT_EQ(scrape.Value("stele_instances_open", {{"definition", R"(a\"b\\c\nd)"}}), 0);
}

}  // namespace
}  // namespace stele::server
