// What the view of statistics counts, how it cuts time, and that batches make no difference.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "projections/views/read_statistics.h"
#include "projections/views/statistics.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr std::string_view kTwo = R"(
id: two
steps:
  - {id: a, type: script, retry: {max_attempts: 3, initial_delay: 1s}}
  - {id: b, type: script, depends_on: [a]}
)";

Statistics Of(const ViewLog& log, const StatisticsScope& scope) {
  const auto view = BuiltView::Of<StatisticsView>(log);
  const auto statistics = ReadStatistics(view->Read(), scope);
  EXPECT_TRUE(statistics.has_value()) << statistics.error().message;
  return statistics.value_or(Statistics());
}

Statistics Two(const ViewLog& log) {
  return Of(log, {.definition = "two"});
}

const StepStatistics& Step(const Statistics& statistics, std::string_view id) {
  for (const StepStatistics& step : statistics.steps)
    if (step.step == id) return step;
  ADD_FAILURE() << "no step " << id;
  std::abort();
}

// An instance of two whose steps take so long.
InstanceId RunTwo(ViewLog& log, DefinitionId two, int64_t a, int64_t b) {
  const InstanceId id = log.Start(two);
  log.Wait(a);
  log.Complete(id, "a");
  log.Wait(b);
  log.Complete(id, "b");
  return id;
}

TEST(Statistics, CountHowInstancesEnded) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  RunTwo(log, two, kSecond, kSecond);
  RunTwo(log, two, 3 * kSecond, kSecond);
  log.Fail(log.Start(two), "a", "boom", false);
  log.Do(log.Start(two), model::CancelInstance{});
  log.Do(log.Start(two), model::TerminateInstance{});
  log.Start(two);
  const Statistics found = Two(log);
  EXPECT_EQ(found.counts.started, 6u);
  EXPECT_EQ(found.counts.completed, 2u);
  EXPECT_EQ(found.counts.failed, 1u);
  EXPECT_EQ(found.counts.cancelled, 1u);
  EXPECT_EQ(found.counts.terminated, 1u);
  EXPECT_EQ(found.open, 1);
  EXPECT_EQ(found.ended(), 5u);
  EXPECT_DOUBLE_EQ(found.success_rate(), 0.4);
  EXPECT_DOUBLE_EQ(found.failure_rate(), 0.2);
  EXPECT_EQ(found.counts.durations.min(), 2 * kSecond);
  EXPECT_EQ(found.counts.durations.max(), 4 * kSecond);
  EXPECT_EQ(found.counts.durations.Average(), 3 * kSecond);
  EXPECT_EQ(found.first_started, TimeUs(ViewLog::kBegin));
  EXPECT_EQ(found.last_started, log.now());
  EXPECT_EQ(found.latest, log.now());
}

TEST(Statistics, CountATimeoutThatATaskTellsOf) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  log.Fail(id, "a", "timeout");
  log.Elapse(id);
  log.Fail(id, "a", "boom");
  const Statistics found = Two(log);
  ASSERT_FALSE(found.steps.empty());
  EXPECT_EQ(found.steps[0].counts.failed_attempts, 2u);
  EXPECT_EQ(found.steps[0].counts.timeouts, 1u);
}

TEST(Statistics, TakeAFailureBackWhenTheInstanceIsRetried) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  log.Fail(id, "a", "boom", false);
  EXPECT_DOUBLE_EQ(Two(log).failure_rate(), 1);
  log.Do(id, model::RetryInstance{});
  const Statistics retried = Two(log);
  EXPECT_EQ(retried.ended(), 0u);
  EXPECT_EQ(retried.open, 1);
  log.Complete(id, "a");
  log.Complete(id, "b");
  const Statistics found = Two(log);
  EXPECT_EQ(found.counts.failed, 1u);
  EXPECT_EQ(found.counts.retried, 1u);
  EXPECT_EQ(found.failed_for_good(), 0u);
  EXPECT_DOUBLE_EQ(found.success_rate(), 1);
  EXPECT_EQ(found.open, 0);
}

