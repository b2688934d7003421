#include "engine/triggers/cron.h"

#include <bit>
#include <chrono>

#include "base/check.h"
#include "engine/definition/faults.h"

namespace stele::triggers {
namespace {

constexpr int64_t kDaySeconds = 86'400;
constexpr int kFirstYear = 1;
constexpr int kLastYear = 9999;
constexpr int kCalendarCycle = 400;  // years after which weekdays and leap years repeat

// The lowest bit of `mask` from bit `from` on, the highest up to bit `to`; -1 when there is none.
int BitFrom(uint64_t mask, int64_t from) {
  if (from > 63) return -1;
  mask &= ~uint64_t{0} << from;
  return mask == 0 ? -1 : std::countr_zero(mask);
}
int BitUntil(uint64_t mask, int64_t to) {
  if (to < 0) return -1;
  if (to < 63) mask &= (uint64_t{1} << (to + 1)) - 1;
  return mask == 0 ? -1 : 63 - std::countl_zero(mask);
}

struct Month {
  int length;
  int first_weekday;  // of its first day
  int WeekdayOf(int day) const { return (first_weekday + day - 1) % 7; }
};

Month MonthOf(int year, unsigned month) {
  const std::chrono::year_month at = std::chrono::year(year) / std::chrono::month(month);
  const std::chrono::year_month_day last(at / std::chrono::last);
  return {static_cast<int>(static_cast<unsigned>(last.day())),
          static_cast<int>(std::chrono::weekday(std::chrono::local_days(at / 1)).c_encoding())};
}

// The Monday to Friday nearest to `day` within its month: Saturday goes back and Sunday forward,
// unless that would leave the month.
int NearestWeekday(const Month& month, int day) {
  switch (month.WeekdayOf(day)) {
    case 6:
      return day > 1 ? day - 1 : day + 2;
    case 0:
      return day < month.length ? day + 1 : day - 2;
    default:
      return day;
  }
}

int LastWeekday(const Month& month) {
  const int weekday = month.WeekdayOf(month.length);
  return month.length - (weekday == 6 ? 1 : weekday == 0 ? 2 : 0);
}

uint32_t DaysByNumber(const DayOfMonthField& field, const Month& month) {
  uint32_t days = field.days;
  for (int back = 0; back < month.length; ++back)
    if (field.before_last >> back & 1) days |= 1u << (month.length - back);
  for (int day = 1; field.nearest_weekday != 0 && day <= month.length; ++day)
    if (field.nearest_weekday >> day & 1) days |= 1u << NearestWeekday(month, day);
  if (field.last_weekday) days |= 1u << LastWeekday(month);
  return days & ((uint64_t{1} << (month.length + 1)) - 2);
}

uint32_t DaysByWeekday(const DayOfWeekField& field, const Month& month) {
  uint32_t days = 0;
  for (int day = 1; day <= month.length; ++day) {
    const int weekday = month.WeekdayOf(day);
    const int ordinal = (day + 6) / 7;
    const bool is_last = day + 7 > month.length;
    if ((field.days >> weekday & 1) || (is_last && (field.last >> weekday & 1)) ||
        (field.nth[weekday] >> ordinal & 1))
      days |= 1u << day;
  }
  return days;
}

struct Date {
  int year;
  unsigned month;
  int day;
};

// Nothing outside of the years that std::chrono and people can name.
std::optional<Date> DateOf(int64_t day) {
  constexpr int64_t kFirstDay =
      std::chrono::local_days(std::chrono::year(kFirstYear) / 1 / 1).time_since_epoch().count();
  constexpr int64_t kLastDay =
      std::chrono::local_days(std::chrono::year(kLastYear) / 12 / 31).time_since_epoch().count();
  if (day < kFirstDay || day > kLastDay) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::local_days(std::chrono::days(static_cast<int>(day)))};
  return Date{static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
              static_cast<int>(static_cast<unsigned>(date.day()))};
}

int64_t DayNumber(int year, unsigned month, int day) {
  return std::chrono::local_days(std::chrono::year(year) / std::chrono::month(month) / day)
      .time_since_epoch()
      .count();
}

int64_t DayOfSecond(int64_t second) {
  return second / kDaySeconds - (second % kDaySeconds < 0 ? 1 : 0);
}

}  // namespace

Result<Cron> Cron::Parse(std::string_view text) {
  const auto fields = ParseCronFields(text);
  if (!fields) return std::unexpected(fields.error());
  const Cron cron(*fields);
  if (cron.fields_.every_us > 0) return cron;
  for (int year = 2000; year < 2000 + kCalendarCycle; ++year)
    for (int month = BitFrom(fields->months, 1); month > 0;
         month = BitFrom(fields->months, month + 1))
      if (cron.DaysOf(year, static_cast<unsigned>(month)) != 0) return cron;
  return Fail(ErrorCode::kBadCron, "Expected a cron expression with a day that comes but found " +
                                       definition::Quote(text) +
                                       ", which no day of any year matches");
}

std::optional<int64_t> Cron::every_us() const {
  if (fields_.every_us == 0) return std::nullopt;
  return fields_.every_us;
}

bool Cron::names_hours() const {
  return std::popcount(fields_.hours) < 24;
}

