#include "engine/definition/reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "engine/definition/duration.h"

namespace stele::definition {
namespace {

std::string Backquote(std::string_view key) {
  return fmt::format("`{}`", key);
}

void AddType(const Node& node, std::string_view wanted, std::string_view what, Faults& faults) {
  faults.Add(ErrorCode::kInvalidDefinition, node.place,
             fmt::format("Expected {} as {} but found {}", wanted, what, Describe(node)));
}

std::string_view Trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

MapReader::MapReader(const Node& node, std::string_view what, Faults& faults)
    : node_(node), what_(what), faults_(faults) {
  if (!node.is_map())
    faults.Add(ErrorCode::kInvalidDefinition, node.place,
               fmt::format("Expected a mapping for {} but found {}", what_, Describe(node)));
}

const Node* MapReader::Take(std::initializer_list<std::string_view> names) {
  const Node* taken = nullptr;
  for (const std::string_view name : names) known_.emplace_back(name);
  for (const Entry& entry : node_.entries) {
    if (std::ranges::find(names, entry.key) == names.end() || entry.value.is_null()) continue;
    if (taken != nullptr)
      faults_.Add(
          ErrorCode::kInvalidDefinition, entry.place,
          fmt::format("Expected one name for the same thing but found {} beside another of {}",
                      Backquote(entry.key),
                      QuoteList(std::vector<std::string>(names.begin(), names.end()))));
    else
      taken = &entry.value;
  }
  return taken;
}

const Node* MapReader::Require(std::initializer_list<std::string_view> names) {
  const Node* node = Take(names);
  if (node == nullptr && node_.is_map())
    faults_.Add(ErrorCode::kInvalidDefinition, node_.place,
                fmt::format("Expected {} in {} but found none", Backquote(*names.begin()), what_));
  return node;
}

std::string MapReader::Text(std::initializer_list<std::string_view> names) {
  const Node* node = Take(names);
  if (node == nullptr) return {};
  return ReadText(*node, Backquote(*names.begin()), faults_).value_or("");
}

bool MapReader::Bool(std::initializer_list<std::string_view> names, bool absent) {
  const Node* node = Take(names);
  return node == nullptr ? absent : ReadBool(*node, Backquote(*names.begin()), faults_);
}

std::optional<int64_t> MapReader::Integer(std::initializer_list<std::string_view> names,
                                          int64_t low, int64_t high) {
  const Node* node = Take(names);
  if (node == nullptr) return std::nullopt;
  if (node->is_scalar() && node->scalar.is_int() && node->scalar.as_int() >= low &&
      node->scalar.as_int() <= high)
    return node->scalar.as_int();
  AddType(*node, fmt::format("an integer from {} to {}", low, high), Backquote(*names.begin()),
          faults_);
  return std::nullopt;
}

std::optional<double> MapReader::Number(std::initializer_list<std::string_view> names, double low,
                                        double high) {
  const Node* node = Take(names);
  if (node == nullptr) return std::nullopt;
  if (node->is_scalar() && node->scalar.is_number() && node->scalar.as_double() >= low &&
      node->scalar.as_double() <= high)
    return node->scalar.as_double();
  AddType(*node, fmt::format("a number from {} to {}", low, high), Backquote(*names.begin()),
          faults_);
  return std::nullopt;
}

std::optional<int64_t> MapReader::Duration(std::initializer_list<std::string_view> names) {
  const Node* node = Take(names);
  if (node == nullptr) return std::nullopt;
  return ReadDuration(*node, fmt::format("a duration as {}", Backquote(*names.begin())), faults_);
}

void MapReader::Keep(std::span<const std::string_view> keys, Object& extra) {
  for (const std::string_view key : keys) known_.emplace_back(key);
  for (const Entry& entry : node_.entries) {
    if (std::ranges::find(keys, entry.key) != keys.end()) {
      extra.Set(entry.key, ToValue(entry.value));
    } else if (entry.key.starts_with("x-")) {
      known_.push_back(entry.key);
      extra.Set(entry.key, ToValue(entry.value));
    }
  }
}

void MapReader::Finish() {
  for (const Entry& entry : node_.entries) {
    if (faults_.full()) return;
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::string near = faults_.Suggest(entry.key, known_);
    std::vector<std::string> known = known_;
    std::ranges::sort(known);
    const std::string wanted =
        near.empty() ? fmt::format("one of {}", QuoteList(known, "or")) : Quote(near);
    faults_.Add(
        ErrorCode::kUnknownKey, entry.place,
        fmt::format("Expected {} as a key of {} but found {}", wanted, what_, Quote(entry.key)));
  }
}

std::optional<std::string> ReadText(const Node& node, std::string_view what, Faults& faults) {
  if (node.is_string()) return node.scalar.as_string();
  if (node.is_scalar() && !node.is_null()) return node.raw;
  AddType(node, "a string", what, faults);
  return std::nullopt;
}

bool ReadBool(const Node& node, std::string_view what, Faults& faults) {
  if (node.is_scalar() && node.scalar.is_bool()) return node.scalar.as_bool();
  AddType(node, "true or false", what, faults);
  return false;
}

std::vector<Word> ReadWords(const Node& node, std::string_view what, bool commas, Faults& faults) {
  std::vector<Word> words;
  const auto add = [&](const Node& item) {
    if (item.kind != Node::Kind::kScalar || item.is_null())
      return AddType(item, "a string", what, faults);
    const std::string text = item.is_string() ? item.scalar.as_string() : item.raw;
    size_t begin = 0;
    while (true) {
      const size_t end = commas ? text.find(',', begin) : std::string::npos;
      const std::string_view piece = std::string_view(text).substr(
          begin, end == std::string::npos ? std::string_view::npos : end - begin);
      const std::string_view word = Trim(piece);
      const size_t offset = word.empty() ? begin : static_cast<size_t>(word.data() - text.data());
      if (word.empty())
        faults.Add(ErrorCode::kInvalidDefinition, PlaceIn(item, offset),
                   fmt::format("Expected a name in {} but found {}", what, Describe(item)));
      else
        words.push_back({std::string(word), PlaceIn(item, offset)});
      if (end == std::string::npos) return;
      begin = end + 1;
    }
  };
  if (node.is_list()) {
    for (const Node& item : node.items) add(item);
  } else if (node.is_scalar()) {
    add(node);
  } else {
    AddType(node, "a string or a list of strings", what, faults);
  }
  return words;
}

bool HasTemplate(const Node& node) {
  if (node.is_string()) {
    const std::string& text = node.scalar.as_string();
    return text.contains("{{") || text.contains("${");
  }
  return std::ranges::any_of(node.items, HasTemplate) ||
         std::ranges::any_of(node.entries,
                             [](const Entry& entry) { return HasTemplate(entry.value); });
}

Place PlaceIn(const Node& node, size_t offset) {
  if (node.text.line == 0 || offset == 0) return node.place;
  return {node.text.line, node.text.column + static_cast<uint32_t>(offset)};
}

Place PlaceAt(const Node& node, std::string_view pointer) {
  const Node* at = &node;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    const std::string_view escaped = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(escaped.size());
    std::string token;
    for (size_t i = 0; i < escaped.size(); ++i) {
      const bool escape = escaped[i] == '~' && i + 1 < escaped.size();
      token += escape ? (escaped[++i] == '1' ? '/' : '~') : escaped[i];
    }
    const Node* inner = at->Find(token);
    size_t index = 0;
    const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
    if (inner == nullptr && error == std::errc() && end == token.data() + token.size() &&
        index < at->items.size())
      inner = &at->items[index];
    if (inner == nullptr) break;
    at = inner;
  }
  return at->place;
}

std::string Fold(std::string_view word) {
  std::string folded;
  for (const char c : word) {
    if (c == '-' || c == ' ')
      folded += '_';
    else
      folded += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return folded;
}

}  // namespace stele::definition