TEST(Statistics, TellHowInstancesStandNow) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const InstanceId queued = log.Start(two, {.queued = true});
  const InstanceId paused = log.Start(two);
  log.Do(paused, model::PauseInstance{});
  const InstanceId backs_off = log.Start(two);
  log.Fail(backs_off, "a");
  const InstanceId held = log.Start(two);
  log.Do(held, model::InterruptAttempt{RunId(1), 1, model::Interruption::kShutdown});
  Statistics found = Two(log);
  EXPECT_EQ(found.open, 4);
  EXPECT_EQ(found.queued, 1);
  EXPECT_EQ(found.paused, 1);
  EXPECT_EQ(found.runs.attempts, 1) << "of the paused one, which had begun";
  EXPECT_EQ(found.runs.backoffs, 1);
  EXPECT_EQ(found.runs.held, 1);
  EXPECT_EQ(Step(found, "a").now.backoffs, 1);
  log.Do(queued, model::AdmitInstance{});
  log.Do(paused, model::ResumeInstance{});
  log.Elapse(backs_off);
  log.Do(held, model::RestartAttempt{RunId(1)});
  found = Two(log);
  EXPECT_EQ(found.queued + found.paused + found.runs.backoffs + found.runs.held, 0);
  EXPECT_EQ(found.runs.attempts, 4);
  EXPECT_EQ(Step(found, "a").now.attempts, 4);
}

TEST(Statistics, TellWhatWaitsForPeopleAndOperators) {
  ViewLog log;
  const DefinitionId flow = log.Define(R"(
id: flow
error_handling: park
steps: [{id: ask, type: approval, config: {assignees: [ann]}}, {id: work, type: script}]
)");
  const InstanceId id = log.Start(flow);
  log.Fail(id, "work");
  Statistics found = Of(log, {.definition = "flow"});
  EXPECT_EQ(found.runs.waiting, 1);
  EXPECT_EQ(found.runs.parked, 1);
  EXPECT_EQ(Step(found, "ask").now.waiting, 1);
  EXPECT_EQ(Step(found, "work").now.parked, 1);
  log.Do(id, model::TerminateInstance{});
  found = Of(log, {.definition = "flow"});
  EXPECT_EQ(found.runs.waiting + found.runs.parked + found.open, 0);
  EXPECT_EQ(Step(found, "ask").counts.cancelled, 1u);
  EXPECT_EQ(Step(found, "work").counts.cancelled, 1u);
}

TEST(Statistics, DoNotTakeACallThatWaitsForItsChildForAnAttempt) {
  ViewLog log;
  const InstanceId id = log.Start(
      log.Define("id: flow\nsteps: [{id: ask, type: call, config: {workflow: other}}]\n"));
  Statistics found = Of(log, {.definition = "flow"});
  EXPECT_EQ(found.runs.attempts, 1) << "to start it";
  EXPECT_EQ(found.runs.waiting, 0);
  log.Do(id, model::NoteChild{RunId(1), InstanceId(42)});
  found = Of(log, {.definition = "flow"});
  EXPECT_EQ(found.runs.attempts, 0);
  EXPECT_EQ(found.runs.waiting, 1);
  EXPECT_EQ(Step(found, "ask").now.waiting, 1);
  log.Complete(id, "ask");
  found = Of(log, {.definition = "flow"});
  EXPECT_EQ(found.runs.attempts + found.runs.waiting + found.open, 0);
}

TEST(Statistics, MeasureEachStep) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 1; i <= 100; ++i) RunTwo(log, two, i * kSecond, 10 * kSecond);
  const Statistics found = Two(log);
  ASSERT_EQ(found.steps.size(), 2u);
  EXPECT_EQ(found.steps[0].step, "a");
  EXPECT_EQ(found.steps[1].step, "b");
  const Histogram& a = found.steps[0].counts.durations;
  EXPECT_EQ(a.count(), 100u);
  EXPECT_EQ(a.sum(), 5'050u * kSecond);
  EXPECT_NEAR(a.Percentile(500), 50 * kSecond, 50 * kSecond * Histogram::kRelativeError);
  EXPECT_NEAR(a.Percentile(900), 90 * kSecond, 90 * kSecond * Histogram::kRelativeError);
  EXPECT_NEAR(a.Percentile(990), 99 * kSecond, 99 * kSecond * Histogram::kRelativeError);
  EXPECT_EQ(found.slowest_step(), "a");
  EXPECT_DOUBLE_EQ(found.steps[0].share, 5'050.0 / 6'050);
  ASSERT_EQ(found.bottlenecks().size(), 1u) << "it makes up more than 80 %";
  EXPECT_EQ(found.bottlenecks()[0]->step, "a");
}

