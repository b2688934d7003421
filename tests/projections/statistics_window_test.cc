// Statistics of a stretch of time: which slots it is made of, how long they are kept.
#include <gtest/gtest.h>

#include "projections/views/read_statistics.h"
#include "projections/views/statistics.h"
#include "tests/projections/view_log.h"

namespace stele::projections {
namespace {

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

TEST(StatisticsWindow, CountsWhatHappenedInIt) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 0; i < 120; ++i) {
    RunTwo(log, two, 10 * kSecond, 10 * kSecond);
    log.Wait(40 * kSecond);
  }
  const TimeUs from(ViewLog::kBegin + 30 * kMinute);
  const Statistics found =
      Of(log, {.definition = "two", .from = from, .to = from.Plus(45 * kMinute)});
  EXPECT_EQ(found.resolution, Resolution::kMinute);
  EXPECT_EQ(found.from, from);
  EXPECT_EQ(found.to, from.Plus(45 * kMinute));
  EXPECT_EQ(found.counts.started, 45u);
  EXPECT_EQ(found.counts.completed, 45u);
  EXPECT_DOUBLE_EQ(found.throughput_per_minute(), 1);
  EXPECT_EQ(found.counts.durations.Average(), 20 * kSecond);
  EXPECT_EQ(found.steps_from, TimeUs(ViewLog::kBegin)) << "steps are counted by days";
  EXPECT_EQ(found.steps_to, TimeUs(ViewLog::kBegin + kDay));
  EXPECT_EQ(Step(found, "a").counts.completed, 120u);
}

TEST(StatisticsWindow, OfASeriesBeginsWithTheFirstStart) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.Wait(2 * kHour + 90 * kSecond);
  RunTwo(log, two, kHour, kSecond);
  const auto view = BuiltView::Of<StatisticsView>(log);
  const auto hours = *ReadSeries(view->Read(), {.definition = "two"}, Resolution::kHour);
  EXPECT_EQ(hours.from, TimeUs(ViewLog::kBegin + 2 * kHour));
  EXPECT_EQ(hours.to, TimeUs(ViewLog::kBegin + 4 * kHour));
  const auto all = *ReadSeries(view->Read(), {.definition = ""}, Resolution::kMinute);
  EXPECT_EQ(all.from, TimeUs(ViewLog::kBegin + 2 * kHour + kMinute));
  const TimeUs later(ViewLog::kBegin + 3 * kHour);
  EXPECT_EQ(ReadSeries(view->Read(), {.definition = "two", .from = later}, Resolution::kHour)->from,
            later);
  EXPECT_EQ(ReadSeries(view->Read(), {.definition = "none", .from = later}, Resolution::kHour)
                .error()
                .code,
            ErrorCode::kUnknownDefinition);
}

TEST(StatisticsWindow, IsWidenedToWholeMinutes) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  RunTwo(log, two, 10 * kSecond, 10 * kSecond);
  const TimeUs from(ViewLog::kBegin + 15 * kSecond);
  const Statistics found = Of(log, {.definition = "two", .from = from, .to = from.Plus(1)});
  EXPECT_EQ(found.from, TimeUs(ViewLog::kBegin));
  EXPECT_EQ(found.to, TimeUs(ViewLog::kBegin + kMinute));
  EXPECT_EQ(found.counts.completed, 1u);
}

TEST(StatisticsWindow, TakesHoursAndDaysWhereMinutesAreGone) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int hour = 0; hour < 500 * 24; hour += 6) {
    log.SetTime(TimeUs(ViewLog::kBegin + hour * kHour));
    log.Do(log.Start(two), model::CancelInstance{});
  }
  const TimeUs last = log.now();
  const auto started = [&](TimeUs from) {
    const Statistics found = Of(log, {.definition = "two", .from = from});
    return std::pair(*found.resolution, found.counts.started);
  };
  EXPECT_EQ(started(last.Plus(-5 * kHour)), std::pair(Resolution::kMinute, uint64_t{1}));
  EXPECT_EQ(started(last.Plus(-12 * kHour)), std::pair(Resolution::kHour, uint64_t{3}));
  EXPECT_EQ(started(last.Plus(-13 * kDay)), std::pair(Resolution::kHour, uint64_t{13 * 4 + 1}));
  EXPECT_EQ(started(last.Plus(-30 * kDay - 18 * kHour)),
            std::pair(Resolution::kDay, uint64_t{31 * 4}));
  const Statistics all = Of(log, {.definition = "two", .from = TimeUs(1)});
  EXPECT_EQ(all.counts.started, 400u * 4) << "no more days are kept";
  EXPECT_EQ(all.from, TimeUs(ViewLog::kBegin + 100 * kDay)) << "and the answer says so";
  EXPECT_EQ(Of(log, {.definition = "two"}).counts.started, 2000u);
}

