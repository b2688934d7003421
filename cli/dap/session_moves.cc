// What moves the debugger, and what an editor is told of it.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/dap/session.h"
#include "cli/text.h"
#include "engine/model/codec.h"
#include "replay/history.h"

namespace stele::cli::dap {
namespace {

using replay::Direction;
using replay::Stop;
using replay::StopReason;
using replay::Unit;

// Of the places that a line can be gone to: the nearest ones before and behind.
constexpr size_t kMaxTargets = 100;

bool IsInstruction(const Fields& arguments) {
  return arguments.TextOr("granularity") == "instruction";
}

// Where the step begins, by the index's number of it; of many those around the present place.
std::vector<Seq> BeginsAround(const replay::Debugger& debugger, uint32_t step) {
  std::vector<Seq> begins;
  for (Seq seq(1); seq <= debugger.last(); seq = seq.Next())
    if (step != 0 && debugger.index()[seq].step == step && debugger.index()[seq].begins_step())
      begins.push_back(seq);
  const auto here = std::ranges::lower_bound(begins, debugger.at());
  const auto before = std::min(kMaxTargets, static_cast<size_t>(here - begins.begin()));
  const auto behind = std::min(kMaxTargets, static_cast<size_t>(begins.end() - here));
  return {here - static_cast<ptrdiff_t>(before), here + static_cast<ptrdiff_t>(behind)};
}

}  // namespace

Result<Object> Session::ContinueOn(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  afterwards_ = [this] {
    if (const Status read = ReadOn(); !read.has_value())
      Arrived(std::unexpected(read.error()), "pause");
    else
      Run(Direction::kForward);
  };
  return Object{{"allThreadsContinued", true}};
}

Result<Object> Session::ReverseContinue(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  afterwards_ = [this] { Run(Direction::kBack); };
  return Object();
}

Result<Object> Session::Next(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  const Unit unit = IsInstruction(arguments) ? Unit::kEvent : Unit::kOver;
  afterwards_ = [this, unit] { Move(unit, Direction::kForward); };
  return Object();
}

Result<Object> Session::StepIn(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  afterwards_ = [this] { Move(Unit::kEvent, Direction::kForward); };
  return Object();
}

Result<Object> Session::StepOut(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  afterwards_ = [this] { Move(Unit::kOut, Direction::kForward); };
  return Object();
}

Result<Object> Session::StepBack(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  if (IsInstruction(arguments))
    afterwards_ = [this] { Move(Unit::kEvent, Direction::kBack); };
  else
    afterwards_ = [this] { Undo(); };
  return Object();
}

Result<Object> Session::Pause(const Fields&) {
  const bool waited = std::exchange(waits_, false);
  afterwards_ = [this, waited] {
    if (waited) Stopped("pause", "waits for what is recorded next: " + Here());
  };
  return Object();
}

Result<Object> Session::GotoTargets(const Fields& arguments) {
  const SourceText* source = sources_->Find(arguments.Inside("source"), ran_);
  if (source == nullptr)
    return Fail(ErrorCode::kInvalidInput,
                "Expected the text that the instance has run but found another");
  const Result<int64_t> line = arguments.Integer("line");
  if (!line.has_value()) return std::unexpected(line.error());
  Array targets;
  for (const StepIndex step : definition::StepsAtLine(source->lines, sources_->FromEditor(*line))) {
    const std::string& id = sources_->DefinitionOf(*source).step(step).id;
    const uint32_t number = debugger().index().StepNumber(id);
    const definition::Lines lines = source->lines[step.value];
    for (const Seq seq : BeginsAround(debugger(), number)) {
      const RunId run = debugger().index()[seq].run;
      targets_.insert(static_cast<int64_t>(seq.value));
      targets.emplace_back(
          Object{{"id", static_cast<int64_t>(seq.value)},
                 {"label", fmt::format("{} at event {}{}", id, seq.value,
                                       run ? fmt::format(", run {}", run.value) : "")},
                 {"line", sources_->ToEditor(lines.first)},
                 {"endLine", sources_->ToEditor(lines.last)}});
    }
  }
  return Object{{"targets", std::move(targets)}};
}

Result<Object> Session::Goto(const Fields& arguments) {
  STELE_RETURN_IF_ERROR(CheckThread(arguments));
  const Result<int64_t> target = arguments.Integer("targetId");
  if (!target.has_value()) return std::unexpected(target.error());
  if (!targets_.contains(*target))
    return Fail(
        ErrorCode::kInvalidInput,
        fmt::format("Expected a targetId that \"gotoTargets\" has given but found {}", *target));
  const Result<Stop> stop = debugger().JumpTo(Seq(static_cast<uint64_t>(*target)));
  if (!stop.has_value()) return std::unexpected(stop.error());
  afterwards_ = [this, stop = *stop] { Arrived(stop, "goto"); };
  return Object();
}

void Session::Move(Unit unit, Direction direction) {
  const Status read = direction == Direction::kForward ? ReadOn() : Status();
  if (!read.has_value()) return Arrived(std::unexpected(read.error()), "step");
  const Seq from = debugger().at();
  const Result<Stop> stop = debugger().Move(unit, direction);
  if (stop.has_value() && unit != Unit::kEvent) return EndStep(from, stop, direction);
  Remember(from);
  Arrived(stop, "step");
}

// Back to where the last step forward began. Where none has led it takes back what `next` would
// have done: the step before in the same scope.
void Session::Undo() {
  const Seq from = debugger().at();
  if (from != way_end_) way_.clear();
  if (way_.empty()) return Move(Unit::kOver, Direction::kBack);
  EndStep(from, debugger().JumpTo(way_.back()), Direction::kBack);
}

void Session::EndStep(Seq from, const Result<Stop>& stop, Direction direction) {
  if (!stop.has_value()) return Arrived(stop, "step");
  Breakpoints::Hit hit;
  const Result<Seq> met = FirstHit(from, stop->at, direction, hit);
  Remember(from);
  if (!met.has_value()) return Arrived(std::unexpected(met.error()), "step");
  if (hit.reason.empty()) return Arrived(stop, "step");
  view_->Forget();
  Tell({.from = from, .at = *met, .reason = StopReason::kBreakpoint, .breakpoints = {}});
  Stopped(hit.reason, Here(), hit.ids);
}

// A step that has begun at `from` has led here.
void Session::Remember(Seq from) {
  if (from != way_end_) way_.clear();
  way_end_ = debugger().at();
  if (way_end_ > from) way_.push_back(from);
  while (!way_.empty() && way_.back() >= way_end_) way_.pop_back();
}

// A step stops at the breakpoints on its way, and logs what they log: goes to the first of them, or
// to where the step leads.
Result<Seq> Session::FirstHit(Seq from, Seq target, Direction direction, Breakpoints::Hit& hit) {
  const auto is_beyond = [=](Seq at) {
    return direction == Direction::kForward ? at > target : at < target;
  };
  const auto go_to = [&](Seq at) -> Result<Seq> {
    for (const Seq each : {from, at})
      if (const auto stop = debugger().JumpTo(each); !stop.has_value())
        return std::unexpected(stop.error());
    return at;
  };
  if (debugger().breakpoints().empty() || from == target) return target;
  if (const auto begin = debugger().JumpTo(from); !begin.has_value())
    return std::unexpected(begin.error());
  is_far_ = is_beyond;
  Result<Stop> stop = debugger().Continue(direction);
  while (stop.has_value() && stop->reason == StopReason::kBreakpoint && !is_beyond(stop->at)) {
    hit = breakpoints_->HitOf(stop->breakpoints);
    Log(hit);
    if (!hit.reason.empty()) break;
    stop = debugger().Continue(direction);
  }
  is_far_ = nullptr;
  if (!stop.has_value()) return std::unexpected(stop.error());
  return go_to(hit.reason.empty() ? target : stop->at);
}

// Of a history that grows: what has been recorded since, when it stands at the end of what was
// read.
Status Session::ReadOn() {
  if (!history_->grows || debugger().at() != debugger().last()) return {};
  const Seq before = debugger().last();
  const Result<uint64_t> more = debugger().Follow();
  if (!more.has_value()) return std::unexpected(more.error());
  if (*more > 0) LearnDefinitions(before.Next());
  return {};
}

// The definitions that the events from there on made it run. They are registered before they run.
void Session::LearnDefinitions(Seq from) {
  const auto learn = [&](Seq seq) {
    const Result<replay::Moment> moment = debugger().machine().At(seq);
    if (!moment.has_value()) return;
    const DefinitionId definition = moment->state.definition;
    if (std::ranges::find(ran_, definition) != ran_.end()) return;
    if (history_->registry.Find(definition) == nullptr) {
      Result<model::Registry> registry = replay::ReadRegistry(*history_->source);
      if (!registry.has_value() || registry->Find(definition) == nullptr) return;
      history_->registry = *std::move(registry);
    }
    ran_.push_back(definition);
  };
  if (from == Seq(1)) learn(from);
  for (Seq seq = from; seq <= debugger().last(); seq = seq.Next())
    if (model::EventNameAt(debugger().index()[seq].kind) == "instance_migrated") learn(seq);
}

void Session::Run(Direction direction) {
  while (true) {
    const Result<Stop> stop = debugger().Continue(direction);
    if (!stop.has_value()) return Arrived(stop, "pause");
    if (!ComeTo(*stop)) return;
    if (is_interrupted_()) return Stopped("pause", Here());
  }
}

bool Session::ComeTo(const Stop& stop) {
  if (stop.reason == StopReason::kInterrupted) {
    Arrived(debugger().JumpTo(progress_), "pause");
    return false;
  }
  if (stop.reason == StopReason::kBreakpoint) {
    view_->Forget();
    const Breakpoints::Hit hit = breakpoints_->HitOf(stop.breakpoints);
    Log(hit);
    if (hit.reason.empty()) return true;
    Tell(stop);
    Stopped(hit.reason, Here(), hit.ids);
    return false;
  }
  const Result<replay::Moment> moment = debugger().Now();
  const bool has_ended = moment.has_value() && model::HasEnded(moment->state.status);
  if (stop.reason == StopReason::kEnd && follows_ && history_->grows && !has_ended) {
    view_->Forget();
    Tell(stop);
    waits_ = true;
    return false;
  }
  Arrived(stop, "pause");
  return false;
}

void Session::Follow() {
  if (!waits_) return;
  const Seq before = debugger().last();
  const Status read = ReadOn();
  if (!read.has_value()) {
    Arrived(std::unexpected(read.error()), "pause");
  } else if (debugger().last() != before) {
    Run(Direction::kForward);
  }
}

void Session::Arrived(const Result<Stop>& stop, std::string_view reason) {
  view_->Forget();
  if (!stop.has_value()) {
    out_.Output("stderr", Clean(stop.error().ToString()) + "\n");
    Stopped("pause", Here());
    return;
  }
  Tell(*stop);
  std::string text = Here();
  if (stop->reason == StopReason::kEnd) text = "the end of what is recorded: " + text;
  if (stop->reason == StopReason::kBegin) text = "the beginning: " + text;
  Stopped(reason, text);
}

}  // namespace stele::cli::dap