TEST(Statistics, NameAsManyBottlenecksAsMakeUpTheMostOfIt) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  RunTwo(log, two, 3 * kSecond, 7 * kSecond);
  const Statistics found = Two(log);
  ASSERT_EQ(found.bottlenecks().size(), 2u);
  EXPECT_EQ(found.bottlenecks()[0]->step, "b");
  EXPECT_DOUBLE_EQ(found.bottlenecks()[0]->share, 0.7);
  EXPECT_EQ(found.bottlenecks()[1]->step, "a");
}

TEST(Statistics, LeaveTheTimeOfALoopToTheStepsInside) {
  ViewLog log;
  const DefinitionId flow = log.Define(R"(
id: flow
steps: [{id: each, type: loop, times: 2, steps: [{id: item, type: script}]}]
)");
  const InstanceId id = log.Start(flow);
  for (int i = 0; i < 2; ++i) {
    log.Wait(kSecond);
    log.Complete(id, "item");
  }
  const Statistics found = Of(log, {.definition = "flow"});
  EXPECT_TRUE(Step(found, "each").container);
  EXPECT_EQ(Step(found, "each").type, "loop");
  EXPECT_EQ(Step(found, "each").counts.durations.sum(), 2u * kSecond);
  EXPECT_EQ(Step(found, "each").share, 0);
  EXPECT_EQ(Step(found, "item").counts.completed, 2u);
  EXPECT_EQ(Step(found, "item").share, 1);
  EXPECT_EQ(found.slowest_step(), "item");
}

TEST(Statistics, KeepManyStepsApart) {
  constexpr int kSteps = 40;
  std::string yaml = "id: long\nsteps:\n";
  for (int i = 0; i < kSteps; ++i)
    yaml += fmt::format("  - {{id: s{}, type: script{}}}\n", i,
                        i == 0 ? "" : fmt::format(", depends_on: [s{}]", i - 1));
  ViewLog log;
  const InstanceId id = log.Start(log.Define(yaml));
  for (int i = 0; i < kSteps - 1; ++i) {
    log.Wait((i + 1) * kSecond);
    log.Complete(id, fmt::format("s{}", i));
  }
  for (const TimeUs from : {TimeUs(), TimeUs(ViewLog::kBegin)}) {
    const Statistics found = Of(log, {.definition = "long", .from = from});
    ASSERT_EQ(found.steps.size(), static_cast<size_t>(kSteps));
    for (int i = 0; i < kSteps - 1; ++i) {
      const StepStatistics& step = found.steps[static_cast<size_t>(i)];
      EXPECT_EQ(step.step, fmt::format("s{}", i));
      EXPECT_EQ(step.counts.durations.sum(), static_cast<uint64_t>((i + 1) * kSecond));
    }
    EXPECT_EQ(found.steps.back().now.attempts, 1);
    EXPECT_EQ(found.runs.attempts, 1);
    EXPECT_EQ(found.slowest_step(), fmt::format("s{}", kSteps - 2));
  }
  ExpectTheSameInAllBatches<StatisticsView>(log, 10);
}

TEST(Statistics, TellHowOftenARetryHelps) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const InstanceId helped = log.Start(two);
  log.Fail(helped, "a");
  log.Elapse(helped);
  log.Fail(helped, "a");
  log.Elapse(helped);
  log.Complete(helped, "a");
  const InstanceId lost = log.Start(two);
  for (int i = 0; i < 3; ++i) {
    log.Fail(lost, "a");
    if (i < 2) log.Elapse(lost);
  }
  const InstanceId waits = log.Start(two);
  log.Fail(waits, "a");
  log.Complete(log.Start(two), "a");
  const Statistics found = Two(log);
  const StepCounts& a = Step(found, "a").counts;
  EXPECT_EQ(a.activated, 4u);
  EXPECT_EQ(a.attempts, 8u);
  EXPECT_EQ(a.failed_attempts, 6u);
  EXPECT_EQ(found.counts.failed_attempts, 6u);
  EXPECT_EQ(a.failed, 1u);
  EXPECT_EQ(a.retried, 2u) << "the third one has not begun again";
  EXPECT_EQ(a.retried_completed, 1u);
  EXPECT_DOUBLE_EQ(found.retry_success_rate(), 0.5);
}

