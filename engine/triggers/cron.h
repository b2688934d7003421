// When a calendar says that something starts: a cron expression, read once and asked often.
//
// Times are local civil seconds: seconds since 1970-01-01T00:00:00 as a clock on the wall counts
// them, without zone or daylight saving (schedule.h adds those). Source of the notation: Vixie cron
// (crontab(5)), with seconds, `L`, `W`, `#` and `?` as Quartz has them; docs/triggers.md has the
// whole table.
//
// A Cron never changes; it may be read from several threads at once.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::triggers {

// The field "day of month". Bit n of a mask is day n (or n days before the last).
struct DayOfMonthField {
  bool starred = true;           // begins with `*` or `?`: does not restrict by itself
  uint32_t days = 0;             // 1 to 31
  uint32_t before_last = 0;      // `L` is 0, `L-3` is 3
  uint32_t nearest_weekday = 0;  // `15W`
  bool last_weekday = false;     // `LW`
  bool operator==(const DayOfMonthField&) const = default;
};

// The field "day of week". Sunday is 0.
struct DayOfWeekField {
  bool starred = true;
  uint8_t days = 0;                 // bit n: weekday n
  uint8_t last = 0;                 // `5L`: bit n: the month's last weekday n
  std::array<uint8_t, 7> nth = {};  // `5#2`: bit k of nth[n]: the month's k-th weekday n
  bool operator==(const DayOfWeekField&) const = default;
};

// What an expression says. Bit n of a mask is the number n.
struct CronFields {
  uint64_t seconds = 1;  // of 5 fields: second 0
  uint64_t minutes = 0;
  uint32_t hours = 0;
  uint32_t months = 0;  // 1 to 12
  DayOfMonthField day_of_month;
  DayOfWeekField day_of_week;
  int64_t every_us = 0;  // of `@every`; the rest then has no meaning
  bool operator==(const CronFields&) const = default;
};

class Cron {
 public:
  // Fails with kBadCron, naming the column (from 1, in bytes), what was expected and what was
  // found. An expression that no day ever matches ("0 0 30 2 *") is refused too.
  static Result<Cron> Parse(std::string_view text);

  // One text for all spellings of the same fields: `@daily` is "0 0 * * *", names are numbers,
  // seconds are left out when they are only 0. Parse(ToText()) gives an equal Cron.
  std::string ToText() const;

  // Of `@every`: how long between two firings, in microseconds. Next and Previous know nothing of
  // it: elapsed time has no calendar.
  std::optional<int64_t> every_us() const;

  // False when every hour of the day matches. Daylight saving treats the two kinds differently
  // (schedule.h).
  bool names_hours() const;

  // The first matching second after `after_s`, the last one before `before_s`; nothing beyond the
  // years 1 and 9999. Steps from month to month, so that it ends after a few hundred steps at
  // worst (29 February on a Monday). REQUIRES: no `@every`.
  std::optional<int64_t> Next(int64_t after_s) const;
  std::optional<int64_t> Previous(int64_t before_s) const;

  // Whether that local second matches. REQUIRES: no `@every`.
  bool Matches(int64_t local_s) const;

  const CronFields& fields() const { return fields_; }
  bool operator==(const Cron&) const = default;

 private:
  explicit Cron(const CronFields& fields) : fields_(fields) {}
  // The matching days of a month, bit n for day n.
  uint32_t DaysOf(int year, unsigned month) const;
  // The first matching day not before `day` (days since 1970-01-01), the last one not after it.
  std::optional<int64_t> DayFrom(int64_t day) const;
  std::optional<int64_t> DayUntil(int64_t day) const;
  // The same within a day, in seconds since its midnight.
  std::optional<int64_t> SecondFrom(int64_t second) const;
  std::optional<int64_t> SecondUntil(int64_t second) const;

  CronFields fields_;
};

// Reads the text into fields; whether a day ever matches is not asked. Used by Cron::Parse.
Result<CronFields> ParseCronFields(std::string_view text);

}  // namespace stele::triggers
