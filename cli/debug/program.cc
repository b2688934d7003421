#include "cli/debug/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "cli/text.h"

namespace stele::cli {

namespace {

// How often the log of a live instance is read on.
constexpr int kFollowMs = 500;
constexpr size_t kLeastRows = 10;
constexpr size_t kLeastColumns = 40;
// The title, the event, what was answered.
constexpr size_t kOwnRows = 3;

constexpr std::string_view kKeys =
    "n/p event  s/S step  o/O scope  c/C run  b break  w watch  / find  ? help  q end";

struct Binding {
  char key;
  std::string_view command;
};
constexpr Binding kBindings[] = {
    {'n', "next"},     {'p', "back"},      {'s', "step"},       {'S', "step back"},
    {'o', "out"},      {'O', "out back"},  {'i', "into"},       {'I', "into back"},
    {'x', "over"},     {'X', "over back"}, {'r', "record"},     {'R', "record back"},
    {'c', "continue"}, {'C', "reverse"},   {'<', "jump start"}, {'>', "jump end"},
    {'e', "event"},    {'v', "vars"},      {'u', "changes"},    {'j', "info state"},
};

// Nobody is at the other end of the connection.
bool IsLost(const Error& error) {
  return error.code == ErrorCode::kClosed || error.code == ErrorCode::kUnreachable;
}

Lines HelpLines() {
  Lines lines;
  for (const std::string_view line :
       {"n p  or the arrows right, left: an event on, back",
        "s S  to where the next step begins or ends, and back",
        "x X  the same, past the inside of loops and sub-processes",
        "o O  to the end of the scope, to its beginning",
        "i I  to the next event inside a loop or sub-process, and back",
        "r R  to the end of the next record, and back",
        "c C  to the next breakpoint, to the one before it", "< >  to the first event, to the last",
        "g    to an event, a time", "b d  breakpoint: a new one, delete one",
        "w    watch an expression", "/ \\  search on, back: the text of events",
        "Tab  the next pane; arrows and pages move in it; z shows it alone",
        "Enter  events: go there; graph: stop at the step; values: all of the value",
        "e v u j  the event, the values, what was changed, the whole state",
        "f    go along with an instance that is live; connect again", ":    any command; those are",
        ""})
    lines.emplace_back(std::string(line));
  std::ranges::move(DebugCommands::Help(), std::back_inserter(lines));
  return lines;
}

}  // namespace

DebugProgram::DebugProgram(Screen& screen, replay::Debugger& debugger, DebugCommands& commands,
                           ConnectAgain connect_again)
    : screen_(screen),
      debugger_(debugger),
      commands_(commands),
      connect_again_(std::move(connect_again)),
      panes_{Pane("Graph"),
             Pane("Events",
                  [this](size_t first, size_t count) {
                    return EventLines(debugger_, Seq(first + 1), count);
                  }),
             Pane("Values"), Pane("Watches, breakpoints")} {
  debugger_.OnProgress([this](Seq at) {
    message_ = Line(fmt::format("at event {} … Ctrl-C ends it", at.value), Style::kDim);
    screen_.Put(screen_.rows() - 1, 0, screen_.columns(), message_);
    screen_.Show();
    return !screen_.WasInterrupted();
  });
}

void DebugProgram::Run() {
  Look();
  message_ = Line(std::string(kKeys), Style::kDim);
  while (!commands_.wants_to_quit()) {
    Draw();
    const bool follows = !debugger_.has_ended() && cut_off_.empty();
    const Key key = screen_.Read(follows ? std::optional(kFollowMs) : std::nullopt);
    if (key.code == Key::Code::kGone) return;
    if (key.code == Key::Code::kNone) {
      FollowLog();
    } else {
      Take(key);
    }
  }
}

void DebugProgram::FollowLog() {
  const bool was_last = debugger_.at() == debugger_.last();
  const Result<uint64_t> more = debugger_.Follow();
  if (!more.has_value()) return CutOff(more.error());
  if (*more == 0) return;
  if (goes_along_ && was_last) return RunCommand("jump end");
  message_ = Line(fmt::format("{} more", Count(*more, "event")), Style::kDim);
  Look();
}

void DebugProgram::CutOff(const Error& error) {
  cut_off_ = IsLost(error) ? "connection lost: f connects" : "not read on: f tries again";
  LookFor(error);
}

void DebugProgram::GoAlong() {
  if (!cut_off_.empty()) {
    if (const Status connected = connect_again_(); !connected.has_value())
      return LookFor(connected.error());
    cut_off_ = {};
    message_ = Line("reads on");
    FollowLog();
    // What could not be read then can be now.
    if (cut_off_.empty()) Look();
    return;
  }
  goes_along_ = !goes_along_;
  message_ = Line(goes_along_ ? "goes along with the end of the history" : "stays where it is");
  FollowLog();
}

void DebugProgram::LookFor(const Error& error) {
  message_ = Line(Clean(error.ToString()), Style::kBad);
}

void DebugProgram::Look() {
  const auto show = [&](Place place, Result<Lines> lines) {
    // What was read before is worth more than a fault, which the last line tells.
    if (!lines.has_value() && panes_[place].count() > 0) return;
    if (!lines.has_value()) lines = Lines{Line(Clean(lines.error().message), Style::kBad)};
    const auto current = std::ranges::find(*lines, true, &Line::is_current);
    const auto row = static_cast<size_t>(current - lines->begin());
    const bool has_current = current != lines->end();
    panes_[place].SetLines(*std::move(lines));
    if (has_current) panes_[place].Select(row);
  };
  show(kGraph, GraphLines(debugger_));
  show(kValues, ValueLines(debugger_));
  Lines watches = WatchLines(debugger_);
  std::ranges::move(BreakpointLines(debugger_), std::back_inserter(watches));
  if (watches.empty()) watches.emplace_back("none: w watches an expression, b breaks", Style::kDim);
  show(kWatches, std::move(watches));
  panes_[kEvents].SetCount(debugger_.last().value);
  panes_[kEvents].Select(debugger_.at().value - 1);
  if (Result<Line> here = EventHere(debugger_)) event_ = *std::move(here);
  LookAtTitle();
}

void DebugProgram::LookAtTitle() {
  const Result<replay::Moment> moment = debugger_.Now();
  const Result<std::string> status = StatusHere(debugger_);
  if (!moment.has_value() || !status.has_value()) return;
  // Without milliseconds: it fits into 80 columns.
  const std::string time =
      Time(moment->time).substr(0, std::string_view("0000-00-00 00:00:00").size());
  whose_ = fmt::format(" instance {}  {} v{}  {}", debugger_.instance().value,
                       Clean(moment->definition.name), moment->version, *status);
  where_ = fmt::format("  event {} of {}  {}", debugger_.at().value, debugger_.last().value, time);
}

void DebugProgram::Open(std::string title, Lines lines) {
  overlay_ = Pane(std::move(title));
  overlay_.SetLines(std::move(lines));
  has_overlay_ = true;
}

void DebugProgram::Draw() {
  screen_.Clear();
  const size_t rows = screen_.rows();
  const size_t columns = screen_.columns();
  if (rows < kLeastRows || columns < kLeastColumns) {
    screen_.Put(0, 0, columns, Line(fmt::format("{} by {} at least", kLeastColumns, kLeastRows)));
    return screen_.Show();
  }
  std::string how = debugger_.has_ended() ? "" : "  live";
  if (!cut_off_.empty()) how = fmt::format("  {}", cut_off_);
  screen_.Put(0, 0, columns, Line(whose_ + how + where_, Style::kBold), true);
  if (has_overlay_) {
    overlay_.Draw(screen_, {1, 0, rows - kOwnRows, columns}, true);
  } else {
    DrawPanes(rows - kOwnRows);
  }
  screen_.Put(rows - 2, 0, columns, event_);
  if (!is_asking_) {
    screen_.Put(rows - 1, 0, columns, message_);
    return screen_.Show();
  }
  const Prompt::Shown typed = prompt_.ShownIn(columns - 1);
  screen_.Put(rows - 1, 0, columns, Line(":" + typed.text));
  screen_.Show(rows - 1, 1 + typed.place);
}

// The graph and the events above, values and watches below.
void DebugProgram::DrawPanes(size_t rows) {
  const size_t columns = screen_.columns();
  if (zoomed_) return panes_[focus_].Draw(screen_, {1, 0, rows, columns}, true);
  const size_t above = (rows * 3 + 2) / 5;
  const size_t left = columns / 2;
  const Area areas[] = {{1, 0, above, left},
                        {1, left + 1, above, columns - left - 1},
                        {1 + above, 0, rows - above, left},
                        {1 + above, left + 1, rows - above, columns - left - 1}};
  for (size_t row = 0; row < rows; ++row) screen_.Put(1 + row, left, 1, Line("│", Style::kDim));
  for (size_t place = 0; place < kPlaces; ++place)
    panes_[place].Draw(screen_, areas[place], place == focus_);
}

void DebugProgram::Take(const Key& key) {
  if (key.code == Key::Code::kResized) return;
  if (is_asking_) {
    const Prompt::Outcome outcome = prompt_.Take(key);
    if (outcome == Prompt::Outcome::kGoesOn) return;
    is_asking_ = false;
    if (outcome == Prompt::Outcome::kDone) RunCommand(prompt_.text());
    return;
  }
  message_ = Line(std::string(kKeys), Style::kDim);
  if (has_overlay_) return TakeInOverlay(key);
  if (TakeMove(key)) return;
  if (key.code == Key::Code::kEnter) return Act();
  if (key.code == Key::Code::kCharacter && key.character.size() == 1)
    TakeCharacter(key.character[0]);
}

void DebugProgram::TakeInOverlay(const Key& key) {
  const auto page = static_cast<ptrdiff_t>(overlay_.page());
  if (key.code == Key::Code::kUp) return overlay_.Move(-1);
  if (key.code == Key::Code::kDown) return overlay_.Move(1);
  if (key.code == Key::Code::kPageUp) return overlay_.Move(-page);
  if (key.code == Key::Code::kPageDown || key.character == " ") return overlay_.Move(page);
  if (key.code == Key::Code::kHome) return overlay_.Select(0);
  if (key.code == Key::Code::kEnd) return overlay_.Select(overlay_.count());
  has_overlay_ = false;
}

// Between panes, in them, and with arrows.
bool DebugProgram::TakeMove(const Key& key) {
  Pane& pane = panes_[focus_];
  const auto page = static_cast<ptrdiff_t>(pane.page());
  switch (key.code) {
    case Key::Code::kTab:
      focus_ = static_cast<Place>((focus_ + 1) % kPlaces);
      return true;
    case Key::Code::kBackTab:
      focus_ = static_cast<Place>((focus_ + kPlaces - 1) % kPlaces);
      return true;
    case Key::Code::kUp:
      pane.Move(-1);
      return true;
    case Key::Code::kDown:
      pane.Move(1);
      return true;
    case Key::Code::kPageUp:
      pane.Move(-page);
      return true;
    case Key::Code::kPageDown:
      pane.Move(page);
      return true;
    case Key::Code::kHome:
      pane.Select(0);
      return true;
    case Key::Code::kEnd:
      pane.Select(pane.count());
      return true;
    case Key::Code::kLeft:
      RunCommand("back");
      return true;
    case Key::Code::kRight:
      RunCommand("next");
      return true;
    case Key::Code::kNone:
    case Key::Code::kGone:
    case Key::Code::kCharacter:
    case Key::Code::kEnter:
    case Key::Code::kEscape:
    case Key::Code::kBackspace:
    case Key::Code::kResized:
    case Key::Code::kOther:
      return false;
  }
  return false;
}

void DebugProgram::TakeCharacter(char character) {
  const auto binding = std::ranges::find(kBindings, character, &Binding::key);
  if (binding != std::end(kBindings)) return RunCommand(std::string(binding->command));
  const replay::EventIndex& index = debugger_.index();
  const std::string selected =
      focus_ == kGraph ? panes_[kGraph].SelectedName() : index.StepId(index[debugger_.at()].step);
  switch (character) {
    case ':':
      return Ask("");
    case 'g':
      return Ask("jump ");
    case 'b':
      return Ask(selected.empty() ? "break " : "break step " + QuotedName(selected));
    case 'd':
      return Ask("delete ");
    case 'w':
      return Ask("watch ");
    case '/':
      return Ask("search ");
    case '\\':
      return Ask("search back ");
    case 'z':
      zoomed_ = !zoomed_;
      return;
    case 'f':
      return GoAlong();
    case '?':
      return Open("Help: arrows and pages move, any other key closes", HelpLines());
    case 'q':
      return RunCommand("quit");
    case '\x03':
      message_ = Line("q quits", Style::kBold);
      return;
    default:
      return;
  }
}

// What Enter does with the selected line.
void DebugProgram::Act() {
  const std::string name = panes_[focus_].SelectedName();
  if (focus_ == kEvents && !name.empty()) return RunCommand("jump " + name);
  if (focus_ == kValues) return RunCommand("vars");
  if (focus_ != kGraph || name.empty()) return;
  for (const replay::Breakpoint& breakpoint : debugger_.breakpoints())
    if (breakpoint.spec.step == name && breakpoint.spec.event.empty())
      return RunCommand(fmt::format("delete {}", breakpoint.number));
  RunCommand("break step " + QuotedName(name));
}

void DebugProgram::Ask(std::string text) {
  prompt_.Begin(std::move(text));
  is_asking_ = true;
}

void DebugProgram::RunCommand(const std::string& command) {
  const size_t graph_row = panes_[kGraph].selected();
  Result<Answer> answer = commands_.Run(command);
  if (!answer.has_value() && IsLost(answer.error())) return CutOff(answer.error());
  if (!answer.has_value()) return LookFor(answer.error());
  Look();
  if (answer->stop.has_value()) {
    const std::string why = StopText(debugger_, *answer->stop);
    if (!why.empty()) message_ = Line(why, Style::kBold);
    return;
  }
  if (focus_ == kGraph) panes_[kGraph].Select(graph_row);
  if (answer->lines.size() > 1) return Open(command, std::move(answer->lines));
  if (!answer->lines.empty()) message_ = std::move(answer->lines[0]);
}

}  // namespace stele::cli