TEST(StatisticsWindow, EndsAtTheMinuteWhereMinutesAreKeptThoughItBeginsLongBefore) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  log.SetTime(TimeUs(ViewLog::kBegin + 40 * kDay + 3 * kHour + 10 * kMinute));
  const TimeUs early = log.now();
  log.Do(log.Start(two), model::CancelInstance{});
  log.SetTime(early.Plus(10 * kHour));
  for (int i = 0; i < 30; ++i) {
    log.Wait(kMinute);
    log.Do(log.Start(two), model::CancelInstance{});
  }
  const TimeUs to = log.now().Plus(-10 * kMinute);
  const Statistics all = Of(log, {.definition = "two", .to = to});
  EXPECT_EQ(all.counts.started, 1u + 19u) << "not what came behind it";
  EXPECT_EQ(all.to, to);
  EXPECT_EQ(all.from, early) << "not before anything was";
  EXPECT_EQ(all.resolution, Resolution::kDay);
  const Statistics hours =
      Of(log, {.definition = "two", .from = early.Plus(2 * kHour), .to = to.Plus(-kMinute)});
  EXPECT_EQ(hours.counts.started, 18u);
  EXPECT_EQ(hours.resolution, Resolution::kHour);
  const Statistics none = Of(log, {.definition = "two", .to = TimeUs(ViewLog::kBegin)});
  EXPECT_EQ(none.counts.started, 0u);
  EXPECT_EQ(none.from, none.to);
}

TEST(StatisticsWindow, EndsAtTheDayWhereNothingFinerIsKept) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  const TimeUs begin(ViewLog::kBegin + 2 * kHour);
  log.SetTime(begin);
  log.Do(log.Start(two), model::CancelInstance{});
  log.SetTime(begin.Plus(6 * kHour));
  log.Do(log.Start(two), model::CancelInstance{});
  log.SetTime(begin.Plus(60 * kDay));
  log.Do(log.Start(two), model::CancelInstance{});
  const Statistics found = Of(log, {.definition = "two", .to = begin.Plus(kHour)});
  EXPECT_EQ(found.counts.started, 2u);
  EXPECT_EQ(found.to, TimeUs(ViewLog::kBegin + kDay)) << "and the answer says so";
  EXPECT_EQ(Of(log, {.definition = "two", .to = begin.Plus(59 * kDay)}).counts.started, 2u);
  EXPECT_EQ(Of(log, {.definition = "two", .to = begin.Plus(90 * kDay)}).to,
            begin.Plus(60 * kDay + kMinute))
      << "not behind what was last";
}

TEST(StatisticsWindow, KeepsNoMoreSlotsThanItSays) {
  ViewLog log;
  const DefinitionId two = log.Define(kTwo);
  for (int i = 0; i < 1'500; ++i) {
    log.Wait(kMinute);
    log.Do(log.Start(two), model::CancelInstance{});
  }
  const auto view = BuiltView::Of<StatisticsView>(log);
  const ViewReader reader = view->Read();
  size_t minutes = 0;
  KeyCursor keys = reader.Keys(SlotsPrefix(Resolution::kMinute, "two"));
  for (; keys.valid(); keys.Next()) ++minutes;
  EXPECT_EQ(minutes, 360u);
  const auto series = ReadSeries(reader, {.definition = "two"}, Resolution::kMinute);
  ASSERT_TRUE(series.has_value());
  ASSERT_EQ(series->points.size(), 360u);
  EXPECT_EQ(series->points.front().from, log.now().Plus(-359 * kMinute));
  EXPECT_EQ(series->points.back().from, log.now());
}

TEST(StatisticsWindow, IsRefusedWhereItHasNoMeaning) {
  ViewLog log;
  log.Define(kTwo);
  const auto view = BuiltView::Of<StatisticsView>(log);
  const ViewReader reader = view->Read();
  const auto code = [&](const StatisticsScope& scope) {
    return ReadStatistics(reader, scope).error().code;
  };
  EXPECT_EQ(code({.definition = "tow"}), ErrorCode::kUnknownDefinition);
  EXPECT_EQ(code({.definition = "two", .version = 2}), ErrorCode::kUnknownDefinition);
  EXPECT_EQ(code({.definition = "two", .version = 1, .from = TimeUs(1)}), ErrorCode::kInvalidInput);
  EXPECT_EQ(code({.definition = "two", .from = TimeUs(5), .to = TimeUs(5)}),
            ErrorCode::kInvalidInput);
  EXPECT_NE(ReadStatistics(reader, {.from = TimeUs(kDay), .to = TimeUs(kHour)})
                .error()
                .message.find("found 1970-01-02T00:00:00Z to 1970-01-01T01:00:00Z"),
            std::string::npos);
  EXPECT_EQ(ReadSeries(reader, {.definition = "tow"}, Resolution::kDay).error().code,
            ErrorCode::kUnknownDefinition);
}

}  // namespace
}  // namespace stele::projections