TEST(Statistics, DoNotTakeAStopOfTheEngineForARetry) {
  ViewLog log;
  const InstanceId id = log.Start(log.Define(kTwo));
  log.Do(id, model::InterruptAttempt{RunId(1), 1, model::Interruption::kShutdown});
  log.Do(id, model::RestartAttempt{RunId(1)});
  log.Complete(id, "a");
  const InstanceId other = log.Start(DefinitionId(1));
  log.Fail(other, "a");
  log.Elapse(other);
  log.Do(other, model::InterruptAttempt{RunId(1), 2, model::Interruption::kShutdown});
  log.Do(other, model::RestartAttempt{RunId(1)});
  log.Complete(other, "a");
  const Statistics found = Two(log);
  const StepCounts& a = Step(found, "a").counts;
  EXPECT_EQ(a.interrupted, 2u);
  EXPECT_EQ(a.retried, 1u);
  EXPECT_EQ(a.retried_completed, 1u);
}

TEST(Statistics, CountAStepWithAFallbackOnce) {
  ViewLog log;
  const DefinitionId flow = log.Define(R"(
id: flow
steps: [{id: fast, type: script, fallback: slow}, {id: slow, type: script}]
)");
  const InstanceId helped = log.Start(flow);
  log.Fail(helped, "fast");
  log.Complete(helped, "slow");
  const InstanceId lost = log.Start(flow);
  log.Fail(lost, "fast");
  log.Fail(lost, "slow");
  const Statistics found = Of(log, {.definition = "flow"});
  EXPECT_EQ(Step(found, "fast").counts.completed, 1u);
  EXPECT_EQ(Step(found, "fast").counts.failed, 1u);
  EXPECT_EQ(Step(found, "slow").counts.completed, 1u);
  EXPECT_EQ(Step(found, "slow").counts.failed, 1u);
}

TEST(Statistics, KeepVersionsApartAndTogether) {
  ViewLog log;
  const DefinitionId first = log.Define(kTwo);
  RunTwo(log, first, kSecond, kSecond);
  const InstanceId moves = log.Start(first);
  const DefinitionId second = log.Define(R"(
id: two
steps:
  - {id: new, type: script}
  - {id: b, type: script, depends_on: [new]}
  - {id: a, type: script, retry: {max_attempts: 3}}
)");
  log.Do(moves, model::MigrateInstance{second});
  log.Start(second);
  const Statistics one = Of(log, {.definition = "two", .version = 1});
  EXPECT_EQ(one.counts.started, 2u);
  EXPECT_EQ(one.counts.migrated_out, 1u);
  EXPECT_EQ(one.open, 0);
  const Statistics two = Of(log, {.definition = "two", .version = 2});
  EXPECT_EQ(two.counts.started, 1u);
  EXPECT_EQ(two.counts.migrated_in, 1u);
  EXPECT_EQ(two.open, 2);
  EXPECT_EQ(Step(two, "a").now.attempts, 2);
  const Statistics both = Two(log);
  EXPECT_EQ(both.counts.started, 3u);
  EXPECT_EQ(both.open, 2);
  std::vector<std::string> ids;
  for (const StepStatistics& step : both.steps) ids.push_back(step.step);
  EXPECT_THAT(ids, ElementsAre("new", "b", "a")) << "as the newest version has them";
  EXPECT_EQ(Step(both, "a").counts.completed, 1u);
}

TEST(Statistics, OfAllDefinitionsAreTheirSum) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const DefinitionId other = log.Define("id: other\nsteps: [{id: x, type: script}]\n");
  RunTwo(log, two, kSecond, kSecond);
  log.Complete(log.Start(other), "x");
  log.Start(other);
  const Statistics all = Of(log, {});
  EXPECT_EQ(all.counts.started, 3u);
  EXPECT_EQ(all.counts.completed, 2u);
  EXPECT_EQ(all.open, 1);
  EXPECT_TRUE(all.steps.empty());
  const Statistics window = Of(log, {.from = TimeUs(ViewLog::kBegin)});
  EXPECT_EQ(window.counts.started, 3u);
}

