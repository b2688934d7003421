#include "engine/definition/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/definition/limits.h"

namespace stele::definition {
namespace {

struct Unit {
  std::string_view word;
  double us;
};
constexpr Unit kUnits[] = {
    {"us", 1},
    {"ms", 1e3},
    {"millis", 1e3},
    {"millisecond", 1e3},
    {"s", 1e6},
    {"sec", 1e6},
    {"second", 1e6},
    {"m", 60e6},
    {"min", 60e6},
    {"minute", 60e6},
    {"h", 3600e6},
    {"hr", 3600e6},
    {"hour", 3600e6},
    {"d", 86400e6},
    {"day", 86400e6},
    {"w", 7 * 86400e6},
    {"week", 7 * 86400e6},
};

std::optional<double> UnitOf(std::string_view word) {
  for (const Unit& unit : kUnits)
    if (word == unit.word || (unit.word.size() > 2 && word == std::string(unit.word) + "s"))
      return unit.us;
  return std::nullopt;
}

void SkipSpace(std::string_view& text) {
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
}

std::optional<double> TakeNumber(std::string_view& text) {
  if (text.empty() || !std::string_view("0123456789.").contains(text[0])) return std::nullopt;
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return number;
}

bool IsTooLong(double us) {
  return us > static_cast<double>(kMaxDurationUs);
}

std::optional<int64_t> Checked(std::optional<double> us) {
  if (!us || !(*us >= 0) || IsTooLong(*us)) return std::nullopt;
  return static_cast<int64_t>(std::llround(*us));
}

// ISO 8601: P[nW][nD][T[nH][nM][nS]]; months and years have no fixed length.
std::optional<double> ParseIso(std::string_view text) {
  text.remove_prefix(1);
  double total = 0;
  bool time = false;
  bool any = false;
  while (!text.empty()) {
    if (text[0] == 'T' && !time) {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    const auto number = TakeNumber(text);
    if (!number || text.empty()) return std::nullopt;
    const char unit = text[0];
    text.remove_prefix(1);
    if (unit == 'W' && !time)
      total += *number * 7 * 86400e6;
    else if (unit == 'D' && !time)
      total += *number * 86400e6;
    else if (unit == 'H' && time)
      total += *number * 3600e6;
    else if (unit == 'M' && time)
      total += *number * 60e6;
    else if (unit == 'S' && time)
      total += *number * 1e6;
    else
      return std::nullopt;
    any = true;
  }
  return any ? std::optional(total) : std::nullopt;
}

// Microseconds, however many.
std::optional<double> ParseAny(std::string_view text) {
  SkipSpace(text);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.starts_with('P')) return ParseIso(text);
  double total = 0;
  bool first = true;
  while (!text.empty()) {
    const auto number = TakeNumber(text);
    if (!number) return std::nullopt;
    SkipSpace(text);
    if (text.empty() && first) return *number * 1e6;
    const size_t end = std::min(text.find_first_of("0123456789. "), text.size());
    const auto unit = UnitOf(text.substr(0, end));
    if (!unit) return std::nullopt;
    total += *number * *unit;
    text.remove_prefix(end);
    SkipSpace(text);
    first = false;
  }
  return first ? std::nullopt : std::optional(total);
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  return Checked(ParseAny(text));
}

std::string_view DurationBound(const Value& found) {
  std::optional<double> us;
  if (found.is_string()) us = ParseAny(found.as_string());
  if (found.is_number()) us = found.as_double() * 1e6;
  return us && IsTooLong(*us) ? " of at most 10 years" : "";
}

std::optional<int64_t> ReadDuration(const Node& node, std::string_view what, Faults& faults) {
  std::optional<int64_t> duration;
  if (node.is_string()) duration = ParseDuration(node.scalar.as_string());
  if (node.is_scalar() && node.scalar.is_number())
    duration = Checked(node.scalar.as_double() * 1e6);
  if (!duration)
    faults.Add(
        ErrorCode::kBadDuration, node.place,
        fmt::format("Expected {} like \"30s\", \"1h30m\" or a number of seconds{} but found {}",
                    what, node.is_scalar() ? DurationBound(node.scalar) : "", Describe(node)));
  return duration;
}

}  // namespace stele::definition
