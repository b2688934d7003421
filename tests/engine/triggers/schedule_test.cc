// Worked examples of what docs/triggers.md says about schedules.
#include "engine/triggers/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>
#include <set>

namespace stele::triggers {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr int64_t kSecond = 1'000'000;

int64_t Us(const char* utc) {
  tm date{};
  const char* end = strptime(utc, "%Y-%m-%dT%H:%M:%SZ", &date);
  EXPECT_TRUE(end != nullptr && *end == '\0') << utc;
  return static_cast<int64_t>(timegm(&date)) * kSecond;
}

std::string Text(int64_t us) {
  const time_t at = static_cast<time_t>(us / kSecond);
  tm date{};
  gmtime_r(&at, &date);
  char text[32];
  strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &date);
  return text;
}

Schedule Made(std::string_view cron, std::string_view zone, ScheduleOptions options = {}) {
  options.zone = *TimeZone::Find(zone);
  return Schedule(*Cron::Parse(cron), std::move(options));
}

std::vector<std::string> Between(const Schedule& schedule, const char* from, const char* to) {
  std::vector<std::string> texts;
  for (const Firing& firing : schedule.Firings(Us(from), Us(to)))
    texts.push_back(Text(firing.scheduled_us));
  return texts;
}

TEST(Schedule, FiresOnceAfterAnHourThatDoesNotExist) {
  // 2026-03-29: 02:00 becomes 03:00 in Berlin, at 01:00 UTC.
  EXPECT_THAT(
      Between(Made("30 2 * * *", "Europe/Berlin"), "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z"),
      ElementsAre("2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"));
  EXPECT_THAT(Between(Made("*/10 2 * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z",
                      "2026-03-29T12:00:00Z"),
              ElementsAre("2026-03-29T01:00:00Z"));
}

TEST(Schedule, FiresOnceWhenAnHourComesTwice) {
  // 2026-10-25: 03:00 becomes 02:00 in Berlin, at 01:00 UTC.
  EXPECT_THAT(
      Between(Made("30 2 * * *", "Europe/Berlin"), "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z"),
      ElementsAre("2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"));
}

TEST(Schedule, FollowsElapsedTimeWhenEveryHourMatches) {
  EXPECT_THAT(
      Between(Made("0 * * * *", "Europe/Berlin"), "2026-10-24T23:00:00Z", "2026-10-25T04:00:00Z"),
      ElementsAre("2026-10-24T23:00:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z",
                  "2026-10-25T02:00:00Z", "2026-10-25T03:00:00Z"));
  EXPECT_THAT(
      Between(Made("7 * * * *", "Europe/Berlin"), "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z"),
      ElementsAre("2026-03-29T00:07:00Z", "2026-03-29T01:07:00Z", "2026-03-29T02:07:00Z"));
}

TEST(Schedule, KeepsAnHourlyFiringThatHalfAnHourSwallows) {
  // 2026-10-04: 02:00 becomes 02:30 on Lord Howe, at 15:30 UTC of the day before.
  EXPECT_THAT(Between(Made("15 * * * *", "Australia/Lord_Howe"), "2026-10-03T14:00:00Z",
                      "2026-10-03T17:00:00Z"),
              ElementsAre("2026-10-03T14:45:00Z", "2026-10-03T15:45:00Z", "2026-10-03T16:15:00Z"));
}

TEST(Schedule, KeepsADayThatDoesNotExist) {
  // Apia went from 29 to 31 December 2011 at 10:00 UTC.
  EXPECT_THAT(
      Between(Made("0 9 * * *", "Pacific/Apia"), "2011-12-29T12:00:00Z", "2012-01-01T00:00:00Z"),
      ElementsAre("2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z",
                  "2011-12-31T19:00:00Z"));
}

TEST(Schedule, FiresAfterAMidnightThatDoesNotExist) {
  EXPECT_THAT(
      Between(Made("@daily", "America/Sao_Paulo"), "2018-11-03T00:00:00Z", "2018-11-06T00:00:00Z"),
      ElementsAre("2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"));
}

TEST(Schedule, ReachesRareDaysBeyondTheListOfItsZone) {
  const Schedule rare = Made("0 9 * 2 MON#5", "Europe/Berlin");
  const auto first = rare.NextFiring(Us("2026-01-01T00:00:00Z"));
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(Text(first->scheduled_us), "2044-02-29T08:00:00Z");
  EXPECT_EQ(
      Text(Made("0 9 1 7 *", "Europe/Berlin").NextFiring(Us("2044-02-29T08:00:00Z"))->scheduled_us),
      "2044-07-01T07:00:00Z");
}

TEST(Schedule, StaysBetweenStartAndEnd) {
  const Schedule schedule =
      Made("0 * * * *", "UTC",
           {.start_us = Us("2026-01-01T02:00:00Z"), .end_us = Us("2026-01-01T04:00:00Z")});
  EXPECT_THAT(Between(schedule, "2025-01-01T00:00:00Z", "2027-01-01T00:00:00Z"),
              ElementsAre("2026-01-01T02:00:00Z", "2026-01-01T03:00:00Z"));
  EXPECT_FALSE(schedule.NextFiring(Us("2026-01-01T03:00:00Z")).has_value());
}

TEST(Schedule, CountsElapsedTimeFromItsStart) {
  const Schedule from_start =
      Made("@every 90s", "Europe/Berlin", {.start_us = Us("2026-03-29T00:59:10Z")});
  EXPECT_THAT(Between(from_start, "2026-03-01T00:00:00Z", "2026-03-29T01:03:00Z"),
              ElementsAre("2026-03-29T00:59:10Z", "2026-03-29T01:00:40Z", "2026-03-29T01:02:10Z"));
  EXPECT_THAT(Between(Made("@every 10h", "UTC"), "1969-12-31T12:00:00Z", "1970-01-01T12:00:00Z"),
              ElementsAre("1969-12-31T14:00:00Z", "1970-01-01T00:00:00Z", "1970-01-01T10:00:00Z"));
}

TEST(Schedule, IsStrictlyAfterToTheMicrosecond) {
  const Schedule schedule = Made("* * * * * *", "UTC");
  EXPECT_EQ(schedule.NextFiring(999'999)->scheduled_us, 1'000'000);
  EXPECT_EQ(schedule.NextFiring(1'000'000)->scheduled_us, 2'000'000);
  EXPECT_EQ(schedule.NextFiring(-1)->scheduled_us, 0);
}

TEST(Schedule, DelaysByAHashThatNeverChanges) {
  const ScheduleOptions options{.jitter_us = 10 * kSecond, .identity = "orders/nightly"};
  const Schedule schedule = Made("* * * * *", "UTC", options);
  const auto firings = schedule.Firings(0, 600 * kSecond);
  ASSERT_EQ(firings.size(), 10u);
  std::set<int64_t> delays;
  for (const Firing& firing : firings) {
    const int64_t delay = firing.due_us - firing.scheduled_us;
    EXPECT_GE(delay, 0);
    EXPECT_LE(delay, 10 * kSecond);
    delays.insert(delay);
  }
  EXPECT_GT(delays.size(), 8u);
  EXPECT_EQ(Made("* * * * *", "UTC", options).Firings(0, 600 * kSecond), firings);
  // A released delay stays what it was.
  EXPECT_EQ(firings[1].due_us - firings[1].scheduled_us, 5'232'261);
  ScheduleOptions other = options;
  other.identity = "orders/hourly";
  EXPECT_NE(Made("* * * * *", "UTC", other).Firings(0, 600 * kSecond), firings);
}

TEST(Schedule, SpreadsDelaysEvenly) {
  const Schedule schedule = Made("* * * * * *", "UTC", {.jitter_us = 9, .identity = "a"});
  int counts[10] = {};
  for (const Firing& firing : schedule.Firings(0, 10'000 * kSecond))
    ++counts[firing.due_us - firing.scheduled_us];
  for (const int count : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Schedule, ListsWhatAPauseHasLeftOut) {
  const Schedule schedule = Made("0 * * * *", "UTC");
  const auto at = [](int hour, int minute = 0) { return (hour * 3600 + minute * 60) * kSecond; };
  const auto scheduled = [](const Schedule::Missed& missed) {
    std::vector<int64_t> hours;
    for (const Firing& firing : missed.firings)
      hours.push_back(firing.scheduled_us / kSecond / 3600);
    return hours;
  };
  EXPECT_THAT(scheduled(schedule.MissedFirings(at(2), at(5), at(24))), ElementsAre(3, 4, 5));
  EXPECT_THAT(scheduled(schedule.MissedFirings(at(2), at(5, 30), at(1, 30))), ElementsAre(4, 5));
  EXPECT_THAT(scheduled(schedule.MissedFirings(at(2), at(5, 30), at(1, 29))), ElementsAre(5));
  EXPECT_THAT(scheduled(schedule.MissedFirings(at(5), at(5, 30), at(24))), IsEmpty());
  EXPECT_THAT(scheduled(schedule.MissedFirings(at(2), at(5, 30), 0)), IsEmpty());
}

TEST(Schedule, ListsNoMoreThanTheLimitAndSaysSo) {
  const Schedule schedule = Made("0 * * * *", "UTC");
  const auto missed = schedule.MissedFirings(0, 1000 * 3600 * kSecond, INT64_MAX, 3);
  EXPECT_EQ(missed.firings.size(), 3u);
  EXPECT_TRUE(missed.more);
  const auto rest =
      schedule.MissedFirings(missed.firings.back().scheduled_us, 6 * 3600 * kSecond, INT64_MAX, 3);
  EXPECT_EQ(rest.firings.size(), 3u);
  EXPECT_FALSE(rest.more);
  EXPECT_EQ(schedule.Firings(0, INT64_MAX).size(), kMaxFirings);
}

TEST(Schedule, EndsWithTheCalendar) {
  const Schedule schedule = Made("* * * * *", "Europe/Berlin");
  EXPECT_FALSE(schedule.NextFiring(INT64_MAX).has_value());
  EXPECT_TRUE(schedule.NextFiring(INT64_MIN).has_value());
  EXPECT_FALSE(Made("@every 1h", "UTC").NextFiring(INT64_MAX - 5).has_value());
}

}  // namespace
}  // namespace stele::triggers
