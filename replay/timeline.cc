#include "replay/timeline.h"

#include <fmt/format.h>

#include "base/check.h"
#include "replay/standing.h"

namespace stele::replay {

std::string_view StepStateName(StepState state) {
  switch (state) {
    case StepState::kRunning:
      return "running";
    case StepState::kBackoff:
      return "backoff";
    case StepState::kDelay:
      return "delay";
    case StepState::kChildren:
      return "children";
    case StepState::kHeld:
      return "held";
    case StepState::kWaiting:
      return "waiting";
    case StepState::kParked:
      return "parked";
    case StepState::kCompleted:
      return "completed";
    case StepState::kFailed:
      return "failed";
    case StepState::kCancelled:
      return "cancelled";
    case StepState::kSkipped:
      return "skipped";
  }
  return "";
}

std::string_view AttemptStateName(AttemptState state) {
  switch (state) {
    case AttemptState::kRunning:
      return "running";
    case AttemptState::kCompleted:
      return "completed";
    case AttemptState::kFailed:
      return "failed";
    case AttemptState::kInterrupted:
      return "interrupted";
    case AttemptState::kCancelled:
      return "cancelled";
  }
  return "";
}

namespace {

// Of a run that began in the origin of a fork, and ended there.
constexpr size_t kNoLine = SIZE_MAX;

StepState StateOf(const model::StepRun& run) {
  using model::RunState;
  switch (run.state) {
    case RunState::kBackoff:
      return StepState::kBackoff;
    case RunState::kDelay:
      return StepState::kDelay;
    case RunState::kChildren:
    case RunState::kFailed:  // its fallback is open
      return StepState::kChildren;
    case RunState::kParked:
      return StepState::kParked;
    case RunState::kWaiting:
      return StepState::kWaiting;
    case RunState::kAttempt:
    case RunState::kDone:
    case RunState::kHeld:
    case RunState::kFailing:
      return StepState::kHeld;
  }
  return StepState::kHeld;
}

}  // namespace

// The events that change a line; the others are of no step.
struct TimelineWriter {
  Timeline& timeline;
  const model::RecordContext& record;

  void Set(StepLine& line, StepState state) const {
    line.state = state;
    line.due = TimeUs();
    if (IsOver(state)) line.ended = record.time;
  }
  void EndAttempt(StepLine& line, AttemptState state) const {
    if (line.attempts.empty() || line.attempts.back().state != AttemptState::kRunning) return;
    line.attempts.back().state = state;
    line.attempts.back().ended = record.time;
  }
  // An attempt went wrong, and what comes of it.
  template <class Event>
  void Fault(const Event& event, StepState state) const {
    StepLine& line = timeline.Line(event.run);
    EndAttempt(line, AttemptState::kFailed);
    line.kind = event.kind;
    line.message = event.message;
    Set(line, state);
  }
  void StartAttempt(StepLine& line, uint32_t number) const {
    line.attempts.push_back({.number = number, .started = record.time});
  }
  StepLine& NewLine(StepIndex step, ScopeId scope, RunId run) const {
    StepLine& line = timeline.lines_.emplace_back();
    line.run = run;
    line.step = step;
    line.scope = scope;
    line.started = record.time;
    line.state = StepState::kSkipped;
    Name(line);
    return line;
  }
  // As the version that the instance runs now calls the step.
  void Name(StepLine& line) const {
    line.id = timeline.definition_->step(line.step).id;
    line.label = line.id;
    const auto suffix = timeline.suffixes_.find(line.scope);
    if (suffix != timeline.suffixes_.end()) line.label += suffix->second;
  }

