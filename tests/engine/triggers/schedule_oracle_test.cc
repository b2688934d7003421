// Schedules against the second opinion of schedule_oracle.h, over zones and years with every kind
// of change. STELE_LONG_TESTS=N multiplies the expressions of each stretch by N.
#include "tests/engine/triggers/schedule_oracle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "engine/triggers/schedule.h"

namespace stele::triggers {
namespace {

struct Stretch {
  const char* zone;
  int from_year;
  int to_year;  // exclusive
};

constexpr Stretch kStretches[] = {
    {"Europe/Berlin", 2026, 2028},
    {"Europe/Berlin", 2040, 2041},  // beyond what the zone's file lists
    {"Europe/Dublin", 2026, 2027},  // summer is its standard time
    {"America/New_York", 2006, 2008},
    {"America/New_York", 2061, 2062},
    {"Australia/Lord_Howe", 2026, 2028},  // half an hour
    {"Australia/Lord_Howe", 2045, 2046},
    {"Asia/Kathmandu", 1985, 1987},     // a quarter of an hour, once
    {"Africa/Casablanca", 2025, 2027},  // the clock changes around Ramadan
    {"Pacific/Apia", 2011, 2013},       // no 30 December 2011
    {"America/Sao_Paulo", 2017, 2019},  // a midnight that does not exist
    {"Asia/Shanghai", 1986, 1988},
    {"Africa/Cairo", 2010, 2011},  // four changes in a year
    {"Africa/Cairo", 2024, 2025},
    {"Antarctica/Troll", 2026, 2028},  // two hours
    {"Antarctica/Troll", 2050, 2051},
    {"America/Nuuk", 2040, 2041},  // a rule with a negative time of day
    {"UTC", 2024, 2025},
};

int Factor() {
  const char* factor = std::getenv("STELE_LONG_TESTS");
  return factor == nullptr ? 1 : std::max(1, std::atoi(factor));
}

int64_t YearBegins(int year) {
  return std::chrono::sys_days(std::chrono::year(year) / 1 / 1).time_since_epoch().count() * 86'400;
}

Schedule Made(const OracleCron& cron, const std::string& zone) {
  const auto parsed = Cron::Parse(cron.text);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return Schedule(*parsed, {.zone = *TimeZone::Find(zone)});
}

// Both lists, or where they part.
void ExpectSame(const std::vector<int64_t>& expected, const Schedule& schedule, int64_t from_s,
                int64_t to_s, const std::string& what) {
  int64_t after_us = from_s * 1'000'000 - 1;
  for (const int64_t moment : expected) {
    const auto firing = schedule.NextFiring(after_us);
    ASSERT_TRUE(firing.has_value()) << what << ": none after " << after_us;
    ASSERT_EQ(firing->scheduled_us, moment * 1'000'000) << what << ": after " << after_us;
    after_us = firing->scheduled_us;
  }
  const auto firing = schedule.NextFiring(after_us);
  if (firing) {
    ASSERT_GE(firing->scheduled_us, to_s * 1'000'000) << what << ": one too many";
  }
}

// Expressions whose days never come are refused by Parse, which other tests look at.
OracleCron MakeFiring(std::mt19937_64& random, bool with_seconds) {
  while (true) {
    OracleCron cron = MakeOracleCron(random, with_seconds);
    if (Cron::Parse(cron.text)) return cron;
  }
}

TEST(ScheduleOracle, AgreesMinuteByMinuteOverYears) {
  std::mt19937_64 random(20260101);
  size_t firings = 0;
  for (const Stretch& stretch : kStretches) {
    const int64_t from_s = YearBegins(stretch.from_year);
    const int64_t to_s = YearBegins(stretch.to_year);
    const OracleClock clock = WalkClock(stretch.zone, from_s, to_s, 60);
    for (int i = 0; i < 15 * Factor(); ++i) {
      const OracleCron cron = MakeFiring(random, false);
      const Schedule schedule = Made(cron, stretch.zone);
      const auto expected = OracleFirings(cron, clock);
      firings += expected.size();
      ExpectSame(expected, schedule, from_s, to_s, std::string(stretch.zone) + " " + cron.text);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(firings, 100'000u);
}

// Crons made to hit the changes: every day, few hours.
TEST(ScheduleOracle, AgreesWhereTheClockJumps) {
  std::mt19937_64 random(42);
  const auto every_day = [](int, int, int) { return true; };
  for (const Stretch& stretch : kStretches) {
    const int64_t from_s = YearBegins(stretch.from_year);
    const int64_t to_s = YearBegins(stretch.to_year);
    const OracleClock clock = WalkClock(stretch.zone, from_s, to_s, 60);
    for (int i = 0; i < 10 * Factor(); ++i) {
      OracleCron cron{.day_matches = every_day};
      for (int month = 1; month <= 12; ++month) cron.months.insert(month);
      const int first = static_cast<int>(random() % 60);
      cron.minutes = {first};
      std::string minutes = std::to_string(first);
      if (random() % 2 == 0) {
        cron.minutes = {0, 15, 30, 45};
        minutes = "*/15";
      }
      std::string hours = "*";
      for (int hour = 0; hour < 24; ++hour) cron.hours.insert(hour);
      if (random() % 3 != 0) {
        const int hour = static_cast<int>(random() % 5);
        cron.hours = {hour, 23};
        hours = std::to_string(hour) + ",23";
      }
      cron.text = minutes + " " + hours + " * * *";
      ExpectSame(OracleFirings(cron, clock), Made(cron, stretch.zone), from_s, to_s,
                 std::string(stretch.zone) + " " + cron.text);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ScheduleOracle, AgreesSecondBySecondAroundChanges) {
  struct Change {
    const char* zone;
    int64_t at_s;
  };
  constexpr Change kChanges[] = {
      {"Europe/Berlin", 1774746000},        // 2026-03-29T01:00:00Z, forward
      {"Europe/Berlin", 1792890000},        // 2026-10-25T01:00:00Z, back
      {"Australia/Lord_Howe", 1775314800},  // 2026-04-04T15:00:00Z, back by half an hour
      {"Pacific/Apia", 1325239200},         // 2011-12-30T10:00:00Z, over a day
      {"America/Sao_Paulo", 1541300400},    // 2018-11-04T03:00:00Z, at midnight
      {"Asia/Kathmandu", 504901800},        // 1985-12-31T18:30:00Z
  };
  std::mt19937_64 random(7);
  for (const Change& change : kChanges) {
    const int64_t from_s = change.at_s - 86'400;
    const int64_t to_s = change.at_s + 86'400;
    const OracleClock clock = WalkClock(change.zone, from_s, to_s, 1);
    ASSERT_NE(clock.local_s.front() - from_s, clock.local_s.back() - (to_s - 1)) << change.zone;
    for (int i = 0; i < 25 * Factor(); ++i) {
      const OracleCron cron = MakeFiring(random, true);
      ExpectSame(OracleFirings(cron, clock), Made(cron, change.zone), from_s, to_s,
                 std::string(change.zone) + " " + cron.text);
      if (HasFatalFailure()) return;
    }
  }
}

TEST(ScheduleOracle, AgreesFromAnyMoment) {
  std::mt19937_64 random(99);
  for (const Stretch& stretch : kStretches) {
    const int64_t from_s = YearBegins(stretch.from_year);
    const int64_t to_s = YearBegins(stretch.to_year);
    const OracleClock clock = WalkClock(stretch.zone, from_s, to_s, 60);
    for (int i = 0; i < 4 * Factor(); ++i) {
      const OracleCron cron = MakeFiring(random, false);
      const Schedule schedule = Made(cron, stretch.zone);
      const auto expected = OracleFirings(cron, clock);
      for (int probe = 0; probe < 200; ++probe) {
        const int64_t after = from_s + static_cast<int64_t>(random() % (to_s - from_s));
        const auto next = std::ranges::upper_bound(expected, after);
        if (next == expected.end()) continue;
        const auto firing = schedule.NextFiring(after * 1'000'000);
        ASSERT_TRUE(firing.has_value()) << stretch.zone << " " << cron.text << " after " << after;
        ASSERT_EQ(firing->scheduled_us, *next * 1'000'000)
            << stretch.zone << " " << cron.text << " after " << after;
      }
    }
  }
}

// The calendar alone, backwards: what Next has listed, Previous lists in reverse.
TEST(ScheduleOracle, FindsTheSameBackwards) {
  std::mt19937_64 random(5);
  for (int i = 0; i < 100 * Factor(); ++i) {
    const OracleCron made = MakeFiring(random, i % 2 == 0);
    const Cron cron = *Cron::Parse(made.text);
    std::vector<int64_t> forward;
    int64_t at = YearBegins(2026);
    for (auto next = cron.Next(at); next && forward.size() < 200; next = cron.Next(*next))
      forward.push_back(*next);
    ASSERT_EQ(forward.size(), 200u) << made.text;
    for (size_t k = forward.size() - 1; k > 0; --k)
      ASSERT_EQ(cron.Previous(forward[k]), forward[k - 1]) << made.text;
    ASSERT_EQ(*Cron::Parse(cron.ToText()), cron) << made.text << " as " << cron.ToText();
  }
}

}  // namespace
}  // namespace stele::triggers
