// The state of one instance: what its history amounts to. Changed by engine/apply alone; built only
// from events, so that a replay gives the same bytes (snapshot.h writes them).
//
// Kept small: a live instance is a few hundred bytes beside its variables. Containers are vectors
// in a fixed order, never hashed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/payload.h"
#include "engine/model/event.h"

namespace stele::model {

enum class Status : uint8_t {
  kNone = 0,  // before InstanceStarted
  kRunning = 1,
  kCompensating = 2,  // the root scope undoes its steps; ends failed or cancelled
  kCompleted = 3,
  kFailed = 4,
  kCancelled = 5,
  kTerminated = 6,
};
inline bool HasEnded(Status status) {
  return status >= Status::kCompleted;
}
// "running", "completed", …
std::string_view StatusName(Status status);

enum class RunState : uint8_t {
  kAttempt = 1,   // an attempt is outside
  kBackoff = 2,   // waits until `due` for its next attempt
  kDelay = 3,     // waits until `due`
  kChildren = 4,  // its scopes run
  kParked = 5,    // an incident: an operator decides
  kDone = 6,      // its attempt completed; the record's later events end the run
  kFailed = 7,    // failed for good; a fallback stands in for it
  kHeld = 8,      // its attempt was stopped with the engine; starts again on resume
  kWaiting = 9,   // for people or for one of its `waits`
  kFailing = 10,  // failed while the instance is paused; what follows is decided on resume
};

// What a loop (or a sub-process, a loop of one) has done so far. Its items are the run's input.
struct LoopProgress {
  uint32_t next = 0;     // the index of the next iteration
  uint32_t running = 0;  // open iterations
  uint32_t failed = 0;
  Payload last;  // the output of the iteration that ended last
};

struct Vote {
  std::string person;
  bool approved = false;
  std::string comment;
  TimeUs time;
};

// An approval or a manual task: who may act, and who did.
struct HumanTask {
  std::vector<std::string> assignees;
  std::vector<std::string> groups;
  uint32_t min_approvers = 1;
  bool veto = true;
  TimeUs due;
  TimeUs escalate_at;
  TimeUs remind_at;
  int64_t remind_every_us = 0;
  uint32_t remind_limit = 0;
  uint32_t reminders = 0;
  std::string claimed_by;
  std::vector<Vote> votes;
};

struct StepRun {
  RunId id;
  ScopeId scope;
  StepIndex step;
  RunState state = RunState::kAttempt;
  bool retryable = true;    // kFailing
  bool unprepared = false;  // as its StepActivated says
  Purpose purpose = Purpose::kNormal;
  uint32_t attempt = 1;
  uint32_t uncounted = 0;  // attempts that the engine stopped itself: not charged to the policy
  RunId of;
  TransitionIndex via = kNoTransition;
  TimeUs activated;
  TimeUs due;       // kBackoff, kDelay
  TimeUs deadline;  // of the attempt that runs
  Payload config;
  Payload input;
  Payload output;  // kDone
  std::vector<SecretUse> secrets;
  std::unique_ptr<LoopProgress> loop;
  std::string error_kind;  // kParked, kFailed, kFailing
  std::string error_message;
  std::vector<Wait> waits;           // kWaiting, of a waiting step
  std::unique_ptr<HumanTask> human;  // kWaiting, of a task for people
  InstanceId child;                  // of a call, once it is known
  std::string concurrency_key;

