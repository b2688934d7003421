#include "replay/what_if/recorded_course.h"

#include <fmt/format.h>

#include "base/check.h"
#include "engine/apply/apply.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "engine/model/snapshot.h"
#include "eventstore/for_each_record.h"

namespace stele::replay {

namespace {

using model::Event;

// The attempt that a cause tells of; attempt 0: the present one.
struct ToldAttempt {
  RunId run;
  uint32_t attempt = 0;
  bool ends = false;
};
std::optional<ToldAttempt> ToldBy(const Event& cause) {
  if (const auto* completed = std::get_if<model::AttemptCompleted>(&cause))
    return ToldAttempt{completed->run, completed->attempt, true};
  if (const auto* failed = std::get_if<model::AttemptFailed>(&cause))
    return ToldAttempt{failed->run, failed->attempt, true};
  if (const auto* interrupted = std::get_if<model::AttemptInterrupted>(&cause))
    return ToldAttempt{interrupted->run, interrupted->attempt, true};
  if (const auto* child = std::get_if<model::ChildStarted>(&cause))
    return ToldAttempt{child->run, 0, false};
  return std::nullopt;
}

}  // namespace

Result<std::unique_ptr<RecordedCourse>> RecordedCourse::Read(const Source& source,
                                                             const model::Registry& registry,
                                                             InstanceId instance, Seq at,
                                                             size_t most_bytes) {
  std::unique_ptr<RecordedCourse> course(new RecordedCourse(registry, instance, at));
  if (instance)
    STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(
        source.Records(instance),
        [&](const eventstore::RecordView& record) { return course->Take(record, most_bytes); }));
  if (course->definition_ == nullptr)
    return Fail(ErrorCode::kUnknownInstance,
                fmt::format("Expected an instance but found no {}", instance.value));
  if (!at || at > course->state_.seq)
    return Fail(ErrorCode::kNoSuchMoment,
                fmt::format("Expected an event of instance {} from 1 to {} but found {}",
                            instance.value, course->state_.seq.value, at.value));
  course->Finish();
  return course;
}

Status RecordedCourse::Take(const eventstore::RecordView& record, size_t most_bytes) {
  if (record.erased)
    return Fail(ErrorCode::kInstanceErased,
                fmt::format("Expected instance {} with what it was given but found that it was "
                            "erased",
                            state_.id.value));
  const model::RecordContext context{record.position, record.header.time};
  const bool behind = record.header.first_seq > at_;
  if (behind) STELE_RETURN_IF_ERROR(Keep(record, most_bytes));
  bool is_cause = true;
  STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const Event& event) -> Status {
    if (behind) {
      if (is_cause) NoteCause(event);
      NoteStart(event, context.time);
      NoteCut(event, context.time);
    }
    is_cause = false;
    NoteOutput(event);
    return Apply(event, context);
  }));
  time_ = context.time;
  if (!behind && state_.seq >= at_) Part(context);
  return {};
}

Status RecordedCourse::Keep(const eventstore::RecordView& record, size_t most_bytes) {
  bytes_ += record.body.size() + sizeof(CourseRecord);
  if (bytes_ > most_bytes)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} bytes behind the fork but found more: fork it "
                            "at a later event",
                            most_bytes));
  records_.push_back(
      {{record.position, record.header.time}, record.header.first_seq, std::string(record.body)});
  of_attempt_.push_back(false);
  return {};
}

Status RecordedCourse::Apply(const Event& event, const model::RecordContext& context) {
  const DefinitionId id = model::DefinitionBehind(event);
  const definition::Definition* next = definition_;
  if (id || definition_ == nullptr) {
    const auto registered = FindReadable(registry_, id, state_.id);
    if (!registered.has_value()) return std::unexpected(registered.error());
    next = (*registered)->definition.get();
  }
  if (!timeline_.has_value()) timeline_.emplace(*next, &registry_);
  if (names_.has_value()) names_->Note(event, next);
  apply::Apply(state_, event, context);
  timeline_->Apply(event, context);
  definition_ = next;
  return {};
}

void RecordedCourse::Part(const model::RecordContext& context) {
  parted_ = model::CopyOf(state_);
  parted_definition_ = definition_;
  parted_timeline_ = timeline_;
  parted_time_ = context.time;
  names_.emplace(parted_, *definition_);
  for (const model::StepRun& run : state_.runs)
    if (run.state == model::RunState::kAttempt)
      NoteAttempt(run.id, run.attempt, run.step, TimeUs());
}

