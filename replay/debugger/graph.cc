#include "replay/debugger/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "engine/model/names.h"
#include "replay/debugger/graph_rows.h"

namespace stele::replay {

namespace {

using definition::Step;
using model::RunState;
using model::SlotState;
using model::StepRun;

StepMark MarkOf(SlotState state) {
  switch (state) {
    case SlotState::kIdle:
      return StepMark::kIdle;
    case SlotState::kActive:
      return StepMark::kRunning;
    case SlotState::kCompleted:
      return StepMark::kCompleted;
    case SlotState::kFailed:
    case SlotState::kHandled:
      return StepMark::kFailed;
    case SlotState::kSkipped:
    case SlotState::kOmitted:
    case SlotState::kCancelled:
      return StepMark::kSkipped;
  }
  return StepMark::kIdle;
}

StepMark MarkOf(const StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
      return run.child ? StepMark::kWaiting : StepMark::kRunning;
    case RunState::kChildren:
      return StepMark::kRunning;
    case RunState::kBackoff:
    case RunState::kDelay:
    case RunState::kHeld:
    case RunState::kWaiting:
      return StepMark::kWaiting;
    case RunState::kParked:
      return StepMark::kParked;
    case RunState::kDone:
      return StepMark::kCompleted;
    case RunState::kFailed:
    case RunState::kFailing:
      return StepMark::kFailed;
  }
  return StepMark::kRunning;
}

std::string People(const model::HumanTask& task) {
  if (!task.claimed_by.empty()) return "claimed by " + task.claimed_by;
  std::string text;
  for (const std::string& person : task.assignees) text += (text.empty() ? "" : ", ") + person;
  for (const std::string& group : task.groups)
    text += fmt::format("{}group {}", text.empty() ? "" : ", ", group);
  return "waits for " + (text.empty() ? "anybody" : text);
}

std::string AttemptOf(const Step& step, uint32_t attempt) {
  if (step.retry.max_attempts > 1)
    return fmt::format("attempt {} of {}", attempt, step.retry.max_attempts);
  return attempt > 1 ? fmt::format("attempt {}", attempt) : "running";
}

std::string Waits(const StepRun& run) {
  if (run.human != nullptr) return People(*run.human);
  std::string text;
  for (const model::Wait& wait : run.waits)
    text += fmt::format("{}{}{}{}", text.empty() ? "" : ", ", model::EnumName(wait.kind),
                        wait.name.empty() ? "" : " ", wait.name);
  return "waits for " + text;
}

std::string Inside(const Step& step, const StepRun& run) {
  if (run.loop == nullptr || step.kind != definition::StepKind::kLoop) return "inside";
  return fmt::format("{} of its iterations open, the last [{}]", run.loop->running,
                     run.loop->next - 1);
}

std::string NoteOf(const Step& step, const StepRun& run) {
  switch (run.state) {
    case RunState::kAttempt:
      return run.child ? fmt::format("instance {}", run.child.value) : AttemptOf(step, run.attempt);
    case RunState::kBackoff:
      return fmt::format("{} is to come", AttemptOf(step, run.attempt + 1));
    case RunState::kDelay:
      return "delay";
    case RunState::kChildren:
      return Inside(step, run);
    case RunState::kParked:
      return "parked: " + run.error_kind;
    case RunState::kDone:
      return "its attempt completed";
    case RunState::kFailed:
      return "failed";
    case RunState::kHeld:
      return "held";
    case RunState::kWaiting:
      return Waits(run);
    case RunState::kFailing:
      return "failed, held by the pause";
  }
  return "";
}

std::string NoteOf(const model::Slot& slot) {
  switch (slot.state) {
    case SlotState::kIdle:
    case SlotState::kActive:
      return "";
    case SlotState::kCompleted:
      return slot.completions > 1 ? fmt::format("completed, {} times", slot.completions)
                                  : "completed";
    case SlotState::kSkipped:
      return "skipped";
    case SlotState::kFailed:
      return "failed";
    case SlotState::kCancelled:
      return "cancelled";
    case SlotState::kHandled:
      return "failed, handled";
    case SlotState::kOmitted:
      return "skipped by an operator";
  }
  return "";
}

class Drawing {
 public:
  Drawing(const Moment& moment, ScopeId here)
      : state_(moment.state), definition_(moment.definition) {
    // The newest scope of each body, then those around the event.
    for (const model::Scope& scope : state_.scopes)
      if (scope.state != model::ScopeState::kClosed) shown_[scope.body] = &scope;
    const model::Scope* scope = state_.FindScope(here);
    for (; scope != nullptr; scope = scope->owner ? state_.FindScope(scope->parent) : nullptr)
      shown_[scope->body] = scope;
  }

