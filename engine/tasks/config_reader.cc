#include "engine/tasks/config_reader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json.h"

namespace stele::tasks {
namespace {

struct Unit {
  std::string_view name;
  double microseconds;
};
// Longer names first: "ms" is no "m".
constexpr Unit kUnits[] = {{"us", 1},   {"ms", 1e3},   {"s", 1e6},
                           {"m", 60e6}, {"h", 3600e6}, {"d", 86400e6}};
constexpr double kMaxDurationUs = 86400e6 * 36500;  // a century

std::optional<int64_t> InRange(double microseconds) {
  if (!(microseconds >= 0 && microseconds <= kMaxDurationUs)) return std::nullopt;
  return std::llround(microseconds);
}

std::string Shown(const Value& value) {
  std::string text = ToJson(value);
  return text.size() <= 60 ? text : std::string(KindName(value.kind()));
}

}  // namespace

std::optional<int64_t> ParseDurationUs(std::string_view text) {
  double total = 0;
  bool any = false;
  while (!text.empty()) {
    double number = 0;
    if (text.starts_with('-')) return std::nullopt;
    auto [end, error] =
        std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (text.empty() && !any) return InRange(number * 1e6);
    const auto* unit = std::ranges::find_if(
        kUnits, [&](const Unit& candidate) { return text.starts_with(candidate.name); });
    if (unit == std::end(kUnits)) return std::nullopt;
    text.remove_prefix(unit->name.size());
    total += number * unit->microseconds;
    any = true;
  }
  return any ? InRange(total) : std::nullopt;
}

std::optional<std::string> ScalarText(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kString:
      return value.as_string();
    case Value::Kind::kBool:
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return ToJson(value);
    case Value::Kind::kNull:
    case Value::Kind::kArray:
    case Value::Kind::kObject:
      return std::nullopt;
  }
  return std::nullopt;
}

std::string JoinFaults(const std::vector<std::string>& faults) {
  return fmt::format("{}", fmt::join(faults, "; "));
}

ConfigReader::ConfigReader(const Value& config, Mode mode) : config_(config), mode_(mode) {
  if (!config.is_object() && !config.is_null()) {
    AddFault(fmt::format("Expected the configuration to be an object but found {}",
                         KindName(config.kind())));
  }
}

bool ConfigReader::Has(std::string_view key) {
  return Any(key) != nullptr;
}

const Value* ConfigReader::Any(std::string_view key) {
  if (std::ranges::find(known_, key) == known_.end()) known_.emplace_back(key);
  const Value* value = config_.Find(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::optional<std::string> ConfigReader::Text(std::string_view key) {
  const Value* value = Any(key);
  if (value == nullptr) return std::nullopt;
  std::optional<std::string> text = ScalarText(*value);
  if (!text) ExpectType(key, "a text", *value);
  return text;
}

bool ConfigReader::Bool(std::string_view key, bool fallback) {
  const Value* value = Any(key);
  if (value == nullptr) return fallback;
  if (value->is_bool()) return value->as_bool();
  if (value->is_string() && value->as_string() == "true") return true;
  if (value->is_string() && value->as_string() == "false") return false;
  ExpectType(key, "true or false", *value);
  return fallback;
}

int64_t ConfigReader::DurationUs(std::string_view key) {
  const Value* value = Any(key);
  if (value == nullptr) return 0;
  std::optional<int64_t> duration;
  if (value->is_number()) duration = InRange(value->as_double() * 1e6);
  if (value->is_string()) duration = ParseDurationUs(value->as_string());
  if (!duration)
    ExpectType(key, "a duration such as \"30s\", \"5m\" or 1.5 (seconds), of at most 36500 days",
               *value);
  return duration.value_or(0);
}

std::vector<std::string> ConfigReader::TextList(std::string_view key) {
  std::vector<std::string> texts;
  const Value* value = Any(key);
  if (value == nullptr) return texts;
  if (!value->is_array()) {
    ExpectType(key, "a list", *value);
    return texts;
  }
  for (const Value& element : value->as_array()) {
    if (std::optional<std::string> text = ScalarText(element)) {
      texts.push_back(*std::move(text));
    } else {
      ExpectType(fmt::format("{}[{}]", key, texts.size()), "a text", element);
      texts.emplace_back();
    }
  }
  return texts;
}

std::vector<std::pair<std::string, std::string>> ConfigReader::TextMap(std::string_view key) {
  std::vector<std::pair<std::string, std::string>> texts;
  const Value* value = Any(key);
  if (value == nullptr) return texts;
  if (!value->is_object()) {
    ExpectType(key, "an object", *value);
    return texts;
  }
  for (const Member& member : value->as_object()) {
    if (std::optional<std::string> text = ScalarText(member.value)) {
      texts.emplace_back(member.key, *std::move(text));
    } else {
      ExpectType(fmt::format("{}.{}", key, member.key), "a text", member.value);
    }
  }
  return texts;
}

bool ConfigReader::IsOpen(const Value& value) const {
  return mode_ == Mode::kStatic && value.is_string() &&
         (value.as_string().find("{{") != std::string::npos ||
          value.as_string().find("${") != std::string::npos);
}

void ConfigReader::ExpectType(std::string_view key, std::string_view expected, const Value& found) {
  if (IsOpen(found)) return;
  AddFault(fmt::format("Expected `{}` to be {} but found {}", key, expected, Shown(found)));
}

std::vector<std::string> ConfigReader::TakeFaults() {
  if (config_.is_object()) {
    std::ranges::sort(known_);
    for (const Member& member : config_.as_object()) {
      if (std::ranges::binary_search(known_, member.key)) continue;
      AddFault(fmt::format("Expected one of the keys {} but found `{}`", fmt::join(known_, ", "),
                           member.key));
    }
  }
  return std::move(faults_);
}

}  // namespace stele::tasks
