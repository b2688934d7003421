// Which days and times match, on a clock without zone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <vector>

#include "engine/triggers/cron.h"

namespace stele::triggers {
namespace {

using testing::ElementsAre;

int64_t At(int year, int month, int day, int hour = 0, int minute = 0, int second = 0) {
  const std::chrono::local_days days(std::chrono::year(year) / month / day);
  return days.time_since_epoch().count() * 86'400 + hour * 3600 + minute * 60 + second;
}

std::string Text(std::optional<int64_t> local_s) {
  if (!local_s) return "never";
  const std::chrono::local_seconds at{std::chrono::seconds(*local_s)};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(at - day);
  char text[64];
  snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d", static_cast<int>(date.year()),
           static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
           static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
           static_cast<int>(time.seconds().count()));
  return text;
}

Cron Parsed(std::string_view text) {
  auto cron = Cron::Parse(text);
  EXPECT_TRUE(cron.has_value()) << cron.error().message;
  return *cron;
}

// The first `count` days that match from the start of a year on.
std::vector<std::string> Days(std::string_view text, int year, size_t count) {
  const Cron cron = Parsed(text);
  std::vector<std::string> days;
  std::optional<int64_t> at = At(year, 1, 1) - 1;
  while (days.size() < count && (at = cron.Next(*at))) days.push_back(Text(at).substr(0, 10));
  return days;
}

TEST(CronCalendar, IsStrictlyAfterAndStrictlyBefore) {
  const Cron cron = Parsed("30 2 * * *");
  EXPECT_EQ(Text(cron.Next(At(2026, 5, 1, 2, 29, 59))), "2026-05-01 02:30:00");
  EXPECT_EQ(Text(cron.Next(At(2026, 5, 1, 2, 30, 0))), "2026-05-02 02:30:00");
  EXPECT_EQ(Text(cron.Previous(At(2026, 5, 1, 2, 30, 1))), "2026-05-01 02:30:00");
  EXPECT_EQ(Text(cron.Previous(At(2026, 5, 1, 2, 30, 0))), "2026-04-30 02:30:00");
}

TEST(CronCalendar, CarriesFromSecondsToYears) {
  const Cron cron = Parsed("59 59 23 31 12 *");
  EXPECT_EQ(Text(cron.Next(At(2026, 12, 31, 23, 59, 59))), "2027-12-31 23:59:59");
  const Cron every = Parsed("* * * * * *");
  EXPECT_EQ(Text(every.Next(At(2026, 12, 31, 23, 59, 59))), "2027-01-01 00:00:00");
  EXPECT_EQ(Text(every.Previous(At(2027, 1, 1))), "2026-12-31 23:59:59");
}

TEST(CronCalendar, WorksBeforeTheEpoch) {
  EXPECT_EQ(Text(Parsed("0 12 * * *").Next(At(1969, 12, 31, 11))), "1969-12-31 12:00:00");
  EXPECT_EQ(Text(Parsed("0 12 * * *").Previous(At(1970, 1, 1))), "1969-12-31 12:00:00");
  EXPECT_EQ(Text(Parsed("0 12 29 2 *").Previous(At(1904, 2, 29))), "1896-02-29 12:00:00");
}

TEST(CronCalendar, MatchesEitherDayFieldWhenBothRestrict) {
  EXPECT_THAT(Days("0 0 13 * FRI", 2026, 4),
              ElementsAre("2026-01-02", "2026-01-09", "2026-01-13", "2026-01-16"));
}

TEST(CronCalendar, WantsBothDayFieldsWhenOneBeginsWithAStar) {
  EXPECT_THAT(Days("0 0 */2 * MON", 2026, 3),
              ElementsAre("2026-01-05", "2026-01-19", "2026-02-09"));
  EXPECT_THAT(Days("0 0 ? * MON", 2026, 2), ElementsAre("2026-01-05", "2026-01-12"));
  EXPECT_THAT(Days("0 0 13 * ?", 2026, 2), ElementsAre("2026-01-13", "2026-02-13"));
}

TEST(CronCalendar, FindsTheLastDays) {
  EXPECT_THAT(Days("0 0 L * *", 2028, 3), ElementsAre("2028-01-31", "2028-02-29", "2028-03-31"));
  EXPECT_THAT(Days("0 0 L-3 2 *", 2027, 2), ElementsAre("2027-02-25", "2028-02-26"));
  // 31 January 2026 is a Saturday, 31 May a Sunday.
  EXPECT_THAT(Days("0 0 LW * *", 2026, 5),
              ElementsAre("2026-01-30", "2026-02-27", "2026-03-31", "2026-04-30", "2026-05-29"));
  EXPECT_THAT(Days("0 0 * * FRIL", 2026, 2), ElementsAre("2026-01-30", "2026-02-27"));
}

TEST(CronCalendar, FindsTheNthWeekday) {
  EXPECT_THAT(Days("0 0 * * FRI#2", 2026, 2), ElementsAre("2026-01-09", "2026-02-13"));
  EXPECT_THAT(Days("0 0 * * THU#5", 2026, 2), ElementsAre("2026-01-29", "2026-04-30"));
}

TEST(CronCalendar, FindsTheNearestWeekdayWithinTheMonth) {
  // 15 August 2026 is a Saturday, 15 February a Sunday.
  EXPECT_THAT(Days("0 0 15W 2,8 *", 2026, 2), ElementsAre("2026-02-16", "2026-08-14"));
  // 1 August 2026 is a Saturday: back would be July. 31 May 2026 is a Sunday: on would be June.
  EXPECT_THAT(Days("0 0 1W 8 *", 2026, 1), ElementsAre("2026-08-03"));
  EXPECT_THAT(Days("0 0 31W 5 *", 2026, 1), ElementsAre("2026-05-29"));
  // A month without a 31st has no day nearest to it.
  EXPECT_THAT(Days("0 0 31W * *", 2026, 2), ElementsAre("2026-01-30", "2026-03-31"));
}

TEST(CronCalendar, CrossesDecadesForRareDays) {
  EXPECT_THAT(Days("0 0 29 2 *", 1897, 2), ElementsAre("1904-02-29", "1908-02-29"));
  // 29 February as a fifth Monday: every 28 years, but for centuries without a leap year.
  EXPECT_THAT(Days("0 0 * 2 MON#5", 2026, 3),
              ElementsAre("2044-02-29", "2072-02-29", "2112-02-29"));
}

TEST(CronCalendar, EndsWithTheYears) {
  EXPECT_EQ(Text(Parsed("@yearly").Next(At(9999, 1, 1))), "never");
  EXPECT_EQ(Text(Parsed("@yearly").Next(INT64_MAX)), "never");
  EXPECT_EQ(Text(Parsed("@yearly").Previous(INT64_MIN)), "never");
  EXPECT_EQ(Text(Parsed("@yearly").Previous(At(1, 1, 1))), "never");
}

TEST(CronCalendar, KnowsWhetherItNamesHours) {
  EXPECT_TRUE(Parsed("30 2 * * *").names_hours());
  EXPECT_TRUE(Parsed("* 2 * * *").names_hours());
  EXPECT_TRUE(Parsed("0 */2 * * *").names_hours());
  EXPECT_FALSE(Parsed("*/15 * * * *").names_hours());
  EXPECT_FALSE(Parsed("0 0-23 * * MON").names_hours());
}

}  // namespace
}  // namespace stele::triggers
