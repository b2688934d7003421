#include "tests/engine/triggers/schedule_oracle.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace stele::triggers {
namespace {

constexpr int kDay = 86'400;
const char* const kMonths[] = {"",    "JAN", "feb", "MAR", "APR", "MAY", "jun",
                               "JUL", "AUG", "SEP", "Oct", "NOV", "DEC"};
const char* const kWeekdays[] = {"SUN", "MON", "tue", "WED", "THU", "Fri", "SAT"};

int Pick(std::mt19937_64& random, int low, int high) {
  return low + static_cast<int>(random() % static_cast<uint64_t>(high - low + 1));
}

tm DateOf(int64_t local_s) {
  const time_t at = static_cast<time_t>(local_s);
  tm date{};
  gmtime_r(&at, &date);
  return date;
}

int64_t MidnightOf(int year, int month, int day) {
  tm date{};
  date.tm_year = year - 1900;
  date.tm_mon = month - 1;
  date.tm_mday = day;
  return timegm(&date);
}

int WeekdayOf(int year, int month, int day) {
  return DateOf(MidnightOf(year, month, day)).tm_wday;
}

int LengthOf(int year, int month) {
  for (int day = 28;; ++day)
    if (DateOf(MidnightOf(year, month, day) + kDay).tm_mon != month - 1) return day;
}

std::string ValueText(std::mt19937_64& random, int value, const char* const* names) {
  if (names != nullptr && Pick(random, 0, 2) == 0) return names[value];
  return std::to_string(value);
}

// An item of values; what it names goes into `values`.
std::string PlainItem(std::mt19937_64& random, int low, int high, const char* const* names,
                      std::set<int>& values) {
  const auto take = [&](int first, int last, int step) {
    for (int value = first; value <= last; value += step) values.insert(value);
  };
  const int first = Pick(random, low, high);
  const int last = Pick(random, first, high);
  const int step = Pick(random, 1, (high - low) / 2 + 1);
  switch (Pick(random, 0, 4)) {
    case 0:
      take(first, last, 1);
      return ValueText(random, first, names) + "-" + ValueText(random, last, names);
    case 1:
      take(first, last, step);
      return fmt::format("{}-{}/{}", first, last, step);
    case 2:
      take(first, high, step);
      return fmt::format("{}/{}", first, step);
    default:
      take(first, first, 1);
      return ValueText(random, first, names);
  }
}

std::string PlainField(std::mt19937_64& random, int low, int high, const char* const* names,
                       int percent_star, std::set<int>& values) {
  if (Pick(random, 1, 100) <= percent_star) {
    const int step = Pick(random, 0, 1) == 0 ? 1 : Pick(random, 1, (high - low) / 2 + 1);
    for (int value = low; value <= high; value += step) values.insert(value);
    return step == 1 ? "*" : fmt::format("*/{}", step);
  }
  std::string text;
  for (int items = Pick(random, 1, 3); items > 0; --items)
    text += (text.empty() ? "" : ",") + PlainItem(random, low, high, names, values);
  return text;
}

using DayTest = std::function<bool(int, int, int)>;

int LastWorkday(int year, int month) {
  int day = LengthOf(year, month);
  while (WeekdayOf(year, month, day) % 6 == 0) --day;
  return day;
}

// Looks one and two days away in both directions for the first that is in the month and works.
int NearestWorkday(int year, int month, int day) {
  const int length = LengthOf(year, month);
  for (const int away : {0, -1, 1, -2, 2}) {
    const int other = day + away;
    if (other >= 1 && other <= length && WeekdayOf(year, month, other) % 6 != 0) return other;
  }
  return 0;
}

std::string DayOfMonthItem(std::mt19937_64& random, std::vector<DayTest>& tests) {
  const int number = Pick(random, 1, 31);
  switch (Pick(random, 0, 7)) {
    case 0:
      tests.push_back([](int y, int m, int d) { return d == LengthOf(y, m); });
      return "L";
    case 1: {
      const int back = number % 28 + 1;
      tests.push_back([back](int y, int m, int d) { return d == LengthOf(y, m) - back; });
      return fmt::format("L-{}", back);
    }
    case 2:
      tests.push_back([](int y, int m, int d) { return d == LastWorkday(y, m); });
      return "LW";
    case 3:
      tests.push_back([number](int y, int m, int d) {
        return number <= LengthOf(y, m) && d == NearestWorkday(y, m, number);
      });
      return fmt::format("{}W", number);
    default: {
      std::set<int> values;
      std::string text = PlainItem(random, 1, 31, nullptr, values);
      tests.push_back([values](int, int, int d) { return values.contains(d); });
      return text;
    }
  }
}

std::string DayOfWeekItem(std::mt19937_64& random, std::vector<DayTest>& tests) {
  const int weekday = Pick(random, 0, 6);
  switch (Pick(random, 0, 5)) {
    case 0:
      tests.push_back([weekday](int y, int m, int d) {
        return WeekdayOf(y, m, d) == weekday && d + 7 > LengthOf(y, m);
      });
      return ValueText(random, weekday, kWeekdays) + "L";
    case 1: {
      const int number = Pick(random, 1, 5);
      tests.push_back([weekday, number](int y, int m, int d) {
        return WeekdayOf(y, m, d) == weekday && (d - 1) / 7 + 1 == number;
      });
      return fmt::format("{}#{}", ValueText(random, weekday, kWeekdays), number);
    }
    default: {
      std::set<int> values;
      std::string text = PlainItem(random, 0, 6, kWeekdays, values);
      tests.push_back(
          [values](int y, int m, int d) { return values.contains(WeekdayOf(y, m, d)); });
      return text;
    }
  }
}

// A day field: its text, whether it begins with a star, and what its items say.
struct DayField {
  std::string text;
  bool starred = false;
  std::vector<DayTest> tests;
  bool Matches(int year, int month, int day) const {
    for (const DayTest& test : tests)
      if (test(year, month, day)) return true;
    return false;
  }
};

DayField MakeDayField(std::mt19937_64& random, bool of_month) {
  DayField field;
  if (Pick(random, 0, 1) == 0) {
    const int step = Pick(random, 0, 2) == 0 ? Pick(random, 2, 3) : 1;
    field.starred = true;
    field.text = step > 1 ? fmt::format("*/{}", step) : Pick(random, 0, 1) == 0 ? "*" : "?";
    field.tests.push_back([step, of_month](int y, int m, int d) {
      return (of_month ? d - 1 : WeekdayOf(y, m, d)) % step == 0;
    });
    return field;
  }
  for (int items = Pick(random, 1, 3); items > 0; --items) {
    if (!field.text.empty()) field.text += ",";
    field.text +=
        of_month ? DayOfMonthItem(random, field.tests) : DayOfWeekItem(random, field.tests);
  }
  return field;
}

// Asks for each day once, however many of its seconds are asked about.
class DayCache {
 public:
  explicit DayCache(const OracleCron& cron) : cron_(cron) {}
  bool Matches(int64_t local_s) {
    const int64_t day = local_s / kDay;
    if (day != day_) {
      day_ = day;
      const tm date = DateOf(local_s);
      matches_ = cron_.months.contains(date.tm_mon + 1) &&
                 cron_.day_matches(date.tm_year + 1900, date.tm_mon + 1, date.tm_mday);
    }
    if (!matches_) return false;
    const int second = static_cast<int>(local_s % kDay);
    return cron_.hours.contains(second / 3600) && cron_.minutes.contains(second / 60 % 60) &&
           cron_.seconds.contains(second % 60);
  }