  GraphRow Row(GraphLine line) const {
    GraphRow row{.before = std::move(line.before), .after = std::move(line.after)};
    if (line.step.value == kNoIndex) return row;
    const Step& step = definition_.step(line.step);
    row.step = step.id;
    const auto shown = shown_.find(step.body);
    const model::Scope* scope = shown == shown_.end() ? nullptr : shown->second;
    row.mark = scope == nullptr ? StepMark::kClosed : StepMark::kIdle;
    if (scope != nullptr) Slot(row, *scope, line.step);
    Runs(row, scope, step, line.step);
    if (scope != nullptr) Tokens(row, *scope, line.step);
    if (row.note.empty()) row.note = Purpose(step, line.step);
    WaysBack(row, step);
    return row;
  }

 private:
  static void Slot(GraphRow& row, const model::Scope& scope, StepIndex step) {
    const model::Slot* slot = model::FindSlot(scope, step);
    if (slot == nullptr) return;
    row.mark = MarkOf(slot->state);
    row.note = NoteOf(*slot);
  }

  void Runs(GraphRow& row, const model::Scope* scope, const Step& step, StepIndex index) const {
    size_t elsewhere = 0;
    for (const StepRun& run : state_.runs) {
      if (run.step != index) continue;
      row.has_token = true;
      if (scope == nullptr || run.scope != scope->id) {
        ++elsewhere;
        continue;
      }
      row.mark = MarkOf(run);
      row.note = NoteOf(step, run);
      if (run.purpose != model::Purpose::kNormal) row.note += ", " + Purpose(step, index);
    }
    if (elsewhere > 0)
      row.note += fmt::format("{}{} more in other scopes", row.note.empty() ? "" : ", ", elsewhere);
  }

  // Those that wait for the others at a join, and those that a pause holds.
  void Tokens(GraphRow& row, const model::Scope& scope, StepIndex index) const {
    const auto arrived = std::ranges::count(scope.arrivals, index, &model::Arrival::step);
    const auto held = std::ranges::count(scope.held_steps, index, &model::HeldStep::step);
    if (arrived == 0 && held == 0) return;
    row.has_token = true;
    if (row.mark == StepMark::kIdle) row.mark = StepMark::kWaiting;
    const std::string tokens =
        held > 0 ? "held by the pause"
                 : fmt::format("{} of {} tokens", arrived, definition_.step(index).incoming.size());
    row.note += (row.note.empty() ? "" : ", ") + tokens;
  }

  std::string Purpose(const Step& handler, StepIndex index) const {
    if (!handler.handler) return "";
    for (const Step& step : definition_.steps) {
      if (step.compensation == index) return "undoes " + step.id;
      if (step.fallback == index) return "stands in for " + step.id;
    }
    return "";
  }

  void WaysBack(GraphRow& row, const Step& step) const {
    for (const TransitionIndex index : step.outgoing) {
      const definition::Transition& transition = definition_.transition(index);
      if (transition.back_edge)
        row.note +=
            fmt::format("{}↺ {}", row.note.empty() ? "" : "  ", definition_.step(transition.to).id);
    }
  }

  const model::Instance& state_;
  const definition::Definition& definition_;
  std::map<BodyIndex, const model::Scope*> shown_;
};

}  // namespace

std::vector<GraphRow> DrawGraph(const Moment& moment, ScopeId scope, std::string_view step) {
  const Drawing drawing(moment, scope);
  std::vector<GraphRow> rows;
  for (GraphLine& line : LinesOf(moment.definition)) {
    rows.push_back(drawing.Row(std::move(line)));
    rows.back().is_current = !step.empty() && rows.back().step == step;
  }
  return rows;
}

}  // namespace stele::replay
