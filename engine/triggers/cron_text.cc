// A cron expression's fields to the one text that stands for all its spellings.
#include <fmt/format.h>

#include <bit>
#include <vector>

#include "engine/triggers/cron.h"

namespace stele::triggers {
namespace {

uint64_t Series(int low, int high, int step) {
  uint64_t bits = 0;
  for (int value = low; value <= high; value += step) bits |= uint64_t{1} << value;
  return bits;
}

// "0", "1-5", "0-20/10", "5/15", or a list of values and ranges.
void AppendSet(uint64_t bits, int high, std::vector<std::string>& items) {
  if (bits == 0) return;
  const int first = std::countr_zero(bits);
  const int last = 63 - std::countl_zero(bits);
  if (std::popcount(bits) >= 3) {
    const int step = std::countr_zero(bits & (bits - 1)) - first;
    if (step > 1 && bits == Series(first, last, step)) {
      const bool open = last + step > high;
      items.push_back(open ? fmt::format("{}/{}", first, step)
                           : fmt::format("{}-{}/{}", first, last, step));
      return;
    }
  }
  for (int value = first; value <= last; ++value) {
    if (!(bits >> value & 1)) continue;
    int end = value;
    while (end < last && (bits >> (end + 1) & 1)) ++end;
    if (end >= value + 2) {
      items.push_back(fmt::format("{}-{}", value, end));
      value = end;
    } else {
      items.push_back(fmt::format("{}", value));
    }
  }
}

std::string Plain(uint64_t bits, int low, int high) {
  for (int step = 1; step <= (high - low) / 2; ++step)
    if (bits == Series(low, high, step)) return step == 1 ? "*" : fmt::format("*/{}", step);
  std::vector<std::string> items;
  AppendSet(bits, high, items);
  return fmt::format("{}", fmt::join(items, ","));
}

// The smallest step whose series is part of `bits`, then what else there is.
void AppendStarred(uint64_t bits, int low, int high, std::vector<std::string>& items) {
  int step = 1;
  while ((bits & Series(low, high, step)) != Series(low, high, step)) ++step;
  items.push_back(step == 1 ? "*" : fmt::format("*/{}", step));
  AppendSet(bits & ~Series(low, high, step), high, items);
}

std::string DayOfMonthText(const DayOfMonthField& field) {
  std::vector<std::string> items;
  if (field.starred)
    AppendStarred(field.days, 1, 31, items);
  else
    AppendSet(field.days, 31, items);
  for (int day = 1; day <= 31; ++day)
    if (field.nearest_weekday >> day & 1) items.push_back(fmt::format("{}W", day));
  for (int back = 30; back > 0; --back)
    if (field.before_last >> back & 1) items.push_back(fmt::format("L-{}", back));
  if (field.before_last & 1) items.emplace_back("L");
  if (field.last_weekday) items.emplace_back("LW");
  return fmt::format("{}", fmt::join(items, ","));
}

std::string DayOfWeekText(const DayOfWeekField& field) {
  std::vector<std::string> items;
  if (field.starred)
    AppendStarred(field.days, 0, 6, items);
  else
    AppendSet(field.days, 6, items);
  for (int weekday = 0; weekday < 7; ++weekday)
    for (int number = 1; number <= 5; ++number)
      if (field.nth[weekday] >> number & 1) items.push_back(fmt::format("{}#{}", weekday, number));
  for (int weekday = 0; weekday < 7; ++weekday)
    if (field.last >> weekday & 1) items.push_back(fmt::format("{}L", weekday));
  return fmt::format("{}", fmt::join(items, ","));
}

std::string EveryText(int64_t us) {
  static constexpr std::pair<int64_t, std::string_view> kUnits[] = {
      {86'400'000'000, "d"}, {3'600'000'000, "h"}, {60'000'000, "m"},
      {1'000'000, "s"},      {1'000, "ms"},        {1, "us"},
  };
  std::string text = "@every ";
  for (const auto& [size, name] : kUnits) {
    if (us >= size) text += fmt::format("{}{}", us / size, name);
    us %= size;
  }
  return text;
}

}  // namespace

std::string Cron::ToText() const {
  if (fields_.every_us > 0) return EveryText(fields_.every_us);
  const std::string seconds = fields_.seconds == 1 ? "" : Plain(fields_.seconds, 0, 59) + " ";
  return fmt::format("{}{} {} {} {} {}", seconds, Plain(fields_.minutes, 0, 59),
                     Plain(fields_.hours, 0, 23), DayOfMonthText(fields_.day_of_month),
                     Plain(fields_.months, 1, 12), DayOfWeekText(fields_.day_of_week));
}

}  // namespace stele::triggers