 private:
  const OracleCron& cron_;
  int64_t day_ = -1;
  bool matches_ = false;
};

}  // namespace

OracleCron MakeOracleCron(std::mt19937_64& random, bool with_seconds) {
  OracleCron cron;
  std::string text;
  if (with_seconds) {
    cron.seconds.clear();
    text = PlainField(random, 0, 59, nullptr, 20, cron.seconds) + " ";
  }
  text += PlainField(random, 0, 59, nullptr, 25, cron.minutes) + " ";
  text += PlainField(random, 0, 23, nullptr, 45, cron.hours) + " ";
  const DayField of_month = MakeDayField(random, true);
  const DayField of_week = MakeDayField(random, false);
  text += of_month.text + " ";
  text += PlainField(random, 1, 12, kMonths, 70, cron.months) + " ";
  text += of_week.text;
  cron.text = text;
  cron.day_matches = [of_month, of_week](int y, int m, int d) {
    const bool by_number = of_month.Matches(y, m, d);
    const bool by_weekday = of_week.Matches(y, m, d);
    if (!of_month.starred && !of_week.starred) return by_number || by_weekday;
    return by_number && by_weekday;
  };
  return cron;
}

OracleClock WalkClock(const std::string& zone, int64_t from_s, int64_t to_s, int64_t step_s) {
  setenv("TZ", (":" + zone).c_str(), 1);
  tzset();
  const auto offset_at = [](int64_t at) {
    const time_t moment = static_cast<time_t>(at);
    tm shown{};
    localtime_r(&moment, &shown);
    return shown.tm_gmtoff;
  };
  OracleClock clock{.from_s = from_s, .step_s = step_s};
  clock.local_s.reserve(static_cast<size_t>((to_s - from_s) / step_s));
  // No zone changes twice within an hour: only an hour with a change is asked about step by step.
  for (int64_t hour = from_s; hour < to_s; hour += 3600) {
    const auto offset = offset_at(hour);
    const bool changes = offset_at(hour + 3599) != offset;
    for (int64_t at = hour; at < std::min(hour + 3600, to_s); at += step_s)
      clock.local_s.push_back(at + (changes ? offset_at(at) : offset));
  }
  return clock;
}

std::vector<int64_t> OracleFirings(const OracleCron& cron, const OracleClock& clock) {
  const bool names_hours = cron.hours.size() < 24;
  std::set<int64_t> firings;
  DayCache shown(cron);
  DayCache swallowed(cron);
  const int64_t to_s = clock.from_s + clock.step_s * static_cast<int64_t>(clock.local_s.size());
  int64_t latest = INT64_MIN;  // that the clock has shown
  for (size_t i = 0; i < clock.local_s.size(); ++i) {
    const int64_t at = clock.from_s + clock.step_s * static_cast<int64_t>(i);
    const int64_t local = clock.local_s[i];
    if (i > 0) {
      // Every time that the clock has jumped over.
      const int64_t before = clock.local_s[i - 1];
      for (int64_t lost = before + clock.step_s; lost < local; lost += clock.step_s) {
        if (!swallowed.Matches(lost)) continue;
        const int64_t moment = names_hours ? at : at - clock.step_s + (lost - before);
        if (moment < to_s) firings.insert(moment);
      }
    }
    if (shown.Matches(local) && (!names_hours || local > latest)) firings.insert(at);
    latest = std::max(latest, local);
  }
  return {firings.begin(), firings.end()};
}

}  // namespace stele::triggers