  void operator()(const model::InstanceStarted&) const { timeline.started_ = record.time; }
  // Of the origin's runs, those that are still open. What is under way there is not so here.
  void operator()(const model::InstanceForked& event) const {
    timeline.started_ = record.time;
    timeline.of_run_.resize(event.state->last_run.value, kNoLine);
    for (const model::Scope& scope : event.state->scopes) {
      model::StepRun inside;
      inside.scope = scope.id;
      inside.step = StepIndex(0);
      timeline.suffixes_[scope.id] = LabelOf(*event.state, *timeline.definition_, inside)
                                         .substr(timeline.definition_->step(inside.step).id.size());
    }
    for (const model::StepRun& run : event.state->runs) {
      StepLine& line = NewLine(run.step, run.scope, run.id);
      timeline.of_run_[run.id.value - 1] = timeline.lines_.size() - 1;
      line.started = run.activated;
      line.purpose = run.purpose;
      line.of = run.of;
      Set(line, StateOf(run));
      line.due = run.due;
      line.kind = run.error_kind;
      line.message = run.error_message;
      if (run.human == nullptr) continue;
      line.due = run.human->due;
      line.claimed_by = run.human->claimed_by;
      line.votes = run.human->votes;
    }
  }
  void operator()(const model::StepActivated& event) const {
    StepLine& line = NewLine(event.step, event.scope, event.run);
    timeline.of_run_.push_back(timeline.lines_.size() - 1);
    line.purpose = event.purpose;
    line.of = event.of;
    const auto kind = timeline.definition_->step(event.step).kind;
    const bool waits = kind == definition::StepKind::kHuman || kind == definition::StepKind::kWait;
    Set(line, waits ? StepState::kWaiting : event.due ? StepState::kDelay : StepState::kRunning);
    line.due = event.due;
    if (kind == definition::StepKind::kTask) StartAttempt(line, 1);
  }
  void operator()(const model::StepSkipped& event) const {
    NewLine(event.step, event.scope, RunId()).ended = record.time;
  }
  void operator()(const model::StepCompleted& event) const {
    StepLine& line = timeline.Line(event.run);
    EndAttempt(line, AttemptState::kCompleted);
    if (event.output.has_value()) line.output = event.output;
    Set(line, StepState::kCompleted);
  }
  void operator()(const model::StepFailed& event) const { Fault(event, StepState::kFailed); }
  void operator()(const model::StepCancelled& event) const {
    StepLine& line = timeline.Line(event.run);
    EndAttempt(line, AttemptState::kCancelled);
    Set(line, StepState::kCancelled);
  }
  void operator()(const model::AttemptStarted& event) const {
    StepLine& line = timeline.Line(event.run);
    StartAttempt(line, event.attempt);
    Set(line, StepState::kRunning);
  }
  void operator()(const model::AttemptCompleted& event) const {
    StepLine& line = timeline.Line(event.run);
    if (!line.attempts.empty()) {
      line.attempts.back().log = event.log;
      line.attempts.back().log_truncated = event.log_truncated;
    }
    EndAttempt(line, AttemptState::kCompleted);
    line.output = event.output;
  }
  void operator()(const model::AttemptFailed& event) const {
    StepLine& line = timeline.Line(event.run);
    if (!line.attempts.empty()) {
      AttemptLine& attempt = line.attempts.back();
      attempt.log = event.log;
      attempt.log_truncated = event.log_truncated;
      attempt.kind = event.kind;
      attempt.message = event.message;
    }
    EndAttempt(line, AttemptState::kFailed);
    line.kind = event.kind;
    line.message = event.message;
  }
  void operator()(const model::AttemptInterrupted& event) const {
    StepLine& line = timeline.Line(event.run);
    EndAttempt(line, AttemptState::kInterrupted);
    const bool held = event.by == model::Interruption::kShutdown;
    line.kind = "interrupted";
    line.message = held ? "The engine was stopped" : "The engine died while the attempt ran";
    if (held) Set(line, StepState::kHeld);
  }
  void operator()(const model::RetryScheduled& event) const {
    StepLine& line = timeline.Line(event.run);
    EndAttempt(line, AttemptState::kFailed);
    Set(line, StepState::kBackoff);
    line.due = event.due;
  }
  void operator()(const model::TimerElapsed& event) const {
    if (event.kind != model::TimerKind::kAttemptDeadline) return;
    StepLine& line = timeline.Line(event.run);
    line.kind = "timeout";
    line.message = "The step's timeout has elapsed";
    if (line.attempts.empty()) return;
    line.attempts.back().kind = line.kind;
    line.attempts.back().message = line.message;
  }
  void operator()(const model::ScopeOpened& event) const {
    StepLine& owner = timeline.Line(event.run);
    std::string suffix;
    const auto around = timeline.suffixes_.find(owner.scope);
    if (around != timeline.suffixes_.end()) suffix = around->second;
    if (timeline.definition_->step(owner.step).kind == definition::StepKind::kLoop)
      suffix += fmt::format("[{}]", event.index);
    timeline.suffixes_[event.scope] = std::move(suffix);
    Set(owner, StepState::kChildren);
  }
  void operator()(const model::CompensationWaived& event) const {
    // The compensation that was parked is over; the event names the run that it should have undone.
    for (StepLine& line : timeline.lines_)
      if (line.state == StepState::kParked && line.purpose == model::Purpose::kCompensation &&
          line.of == event.run)
        Set(line, StepState::kCancelled);
  }
  void operator()(const model::IncidentRaised& event) const { Fault(event, StepState::kParked); }
  void operator()(const model::StepFailing& event) const { Fault(event, StepState::kHeld); }
  void operator()(const model::HumanTaskCreated& event) const {
    timeline.Line(event.run).due = event.due;
  }
  void operator()(const model::HumanTaskClaimed& event) const {
    timeline.Line(event.run).claimed_by = event.person;
  }
  void operator()(const model::HumanTaskReleased& event) const {
    timeline.Line(event.run).claimed_by.clear();
  }
  void operator()(const model::HumanTaskDecided& event) const {
    timeline.Line(event.run).votes.push_back(
        {event.person, event.approved, event.comment, record.time});
  }
  void operator()(const model::ChildStarted& event) const {
    timeline.Line(event.run).child = event.child;
  }
  void operator()(const model::InstanceMigrated& event) const {
    CHECK(timeline.registry_ != nullptr, "a timeline of an instance that migrates has no registry");
    const model::RegisteredDefinition* target = timeline.registry_->Find(event.definition);
    CHECK(target != nullptr, "no definition {}", event.definition.value);
    timeline.definition_ = target->definition.get();
    for (StepLine& line : timeline.lines_) {
      if (line.step.value >= event.steps.size()) continue;
      line.step = event.steps[line.step.value];
      // What the new version has no place for keeps the name that it had.
      if (line.step.value != kNoIndex) Name(line);
    }
  }
  void operator()(const model::InstanceTerminated&) const {
    for (StepLine& line : timeline.lines_) {
      if (IsOver(line.state)) continue;
      EndAttempt(line, AttemptState::kCancelled);
      Set(line, StepState::kCancelled);
    }
  }
  template <class Other>
  void operator()(const Other&) const {}
};

void Timeline::Apply(const model::Event& event, const model::RecordContext& record) {
  std::visit(TimelineWriter{*this, record}, event);
}

const StepLine* Timeline::FindRun(RunId run) const {
  if (!run || run.value > of_run_.size() || of_run_[run.value - 1] == kNoLine) return nullptr;
  return &lines_[of_run_[run.value - 1]];
}

StepLine& Timeline::Line(RunId run) {
  CHECK(FindRun(run) != nullptr, "no run {}", run.value);
  return lines_[of_run_[run.value - 1]];
}

}  // namespace stele::replay