  StepRun() = default;
  StepRun(StepRun&&) = default;
  StepRun& operator=(StepRun&&) = default;
};

enum class SlotState : uint8_t {
  kIdle = 0,
  kActive = 1,
  kCompleted = 2,
  kSkipped = 3,
  kFailed = 4,
  kCancelled = 5,
  kHandled = 6,  // failed, and the flow goes on all the same
  kOmitted = 7,  // skipped by an operator; the flow goes on as if it had completed
};

// A token that waits at a join.
struct Arrival {
  StepIndex step;  // the transition's target
  TransitionIndex transition;
  bool live = false;
};

// A step in a scope: how its last run ended.
struct Slot {
  StepIndex step;
  SlotState state = SlotState::kIdle;
  bool fired = false;  // an any or n-of-m join that has started and absorbs the rest
  uint32_t completions = 0;
  Payload output;
};

// A completed step that can be undone.
struct Undo {
  RunId run;
  ScopeId scope;  // whose data its compensation sees
  StepIndex step;
  Payload output;
  bool operator==(const Undo&) const = default;
};

// A step that a live token has reached but that may not start yet: the instance is paused, or it
// failed in the same moment and starts the step when it is retried.
struct HeldStep {
  StepIndex step;
  TransitionIndex via = kNoTransition;
  Payload output;  // of the step before
};

// A signal that came before anything waited for it.
struct Signal {
  std::string name;
  Payload payload;
};

struct Failure {
  std::string kind;
  std::string message;
  RunId run;
  bool operator==(const Failure&) const = default;
};

enum class ScopeState : uint8_t { kOpen = 1, kCompensating = 2, kClosed = 3 };

struct Scope {
  ScopeId id;
  ScopeId parent;
  RunId owner;  // the run that opened it; 0: the root
  BodyIndex body;
  ScopeState state = ScopeState::kOpen;
  Outcome ends_as = Outcome::kFailed;  // kCompensating
  uint32_t index = 0;
  uint32_t active = 0;  // runs of this scope that have not ended
  Payload item;
  std::vector<Slot> slots;              // sorted by step
  std::vector<NamedPayload> variables;  // in the order they came
  std::vector<TransitionIndex> held;    // dead tokens that leave a loop
  std::unique_ptr<Failure> failure;     // kCompensating: why
  std::vector<Undo> undo;               // by completion; those of closed scopes inside are here too
  std::vector<Arrival> arrivals;        // in the order in which they came
  std::vector<HeldStep> held_steps;     // in the order in which they start on resume
};

struct Instance {
  InstanceId id;
  DefinitionId definition;
  Status status = Status::kNone;
  bool compensated = false;
  bool paused = false;  // nothing starts and no timer elapses
  bool queued = false;  // waits until its definition's limit lets it begin
  bool linked = false;  // is cancelled, paused and resumed with its parent
  int32_t priority = 0;
  Seq seq;            // of the last event
  Position position;  // of the record that held it
  TimeUs started;
  TimeUs ended;
  TimeUs deadline;
  RunId last_run;
  ScopeId last_scope;
  InstanceId parent_instance;
  RunId parent_run;
  Payload input;
  Payload output;
  Failure failure;
  std::string business_key;
  std::string idempotency_key;
  std::vector<std::string> tags;
  std::vector<Scope> scopes;  // sorted by id; [0] is the root
  std::vector<StepRun> runs;  // sorted by id; those that have not ended
  std::string concurrency_key;
  std::string trace_parent;
  std::vector<Signal> signals;  // the oldest first
  InstanceId origin;            // that it was forked from; 0: it was started
  Seq origin_seq;
  bool ends_origin = false;  // the origin is terminated: a reset

  Scope* FindScope(ScopeId scope);
  const Scope* FindScope(ScopeId scope) const;
  StepRun* FindRun(RunId run);
  const StepRun* FindRun(RunId run) const;
};

// The slot of `step`, or null when nothing has reached it yet.
const Slot* FindSlot(const Scope& scope, StepIndex step);
// The same, made when it is not there.
Slot& SlotOf(Scope& scope, StepIndex step);

// "paused" and "queued" where they say more than the status does.
std::string_view StatusOf(const Instance& instance);

// The earliest moment at which a timer of the instance elapses, and which; `at` 0: none.
struct Timer {
  TimeUs at;
  TimerKind kind = TimerKind::kDelay;
  RunId run;
  uint32_t attempt = 0;
};
Timer NextTimer(const Instance& instance);

// When the first of the timers among `waits` elapses; 0: none of them is one.
TimeUs FirstDue(const std::vector<Wait>& waits);

// Bytes of memory that the instance holds.
struct MemoryUse {
  size_t structure = 0;
  size_t payloads = 0;  // their texts
  size_t parsed = 0;    // about: what has been made of those that somebody looked into
};
MemoryUse MemoryOf(const Instance& instance);

}  // namespace stele::model