uint32_t Cron::DaysOf(int year, unsigned month) const {
  if (!(fields_.months >> month & 1)) return 0;
  const Month at = MonthOf(year, month);
  const uint32_t by_number = DaysByNumber(fields_.day_of_month, at);
  const uint32_t by_weekday = DaysByWeekday(fields_.day_of_week, at);
  const bool both_restrict = !fields_.day_of_month.starred && !fields_.day_of_week.starred;
  return both_restrict ? by_number | by_weekday : by_number & by_weekday;
}

std::optional<int64_t> Cron::DayFrom(int64_t day) const {
  const auto date = DateOf(day);
  if (!date) return std::nullopt;
  int first = date->day;
  int month = static_cast<int>(date->month);
  for (int year = date->year; year <= kLastYear; ++year) {
    for (month = BitFrom(fields_.months, month); month > 0;
         month = BitFrom(fields_.months, month + 1)) {
      if (year != date->year || month != static_cast<int>(date->month)) first = 1;
      const int found = BitFrom(DaysOf(year, static_cast<unsigned>(month)), first);
      if (found > 0) return DayNumber(year, static_cast<unsigned>(month), found);
    }
    month = 1;
  }
  return std::nullopt;
}

std::optional<int64_t> Cron::DayUntil(int64_t day) const {
  const auto date = DateOf(day);
  if (!date) return std::nullopt;
  int last = date->day;
  int month = static_cast<int>(date->month);
  for (int year = date->year; year >= kFirstYear; --year) {
    for (month = BitUntil(fields_.months, month); month > 0;
         month = BitUntil(fields_.months, month - 1)) {
      if (year != date->year || month != static_cast<int>(date->month)) last = 31;
      const int found = BitUntil(DaysOf(year, static_cast<unsigned>(month)), last);
      if (found > 0) return DayNumber(year, static_cast<unsigned>(month), found);
    }
    month = 12;
  }
  return std::nullopt;
}

std::optional<int64_t> Cron::SecondFrom(int64_t second) const {
  int64_t hour = second / 3600;
  int64_t minute = second / 60 % 60;
  const int64_t first_second = BitFrom(fields_.seconds, 0);
  const int64_t first_minute = BitFrom(fields_.minutes, 0);
  if (BitFrom(fields_.hours, hour) == hour) {
    if (BitFrom(fields_.minutes, minute) == minute)
      if (const int at = BitFrom(fields_.seconds, second % 60); at >= 0)
        return hour * 3600 + minute * 60 + at;
    minute = BitFrom(fields_.minutes, minute + 1);
    if (minute >= 0) return hour * 3600 + minute * 60 + first_second;
  }
  hour = BitFrom(fields_.hours, hour + 1);
  if (hour < 0) return std::nullopt;
  return hour * 3600 + first_minute * 60 + first_second;
}

std::optional<int64_t> Cron::SecondUntil(int64_t second) const {
  int64_t hour = second / 3600;
  int64_t minute = second / 60 % 60;
  const int64_t last_second = BitUntil(fields_.seconds, 59);
  const int64_t last_minute = BitUntil(fields_.minutes, 59);
  if (BitUntil(fields_.hours, hour) == hour) {
    if (BitUntil(fields_.minutes, minute) == minute)
      if (const int at = BitUntil(fields_.seconds, second % 60); at >= 0)
        return hour * 3600 + minute * 60 + at;
    minute = BitUntil(fields_.minutes, minute - 1);
    if (minute >= 0) return hour * 3600 + minute * 60 + last_second;
  }
  hour = BitUntil(fields_.hours, hour - 1);
  if (hour < 0) return std::nullopt;
  return hour * 3600 + last_minute * 60 + last_second;
}

std::optional<int64_t> Cron::Next(int64_t after_s) const {
  CHECK(fields_.every_us == 0);
  if (after_s == INT64_MAX) return std::nullopt;
  const int64_t from = after_s + 1;
  const int64_t today = DayOfSecond(from);
  const auto day = DayFrom(today);
  if (!day) return std::nullopt;
  if (*day == today)
    if (const auto second = SecondFrom(from - today * kDaySeconds))
      return today * kDaySeconds + *second;
  const auto next = *day > today ? day : DayFrom(today + 1);
  if (!next) return std::nullopt;
  return *next * kDaySeconds + *SecondFrom(0);
}

std::optional<int64_t> Cron::Previous(int64_t before_s) const {
  CHECK(fields_.every_us == 0);
  if (before_s == INT64_MIN) return std::nullopt;
  const int64_t until = before_s - 1;
  const int64_t today = DayOfSecond(until);
  const auto day = DayUntil(today);
  if (!day) return std::nullopt;
  if (*day == today)
    if (const auto second = SecondUntil(until - today * kDaySeconds))
      return today * kDaySeconds + *second;
  const auto previous = *day < today ? day : DayUntil(today - 1);
  if (!previous) return std::nullopt;
  return *previous * kDaySeconds + *SecondUntil(kDaySeconds - 1);
}

bool Cron::Matches(int64_t local_s) const {
  return local_s > INT64_MIN && Next(local_s - 1) == local_s;
}

}  // namespace stele::triggers
