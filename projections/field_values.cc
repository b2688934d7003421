#include "projections/field_values.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/definition/duration.h"
#include "engine/definition/moment.h"

namespace stele::projections {

namespace {

constexpr int64_t kDayUs = 86'400'000'000;

Interval Instant(int64_t at) {
  return {at, at + 1};
}

// "+0800", "+08" as "+08:00"; none is UTC.
std::string OffsetOf(std::string_view zone) {
  if (zone.empty()) return "Z";
  std::string offset(zone);
  if (zone.size() == 3) offset += ":00";
  if (zone.size() == 5 && !zone.contains(':')) offset.insert(3, ":");
  return offset;
}

// Without a unit it would be seconds, and is a year that somebody did not finish, or an event's
// number with a slip of the finger.
bool IsBareNumber(std::string_view text) {
  return text.find_first_not_of("0123456789.+- ") == std::string_view::npos;
}

}  // namespace

std::optional<Interval> DayOf(std::string_view text) {
  if (text.size() != std::string_view("2026-01-31").size()) return std::nullopt;
  const std::optional<int64_t> begin = definition::ParseInstant(std::string(text) + "T00:00:00Z");
  return begin.has_value() ? std::optional(Interval{*begin, *begin + kDayUs}) : std::nullopt;
}

std::optional<int64_t> InstantOf(std::string_view text) {
  constexpr size_t kToTheMinute = std::string_view("2026-01-31T09:30").size();
  if (text.size() < kToTheMinute) return std::nullopt;
  const std::string_view behind = text.substr(kToTheMinute);
  const size_t zone = std::min(behind.find_first_of("Zz+-"), behind.size());
  const std::string_view seconds = zone == 0 ? ":00" : behind.substr(0, zone);
  return definition::ParseInstant(std::string(text.substr(0, kToTheMinute)) + std::string(seconds) +
                                  OffsetOf(behind.substr(zone)));
}

std::optional<Interval> MomentOf(std::string_view text, TimeUs now) {
  if (text == "now") return Instant(now.value);
  if (const std::optional<Interval> day = DayOf(text)) return day;
  if (const std::optional<int64_t> at = InstantOf(text)) return Instant(*at);
  const bool ahead = text.starts_with('+');
  if (IsBareNumber(text)) return std::nullopt;
  const std::optional<int64_t> duration = definition::ParseDuration(text.substr(ahead ? 1 : 0));
  if (!duration.has_value()) return std::nullopt;
  return Instant(ahead ? now.value + *duration : now.value - *duration);
}

std::string MomentBound(std::string_view text) {
  if (IsBareNumber(text)) return "";
  return std::string(definition::DurationBound(Value(text.substr(text.starts_with('+') ? 1 : 0))));
}

std::optional<Interval> DurationOf(std::string_view text) {
  const std::optional<int64_t> duration = definition::ParseDuration(text);
  return duration.has_value() ? std::optional(Instant(*duration)) : std::nullopt;
}

std::optional<int64_t> IntegerOf(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole ? std::optional(value) : std::nullopt;
}

std::optional<double> NumberOf(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) ? std::optional(value) : std::nullopt;
}

}  // namespace stele::projections
