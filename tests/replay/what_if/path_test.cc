// A dry fork with no change follows the recorded path to the end, from every record of any history.
//
// STELE_PROPERTY_CASES sets how many histories (200 by default).
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <memory>

#include "engine/model/snapshot.h"
#include "tests/engine/core/random_course.h"
#include "tests/replay/what_if/asked.h"

namespace stele::replay {
namespace {

// Forks behind every record, asked with its first event.
void CheckAllForks(const CoreDriver& driver) {
  const uint64_t last = driver.instance().seq.value;
  const bool ended = model::HasEnded(driver.instance().status);
  for (const test::DrivenRecord& record : driver.Records()) {
    const uint64_t at = record.first.value + record.events - 1;
    const WhatIfReport report = Ask(driver, record.first.value, {.limits = {.more_records = 300}});
    ASSERT_EQ(report.at.value, at);
    ASSERT_FALSE(report.parting.has_value())
        << "behind " << at << ": recorded " << EventOf(report.parting->recorded) << ", now "
        << EventOf(report.parting->now) << "\n"
        << ToJson(Value(ToJson(report)));
    ASSERT_EQ(report.followed, last - at);
    ASSERT_EQ(report.results.reused, report.results.recorded);
    ASSERT_EQ(report.results.assumed + report.results.stubbed, 0u);
    ASSERT_EQ(report.unused, 0u);
    if (ended) {
      ASSERT_EQ(report.beyond, 0u) << "behind " << at;
    }
    if (report.beyond > 0) continue;
    ASSERT_EQ(report.results.repeated, 0u);
    ASSERT_TRUE(report.patch.empty()) << ToJson(Value(report.patch));
    ASSERT_EQ(report.steps.count, 0u);
    ASSERT_EQ(report.now.status, report.recorded.status);
  }
}

TEST(DryFork, WithoutAChangeFollowsTheRecordedPathToItsEnd) {
  std::map<std::string, int> ends;
  const char* cases = std::getenv("STELE_PROPERTY_CASES");
  const uint64_t last = cases == nullptr ? 200 : std::strtoull(cases, nullptr, 10);
  for (uint64_t seed = 1; seed <= last; ++seed) {
    CoreDriver driver(test::RandomDefinition(seed));
    test::RandomCourse course(driver, ~seed);
    course.Start();
    for (int i = 0; i < 50; ++i) course.Happen();
    if (seed % 2 == 0) course.Finish();
    ++ends[driver.Status()];
    CheckAllForks(driver);
    ASSERT_FALSE(HasFailure()) << "seed " << seed << "\n" << test::RandomDefinition(seed);
  }
  for (const char* end : {"completed", "failed", "cancelled"}) EXPECT_GT(ends[end], 3) << end;
}

TEST(DryFork, OfAnOpenInstanceTellsWhatItsTimersWillDo) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: wait, type: delay, duration: 1h}
  - {id: then, type: script, depends_on: [wait]}
)");
  flow.Start();
  const WhatIfReport report = Ask(flow, 1);
  EXPECT_FALSE(report.parting.has_value());
  EXPECT_GT(report.beyond, 0u);
  EXPECT_EQ(UnansweredOf(report), Texts{"then"});
  EXPECT_EQ(report.now.time, flow.now().Plus(3'600'000'000));
}

TEST(DryFork, DoesNotGuessWhatIsUnderWay) {
  CoreDriver flow(R"(
id: flow
variables: {list: [1, 2]}
steps:
  - id: each
    type: loop
    items: "{{variables.list}}"
    steps: [{id: work, type: script}]
)");
  flow.Start().Complete("work", R"({"n":1})");
  const WhatIfReport report = Ask(flow, 1);
  EXPECT_FALSE(report.parting.has_value());
  EXPECT_EQ(report.beyond, 0u);
  EXPECT_EQ(UnansweredOf(report), Texts{"work[1]"});
  EXPECT_EQ(report.now.status, report.recorded.status);
}

TEST(DryFork, FollowsAMigrationAndARetryOfTheWholeInstance) {
  CoreDriver flow(
      "id: flow\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: [a]}]\n");
  flow.Start().Migrate(R"(
id: flow
steps:
  - {id: first, type: script}
  - {id: between, type: script, depends_on: [first]}
  - {id: b, type: script, depends_on: [between]}
)",
                       R"({"a": "first"})");
  flow.Complete("first").Complete("between").Fail("b").Retry().Complete("b");
  EXPECT_EQ(flow.Status(), "completed");
  CheckAllForks(flow);
}

TEST(DryFork, FollowsAnInstanceThatWasForkedItself) {
  constexpr std::string_view kFlow =
      "id: flow\nsteps: [{id: a, type: script}, {id: b, type: script, depends_on: [a]}]\n";
  CoreDriver origin(kFlow);
  origin.Start().Complete("a");
  CoreDriver fork(test::Load(kFlow), InstanceId(2));
  const auto refused = fork.Do(model::ForkInstance{
      .origin = origin.instance().id,
      .origin_seq = origin.instance().seq,
      .origin_position = origin.instance().position,
      .state =
          model::ForkedState(std::make_shared<model::Instance>(model::CopyOf(origin.instance())))});
  ASSERT_FALSE(refused.has_value()) << refused->message;
  fork.Complete("b", R"({"n":1})");
  ASSERT_EQ(fork.Status(), "completed");
  CheckAllForks(fork);
}

TEST(DryFork, AsksForAnEventThatThereIs) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start().Complete("a");
  EXPECT_EQ(TryAsk(flow, 0).error().code, ErrorCode::kNoSuchMoment);
  const auto behind = TryAsk(flow, flow.instance().seq.value + 1);
  EXPECT_EQ(behind.error().code, ErrorCode::kNoSuchMoment);
  EXPECT_EQ(behind.error().message, "Expected an event of instance 1 from 1 to 5 but found 6");
  EXPECT_EQ(Ask(flow, 5).now.status, "completed");
}

TEST(DryFork, RefusesAHistoryThatIsLongerThanItMayBe) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start().Complete("a");
  EXPECT_EQ(TryAsk(flow, 1, {.limits = {.recorded_bytes = 64}}).error().code,
            ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace stele::replay
