#include "cli/configuration/setting_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/json.h"
#include "cli/configuration/issuers.h"
#include "cli/text.h"
#include "engine/definition/duration.h"
#include "engine/definition/reader.h"

namespace stele::cli {

namespace {

using definition::Faults;
using definition::Node;

void Wrong(std::string_view expected, const Node& found, Faults& faults) {
  faults.Add(ErrorCode::kConfiguration, found.place,
             fmt::format("Expected {} but found {}", expected, definition::Describe(found)));
}

std::vector<std::string> WordsOf(const Setting& setting) {
  std::vector<std::string> words;
  std::string_view rest = setting.value;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('|'), rest.size());
    words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return words;
}

std::optional<std::string> TakeText(const Node& node, Faults& faults) {
  if (node.is_scalar() && !node.is_null()) {
    std::string text = node.is_string() ? node.scalar.as_string() : node.raw;
    if (!text.empty()) return text;
  }
  Wrong("a text", node, faults);
  return std::nullopt;
}

std::optional<Value> TakeNumber(const Setting& setting, const Node& node, Faults& faults) {
  const Value& number = node.scalar;
  if (node.is_scalar() && number.is_int() && number.as_int() >= setting.least &&
      number.as_int() <= setting.most)
    return number;
  Wrong(fmt::format("a whole number from {} to {}", setting.least, setting.most), node, faults);
  return std::nullopt;
}

std::optional<Value> TakeDuration(const Setting& setting, const Node& node, Faults& faults) {
  Faults other;
  const auto us = definition::ReadDuration(node, "", other);
  if (us.has_value() && *us >= setting.least && *us <= setting.most) return Value(*us);
  Wrong(fmt::format("a duration from {} to {}, like \"30s\" or \"1h30m\",", Duration(setting.least),
                    Duration(setting.most)),
        node, faults);
  return std::nullopt;
}

std::optional<Value> TakeWord(const Setting& setting, const Node& node, Faults& faults) {
  const std::vector<std::string> words = WordsOf(setting);
  if (node.is_string() && std::ranges::find(words, node.scalar.as_string()) != words.end())
    return node.scalar;
  Wrong(fmt::format("one of {}", definition::QuoteList(words)), node, faults);
  return std::nullopt;
}

std::optional<Value> TakeList(const Node& node, Faults& faults) {
  Array list;
  bool whole = true;
  const auto take = [&](const Node& item) {
    auto text = TakeText(item, faults);
    whole = whole && text.has_value();
    if (text.has_value()) list.emplace_back(*std::move(text));
  };
  if (node.is_list()) {
    for (const Node& item : node.items) take(item);
  } else if (node.is_map()) {
    Wrong("a text or a list of texts", node, faults);
    return std::nullopt;
  } else {
    take(node);
  }
  return whole ? std::optional<Value>(std::move(list)) : std::nullopt;
}

// A text of a variable or a flag as the same would stand in a file.
std::optional<Node> NodeOf(const Setting& setting, const std::string& text, Faults& faults) {
  if (setting.kind == SettingKind::kIssuers) {
    // The place is all that helps: nobody has the text before them in lines.
    if (const auto json = ParseJson(text); !json.has_value()) {
      faults.Add(ErrorCode::kConfiguration, {}, json.error().message);
      return std::nullopt;
    }
    return definition::ParseJsonDocument(text, faults);
  }
  Node node = definition::ToNode(text);
  if (setting.kind == SettingKind::kSwitch && (text == "true" || text == "1"))
    return definition::ToNode(true);
  if (setting.kind == SettingKind::kSwitch && (text == "false" || text == "0"))
    return definition::ToNode(false);
  if (setting.kind != SettingKind::kNumber) return node;
  int64_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return node;
  return definition::ToNode(number);
}

}  // namespace

std::string FoundFrom(const std::string& directory, const std::string& path) {
  if (directory.empty() || path == "-") return path;
  return (std::filesystem::path(directory) / path).lexically_normal();
}

std::optional<Value> TakeSetting(const Setting& setting, const Node& node,
                                 const std::string& directory, Faults& faults) {
  switch (setting.kind) {
    case SettingKind::kText:
    case SettingKind::kFile:
    case SettingKind::kDirectory: {
      auto text = TakeText(node, faults);
      if (!text.has_value()) return std::nullopt;
      return setting.kind == SettingKind::kText ? *text : FoundFrom(directory, *text);
    }
    case SettingKind::kSwitch:
      if (node.is_scalar() && node.scalar.is_bool()) return node.scalar;
      Wrong("true or false", node, faults);
      return std::nullopt;
    case SettingKind::kNumber:
      return TakeNumber(setting, node, faults);
    case SettingKind::kDuration:
      return TakeDuration(setting, node, faults);
    case SettingKind::kWord:
      return TakeWord(setting, node, faults);
    case SettingKind::kList:
      return TakeList(node, faults);
    case SettingKind::kIssuers:
      return TakeIssuers(node, directory, faults);
  }
  return std::nullopt;
}

std::optional<Value> TakeSetting(const Setting& setting, const std::vector<std::string>& texts,
                                 Faults& faults) {
  if (setting.kind == SettingKind::kList) {
    Node list;
    list.kind = Node::Kind::kList;
    for (const std::string& text : texts) list.items.push_back(definition::ToNode(text));
    return TakeSetting(setting, list, "", faults);
  }
  const auto node = NodeOf(setting, texts.back(), faults);
  if (!node.has_value()) return std::nullopt;
  return TakeSetting(setting, *node, "", faults);
}

}  // namespace stele::cli
