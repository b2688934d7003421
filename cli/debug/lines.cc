#include "cli/debug/lines.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/text.h"
#include "replay/standing.h"

namespace stele::cli {

namespace {

using replay::Change;
using replay::Debugger;

// Of a text that stands beside others in one line.
constexpr size_t kShownWidth = 200;

constexpr std::pair<std::string_view, std::string_view> kAsciiSigns[] = {
    {"│", "|"}, {"─", "-"}, {"├", "+"},       {"┤", "+"},   {"┼", "+"}, {"┬", "+"},
    {"┴", "+"}, {"╭", "+"}, {"╮", "+"},       {"╯", "+"},   {"╰", "+"}, {"╎", ":"},
    {"✓", "v"}, {"✗", "x"}, {"▶", "*"},       {"◷", "w"},   {"○", "o"}, {"·", "."},
    {"●", "B"}, {"→", ">"}, {"↺", "back to"}, {"…", "..."}, {"µ", "u"}, {"◆", "#"}};

std::string Ascii(std::string_view text) {
  std::string ascii;
  while (!text.empty()) {
    const auto sign = std::ranges::find_if(
        kAsciiSigns, [&](const auto& pair) { return text.starts_with(pair.first); });
    if (sign != std::end(kAsciiSigns)) {
      ascii += sign->second;
      text.remove_prefix(sign->first.size());
      continue;
    }
    const auto first = static_cast<unsigned char>(text[0]);
    // One sign for a character, whatever its bytes.
    if (first < 0x80) ascii += text[0];
    if (first >= 0xC0) ascii += '?';
    text.remove_prefix(1);
  }
  return ascii;
}

std::string Json(const Value& value) {
  return CutJson(value, kShownWidth);
}

// The same, but a text as it is: of a long one no more is looked at than may be shown.
std::string TextOf(const Value& value) {
  if (!value.is_string()) return Json(value);
  const std::string_view text = value.as_string();
  const std::string_view beginning = text.substr(0, 4 * kShownWidth);
  return Cut(Clean(beginning) + (beginning.size() < text.size() ? "…" : ""), kShownWidth);
}

// What an event has beside what its line shows already.
std::string Details(const replay::EventLine& event) {
  std::string details;
  for (const Member& member : event.members) {
    if (member.key == "event" || member.key == "run" || member.key == "scope" ||
        member.key == "step")
      continue;
    details +=
        fmt::format("{}{}={}", details.empty() ? "" : " ", Clean(member.key), TextOf(member.value));
  }
  if (event.is_erased) details += details.empty() ? "erased" : " (erased)";
  return details;
}

Style StyleOf(std::string_view event) {
  if (event.ends_with("_failed") || event == "incident_raised") return Style::kBad;
  if (event.ends_with("_completed")) return Style::kGood;
  return Style::kPlain;
}

}  // namespace

std::string PlainText(const Lines& lines) {
  std::string text;
  for (const Line& line : lines) {
    for (const Span& span : line.spans) text += span.text;
    text.erase(text.find_last_not_of(' ') + 1);
    text += '\n';
  }
  return text;
}

void MakeAscii(Lines& lines) {
  for (Line& line : lines)
    for (Span& span : line.spans) span.text = Ascii(span.text);
}

Result<Line> EventHere(Debugger& debugger) {
  const auto events = debugger.Events(debugger.at(), 1);
  if (!events.has_value()) return std::unexpected(events.error());
  const replay::EventLine& event = events->front();
  Line line;
  line.spans.push_back({fmt::format("{}  ", event.seq.value), Style::kDim});
  line.spans.push_back({std::string(event.name), StyleOf(event.name)});
  if (!event.label.empty()) line.spans.push_back({"  " + Clean(event.label), Style::kBold});
  const std::string details = Details(event);
  if (!details.empty()) line.spans.push_back({"  " + details});
  if (event.is_first && !event.actor.empty())
    line.spans.push_back({"  by " + Clean(event.actor), Style::kDim});
  return line;
}

Result<Lines> EventLines(Debugger& debugger, Seq first, size_t count) {
  const auto events = debugger.Events(first, count);
  if (!events.has_value()) return std::unexpected(events.error());
  const size_t digits = fmt::format("{}", debugger.last().value).size();
  Lines lines;
  for (const replay::EventLine& event : *events) {
    Line& line = lines.emplace_back();
    line.is_current = event.is_current;
    line.name = fmt::format("{}", event.seq.value);
    line.spans.push_back({event.is_current ? "→" : " ", Style::kBold});
    line.spans.push_back({event.is_broken ? "●" : " ", Style::kBad});
    line.spans.push_back({fmt::format("{:>{}} ", event.seq.value, digits), Style::kDim});
    line.spans.push_back(
        {fmt::format("{}{}", event.is_first ? "" : "  ", event.name), StyleOf(event.name)});
    if (!event.label.empty()) line.spans.push_back({" " + Clean(event.label), Style::kBold});
    const std::string details = Details(event);
    if (!details.empty()) line.spans.push_back({"  " + details, Style::kDim});
    if (event.is_first && !event.actor.empty())
      line.spans.push_back({"  by " + Clean(event.actor), Style::kDim});
  }
  return lines;
}

Result<Lines> ValueLines(Debugger& debugger) {
  const auto values = debugger.Values();
  if (!values.has_value()) return std::unexpected(values.error());
  Lines lines;
  std::string group;
  for (const replay::ShownValue& value : *values) {
    if (value.group != group) lines.emplace_back(Clean(value.group), Style::kBold);
    group = value.group;
    static constexpr std::string_view kSigns[] = {"  ", "+ ", "~ ", "- "};
    const bool changed = value.change != Change::kNone;
    Line& line = lines.emplace_back();
    line.is_changed = changed;
    const Style style = changed ? Style::kChanged : Style::kPlain;
    line.spans.push_back({std::string(kSigns[static_cast<size_t>(value.change)]), style});
    line.spans.push_back({Clean(value.name), style});
    if (value.change == Change::kRemoved) {
      line.spans.push_back({" was " + Json(value.before), Style::kDim});
      continue;
    }
    line.spans.push_back({" = " + Json(value.value)});
    if (value.change == Change::kChanged)
      line.spans.push_back({" was " + Json(value.before), Style::kDim});
  }
  return lines;
}

Lines WatchLines(Debugger& debugger) {
  Lines lines;
  const auto text = [](const Result<Value>& value) {
    if (value.has_value()) return Json(*value);
    const bool is_unknown = value.error().code == ErrorCode::kExpressionUndefined;
    return is_unknown ? "nothing" : "no value: " + Clean(value.error().message);
  };
  for (const replay::WatchValue& watch : debugger.Watches()) {
    const bool changed = watch.has_changed();
    Line& line = lines.emplace_back();
    line.name = fmt::format("{}", watch.number);
    line.is_changed = changed;
    const Style style = changed ? Style::kChanged : Style::kPlain;
    line.spans.push_back({fmt::format("{} {} ", changed ? "~" : " ", watch.number), style});
    line.spans.push_back({Clean(watch.expression), style});
    line.spans.push_back({" = " + text(watch.now)});
    if (changed) line.spans.push_back({" was " + text(watch.before), Style::kDim});
  }
  return lines;
}

Lines BreakpointLines(const Debugger& debugger) {
  Lines lines;
  for (const replay::Breakpoint& breakpoint : debugger.breakpoints()) {
    Line& line = lines.emplace_back();
    line.name = fmt::format("{}", breakpoint.number);
    line.spans.push_back({breakpoint.enabled ? "● " : "○ ", Style::kBad});
    line.spans.push_back(
        {fmt::format("{} {}", breakpoint.number, Clean(replay::DescriptionOf(breakpoint.spec)))});
    if (!breakpoint.enabled) line.spans.push_back({"  disabled", Style::kDim});
    if (breakpoint.hits > 0)
      line.spans.push_back({"  hit " + Count(breakpoint.hits, "time"), Style::kDim});
    if (!breakpoint.fault.empty())
      line.spans.push_back({"  no value: " + Clean(breakpoint.fault), Style::kDim});
  }
  return lines;
}

Result<Lines> ChangeLines(Debugger& debugger) {
  const Result<Array> changes = debugger.Changes();
  if (!changes.has_value()) return std::unexpected(changes.error());
  Lines lines;
  for (const Value& change : *changes) {
    const std::string& what = change.Find("op")->as_string();
    // They change with every event.
    const std::string& place = change.Find("path")->as_string();
    if (place == "/seq" || place == "/position") continue;
    const Value* value = change.Find("value");
    Line& line = lines.emplace_back();
    line.spans.push_back({what == "add" ? "+ " : what == "remove" ? "- " : "~ ", Style::kChanged});
    line.spans.push_back({Clean(place)});
    if (value != nullptr) line.spans.push_back({" = " + Json(*value)});
  }
  if (lines.empty()) lines.emplace_back("nothing");
  return lines;
}

Result<Lines> RunLines(Debugger& debugger) {
  const Result<Object> state = debugger.State();
  if (!state.has_value()) return std::unexpected(state.error());
  Lines lines;
  for (const std::string_view name : {"runs", "tokens", "timers", "signals", "undo"}) {
    const Value* part = state->Find(name);
    if (part == nullptr) continue;
    Lines of_part;
    if (part->is_object())
      for (const Member& member : part->as_object())
        of_part.emplace_back(fmt::format("  {} {}", member.key, Json(member.value)));
    if (part->is_array())
      for (const Value& item : part->as_array()) of_part.emplace_back("  " + Json(item));
    if (of_part.empty()) continue;
    lines.emplace_back(std::string(name), Style::kBold);
    std::ranges::move(of_part, std::back_inserter(lines));
  }
  if (lines.empty()) lines.emplace_back("nothing is under way");
  return lines;
}

Lines JsonLines(const Value& value) {
  Lines lines;
  const std::string text = CleanJson(ToPrettyJson(value));
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    lines.emplace_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

std::string StopText(const Debugger& debugger, const replay::Stop& stop) {
  switch (stop.reason) {
    case replay::StopReason::kMoved:
      return "";
    case replay::StopReason::kBegin:
      return "the beginning of the history";
    case replay::StopReason::kEnd:
      return "the end of the history";
    case replay::StopReason::kNotFound:
      return "nothing found";
    case replay::StopReason::kNoInside:
      return "nothing to go into: no loop or sub-process opens inside this scope that way";
    case replay::StopReason::kInterrupted:
      return "interrupted";
    case replay::StopReason::kBreakpoint:
      break;
  }
  std::string text;
  for (const replay::Breakpoint& breakpoint : debugger.breakpoints())
    if (std::ranges::find(stop.breakpoints, breakpoint.number) != stop.breakpoints.end())
      text += fmt::format("{}breakpoint {}, {}", text.empty() ? "" : "; ", breakpoint.number,
                          Clean(replay::DescriptionOf(breakpoint.spec)));
  return text;
}

Result<std::string> StatusHere(Debugger& debugger) {
  const Result<replay::Moment> moment = debugger.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  const replay::Standing standing = replay::StandingOf(moment->state, moment->definition);
  return replay::StatusWord(moment->state, standing);
}

}  // namespace stele::cli
