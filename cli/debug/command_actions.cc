// What each command does.
#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "base/clock.h"
#include "base/json.h"
#include "cli/debug/commands.h"
#include "cli/moment.h"
#include "cli/text.h"
#include "projections/field_values.h"

namespace stele::cli {

namespace {

using replay::Direction;
using replay::Stop;
using replay::StopReason;

constexpr uint64_t kListed = 15;
constexpr uint64_t kMostListed = 10'000;
// More events than a history has: a move ends where that does.
constexpr uint64_t kMostTimes = 1'000'000'000;

Answer Said(Lines lines) {
  return {.lines = std::move(lines), .stop = std::nullopt};
}
Answer Said(std::string text) {
  return Said(Lines{Line(std::move(text))});
}

// How often a move is made: once, when nothing says so.
Result<uint64_t> TakeTimes(CommandWords& words) {
  CommandWords copy = words;
  const std::string_view word = copy.Take();
  if (word.empty() || word == "back") return 1;
  const std::optional<uint64_t> times = words.TakeNumber();
  if (times.has_value() && *times >= 1 && *times <= kMostTimes) return *times;
  return ExpectedInstead(fmt::format("a number from 1 to {}, or back", kMostTimes), word);
}

bool MayGoOn(StopReason reason) {
  return reason == StopReason::kMoved || reason == StopReason::kBreakpoint;
}

}  // namespace

Result<Answer> DebugCommands::Moved(Result<Stop> stop) {
  if (!stop.has_value()) return std::unexpected(stop.error());
  Answer answer{.lines = {}, .stop = *stop};
  Result<Line> here = EventHere(debugger_);
  if (!here.has_value()) return std::unexpected(here.error());
  answer.lines.push_back(*std::move(here));
  if (std::string why = StopText(debugger_, *stop); !why.empty())
    answer.lines.emplace_back("  " + why);
  for (Line& watch : WatchLines(debugger_))
    if (watch.is_changed) answer.lines.push_back(std::move(watch));
  return answer;
}

Result<Answer> DebugCommands::Move(replay::Unit unit, CommandWords& words, Direction direction) {
  const Result<uint64_t> times = TakeTimes(words);
  if (!times.has_value()) return std::unexpected(times.error());
  if (words.TakeIf("back")) direction = Direction::kBack;
  STELE_RETURN_IF_ERROR(words.End());
  const Seq from = debugger_.at();
  Result<Stop> stop = Stop{.from = from, .at = from};
  for (uint64_t i = 0; i < *times && stop.has_value() && MayGoOn(stop->reason); ++i)
    stop = debugger_.Move(unit, direction);
  if (stop.has_value() && *times != 1) debugger_.CountAsOneMove(from);
  return Moved(std::move(stop));
}

Result<Answer> DebugCommands::Go(CommandWords& words, Direction direction) {
  if (words.TakeIf("back")) direction = Direction::kBack;
  STELE_RETURN_IF_ERROR(words.End());
  return Moved(debugger_.Continue(direction));
}

Result<Answer> DebugCommands::Jump(CommandWords& words) {
  const std::string_view text = words.rest();
  const bool back = text.starts_with('-');
  CommandWords number(text.substr(std::min<size_t>(1, text.size())));
  const std::optional<uint64_t> distance = number.TakeNumber();
  if ((back || text.starts_with('+')) && distance.has_value() && number.empty()) {
    const uint64_t at = debugger_.at().value;
    const uint64_t last = debugger_.last().value;
    if (back ? *distance < at : *distance <= last - at)
      return Moved(debugger_.JumpTo(Seq(back ? at - *distance : at + *distance)));
    return Fail(ErrorCode::kNoSuchMoment,
                fmt::format("Expected an event from 1 to {} of instance {} but found {} from {}",
                            last, debugger_.instance().value, text, at));
  }
  if (const auto when = ParseWhen(text, SystemClock().Now())) return Moved(debugger_.JumpTo(*when));
  return ExpectedInstead(fmt::format("an event's number, +N, -N, start, end, {}{}",
                                     projections::kMomentForms, projections::MomentBound(text)),
                         text);
}

Result<Answer> DebugCommands::Search(CommandWords& words) {
  const Direction direction = words.TakeIf("back") ? Direction::kBack : Direction::kForward;
  if (words.empty()) return ExpectedInstead("a text to look for", "");
  return Moved(debugger_.Find(words.rest(), direction));
}

Result<Answer> DebugCommands::Break(CommandWords& words) {
  replay::BreakpointSpec spec;
  const std::string_view what = words.Take();
  if (what == "if") {
    if (words.empty()) return ExpectedInstead("an expression", "");
    spec.condition = words.rest();
    return Add(std::move(spec));
  }
  if (what != "step" && what != "event" && what != "line")
    return ExpectedInstead("step ID, event KIND, line N or if EXPRESSION", what);
  const Result<std::string> named = words.TakeName();
  if (!named.has_value()) return std::unexpected(named.error());
  if (named->empty())
    return ExpectedInstead(what == "step"    ? "a step's id"
                           : what == "event" ? "a kind of event"
                                             : "a number",
                           "");
  if (what == "step") spec.step = *named;
  if (what == "event") spec.event = *named;
  if (what == "event" && words.TakeIf("at")) {
    Result<std::string> step = words.TakeName();
    if (!step.has_value()) return std::unexpected(step.error());
    spec.step = *std::move(step);
    if (spec.step.empty()) return ExpectedInstead("a step's id", "");
  }
  if (words.TakeIf("if")) {
    if (words.empty()) return ExpectedInstead("an expression", "");
    spec.condition = words.rest();
  } else {
    STELE_RETURN_IF_ERROR(words.End());
  }
  return what == "line" ? AddAtLine(*named, std::move(spec)) : Add(std::move(spec));
}

Result<Answer> DebugCommands::AddAtLine(std::string_view line, replay::BreakpointSpec spec) {
  CommandWords word(line);
  const std::optional<uint64_t> number = word.TakeNumber();
  if (!number.has_value() || *number == 0 || *number > std::numeric_limits<uint32_t>::max())
    return ExpectedInstead("the number of a line", line);
  std::vector<std::string> steps;
  if (steps_of_line_) steps = steps_of_line_(static_cast<uint32_t>(*number));
  if (steps.empty())
    return ExpectedInstead("a line of the workflow's file that a step belongs to", line);
  Answer answer;
  for (const std::string& step : steps) {
    spec.step = step;
    spec.label = fmt::format("line {}, step {}", *number, step);
    if (!spec.condition.empty()) spec.label += " if " + spec.condition;
    Result<Answer> added = Add(spec);
    if (!added.has_value()) return added;
    std::ranges::move(added->lines, std::back_inserter(answer.lines));
  }
  return answer;
}

Result<Answer> DebugCommands::Add(replay::BreakpointSpec spec) {
  const std::string text = replay::DescriptionOf(spec);
  const Result<uint32_t> number = debugger_.Break(std::move(spec));
  if (!number.has_value()) return std::unexpected(number.error());
  return Said(fmt::format("breakpoint {}, {}", *number, Clean(text)));
}

// Breakpoints by number, or all of them.
Result<std::vector<uint32_t>> DebugCommands::Chosen(CommandWords& words) const {
  std::vector<uint32_t> all;
  for (const replay::Breakpoint& breakpoint : debugger_.breakpoints())
    all.push_back(breakpoint.number);
  if (words.rest() == "all") return all;
  CommandWords word = words;
  const std::optional<uint64_t> number = word.TakeNumber();
  if (number.has_value() && word.empty() && std::ranges::find(all, *number) != all.end())
    return std::vector{static_cast<uint32_t>(*number)};
  return ExpectedInstead("the number of a breakpoint, or all", words.rest());
}

Result<Answer> DebugCommands::Delete(CommandWords& words) {
  const auto chosen = Chosen(words);
  if (!chosen.has_value()) return std::unexpected(chosen.error());
  for (const uint32_t number : *chosen) debugger_.RemoveBreakpoint(number);
  return Said(BreakpointLines(debugger_));
}

Result<Answer> DebugCommands::Enable(CommandWords& words, bool enabled) {
  const auto chosen = Chosen(words);
  if (!chosen.has_value()) return std::unexpected(chosen.error());
  for (const uint32_t number : *chosen) debugger_.EnableBreakpoint(number, enabled);
  return Said(BreakpointLines(debugger_));
}

Result<Answer> DebugCommands::Watch(CommandWords& words) {
  if (words.empty()) return ExpectedInstead("an expression", "");
  const Result<uint32_t> number = debugger_.AddWatch(words.rest());
  if (!number.has_value()) return std::unexpected(number.error());
  return Said(Lines{WatchLines(debugger_).back()});
}

Result<Answer> DebugCommands::Unwatch(CommandWords& words) {
  CommandWords word = words;
  const std::optional<uint64_t> number = word.TakeNumber();
  if (!number.has_value() || *number > std::numeric_limits<uint32_t>::max() || !word.empty() ||
      !debugger_.RemoveWatch(static_cast<uint32_t>(*number)))
    return ExpectedInstead("the number of a watch", words.rest());
  return Said(WatchLines(debugger_));
}

Result<Answer> DebugCommands::Print(CommandWords& words) {
  if (words.empty()) return ExpectedInstead("an expression", "");
  const Result<Value> value = debugger_.Evaluate(words.rest());
  if (!value.has_value()) return std::unexpected(value.error());
  return Said(JsonLines(*value));
}

Result<Answer> DebugCommands::Assert(CommandWords& words) {
  if (words.empty()) return ExpectedInstead("an expression", "");
  const Result<bool> holds = debugger_.Holds(words.rest());
  // What has no value here does not hold; what is no expression is none anywhere.
  const bool has_no_value =
      !holds.has_value() && (holds.error().code == ErrorCode::kExpressionUndefined ||
                             holds.error().code == ErrorCode::kExpressionType);
  if (!holds.has_value() && !has_no_value) return std::unexpected(holds.error());
  if (holds.has_value() && *holds) return Answer();
  return Fail(
      ErrorCode::kNotAllowed,
      fmt::format(
          "Expected {} at event {} but found that it {}", Clean(words.rest()), debugger_.at().value,
          has_no_value ? "has no value: " + Clean(holds.error().message) : "does not hold"));
}

Result<Answer> DebugCommands::Where(CommandWords&) {
  const Result<replay::PastEvent> event = debugger_.machine().EventAt(debugger_.at());
  if (!event.has_value()) return std::unexpected(event.error());
  const replay::PastRecord record = event->record;
  const Result<std::string> status = StatusHere(debugger_);
  if (!status.has_value()) return std::unexpected(status.error());
  Result<Line> here = EventHere(debugger_);
  if (!here.has_value()) return std::unexpected(here.error());
  Answer answer;
  answer.lines.emplace_back(
      fmt::format("event {} of {}, {}", debugger_.at().value, debugger_.last().value, *status));
  answer.lines.emplace_back(fmt::format("record {}, events {} to {}, {}{}",
                                        record.context.position.value, record.first.value,
                                        record.last.value, Time(record.context.time),
                                        record.actor.empty() ? "" : ", by " + Clean(record.actor)));
  answer.lines.push_back(*std::move(here));
  return answer;
}

Result<Answer> DebugCommands::List(CommandWords& words) {
  const uint64_t count = std::min(words.TakeNumber().value_or(kListed), kMostListed);
  STELE_RETURN_IF_ERROR(words.End());
  const uint64_t at = debugger_.at().value;
  const uint64_t last = debugger_.last().value;
  // In the middle, but for the ends.
  uint64_t first = at > count / 2 ? at - count / 2 : 1;
  if (first + count > last + 1) first = last + 1 > count ? last + 1 - count : 1;
  Result<Lines> lines = EventLines(debugger_, Seq(first), count);
  if (!lines.has_value()) return std::unexpected(lines.error());
  return Said(*std::move(lines));
}

Result<Answer> DebugCommands::Event(CommandWords& words) {
  const Seq seq(words.TakeNumber().value_or(debugger_.at().value));
  STELE_RETURN_IF_ERROR(words.End());
  const Result<Value> event = debugger_.EventDocument(seq);
  if (!event.has_value()) return std::unexpected(event.error());
  return Said(JsonLines(*event));
}

Result<Answer> DebugCommands::Info(CommandWords& words) {
  const std::string_view what = words.Take();
  STELE_RETURN_IF_ERROR(words.End());
  Result<Lines> lines = Lines();
  if (what == "breakpoints") {
    lines = BreakpointLines(debugger_);
  } else if (what == "watches") {
    lines = WatchLines(debugger_);
  } else if (what == "runs") {
    lines = RunLines(debugger_);
  } else if (what == "state") {
    Result<Object> state = debugger_.State();
    if (!state.has_value()) return std::unexpected(state.error());
    lines = JsonLines(Value(*std::move(state)));
  } else {
    return ExpectedInstead("breakpoints, watches, runs or state", what);
  }
  if (!lines.has_value()) return std::unexpected(lines.error());
  if (lines->empty()) lines->emplace_back("none");
  return Said(*std::move(lines));
}

Result<Answer> DebugCommands::Follow(CommandWords&) {
  const Result<uint64_t> more = debugger_.Follow();
  if (!more.has_value()) return std::unexpected(more.error());
  return Said(fmt::format("{} more; {} in all", Count(*more, "event"), debugger_.last().value));
}

}  // namespace stele::cli
