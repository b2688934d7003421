#include "cli/dap/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/text.h"
#include "engine/model/codec.h"
#include "engine/model/names.h"

namespace stele::cli::dap {
namespace {

using definition::StepKind;

// "update[2]": how a scope is called that a step's run opened.
std::string NameOf(const definition::Step& step, const model::Scope& scope) {
  return step.kind == StepKind::kLoop ? fmt::format("{}[{}]", step.id, scope.index) : step.id;
}

std::string StateOf(const model::StepRun& run) {
  std::string text(model::EnumName(run.state));
  if (run.attempt > 1) text += fmt::format(", attempt {}", run.attempt);
  if (run.purpose != model::Purpose::kNormal)
    text += fmt::format(", {}", model::EnumName(run.purpose));
  return text;
}

// A run whose inside does not run: it is where something waits or acts.
bool IsLeaf(const model::StepRun& run) {
  return run.state != model::RunState::kChildren;
}

int64_t ThreadOf(RunId run) {
  return kHistoryThread + static_cast<int64_t>(run.value);
}

// The run that a thread is, one of the last stop.
Result<const model::StepRun*> RunOf(int64_t thread, const model::Instance& state) {
  const RunId id(static_cast<uint32_t>(thread - kHistoryThread));
  if (thread > kHistoryThread && thread <= ThreadOf(RunId(UINT32_MAX)))
    if (const model::StepRun* run = state.FindRun(id)) return run;
  return Fail(ErrorCode::kInvalidInput,
              fmt::format("Expected a thread of the last stop but found {}", thread));
}

}  // namespace

void View::Forget() {
  variables_.Forget();
  state_ = nullptr;
  frames_.clear();
  stacks_.clear();
}

Result<Object> View::Threads() {
  const Result<replay::Moment> moment = debugger_.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  Array threads;
  threads.emplace_back(
      Object{{"id", kHistoryThread},
             {"name", fmt::format("instance {}: event {} of {}", debugger_.instance().value,
                                  debugger_.at().value, debugger_.last().value)}});
  const RunId here = debugger_.index()[debugger_.at()].run;
  for (const model::StepRun& run : moment->state.runs) {
    if (!IsLeaf(run) || run.id == here) continue;
    if (threads.size() > kMaxThreads) break;
    threads.emplace_back(Object{
        {"id", ThreadOf(run.id)},
        {"name", fmt::format("{} ({})", moment->definition.step(run.step).id, StateOf(run))}});
  }
  return Object{{"threads", std::move(threads)}};
}

// The frames of the scopes around, and of the instance.
void View::AddAround(const replay::Moment& moment, ScopeId scope,
                     std::vector<Frame>& frames) const {
  const model::Instance& state = moment.state;
  for (const model::Scope* at = state.FindScope(scope); at != nullptr && at->owner;
       at = state.FindScope(at->parent)) {
    const model::StepRun* owner = state.FindRun(at->owner);
    if (owner == nullptr) break;
    frames.push_back(
        {NameOf(moment.definition.step(owner->step), *at), owner->step, at->id, owner->id});
  }
  frames.push_back({fmt::format("{}, instance {} · {}", moment.definition.name, state.id.value,
                                model::StatusOf(state)),
                    std::nullopt, ScopeId(), RunId()});
}

Result<std::vector<View::Frame>> View::FramesOf(int64_t thread) {
  const Result<ScopeId> scope = debugger_.Scope();
  if (!scope.has_value()) return std::unexpected(scope.error());
  const Result<replay::Moment> moment = debugger_.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  std::vector<Frame> frames;
  if (thread == kHistoryThread) {
    const replay::IndexedEvent& event = debugger_.index()[debugger_.at()];
    const definition::Step* step =
        moment->definition.FindStep(debugger_.index().StepId(event.step));
    if (event.step != 0 && step != nullptr && !event.opens_scope())
      frames.push_back({step->id, moment->definition.IndexOf(*step), *scope, event.run});
    AddAround(*moment, *scope, frames);
    frames.front().name += fmt::format(" · {}", model::EventNameAt(event.kind));
    return frames;
  }
  const Result<const model::StepRun*> found = RunOf(thread, moment->state);
  if (!found.has_value()) return std::unexpected(found.error());
  const model::StepRun* const run = *found;
  frames.push_back({fmt::format("{} · {}", moment->definition.step(run->step).id, StateOf(*run)),
                    run->step, run->scope, run->id});
  AddAround(*moment, run->scope, frames);
  return frames;
}

Object View::PlaceOf(const Frame& frame, DefinitionId definition) {
  const SourceText& source = sources_.Of(definition);
  const definition::Lines lines = frame.step && frame.step->value < source.lines.size()
                                      ? source.lines[frame.step->value]
                                      : definition::Lines();
  if (!source.definition || (frame.step && lines.empty())) return {{"line", 0}, {"column", 0}};
  Object place{{"source", sources_.ToJson(source)},
               {"line", sources_.ToEditor(frame.step ? lines.first : 1)},
               {"column", sources_.first()}};
  return place;
}

Status View::CheckThread(const Fields& arguments) {
  const Result<int64_t> thread = arguments.Integer("threadId");
  if (!thread.has_value()) return std::unexpected(thread.error());
  if (*thread == kHistoryThread) return {};
  const Result<replay::Moment> moment = debugger_.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  const auto run = RunOf(*thread, moment->state);
  return run.has_value() ? Status() : std::unexpected(run.error());
}

Result<Object> View::StackTrace(const Fields& arguments) {
  const Result<int64_t> thread = arguments.Integer("threadId");
  if (!thread.has_value()) return std::unexpected(thread.error());
  std::vector<int64_t>& stack = stacks_[*thread];
  if (stack.empty()) {
    Result<std::vector<Frame>> frames = FramesOf(*thread);
    if (!frames.has_value()) return std::unexpected(frames.error());
    for (Frame& frame : *frames) {
      frames_.push_back(std::move(frame));
      stack.push_back(static_cast<int64_t>(frames_.size()));
    }
  }
  const Result<replay::Moment> moment = debugger_.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  const DefinitionId definition = moment->state.definition;
  const size_t start =
      static_cast<size_t>(std::max<int64_t>(arguments.IntegerOr("startFrame", 0), 0));
  const int64_t levels = arguments.IntegerOr("levels", 0);
  Array lines;
  for (size_t i = start; i < stack.size(); ++i) {
    if (levels > 0 && lines.size() == static_cast<size_t>(levels)) break;
    const Frame& frame = frames_[static_cast<size_t>(stack[i]) - 1];
    Object line{{"id", stack[i]}, {"name", Clean(frame.name)}};
    for (Member& member : PlaceOf(frame, definition)) line.Set(member.key, std::move(member.value));
    lines.emplace_back(std::move(line));
  }
  return Object{{"stackFrames", std::move(lines)},
                {"totalFrames", static_cast<int64_t>(stack.size())}};
}

Result<Object> View::PlaceOf(std::string_view step) {
  const Result<replay::Moment> moment = debugger_.Now();
  if (!moment.has_value()) return std::unexpected(moment.error());
  const definition::Step* found = moment->definition.FindStep(step);
  if (found == nullptr) return Object();
  Object place = PlaceOf(Frame{"", moment->definition.IndexOf(*found), ScopeId(), RunId()},
                         moment->state.definition);
  return place.Find("source") == nullptr ? Object() : place;
}

Result<std::optional<ScopeId>> View::ScopeOfFrame(int64_t frame) const {
  if (frame == 0) return std::nullopt;
  if (frame < 1 || static_cast<uint64_t>(frame) > frames_.size())
    return Fail(ErrorCode::kInvalidInput,
                fmt::format("Expected a frameId of the last stop but found {}", frame));
  return frames_[static_cast<size_t>(frame) - 1].scope;
}

Object View::Describe(Value value) {
  Object described = variables_.Describe({"", variables_.Keep(std::move(value)), std::nullopt, ""});
  described.Set("result", *described.Find("value"));
  described.Erase("value");
  return described;
}

}  // namespace stele::cli::dap
