#include "engine/definition/places.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "engine/definition/document.h"

namespace stele::definition {
namespace {

using Key = std::pair<uint32_t, uint32_t>;

Key KeyOf(Place place) {
  return {place.line, place.column};
}

// The lines of a text, without what ends them.
std::vector<std::string_view> LinesIn(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Which mapping each place of a tree belongs to: its own, and those of its keys' plain values.
class Holders {
 public:
  explicit Holders(const Node& root) { Add(root); }

  // Null when nothing of the tree stands there.
  const Node* At(Place place) const {
    const auto found = by_place_.find(KeyOf(place));
    return found == by_place_.end() ? nullptr : found->second;
  }

 private:
  // As deep as the tree: limits.h.
  void Add(const Node& node) {
    by_place_.try_emplace(KeyOf(node.place), &node);
    for (const Node& item : node.items) Add(item);
    for (const Entry& entry : node.entries) {
      if (entry.value.is_scalar())
        by_place_.try_emplace(KeyOf(entry.value.place), &node);
      else
        Add(entry.value);
    }
  }

  std::map<Key, const Node*> by_place_;
};

bool IsBlank(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t\r");
  return first == std::string_view::npos || line[first] == '#';
}

// The last line of a block whose keys stand in `column`.
uint32_t EndOfBlock(const std::vector<std::string_view>& lines, uint32_t first, uint32_t column) {
  uint32_t last = first;
  for (uint32_t line = first + 1; line <= lines.size(); ++line) {
    const std::string_view text = lines[line - 1];
    if (IsBlank(text)) continue;
    if (text.find_first_not_of(' ') + 1 < column) break;
    last = line;
  }
  return last;
}

bool EndsInWord(std::string_view text) {
  return !text.empty() && std::isalnum(static_cast<unsigned char>(text.back())) != 0;
}

// The line of the brace that closes the first one at `column` or behind it.
uint32_t EndOfBraces(const std::vector<std::string_view>& lines, uint32_t first, uint32_t column) {
  uint32_t open = 0;
  char quote = 0;
  for (uint32_t line = first; line <= lines.size(); ++line) {
    const std::string_view text = lines[line - 1];
    for (size_t at = line == first ? column - 1 : 0; at < text.size(); ++at) {
      const char c = text[at];
      if (quote != 0) {
        if (c == '\\' && quote == '"') ++at;
        if (c == quote) quote = 0;
      } else if (c == '"' || (c == '\'' && !EndsInWord(text.substr(0, at)))) {
        quote = c;
      } else if (c == '#' && at > 0 && text[at - 1] == ' ') {
        break;
      } else if (c == '{') {
        ++open;
      } else if (c == '}' && open > 0 && --open == 0) {
        return line;
      }
    }
  }
  return first;
}

Lines LinesOf(const Node& node, const std::vector<std::string_view>& lines) {
  const uint32_t first = node.place.line;
  if (first == 0 || first > lines.size()) return {};
  if (!node.is_map() || node.entries.empty()) return {first, first};
  const std::string_view text = lines[first - 1];
  const uint32_t column = node.place.column;
  if (column >= 1 && column <= text.size() && text[column - 1] == '{')
    return {first, EndOfBraces(lines, first, column)};
  const Place key = node.entries.front().place;
  if (key.line < first || key.line > lines.size()) return {first, first};
  return {first, EndOfBlock(lines, key.line, key.column)};
}

}  // namespace

std::vector<Lines> LinesOfSteps(const Definition& definition, std::string_view source,
                                Syntax syntax) {
  std::vector<Lines> found(definition.steps.size());
  Faults faults;
  const std::optional<Node> root = ParseDocument(source, syntax, faults);
  if (!root) return found;
  const std::vector<std::string_view> lines = LinesIn(source);
  const Holders holders(*root);
  for (size_t i = 0; i < found.size(); ++i) {
    const Node* node = holders.At(definition.steps[i].place);
    if (node != nullptr) found[i] = LinesOf(*node, lines);
  }
  return found;
}

std::vector<StepIndex> StepsAtLine(const std::vector<Lines>& lines, uint32_t line) {
  Lines best;
  const auto better = [&](const Lines& other) {
    const bool holds = other.first <= line && line <= other.last;
    const bool held = best.first <= line && line <= best.last;
    if (best.empty() || holds != held) return best.empty() || holds;
    if (!holds) return other.first < best.first;
    return other.last - other.first < best.last - best.first;
  };
  for (const Lines& each : lines)
    if (!each.empty() && each.last >= line && better(each)) best = each;
  std::vector<StepIndex> steps;
  if (best.empty()) return steps;
  for (uint32_t i = 0; i < lines.size(); ++i)
    if (lines[i] == best) steps.emplace_back(i);
  return steps;
}

}  // namespace stele::definition
