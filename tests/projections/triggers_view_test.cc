// Triggers with what their firings came to, and when a schedule fires next.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/triggers/next_firing.h"
#include "projections/views/triggers.h"
#include "tests/projections/busy_log.h"

namespace stele::projections {
namespace {

using testing::ElementsAre;

constexpr int64_t kHour = 3'600'000'000;

constexpr std::string_view kEveryNoon =
    R"({"name":"noon","declared":true,"trigger":{"type":"schedule","cron":"0 12 * * *"}})";
constexpr std::string_view kByHand = R"({"name":"press","trigger":{"type":"manual"}})";

void AddTwo(ViewLog& log) {
  log.Register(model::TriggerRegistered{TriggerId(1), "two", "schedule", std::string(kEveryNoon)});
  log.Register(model::TriggerRegistered{TriggerId(2), "other", "manual", std::string(kByHand)});
}

void Fire(ViewLog& log, uint32_t trigger, TimeUs time, std::string outcome,
          std::string key = "key") {
  log.Register(
      model::TriggerFired{TriggerId(trigger), time, std::move(outcome), std::move(key), Payload()});
}

TriggerRow Row(const ViewLog& log, uint32_t trigger) {
  const auto view = BuiltView::Of<TriggersView>(log);
  const auto row = FindTrigger(view->Read(), TriggerId(trigger));
  EXPECT_TRUE(row.has_value() && row->has_value());
  return **row;
}

TEST(TriggersView, TellsWhatATriggerIs) {
  ViewLog log;
  AddTwo(log);
  const TriggerRow noon = Row(log, 1);
  EXPECT_EQ(noon.definition, "two");
  EXPECT_EQ(noon.name, "noon");
  EXPECT_EQ(noon.kind, "schedule");
  EXPECT_TRUE(noon.declared);
  EXPECT_EQ(noon.state, model::TriggerState::kActive);
  EXPECT_EQ(noon.registered, TimeUs(ViewLog::kBegin));
  EXPECT_EQ(noon.fired, 0u);
  EXPECT_FALSE(Row(log, 2).declared);
}

TEST(TriggersView, CountsFiringsByTheirOutcome) {
  ViewLog log;
  AddTwo(log);
  const TimeUs noon(ViewLog::kBegin + 12 * kHour);
  log.SetTime(noon.Plus(5));
  Fire(log, 1, noon, "start");
  Fire(log, 1, noon.Plus(24 * kHour), "start");
  Fire(log, 1, noon.Plus(48 * kHour), "skip: one of it still runs");
  Fire(log, 1, noon.Plus(72 * kHour), "skip: its definition is paused");
  Fire(log, 1, noon.Plus(90 * kHour), "start", "manual-1");
  Fire(log, 1, noon.Plus(73 * kHour), "refused: no version is active");
  const TriggerRow row = Row(log, 1);
  EXPECT_EQ(row.fired, 6u);
  EXPECT_THAT(row.outcomes, ElementsAre(OutcomeCount{"refused", 1}, OutcomeCount{"skip", 2},
                                        OutcomeCount{"start", 3}));
  EXPECT_EQ(row.last_fired, noon.Plus(5));
  EXPECT_EQ(row.last_time, noon.Plus(90 * kHour));
  EXPECT_EQ(row.last_scheduled, noon.Plus(73 * kHour)) << "not by hand";
  EXPECT_EQ(row.last_outcome, "refused: no version is active");
}

TEST(TriggersView, BoundsTheOutcomesThatItTellsApart) {
  ViewLog log;
  AddTwo(log);
  for (int i = 0; i < 40; ++i) Fire(log, 1, log.now(), fmt::format("outcome{}", i));
  const TriggerRow row = Row(log, 1);
  EXPECT_EQ(row.outcomes.size(), kMaxTriggerOutcomes + 1);
  uint64_t sum = 0;
  for (const OutcomeCount& one : row.outcomes) sum += one.count;
  EXPECT_EQ(sum, 40u);
}

TEST(TriggersView, FollowsItsState) {
  ViewLog log;
  AddTwo(log);
  log.Wait(kHour);
  log.Register(model::TriggerStateChanged{TriggerId(1), "paused", "holidays"});
  EXPECT_EQ(Row(log, 1).state, model::TriggerState::kPaused);
  EXPECT_EQ(Row(log, 1).reason, "holidays");
  EXPECT_EQ(Row(log, 1).since, TimeUs(ViewLog::kBegin));
  log.Wait(kHour);
  log.Register(model::TriggerStateChanged{TriggerId(1), "active", ""});
  EXPECT_EQ(Row(log, 1).since, TimeUs(ViewLog::kBegin + 2 * kHour));
  EXPECT_EQ(Row(log, 1).registered, TimeUs(ViewLog::kBegin));
}

std::vector<uint32_t> Numbers(const TriggerPage& page) {
  std::vector<uint32_t> numbers;
  for (const TriggerRow& row : page.triggers) numbers.push_back(row.trigger.value);
  return numbers;
}

TEST(TriggersList, FiltersAndPages) {
  ViewLog log;
  AddTwo(log);
  for (uint32_t i = 3; i <= 8; ++i)
    log.Register(model::TriggerRegistered{TriggerId(i), "two", "manual", std::string(kByHand)});
  log.Register(model::TriggerStateChanged{TriggerId(4), "removed", "gone"});
  const auto view = BuiltView::Of<TriggersView>(log, 2);
  const ViewReader reader = view->Read();
  EXPECT_THAT(Numbers(*ListTriggers(reader, {}, 100)), ElementsAre(1, 2, 3, 5, 6, 7, 8));
  EXPECT_THAT(Numbers(*ListTriggers(reader, {.removed = true}, 100)),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
  EXPECT_THAT(Numbers(*ListTriggers(reader, {.state = model::TriggerState::kRemoved}, 100)),
              ElementsAre(4));
  EXPECT_THAT(Numbers(*ListTriggers(reader, {.kind = "schedule"}, 100)), ElementsAre(1));
  const TriggerFilter of_two{.definition = "two"};
  const auto first = ListTriggers(reader, of_two, 3);
  EXPECT_THAT(Numbers(*first), ElementsAre(1, 3, 5));
  const auto second = ListTriggers(reader, of_two, 3, first->next);
  EXPECT_THAT(Numbers(*second), ElementsAre(6, 7, 8));
  EXPECT_EQ(second->next, TriggerId());
}

// As the engine's triggers tell it.
std::optional<TimeUs> Next(const TriggerRow& row, TimeUs now) {
  const auto next = triggers::NextFiringOf(
      {row.trigger, row.definition, row.kind, row.config, row.state, row.since, row.last_scheduled},
      now);
  if (!next.has_value()) return std::nullopt;
  return TimeUs(next->scheduled_us);
}

TEST(TriggersList, TellsWhenAScheduleFiresNext) {
  ViewLog log;
  AddTwo(log);
  const TimeUs noon(ViewLog::kBegin + 12 * kHour);
  EXPECT_EQ(Next(Row(log, 1), log.now()), noon);
  EXPECT_EQ(Next(Row(log, 1), noon), noon.Plus(24 * kHour));
  Fire(log, 1, noon, "start");
  EXPECT_EQ(Next(Row(log, 1), log.now()), noon.Plus(24 * kHour)) << "that one has been fired";
  EXPECT_EQ(Next(Row(log, 2), log.now()), std::nullopt) << "it has no schedule";
  const Object json =
      ToJson(Row(log, 1), [&](const TriggerRow& row) { return Next(row, log.now()); });
  EXPECT_EQ(json.Find("next")->as_int(), noon.Plus(24 * kHour).value);
  EXPECT_EQ(json.Find("outcomes")->Find("start")->as_int(), 1);
  EXPECT_EQ(json.Find("config")->Find("cron")->as_string(), "0 12 * * *");
  log.Register(model::TriggerStateChanged{TriggerId(1), "paused", ""});
  EXPECT_EQ(Next(Row(log, 1), log.now()), std::nullopt);
}

TEST(TriggersView, IsTheSameHoweverTheLogIsCutIntoBatches) {
  BusyLog busy;
  busy.Run(1'000);
  ExpectTheSameInAllBatches<TriggersView>(busy.log, 4);
}

}  // namespace
}  // namespace stele::projections
