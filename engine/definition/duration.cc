#include "engine/definition/duration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <vector>

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

std::optional<int64_t> Checked(double us) {
  if (!(us >= 0) || us > static_cast<double>(kMaxDurationUs)) return std::nullopt;
  return static_cast<int64_t>(std::llround(us));
}

// ISO 8601: P[nW][nD][T[nH][nM][nS]]; months and years have no fixed length.
std::optional<int64_t> ParseIso(std::string_view text) {
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
  return any ? Checked(total) : std::nullopt;
}

struct CronField {
  int low;
  int high;
  std::string_view names;  // of three letters each, from `low`
};
constexpr CronField kCronFields[] = {
    {0, 59, ""},
    {0, 59, ""},
    {0, 23, ""},
    {1, 31, ""},
    {1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"},
    {0, 7, "SUNMONTUEWEDTHUFRISAT"},
};

std::optional<int> CronValue(std::string_view word, const CronField& field) {
  if (word.size() == 3 && !field.names.empty() && !(word[0] >= '0' && word[0] <= '9')) {
    std::string upper(word);
    for (char& c : upper)
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    const size_t at = field.names.find(upper);
    if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
    return field.low + static_cast<int>(at / 3);
  }
  int number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error != std::errc() || end != word.data() + word.size()) return std::nullopt;
  if (number < field.low || number > field.high) return std::nullopt;
  return number;
}

bool IsCronRange(std::string_view range, const CronField& field) {
  if (const size_t slash = range.find('/'); slash != std::string_view::npos) {
    const std::string_view step = range.substr(slash + 1);
    int number = 0;
    const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), number);
    if (error != std::errc() || end != step.data() + step.size() || number < 1) return false;
    range = range.substr(0, slash);
  }
  if (range == "*" || range == "?") return true;
  const size_t dash = range.find('-');
  if (dash == std::string_view::npos) return CronValue(range, field).has_value();
  const auto low = CronValue(range.substr(0, dash), field);
  const auto high = CronValue(range.substr(dash + 1), field);
  return low && high && *low <= *high;
}

std::vector<std::string_view> SplitAt(std::string_view text, char separator, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const size_t at = text.find(separator);
    if (keep_empty || at > 0) parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

}  // namespace

std::optional<int64_t> ParseDuration(std::string_view text) {
  SkipSpace(text);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.starts_with('P')) return ParseIso(text);
  double total = 0;
  bool first = true;
  while (!text.empty()) {
    const auto number = TakeNumber(text);
    if (!number) return std::nullopt;
    SkipSpace(text);
    if (text.empty() && first) return Checked(*number * 1e6);
    const size_t end = std::min(text.find_first_of("0123456789. "), text.size());
    const auto unit = UnitOf(text.substr(0, end));
    if (!unit) return std::nullopt;
    total += *number * *unit;
    text.remove_prefix(end);
    SkipSpace(text);
    first = false;
  }
  return first ? std::nullopt : Checked(total);
}

std::optional<int64_t> ReadDuration(const Node& node, std::string_view what, Faults& faults) {
  std::optional<int64_t> duration;
  if (node.is_string()) duration = ParseDuration(node.scalar.as_string());
  if (node.is_scalar() && node.scalar.is_number())
    duration = Checked(node.scalar.as_double() * 1e6);
  if (!duration)
    faults.Add(
        ErrorCode::kBadDuration, node.place,
        fmt::format("Expected {} like \"30s\", \"1h30m\" or a number of seconds but found {}", what,
                    Describe(node)));
  return duration;
}

bool IsCron(std::string_view text) {
  static constexpr std::array kWords = {"@yearly", "@annually", "@monthly", "@weekly",
                                        "@daily",  "@midnight", "@hourly"};
  if (text.starts_with('@')) return std::ranges::find(kWords, text) != kWords.end();
  const auto fields = SplitAt(text, ' ', false);
  if (fields.size() != 5 && fields.size() != 6) return false;
  const size_t skipped = 6 - fields.size();
  for (size_t i = 0; i < fields.size(); ++i)
    for (const std::string_view range : SplitAt(fields[i], ',', true))
      if (!IsCronRange(range, kCronFields[i + skipped])) return false;
  return true;
}

}  // namespace stele::definition
