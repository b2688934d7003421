#include "engine/triggers/posix_rule.h"

#include <algorithm>
#include <chrono>

namespace stele::triggers {

class PosixRule::Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }
  bool Take(char wanted) {
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // "CET" or "<+0530>".
  bool Name() {
    const bool quoted = Take('<');
    size_t size = 0;
    while (size < rest_.size() && (quoted ? rest_[size] != '>' : IsLetter(rest_[size]))) ++size;
    rest_.remove_prefix(size);
    return size >= 3 && (!quoted || Take('>'));
  }
  std::optional<int> Number(int low, int high) {
    size_t size = 0;
    int number = 0;
    for (; size < rest_.size() && size < 4 && rest_[size] >= '0' && rest_[size] <= '9'; ++size)
      number = number * 10 + (rest_[size] - '0');
    rest_.remove_prefix(size);
    if (size == 0 || number < low || number > high) return std::nullopt;
    return number;
  }
  // [+-]h[h[h]][:mm[:ss]]
  std::optional<int32_t> Time() {
    const bool negative = Take('-');
    if (!negative) Take('+');
    const auto hours = Number(0, 167);
    if (!hours) return std::nullopt;
    int32_t seconds = *hours * 3600;
    for (const int unit : {60, 1}) {
      if (!Take(':')) break;
      const auto part = Number(0, 59);
      if (!part) return std::nullopt;
      seconds += *part * unit;
    }
    return negative ? -seconds : seconds;
  }
  std::optional<Change> ReadChange() {
    Change change;
    std::optional<int> day;
    if (Take('M')) {
      const auto month = Number(1, 12);
      if (!month || !Take('.')) return std::nullopt;
      const auto week = Number(1, 5);
      if (!week || !Take('.')) return std::nullopt;
      change.month = *month;
      change.week = *week;
      day = Number(0, 6);
    } else if (Take('J')) {
      change.kind = DayKind::kJulianNoLeap;
      day = Number(1, 365);
    } else {
      change.kind = DayKind::kZeroBased;
      day = Number(0, 365);
    }
    if (!day) return std::nullopt;
    change.day = *day;
    if (Take('/')) {
      const auto time = Time();
      if (!time) return std::nullopt;
      change.time_s = *time;
    }
    return change;
  }

 private:
  static bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  std::string_view rest_;
};

std::optional<PosixRule> PosixRule::Parse(std::string_view text) {
  Reader reader(text);
  PosixRule rule;
  if (!reader.Name()) return std::nullopt;
  // POSIX counts offsets westward.
  const auto standard = reader.Time();
  if (!standard) return std::nullopt;
  rule.standard_s_ = -*standard;
  if (reader.AtEnd()) return rule;
  if (!reader.Name()) return std::nullopt;
  rule.has_daylight_ = true;
  rule.daylight_s_ = rule.standard_s_ + 3600;
  if (!reader.Take(',')) {
    const auto daylight = reader.Time();
    if (!daylight || !reader.Take(',')) return std::nullopt;
    rule.daylight_s_ = -*daylight;
  }
  const auto to = reader.ReadChange();
  if (!to || !reader.Take(',')) return std::nullopt;
  const auto back = reader.ReadChange();
  if (!back || !reader.AtEnd()) return std::nullopt;
  rule.changes_ = {*to, *back};
  return rule;
}

int64_t PosixRule::DayOf(const Change& change, int year) {
  using std::chrono::local_days;
  const std::chrono::year at(year);
  switch (change.kind) {
    case DayKind::kJulianNoLeap: {
      const int leap = at.is_leap() && change.day >= 60 ? 1 : 0;
      return local_days(at / 1 / 1).time_since_epoch().count() + change.day - 1 + leap;
    }
    case DayKind::kZeroBased:
      return local_days(at / 1 / 1).time_since_epoch().count() + change.day;
    case DayKind::kWeekdayOfMonth:
      break;
  }
  const std::chrono::weekday weekday(static_cast<unsigned>(change.day));
  const std::chrono::year_month month = at / change.month;
  const local_days day = change.week == 5
                             ? local_days(month / weekday[std::chrono::last])
                             : local_days(month / weekday[static_cast<unsigned>(change.week)]);
  return day.time_since_epoch().count();
}

std::vector<OffsetChange> PosixRule::ChangesOf(int year) const {
  if (!has_daylight_) return {};
  // Each change is told by the clock before it.
  std::vector<OffsetChange> changes = {
      {DayOf(changes_[0], year) * 86'400 + changes_[0].time_s - standard_s_, daylight_s_},
      {DayOf(changes_[1], year) * 86'400 + changes_[1].time_s - daylight_s_, standard_s_}};
  std::ranges::sort(changes, {}, &OffsetChange::at_s);
  return changes;
}

}  // namespace stele::triggers
