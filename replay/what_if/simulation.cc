#include "replay/what_if/simulation.h"

#include <algorithm>

#include "base/check.h"
#include "engine/apply/apply.h"
#include "engine/model/snapshot.h"
#include "replay/what_if/translate.h"

namespace stele::replay {

namespace {

using definition::StepKind;
using model::Event;
using model::RunState;
using model::StepRun;

// Moves at the same time: what is recorded in its order, an answer before the recorded course comes
// to the same record; then what nobody recorded.
constexpr uint64_t OrderOfAnswer(size_t record) {
  return 2 * uint64_t{record};
}
constexpr uint64_t OrderOfRecord(size_t record) {
  return 2 * uint64_t{record} + 1;
}
constexpr uint64_t kRestartOrder = uint64_t{1} << 62;
constexpr uint64_t kTimerOrder = kRestartOrder + 1;
constexpr uint64_t kFirstStubOrder = kTimerOrder + 1;

// What the engine does of its own accord: it does so in any course.
bool IsOfEngine(const model::Command& command) {
  return std::holds_alternative<model::ElapseTimer>(command) ||
         std::holds_alternative<model::RestartAttempt>(command) ||
         std::holds_alternative<model::AdmitInstance>(command);
}

bool HasTimer(const StepRun& run, const model::Timer& timer) {
  if (run.attempt != timer.attempt) return false;
  switch (timer.kind) {
    case model::TimerKind::kDelay:
      return (run.state == RunState::kDelay || run.state == RunState::kWaiting) &&
             run.due == timer.at;
    case model::TimerKind::kRetry:
      return run.state == RunState::kBackoff && run.due == timer.at;
    case model::TimerKind::kAttemptDeadline:
      return run.deadline == timer.at;
    case model::TimerKind::kEscalation:
      return run.human != nullptr && run.human->escalate_at == timer.at;
    case model::TimerKind::kReminder:
      return run.human != nullptr && run.human->remind_at == timer.at;
    case model::TimerKind::kInstanceDeadline:
      return false;
  }
  return false;
}

model::Command CommandOf(const Event& cause) {
  std::optional<model::Command> command = decide::CommandOf(cause);
  CHECK(command.has_value(), "a record begins with an event that is no cause");
  return *std::move(command);
}

}  // namespace

Simulation::Simulation(const RecordedCourse& course, const model::Registry& registry,
                       const std::vector<Stub>& stubs, const WhatIfLimits& limits)
    : course_(course),
      registry_(registry),
      limits_(limits),
      answers_(course, stubs),
      state_(model::CopyOf(course.parted())),
      definition_(&course.parted_definition()),
      timeline_(course.parted_timeline()),
      names_(state_, *definition_),
      path_(course, registry),
      now_(course.parted_time()),
      there_(model::CopyOf(course.parted())),
      definition_there_(definition_),
      names_there_(there_, *definition_) {
  results_.recorded = course.results();
}

std::optional<Rejection> Simulation::Change(const model::Command& command) {
  return Decide(command, state_.position);
}

void Simulation::Run() {
  changing_ = false;
  for (const StepRun& run : state_.runs)
    if (run.state == RunState::kAttempt) Await(run.id, TimeUs());
  for (;;) {
    if (model::HasEnded(state_.status) && next_record_ >= course_.last_revival()) {
      end_ = CourseEnd::kEnded;
      break;
    }
    if (IsFull()) {
      end_ = CourseEnd::kBound;
      break;
    }
    const Move move = NextMove();
    if (move.kind == Kind::kNone) break;
    now_ = std::max(now_, move.at);
    Make(move);
    TryWaiting();
  }
  LeaveRest();
  path_.End();
}

bool Simulation::IsFull() const {
  const uint64_t events = state_.seq.value - course_.parted().seq.value;
  const uint64_t recorded = course_.end().seq.value - course_.parted().seq.value;
  return records_ > course_.records().size() + limits_.more_records ||
         events > recorded + limits_.more_events;
}

void Simulation::Consider(Move& best, const Move& move) const {
  Move now = move;
  now.at = std::max(move.at, now_);
  if (now.Precedes(best)) best = now;
}

Simulation::Move Simulation::NextMove() const {
  Move best;
  if (!due_.empty()) {
    const auto& [at, order] = due_.begin()->first;
    Consider(best, {Kind::kAnswer, at, order, RunId()});
  }
  const std::vector<CourseRecord>& records = course_.records();
  if (next_record_ < records.size())
    Consider(best, {Kind::kRecorded, records[next_record_].context.time,
                    OrderOfRecord(next_record_), RunId()});
  if (model::HasEnded(state_.status)) return best;
  if (const RunId run = RunToRestart()) Consider(best, {Kind::kRestart, now_, kRestartOrder, run});
  const model::Timer timer = model::NextTimer(state_);
  const bool is_idle = best.kind == Kind::kNone && timer.kind == model::TimerKind::kReminder;
  if (timer.at && !IsRecorded(timer) && !(is_idle && OnlyReminds()))
    Consider(best, {Kind::kTimer, timer.at, kTimerOrder, RunId()});
  return best;
}

void Simulation::Make(const Move& move) {
  switch (move.kind) {
    case Kind::kNone:
      return;
    case Kind::kAnswer: {
      const Answer answer = due_.begin()->second;
      due_.erase(due_.begin());
      return Give(answer);
    }
    case Kind::kRecorded:
      return PassRecord();
    case Kind::kRestart:
      if (Decide(model::RestartAttempt{move.run}, state_.position).has_value())
        not_restarted_.insert(move.run);
      return;
    case Kind::kTimer: {
      const model::Timer timer = model::NextTimer(state_);
      const auto rejection =
          Decide(model::ElapseTimer{timer.kind, timer.run, timer.attempt}, state_.position);
      CHECK(!rejection.has_value(), "a timer that is due: {}", rejection->message);
      return;
    }
  }
}

const StepRun* Simulation::ThereOf(RunId run) const {
  const RunId there = names_.CounterpartOf(run, names_there_);
  return there ? there_.FindRun(there) : nullptr;
}

bool Simulation::IsRecorded(const model::Timer& timer) const {
  if (next_record_ == course_.records().size()) return false;
  if (timer.kind == model::TimerKind::kInstanceDeadline)
    return !model::HasEnded(there_.status) && there_.deadline == timer.at;
  const StepRun* there = ThereOf(timer.run);
  return there != nullptr && HasTimer(*there, timer);
}

// Whether no timer runs that changes anything.
bool Simulation::OnlyReminds() const {
  if (state_.deadline) return false;
  return std::ranges::none_of(state_.runs, [](const StepRun& run) {
    const bool is_due =
        run.due && (run.state == RunState::kBackoff || run.state == RunState::kDelay ||
                    run.state == RunState::kWaiting);
    return is_due || run.deadline || (run.human != nullptr && run.human->escalate_at);
  });
}

// An attempt that was stopped with the engine; 0: none that the recorded course does not have.
RunId Simulation::RunToRestart() const {
  if (state_.paused || state_.queued) return RunId();
  const bool goes_on_there = next_record_ < course_.records().size();
  for (const StepRun& run : state_.runs) {
    if (run.state != RunState::kHeld || not_restarted_.contains(run.id)) continue;
    const StepRun* there = goes_on_there ? ThereOf(run.id) : nullptr;
    if (there == nullptr || there->state != RunState::kHeld) return run.id;
  }
  return RunId();
}

void Simulation::Give(const Answer& answer) {
  const StepRun* run = state_.FindRun(answer.run);
  if (run == nullptr || run->state != RunState::kAttempt || run->attempt != answer.attempt) return;
  model::Command command =
      model::CompleteAttempt{.run = answer.run, .attempt = answer.attempt, .output = answer.output};
  if (answer.timed_out)
    command = model::FailAttempt{.run = answer.run,
                                 .attempt = answer.attempt,
                                 .kind = "timeout",
                                 .message = "The step's timeout has elapsed"};
  Position position = state_.position;
  if (answer.record.has_value()) {
    command = CommandOf(course_.EventsOf(*answer.record).front());
    *RunOf(command) = answer.run;
    position = course_.records()[*answer.record].context.position;
  }
  if (Decide(command, position).has_value() || !answer.ends) return;
  switch (answer.from) {
    case AnswerFrom::kRecord:
      ++results_.reused;
      return;
    case AnswerFrom::kAssumed:
      ++results_.assumed;
      return;
    case AnswerFrom::kStub:
      ++results_.stubbed;
      return;
    case AnswerFrom::kRepeated:
      ++results_.repeated;
      return;
  }
}

void Simulation::PassRecord() {
  const size_t record = next_record_++;
  const std::vector<Event> events = course_.EventsOf(record);
  if (!course_.IsOfAttempt(record)) TryCause(record, events.front());
  ApplyThere(record, events);
}

void Simulation::ApplyThere(size_t record, const std::vector<Event>& events) {
  for (const Event& event : events) {
    const auto* migrated = std::get_if<model::InstanceMigrated>(&event);
    if (migrated != nullptr)
      definition_there_ = registry_.Find(migrated->definition)->definition.get();
    names_there_.Note(event, definition_there_);
    apply::Apply(there_, event, course_.records()[record].context);
  }
}

void Simulation::TryCause(size_t record, const Event& cause) {
  model::Command command = CommandOf(cause);
  const bool of_engine = IsOfEngine(command);
  const auto leave = [&](std::string why) {
    if (!of_engine) left_over_.push_back({record, std::move(why)});
  };
  if (model::HasEnded(state_.status) && !std::holds_alternative<model::RetryInstance>(command))
    return leave("The instance had ended");
  if (changed_definition_ && std::holds_alternative<model::MigrateInstance>(command))
    return leave("The fork has a definition of its own");
  const RunId* run = RunOf(command);
  const RunId recorded_run = run == nullptr ? RunId() : *run;
  std::string why = "Its step was not reached";
  if (Translate(command, names_there_, names_, state_)) {
    const auto rejection = Decide(command, course_.records()[record].context.position);
    if (!rejection.has_value()) {
      if (!of_engine) ++applied_;
      return;
    }
    why = rejection->message;
  }
  // The step may come later than it did.
  const bool waits = recorded_run && !std::holds_alternative<model::RollBack>(command);
  if (!waits) return leave(std::move(why));
  if (!of_engine) waiting_[recorded_run].push_back({record, CommandOf(cause)});
}

// What was refused is refused again until something else is decided.
void Simulation::TryWaiting() {
  if (waiting_.empty() || state_.seq == tried_at_) return;
  bool moved = true;
  while (moved && !model::HasEnded(state_.status) && !IsFull()) {
    moved = false;
    for (auto& [recorded_run, causes] : waiting_) {
      const RunId run = names_there_.CounterpartOf(recorded_run, names_);
      if (run && state_.FindRun(run) != nullptr) moved = TryFirst(causes) || moved;
    }
    std::erase_if(waiting_, [](const auto& waiting) { return waiting.second.empty(); });
  }
  tried_at_ = state_.seq;
}

// Applies the first of them that may be, and takes it out.
bool Simulation::TryFirst(std::vector<WaitingCause>& causes) {
  for (auto cause = causes.begin(); cause != causes.end(); ++cause) {
    model::Command command = cause->command;
    if (!Translate(command, names_there_, names_, state_)) continue;
    if (Decide(command, course_.records()[cause->record].context.position).has_value()) continue;
    ++applied_;
    causes.erase(cause);
    return true;
  }
  return false;
}

void Simulation::LeaveRest() {
  for (const auto& [recorded_run, causes] : waiting_) {
    const RunId run = names_there_.CounterpartOf(recorded_run, names_);
    for (const WaitingCause& cause : causes)
      left_over_.push_back(
          {cause.record, run ? "Its step did not wait for it" : "Its step was not reached"});
  }
  for (size_t record = next_record_; record < course_.records().size(); ++record)
    if (!course_.IsOfAttempt(record) && !IsOfEngine(CommandOf(course_.EventsOf(record).front())))
      left_over_.push_back({record, "The course had come to its end"});
  std::ranges::sort(left_over_, {}, &LeftOver::record);
}

std::optional<Rejection> Simulation::Decide(const model::Command& command, Position position) {
  events_.clear();
  const auto* migrate = std::get_if<model::MigrateInstance>(&command);
  const auto* target = migrate == nullptr ? nullptr : registry_.Find(migrate->definition);
  const Seq first = state_.seq.Next();
  const decide::Context context{
      *definition_, {position, now_}, target == nullptr ? nullptr : target->definition.get()};
  std::optional<Rejection> rejection = decider_.Decide(state_, command, context, events_);
  if (!rejection.has_value()) Follow(first);
  return rejection;
}

void Simulation::Follow(Seq first) {
  for (const Event& event : events_) {
    const auto* migrated = std::get_if<model::InstanceMigrated>(&event);
    if (migrated != nullptr) definition_ = registry_.Find(migrated->definition)->definition.get();
    names_.Note(event, definition_);
    timeline_.Apply(event, {state_.position, now_});
    if (migrated != nullptr && changing_) FollowMigration(*migrated);
  }
  if (changing_) return;
  ++records_;
  path_.Take(events_, first, now_);
  for (const RunId run : Begun()) Await(run, now_);
}

// Runs whose attempts the present record has begun and not ended.
std::vector<RunId> Simulation::Begun() const {
  std::vector<RunId> begun;
  for (const Event& event : events_) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event))
      begun.push_back(activated->run);
    else if (const auto* started = std::get_if<model::AttemptStarted>(&event))
      begun.push_back(started->run);
  }
  std::erase_if(begun, [&](RunId id) {
    const StepRun* run = state_.FindRun(id);
    return run == nullptr || run->state != RunState::kAttempt;
  });
  return begun;
}

// The version in which the fork goes on, as it is told with the recorded ids.
void Simulation::FollowMigration(const model::InstanceMigrated& event) {
  changed_definition_ = true;
  auto as_told = std::make_shared<definition::Definition>(*definition_);
  for (uint32_t step = 0; step < as_told->steps.size(); ++step)
    as_told->steps[step].id = names_.StepName(StepIndex(step));
  as_told->by_id.clear();  // of the ids that it had
  for (size_t old = 0; old < event.bodies.size(); ++old)
    if (event.bodies[old].value != kNoIndex)
      as_told->bodies[event.bodies[old].value].id = course_.parted_definition().bodies[old].id;
  path_.Migrate(std::move(as_told));
}

void Simulation::Await(RunId id, TimeUs started) {
  const StepRun& run = *state_.FindRun(id);
  if (definition_->step(run.step).kind != StepKind::kTask) return;
  for (Answer& answer : answers_.For(run, *definition_, names_, started, now_)) {
    const uint64_t order = answer.record.has_value() ? OrderOfAnswer(*answer.record)
                                                     : kFirstStubOrder + answers_made_++;
    const TimeUs due = answer.due;
    due_.emplace(std::pair(due, order), std::move(answer));
  }
}

}  // namespace stele::replay