TEST(StatisticsList, HasEveryDefinitionByName) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.Define("id: other\nsteps: [{id: x, type: script}]\n");
  log.Define(kTwo);
  log.Register(model::DefinitionStateChanged{DefinitionId(3), "paused", "holidays"});
  log.Wait(kHour);
  RunTwo(log, two, kSecond, kSecond);
  const auto view = BuiltView::Of<StatisticsView>(log, 1);
  const auto page = ListDefinitions(view->Read(), "", 1);
  ASSERT_TRUE(page.has_value());
  ASSERT_EQ(page->definitions.size(), 1u);
  EXPECT_EQ(page->definitions[0].definition, "other");
  EXPECT_EQ(page->definitions[0].state, "active");
  EXPECT_EQ(page->definitions[0].row.counts.started, 0u);
  EXPECT_EQ(page->next, "other");
  const auto rest = ListDefinitions(view->Read(), page->next, 10);
  ASSERT_TRUE(rest.has_value());
  ASSERT_EQ(rest->definitions.size(), 1u);
  EXPECT_EQ(rest->next, "");
  const DefinitionSummary& found = rest->definitions[0];
  EXPECT_EQ(found.definition, "two");
  EXPECT_EQ(found.versions, 2u);
  EXPECT_EQ(found.newest, 2u);
  EXPECT_EQ(found.state, "paused");
  EXPECT_EQ(found.row.counts.started, 1u);
  EXPECT_EQ(found.row.last_started, TimeUs(ViewLog::kBegin + kHour));
  EXPECT_THAT(stele::ToJson(ToJson(*rest)),
              HasSubstr(R"("executions":1,"open":0,"success_rate":1.0,)"
                        R"("last_executed":1699923600000000,)"
                        R"("average_us":2000000)"));
}

TEST(Statistics, AreToldAsJson) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  RunTwo(log, two, kSecond, 3 * kSecond);
  const Object json = ToJson(Two(log));
  EXPECT_EQ(json.Find("slowest_step")->as_string(), "b");
  EXPECT_EQ(json.Find("success_rate")->as_double(), 1);
  EXPECT_EQ(json.Find("durations")->Find("average_us")->as_int(), 4 * kSecond);
  EXPECT_EQ(json.Find("now")->Find("open")->as_int(), 0);
  EXPECT_EQ(json.Find("steps")->as_array().size(), 2u);
  EXPECT_EQ(json.Find("steps")->as_array()[0].Find("durations")->Find("p50_us")->as_int(), kSecond);
  EXPECT_TRUE(json.Find("resolution")->is_null());
}

TEST(StatisticsView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  BusyLog busy;
  busy.Run(4'000);
  ExpectTheSameInAllBatches<StatisticsView>(busy.log, 500);
}

// Whatever happens, every instance and every run is counted where it is.
TEST(StatisticsView, LosesNothing) {
  for (const uint32_t seed : {2, 3, 4}) {
    BusyLog busy(seed);
    busy.Run(3'000);
    const auto view = BuiltView::Of<StatisticsView>(busy.log);
    const ViewReader reader = view->Read();
    const Statistics all = *ReadStatistics(reader, {});
    EXPECT_EQ(all.counts.started, all.ended() + static_cast<uint64_t>(all.open));
    EXPECT_EQ(all.counts.migrated_in, all.counts.migrated_out);
    EXPECT_GT(all.counts.migrated_in, 0u);
    EXPECT_GT(all.counts.retried, 0u);
    for (const uint32_t version : {1, 2}) {
      const Statistics found = *ReadStatistics(reader, {.definition = "work", .version = version});
      EXPECT_EQ(found.counts.started + found.counts.migrated_in,
                found.ended() + static_cast<uint64_t>(found.open) + found.counts.migrated_out);
    }
    for (const std::string name : {"work", "loop", "saga", "people"}) {
      const Statistics found = *ReadStatistics(reader, {.definition = name});
      EXPECT_EQ(found.counts.started, found.ended() + static_cast<uint64_t>(found.open)) << name;
      std::map<std::string, uint64_t> open;
      for (uint64_t id = 1; id <= all.counts.started; ++id) {
        const model::Instance& instance = busy.log.instance(InstanceId(id));
        const auto& definition = *busy.log.registry().Find(instance.definition);
        if (definition.name != name) continue;
        for (const model::StepRun& run : instance.runs)
          ++open[definition.definition->step(run.step).id];
      }
      for (const StepStatistics& step : found.steps) {
        const StepCounts& counts = step.counts;
        EXPECT_EQ(counts.activated,
                  counts.completed + counts.failed + counts.cancelled + open[step.step])
            << name << " " << step.step;
        EXPECT_EQ(counts.durations.count(), counts.completed);
        EXPECT_LE(counts.retried_completed, counts.retried) << name << " " << step.step;
      }
    }
  }
}

}  // namespace
}  // namespace stele::projections
