// What a debugger shows, as lines of styled text: printed by commands, drawn by the terminal
// program. Everything that comes from a log is clean (cli/text.h).
//
// Thread: that of the debugger.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "replay/debugger/debugger.h"

namespace stele::cli {

// Nothing is told by a style alone: signs and words say it, too.
enum class Style : uint8_t { kPlain, kDim, kBold, kGood, kBad, kWaiting, kChanged };

struct Span {
  std::string text;
  Style style = Style::kPlain;
};

struct Line {
  std::vector<Span> spans;
  bool is_current = false;  // where the debugger stands
  bool is_changed = false;  // by the last move
  std::string name;         // what the line is about, to act on it: a step's id, an event's seq

  Line() = default;
  explicit Line(std::string text, Style style = Style::kPlain) {
    spans.push_back({std::move(text), style});
  }
};
using Lines = std::vector<Line>;

// One under the other, without spaces at their ends.
std::string PlainText(const Lines& lines);
// Of a terminal that has no UTF-8: signs become letters, other characters '?'.
void MakeAscii(Lines& lines);

// "#12  step_completed  charge  {…}": the event here, and who asked for it.
Result<Line> EventHere(replay::Debugger& debugger);
// The graph with the state of each step.
Result<Lines> GraphLines(replay::Debugger& debugger);
// Up to `count` events from `first` on; those that follow from another one are indented.
Result<Lines> EventLines(replay::Debugger& debugger, Seq first, size_t count);
// Variables, outputs, input: what the last move has changed is marked.
Result<Lines> ValueLines(replay::Debugger& debugger);
Lines WatchLines(replay::Debugger& debugger);
Lines BreakpointLines(const replay::Debugger& debugger);
// What the last move has changed in the whole state.
Result<Lines> ChangeLines(replay::Debugger& debugger);
// Runs, timers and tokens, from the document of the state.
Result<Lines> RunLines(replay::Debugger& debugger);
// A JSON value over several lines.
Lines JsonLines(const Value& value);

// "stopped at breakpoint 2, step charge"; empty: it just moved.
std::string StopText(const replay::Debugger& debugger, const replay::Stop& stop);
// "failed", "waiting"…, as `stele status` has it.
Result<std::string> StatusHere(replay::Debugger& debugger);

}  // namespace stele::cli