void RecordedCourse::NoteAttempt(RunId run, uint32_t number, StepIndex step, TimeUs started) {
  if (definition_->step(step).kind != definition::StepKind::kTask) return;
  const auto activated = activated_.find(run);
  attempts_[{run, number}] = {
      .started = started,
      .activated = activated == activated_.end() ? RecordedAttempt::kBeforeFork : activated->second,
      .step = step,
      .definition = definition_};
}

void RecordedCourse::NoteStart(const Event& event, TimeUs time) {
  if (const auto* activated = std::get_if<model::StepActivated>(&event)) {
    activated_[activated->run] = records_.size() - 1;
    if (!activated->unprepared) NoteAttempt(activated->run, 1, activated->step, time);
  } else if (const auto* started = std::get_if<model::AttemptStarted>(&event)) {
    NoteAttempt(started->run, started->attempt, state_.FindRun(started->run)->step, time);
  }
}

void RecordedCourse::NoteCut(const Event& event, TimeUs time) {
  const auto cut = [&](const model::StepRun& run) {
    const auto attempt = attempts_.find({run.id, run.attempt});
    if (attempt != attempts_.end() && !attempt->second.result.has_value())
      attempt->second.cut = time;
  };
  if (const auto* cancelled = std::get_if<model::StepCancelled>(&event))
    cut(*state_.FindRun(cancelled->run));
  if (std::holds_alternative<model::InstanceTerminated>(event))
    for (const model::StepRun& run : state_.runs) cut(run);
}

void RecordedCourse::NoteCause(const Event& cause) {
  const size_t record = records_.size() - 1;
  if (std::holds_alternative<model::InstanceRetryRequested>(cause)) last_revival_ = record + 1;
  const std::optional<ToldAttempt> told = ToldBy(cause);
  if (!told.has_value()) return;
  const model::StepRun* run = state_.FindRun(told->run);
  CHECK(run != nullptr, "no run {} at position {}", told->run.value,
        records_.back().context.position.value);
  const auto attempt =
      attempts_.find({told->run, told->attempt != 0 ? told->attempt : run->attempt});
  if (attempt == attempts_.end()) return;  // a task for people that failed
  attempt->second.facts.push_back(record);
  if (told->ends) {
    attempt->second.result = record;
    ++results_;
  }
  of_attempt_[record] = true;
}

void RecordedCourse::NoteOutput(const Event& event) {
  const auto* completed = std::get_if<model::AttemptCompleted>(&event);
  if (completed == nullptr) return;
  const StepIndex step = state_.FindRun(completed->run)->step;
  outputs_[names_.has_value() ? names_->StepName(step) : definition_->step(step).id] =
      completed->output;
}

void RecordedCourse::Finish() {
  for (const model::StepRun& run : state_.runs) {
    if (run.state != model::RunState::kAttempt) continue;
    const auto attempt = attempts_.find({run.id, run.attempt});
    if (attempt != attempts_.end()) attempt->second.open = true;
  }
}

std::vector<Event> RecordedCourse::EventsOf(size_t record) const {
  Result<std::vector<Event>> events = model::Decode(records_[record].body);
  CHECK(events.has_value(), "position {} cannot be read again: {}",
        records_[record].context.position.value, events.error().message);
  return *std::move(events);
}

const RecordedAttempt* RecordedCourse::FindAttempt(RunId run, uint32_t attempt) const {
  const auto found = attempts_.find({run, attempt});
  return found == attempts_.end() ? nullptr : &found->second;
}

std::optional<model::StepActivated> RecordedCourse::ActivationOf(const RecordedAttempt& attempt,
                                                                 RunId run) const {
  if (attempt.activated == RecordedAttempt::kBeforeFork) return std::nullopt;
  for (const Event& event : EventsOf(attempt.activated))
    if (const auto* activated = std::get_if<model::StepActivated>(&event))
      if (activated->run == run) return *activated;
  return std::nullopt;
}

const Payload* RecordedCourse::LastOutputOf(const std::string& step) const {
  const auto found = outputs_.find(step);
  return found == outputs_.end() ? nullptr : &found->second;
}

}  // namespace stele::replay
