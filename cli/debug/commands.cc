#include "cli/debug/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/nearest.h"
#include "cli/text.h"

namespace stele::cli {

using replay::Direction;
using replay::Unit;

struct DebugCommands::Known {
  std::string_view name;
  std::string_view letter;  // a short name
  std::string_view takes;
  std::string_view help;
  Result<Answer> (*run)(DebugCommands& self, CommandWords& words);
};

namespace {

Result<Answer> Said(Result<Lines> lines) {
  if (!lines.has_value()) return std::unexpected(lines.error());
  return Answer{.lines = *std::move(lines), .stop = std::nullopt};
}

}  // namespace

std::vector<DebugCommands::Known> DebugCommands::Moves() {
  using C = DebugCommands;
  using W = CommandWords;
  constexpr Direction kForward = Direction::kForward;
  return {
      {"next", "n", "[N] [back]", "N events on",
       [](C& c, W& w) { return c.Move(Unit::kEvent, w, kForward); }},
      {"back", "", "[N]", "N events back",
       [](C& c, W& w) { return c.Move(Unit::kEvent, w, Direction::kBack); }},
      {"step", "s", "[N] [back]", "to where the next step begins or ends",
       [](C& c, W& w) { return c.Move(Unit::kStep, w, kForward); }},
      {"over", "", "[N] [back]", "the same, past what is inside the step",
       [](C& c, W& w) { return c.Move(Unit::kOver, w, kForward); }},
      {"into", "", "[N] [back]", "to the next event inside a loop or sub-process",
       [](C& c, W& w) { return c.Move(Unit::kInto, w, kForward); }},
      {"out", "o", "[N] [back]", "to the end of the scope, back: to its beginning",
       [](C& c, W& w) { return c.Move(Unit::kOut, w, kForward); }},
      {"record", "r", "[N] [back]", "to the end of the next record",
       [](C& c, W& w) { return c.Move(Unit::kRecord, w, kForward); }},
      {"continue", "c", "[back]", "to the next breakpoint, or the end",
       [](C& c, W& w) { return c.Go(w, kForward); }},
      {"reverse", "rc", "", "to the breakpoint before, or the beginning",
       [](C& c, W& w) { return c.Go(w, Direction::kBack); }},
      {"jump", "g", "SEQ | +N | -N | TIME | start | end", "there",
       [](C& c, W& w) { return c.Jump(w); }},
      {"search", "/", "[back] TEXT", "to the next event that holds the text",
       [](C& c, W& w) { return c.Search(w); }},
  };
}

// Breakpoints, watches, expressions.
std::vector<DebugCommands::Known> DebugCommands::Marks() {
  using C = DebugCommands;
  using W = CommandWords;
  return {
      {"break", "b", "step ID | event KIND [at ID] | line N | if EXPR",
       "stop there; the first three may add if EXPR", [](C& c, W& w) { return c.Break(w); }},
      {"delete", "d", "N | all", "a breakpoint", [](C& c, W& w) { return c.Delete(w); }},
      {"enable", "", "N | all", "a breakpoint that was disabled",
       [](C& c, W& w) { return c.Enable(w, true); }},
      {"disable", "", "N | all", "a breakpoint, which stays in the list",
       [](C& c, W& w) { return c.Enable(w, false); }},
      {"watch", "w", "EXPR", "show its value, and what it was before a move",
       [](C& c, W& w) { return c.Watch(w); }},
      {"unwatch", "", "N", "show it no longer", [](C& c, W& w) { return c.Unwatch(w); }},
      {"print", "p", "EXPR", "the value of an expression", [](C& c, W& w) { return c.Print(w); }},
      {"assert", "", "EXPR", "ends a script with 1 where it does not hold",
       [](C& c, W& w) { return c.Assert(w); }},
  };
}

std::vector<DebugCommands::Known> DebugCommands::Looks() {
  using C = DebugCommands;
  using W = CommandWords;
  return {
      {"where", "", "", "the event, and how the instance is",
       [](C& c, W& w) { return c.Where(w); }},
      {"list", "l", "[N]", "N events around this one", [](C& c, W& w) { return c.List(w); }},
      {"event", "e", "[SEQ]", "an event with all of its members",
       [](C& c, W& w) { return c.Event(w); }},
      {"graph", "", "", "the steps and their states",
       [](C& c, W&) { return Said(GraphLines(c.debugger_)); }},
      {"vars", "v", "", "variables, outputs, input; what has changed",
       [](C& c, W&) { return Said(ValueLines(c.debugger_)); }},
      {"changes", "", "", "what the last move has changed in the state",
       [](C& c, W&) { return Said(ChangeLines(c.debugger_)); }},
      {"info", "i", "breakpoints | watches | runs | state", "a list of them; the whole state",
       [](C& c, W& w) { return c.Info(w); }},
      {"follow", "f", "", "reads what has been recorded since",
       [](C& c, W& w) { return c.Follow(w); }},
      {"help", "h", "", "this list", [](C&, W&) { return Said(Help()); }},
      {"quit", "q", "", "end",
       [](C& c, W&) {
         c.quits_ = true;
         return Result<Answer>(Answer());
       }},
  };
}

const std::vector<DebugCommands::Known>& DebugCommands::All() {
  static const std::vector<Known> kAll = [] {
    std::vector<Known> all = Moves();
    std::ranges::move(Marks(), std::back_inserter(all));
    std::ranges::move(Looks(), std::back_inserter(all));
    return all;
  }();
  return kAll;
}

Lines DebugCommands::Help() {
  Lines lines;
  for (const Known& known : All()) {
    const std::string usage =
        fmt::format("{}{}{}", known.name, known.takes.empty() ? "" : " ", known.takes);
    Line& line = lines.emplace_back();
    line.spans.push_back({fmt::format("{:>2}  ", known.letter), Style::kDim});
    line.spans.push_back({fmt::format("{:<28} ", usage), Style::kBold});
    if (usage.size() > 28) {
      lines.emplace_back(std::string(33, ' '));
    }
    lines.back().spans.push_back({std::string(known.help)});
  }
  lines.emplace_back("    An ID of several words stands in quotes: break step \"two words\"");
  return lines;
}

Result<const DebugCommands::Known*> DebugCommands::Find(std::string_view name) {
  std::vector<std::string> names;
  std::vector<const Known*> begin_so;
  for (const Known& known : All()) {
    if (known.name == name || known.letter == name) return &known;
    if (known.name.starts_with(name)) begin_so.push_back(&known);
    names.emplace_back(known.name);
  }
  if (begin_so.size() == 1) return begin_so[0];
  if (!begin_so.empty()) {
    std::string all;
    for (const Known* known : begin_so)
      all += fmt::format("{}{}", all.empty() ? "" : ", ", known->name);
    return ExpectedInstead(fmt::format("one of {}", all), name);
  }
  const std::string near = Nearest(name, names);
  return ExpectedInstead(
      near.empty() ? "a command, see help" : fmt::format("a command such as {}", near), name);
}

Result<Answer> DebugCommands::Run(std::string_view line) {
  CommandWords words(line);
  if (words.empty() || words.rest().starts_with('#')) return Answer();
  // "/text" as it is typed elsewhere.
  if (words.rest().starts_with('/')) {
    CommandWords text(words.rest().substr(1));
    return Search(text);
  }
  const std::string_view name = words.Take();
  const Result<const Known*> known = Find(name);
  if (!known.has_value()) return std::unexpected(known.error());
  if ((*known)->takes.empty()) STELE_RETURN_IF_ERROR(words.End());
  return (*known)->run(*this, words);
}

}  // namespace stele::cli
