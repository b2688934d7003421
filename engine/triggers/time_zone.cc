#include "engine/triggers/time_zone.h"

#include <date/tz.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <fstream>
#include <iterator>
#include <optional>
#include <vector>

#include "base/check.h"
#include "engine/definition/faults.h"
#include "engine/triggers/posix_rule.h"

namespace stele::triggers {
namespace {

constexpr std::string_view kZoneFolder = "/usr/share/zoneinfo/";
constexpr int32_t kMaxOffsetSeconds = 18 * 3600;
constexpr int kLastYear = 9999;

// "+08:00", "-0330", "+8", with or without "UTC" or "GMT" before it; "Z".
std::optional<int32_t> ParseOffset(std::string_view text) {
  if (text == "Z" || text == "z" || text == "UTC" || text == "GMT") return 0;
  for (const std::string_view prefix : {"UTC", "GMT"})
    if (text.starts_with(prefix)) text.remove_prefix(prefix.size());
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const int sign = text[0] == '-' ? -1 : 1;
  std::string digits(text.substr(1));
  if (const size_t colon = digits.find(':'); colon != std::string::npos) {
    if (colon == 0 || digits.size() != colon + 3) return std::nullopt;
    digits.erase(colon, 1);
  } else if (digits.size() <= 2) {
    digits += "00";
  }
  if (digits.size() < 3 || digits.size() > 4 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  const int number = std::stoi(digits);
  const int32_t seconds = (number / 100) * 3600 + (number % 100) * 60;
  if (number % 100 > 59 || seconds > kMaxOffsetSeconds) return std::nullopt;
  return sign * seconds;
}

std::string OffsetName(int32_t offset_s) {
  if (offset_s == 0) return "UTC";
  const int32_t size = offset_s < 0 ? -offset_s : offset_s;
  return fmt::format("{}{:02}:{:02}", offset_s < 0 ? '-' : '+', size / 3600, size / 60 % 60);
}

// The last line of a zone's file. REQUIRES: `name` is one that the date library has found.
std::string FooterOf(const std::string& name) {
  std::ifstream file(std::string(kZoneFolder) + name, std::ios::binary);
  std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!bytes.ends_with('\n')) return {};
  bytes.pop_back();
  const size_t begin = bytes.rfind('\n');
  return begin == std::string::npos ? std::string() : bytes.substr(begin + 1);
}

int YearOf(int64_t utc_s) {
  const int64_t day = utc_s / 86'400 - (utc_s % 86'400 < 0 ? 1 : 0);
  const int64_t last =
      std::chrono::sys_days(std::chrono::year(kLastYear) / 1 / 1).time_since_epoch().count();
  if (day >= last) return kLastYear;
  if (day < -last) return 1;
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(day)))};
  return static_cast<int>(date.year());
}

}  // namespace

struct TimeZone::Rules {
  std::vector<Period> listed;      // never empty; the last one is open
  std::optional<PosixRule> later;  // what follows in the last one

  Period At(int64_t utc_s) const;
};

TimeZone::Period TimeZone::Rules::At(int64_t utc_s) const {
  auto at = std::ranges::upper_bound(listed, utc_s, {}, &Period::begin_s);
  CHECK(at != listed.begin());
  Period period = *std::prev(at);
  if (at != listed.end() || !later) return period;
  // One change before the moment and one behind it are enough; a year has both or none of them.
  const int year = YearOf(utc_s);
  for (int y = year - 1; y <= std::min(year + 1, kLastYear); ++y) {
    for (const OffsetChange& change : later->ChangesOf(y)) {
      if (change.at_s <= period.begin_s || change.offset_s == period.offset_s) continue;
      if (change.at_s > utc_s) {
        period.end_s = change.at_s;
        return period;
      }
      period = {change.at_s, period.end_s, change.offset_s};
    }
  }
  return period;
}

// Neighbours that differ in their name alone become one period.
std::shared_ptr<const TimeZone::Rules> TimeZone::ReadRules(const std::string& name) {
  auto rules = std::make_shared<Rules>();
  const date::time_zone* zone = date::locate_zone(name);
  date::sys_seconds at{date::sys_days{date::year(1) / 1 / 1}};
  while (true) {
    const date::sys_info info = zone->get_info(at);
    const auto offset_s = static_cast<int32_t>(info.offset.count());
    const int64_t begin_s =
        rules->listed.empty() ? INT64_MIN : info.begin.time_since_epoch().count();
    if (rules->listed.empty() || rules->listed.back().offset_s != offset_s) {
      if (!rules->listed.empty()) rules->listed.back().end_s = begin_s;
      rules->listed.push_back({begin_s, INT64_MAX, offset_s});
    }
    if (info.end <= at || info.end >= date::sys_days{date::year(kLastYear) / 1 / 1}) break;
    at = info.end;
  }
  rules->later = PosixRule::Parse(FooterOf(name));
  return rules;
}

TimeZone::TimeZone() : name_("UTC") {}

Result<TimeZone> TimeZone::Find(std::string_view name) {
  TimeZone zone;
  if (const auto offset = ParseOffset(name)) {
    zone.fixed_offset_s_ = *offset;
    zone.name_ = OffsetName(*offset);
    return zone;
  }
  zone.name_ = name;
  try {
    zone.rules_ = ReadRules(zone.name_);
  } catch (const std::exception&) {
    return Fail(
        ErrorCode::kBadTimeZone,
        fmt::format("Expected a time zone like \"Europe/Berlin\" or \"+08:00\" but found {}",
                    definition::Quote(name)));
  }
  return zone;
}

TimeZone::Period TimeZone::At(int64_t utc_s) const {
  if (rules_ == nullptr) return {INT64_MIN, INT64_MAX, fixed_offset_s_};
  return rules_->At(utc_s);
}

int64_t TimeZone::ToUtc(int64_t local_s) const {
  Period period = At(local_s - kMaxOffsetSeconds);
  while (period.end_s != INT64_MAX && local_s >= period.end_s + period.offset_s)
    period = At(period.end_s);
  return std::max(local_s - period.offset_s, period.begin_s);
}

}  // namespace stele::triggers
