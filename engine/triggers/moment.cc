#include "engine/triggers/moment.h"

#include <chrono>

namespace stele::triggers {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  std::string_view rest() const { return rest_; }
  bool Take(std::string_view any_of) {
    if (rest_.empty() || !any_of.contains(rest_[0])) return false;
    rest_.remove_prefix(1);
    return true;
  }
  // Exactly `digits` of them, at most `high`.
  std::optional<int> Number(size_t digits, int high) {
    if (rest_.size() < digits) return std::nullopt;
    int number = 0;
    for (size_t i = 0; i < digits; ++i) {
      if (rest_[i] < '0' || rest_[i] > '9') return std::nullopt;
      number = number * 10 + (rest_[i] - '0');
    }
    rest_.remove_prefix(digits);
    if (number > high) return std::nullopt;
    return number;
  }
  // ".25": up to microseconds; what is finer is cut off. Nothing when no digit follows the point.
  std::optional<int64_t> Fraction() {
    if (!Take(".")) return 0;
    int64_t us = 0;
    int64_t unit = 100'000;
    size_t digits = 0;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; ++digits, unit /= 10) {
      us += (rest_[0] - '0') * unit;
      rest_.remove_prefix(1);
    }
    return digits > 0 ? std::optional(us) : std::nullopt;
  }

 private:
  std::string_view rest_;
};

std::optional<int64_t> ReadDay(Reader& reader) {
  const auto year = reader.Number(4, 9999);
  if (!year || !reader.Take("-")) return std::nullopt;
  const auto month = reader.Number(2, 12);
  if (!month || !reader.Take("-")) return std::nullopt;
  const auto day = reader.Number(2, 31);
  if (!day) return std::nullopt;
  const auto date = std::chrono::year(*year) / *month / *day;
  if (!date.ok()) return std::nullopt;
  return std::chrono::local_days(date).time_since_epoch().count();
}

// Microseconds of the day.
std::optional<int64_t> ReadTime(Reader& reader) {
  const auto hour = reader.Number(2, 23);
  if (!hour || !reader.Take(":")) return std::nullopt;
  const auto minute = reader.Number(2, 59);
  if (!minute) return std::nullopt;
  int64_t us = (int64_t{*hour} * 3600 + int64_t{*minute} * 60) * 1'000'000;
  if (!reader.Take(":")) return us;
  const auto second = reader.Number(2, 59);
  if (!second) return std::nullopt;
  const auto fraction = reader.Fraction();
  if (!fraction) return std::nullopt;
  return us + int64_t{*second} * 1'000'000 + *fraction;
}

}  // namespace

std::optional<int64_t> ParseMoment(std::string_view text, const TimeZone& zone) {
  Reader reader(text);
  const auto day = ReadDay(reader);
  if (!day) return std::nullopt;
  int64_t time_us = 0;
  if (reader.Take("T t")) {
    const auto time = ReadTime(reader);
    if (!time) return std::nullopt;
    time_us = *time;
  }
  const int64_t local_s = *day * 86'400 + time_us / 1'000'000;
  int64_t utc_s = 0;
  if (reader.rest().empty()) {
    utc_s = zone.ToUtc(local_s);
  } else {
    if (!std::string_view("Zz+-").contains(reader.rest()[0])) return std::nullopt;
    const auto offset = TimeZone::Find(reader.rest());
    if (!offset) return std::nullopt;
    utc_s = offset->ToUtc(local_s);
  }
  return utc_s * 1'000'000 + time_us % 1'000'000;
}

}  // namespace stele::triggers
