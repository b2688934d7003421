#include "cli/past/past_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "base/json_pointer.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

// Where no terminal says how wide it is.
constexpr size_t kShownColumns = 200;

constexpr std::string_view kMoments[] = {"started", "ended",       "deadline",  "activated", "due",
                                         "at",      "escalate_at", "remind_at", "time"};
// Under these stands what users put in: a number there is no moment of ours.
constexpr std::string_view kOfUsers[] = {"variables", "input", "output", "config",
                                         "item",      "last",  "payload"};

bool IsMoment(std::string_view name) {
  return std::ranges::find(kMoments, name) != std::end(kMoments);
}
bool IsOfUsers(std::string_view name) {
  return std::ranges::find(kOfUsers, name) != std::end(kOfUsers);
}

class Tree {
 public:
  Tree(const Terminal& terminal, size_t most) : terminal_(terminal), most_(most) {}

  void Add(const Document& change) {
    ++changes_;
    if (most_ != 0 && lines_ >= most_) return;
    const auto keys = PointerKeys(change["at"].text());
    if (!keys.has_value()) return;
    const size_t depth = keys->empty() ? 0 : keys->size() - 1;
    OpenHeadings(*keys, depth);
    const std::string name = keys->empty() ? "" : keys->back();
    // Of the users' own values none is a moment.
    const bool ours =
        std::ranges::none_of(keys->begin(), keys->begin() + static_cast<long>(depth), IsOfUsers);
    const std::string shown = ours ? name : "";
    const std::string kind = change["change"].text();
    if (kind == "added") {
      Line(depth, Colour::kGreen, '+', name, Text(shown, change["to"]));
    } else if (kind == "removed") {
      Line(depth, Colour::kRed, '-', name, Text(shown, change["from"]));
    } else {
      Line(depth, Colour::kYellow, '~', name,
           Text(shown, change["from"]) + " → " + Text(shown, change["to"]));
    }
    ++shown_;
  }

  std::string Take() {
    if (shown_ < changes_) text_ += fmt::format("  … and {} more\n", changes_ - shown_);
    return std::move(text_);
  }

 private:
  void OpenHeadings(const std::vector<std::string>& keys, size_t depth) {
    size_t same = 0;
    while (same < depth && same < open_.size() && open_[same] == keys[same]) ++same;
    for (size_t i = same; i < depth; ++i) {
      text_ += fmt::format("  {}  {}\n", std::string(2 * i, ' '),
                           terminal_.Paint(Colour::kBold, Clean(keys[i])));
      ++lines_;
    }
    open_.assign(keys.begin(), keys.begin() + static_cast<long>(depth));
  }

  std::string Text(std::string_view name, const Document& value) const {
    static const Value kNull;
    const Value* shown = value.value() == nullptr ? &kNull : value.value();
    return ValueText(name, *shown, ValueWidth(terminal_) / 2);
  }

  void Line(size_t depth, Colour colour, char sign, const std::string& name,
            const std::string& value) {
    const std::string line = fmt::format("{} {}: {}", sign, Clean(name), value);
    text_ += fmt::format("  {}{}\n", std::string(2 * depth, ' '), terminal_.Paint(colour, line));
    ++lines_;
  }

  const Terminal& terminal_;
  const size_t most_;
  std::vector<std::string> open_;
  std::string text_;
  size_t lines_ = 0;
  size_t changes_ = 0;
  size_t shown_ = 0;
};

}  // namespace

std::string EventPhrase(const Document& event) {
  std::string phrase = fmt::format("event {}, {}: {}", event["seq"].whole(),
                                   Time(event["time"].time()), Clean(event["event"].text()));
  std::string step = event["label"].text();
  if (step.empty()) step = event["step"].text();
  if (!step.empty()) phrase += " " + Clean(step);
  if (const int64_t run = event["run"].whole(); run != 0) phrase += fmt::format(" #{}", run);
  if (const std::string actor = event["actor"].text(); !actor.empty())
    phrase += fmt::format(" (by {})", Clean(actor));
  return phrase;
}

std::string ValueText(std::string_view name, const Value& value, size_t width) {
  if (value.is_int() && IsMoment(name)) return Time(TimeUs(value.as_int()));
  const std::string text = value.is_null() ? "null" : Inline(value);
  return width == 0 ? text : Cut(text, width);
}

std::string ChangeTree(const Array& changes, const Terminal& terminal, size_t most) {
  Tree tree(terminal, most);
  for (const Value& change : changes) tree.Add(Document(change));
  return tree.Take();
}

size_t ValueWidth(const Terminal& terminal) {
  if (!terminal.is_interactive()) return kShownColumns;
  return std::max<size_t>(terminal.width(), 60) - 20;
}

std::string Section(std::string_view title, const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "";
  std::string text = fmt::format("\n{}\n", title);
  const std::string table = Table(rows);
  for (size_t begin = 0; begin < table.size();) {
    const size_t end = table.find('\n', begin);
    text += "  " + table.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  return text;
}

}  // namespace stele::cli
