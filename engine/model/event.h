// What happened: the facts of an instance's history, as plain values. schemas/record.capnp is their
// stored form and says what each field means; codec.h translates. Only these structs travel between
// decide, apply, the log and the views.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "base/ids.h"
#include "base/payload.h"
#include "engine/expression/expression.h"
#include "engine/model/event_values.h"
#include "engine/model/registry_event.h"

namespace stele::model {

using expression::SecretUse;

struct InstanceStarted {
  DefinitionId definition;
  int32_t priority = 0;
  Payload input;
  std::vector<NamedPayload> variables;
  std::string business_key;
  std::string idempotency_key;
  std::vector<std::string> tags;
  TimeUs deadline;
  InstanceId parent_instance;
  RunId parent_run;
  bool linked = false;
  bool paused = false;
  bool queued = false;
  std::string concurrency_key;
  std::string trace_parent;  // W3C traceparent of whoever started it; empty: none
  bool operator==(const InstanceStarted&) const = default;
};

struct InstanceCompleted {
  Payload output;
  bool operator==(const InstanceCompleted&) const = default;
};

struct InstanceFailed {
  std::string kind;
  std::string message;
  RunId run;
  bool compensated = false;
  bool operator==(const InstanceFailed&) const = default;
};

struct InstanceCancelRequested {
  bool compensate = false;
  std::string reason;
  bool operator==(const InstanceCancelRequested&) const = default;
};

struct InstanceCancelled {
  bool compensated = false;
  bool operator==(const InstanceCancelled&) const = default;
};

struct InstanceTerminated {
  std::string reason;
  bool operator==(const InstanceTerminated&) const = default;
};

struct InstancePaused {
  std::string reason;
  bool with_parent = false;  // and it is resumed with it
  bool operator==(const InstancePaused&) const = default;
};

struct InstanceResumed {
  std::string reason;
  uint32_t steps = 0;
  bool operator==(const InstanceResumed&) const = default;
};

// What an index of the old definition is in the new one; kNoIndex: nothing refers to it.
struct InstanceMigrated {
  DefinitionId definition;
  std::string plan;
  std::vector<StepIndex> steps;
  std::vector<TransitionIndex> transitions;
  std::vector<BodyIndex> bodies;
  std::string reason;
  bool operator==(const InstanceMigrated&) const = default;
};

// What `origin` was behind one of its events, as another instance that goes on from there. The
// events behind it in the record say what is done differently.
struct InstanceForked {
  InstanceId origin;
  Seq origin_seq;
  std::string origin_hash;  // the leaf of the record that holds the event
  Position origin_position;
  ForkedState state;
  std::vector<NamedPayload> variables;
  DefinitionId definition;  // migrated to; 0: the origin's
  std::string plan;
  std::string business_key;
  std::string idempotency_key;
  TimeUs deadline;
  bool paused = false;
  bool queued = false;
  bool ends_origin = false;
  std::string reason;
  std::string trace_parent;
  bool operator==(const InstanceForked&) const = default;
};

struct InstanceRetryRequested {
  std::string reason;
  TimeUs deadline;
  bool queued = false;  // it goes on when it is admitted
  bool operator==(const InstanceRetryRequested&) const = default;
};

struct InstanceAdmitted {
  std::string reason;
  bool operator==(const InstanceAdmitted&) const = default;
};

struct StepActivated {
  RunId run;
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = kNoTransition;
  TimeUs due;
  TimeUs deadline;
  RunId of;
  Purpose purpose = Purpose::kNormal;
  Payload config;
  Payload input;
  std::vector<SecretUse> secrets;
  std::vector<Wait> waits;
  std::string concurrency_key;
  bool unprepared = false;  // what it is to do could not be said: it fails in the same record
  bool operator==(const StepActivated&) const = default;
};

struct StepHeld {
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = kNoTransition;
  Payload output;
  bool operator==(const StepHeld&) const = default;
};

struct StepFailing {
  RunId run;
  std::string kind;
  std::string message;
  bool retryable = true;
  bool operator==(const StepFailing&) const = default;
};

struct StepPassed {
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = kNoTransition;
  bool operator==(const StepPassed&) const = default;
};

struct StepSkipped {
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = kNoTransition;
  bool operator==(const StepSkipped&) const = default;
};

struct StepCompleted {
  RunId run;
  Payload output;
  bool undoable = false;
  bool operator==(const StepCompleted&) const = default;
};

struct StepFailed {
  RunId run;
  std::string kind;
  std::string message;
  bool fallback = false;
  bool handled = false;
  bool operator==(const StepFailed&) const = default;
};

struct StepCancelled {
  RunId run;
  CancelReason reason = CancelReason::kScopeFailed;
  bool operator==(const StepCancelled&) const = default;
};

struct AttemptStarted {
  RunId run;
  uint32_t attempt = 1;
  TimeUs deadline;
  bool operator==(const AttemptStarted&) const = default;
};

struct AttemptCompleted {
  RunId run;
  uint32_t attempt = 1;
  Payload output;
  std::string log;
  bool log_truncated = false;
  bool operator==(const AttemptCompleted&) const = default;
};

struct AttemptFailed {
  RunId run;
  uint32_t attempt = 1;
  std::string kind;
  std::string message;
  bool retryable = true;
  Payload details;
  std::string log;
  bool log_truncated = false;
  bool operator==(const AttemptFailed&) const = default;
};

struct AttemptInterrupted {
  RunId run;
  uint32_t attempt = 1;
  Interruption by = Interruption::kCrash;
  bool operator==(const AttemptInterrupted&) const = default;
};

struct RetryScheduled {
  RunId run;
  uint32_t attempt = 2;
  TimeUs due;
  bool operator==(const RetryScheduled&) const = default;
};

struct TimerElapsed {
  TimerKind kind = TimerKind::kDelay;
  RunId run;
  uint32_t attempt = 0;
  bool operator==(const TimerElapsed&) const = default;
};

struct TokenArrived {
  ScopeId scope;
  TransitionIndex transition;
  StepIndex step;
  bool live = false;
  bool fires = false;
  bool last = false;
  bool operator==(const TokenArrived&) const = default;
};

struct TokenHeld {
  ScopeId scope;
  TransitionIndex transition;
  bool operator==(const TokenHeld&) const = default;
};

struct ScopeOpened {
  ScopeId scope;
  ScopeId parent;
  RunId run;
  BodyIndex body;
  uint32_t index = 0;
  Payload item;
  bool operator==(const ScopeOpened&) const = default;
};

struct ScopeClosed {
  ScopeId scope;
  Outcome outcome = Outcome::kCompleted;
  Payload output;
  bool keeps_undo = false;
  bool operator==(const ScopeClosed&) const = default;
};

struct VariablesSet {
  ScopeId scope;
  std::vector<NamedPayload> variables;
  std::string reason;  // of an operator
  bool operator==(const VariablesSet&) const = default;
};

struct CompensationStarted {
  ScopeId scope;
  Outcome ends_as = Outcome::kFailed;
  RunId run;
  std::string kind;
  std::string message;
  bool operator==(const CompensationStarted&) const = default;
};

struct CompensationWaived {
  RunId run;
  std::string reason;
  bool operator==(const CompensationWaived&) const = default;
};

struct CompensationEnded {
  ScopeId scope;
  bool operator==(const CompensationEnded&) const = default;
};

struct IncidentRaised {
  RunId run;
  std::string kind;
  std::string message;
  bool operator==(const IncidentRaised&) const = default;
};

struct IncidentResolved {
  RunId run;
  Resolution resolution = Resolution::kRetry;
  std::string reason;
  bool operator==(const IncidentResolved&) const = default;
};

struct StepRetryRequested {
  RunId run;
  std::string reason;
  bool operator==(const StepRetryRequested&) const = default;
};

struct StepSkipRequested {
  RunId run;
  std::string reason;
  bool operator==(const StepSkipRequested&) const = default;
};

struct StepRolledBack {
  RunId from_run;
  StepIndex to_step;
  ScopeId scope;
  std::string reason;
  std::vector<StepIndex> reset;
  std::vector<TransitionIndex> cleared;
  bool operator==(const StepRolledBack&) const = default;
};

struct SignalReceived {
  std::string name;
  Payload payload;
  bool operator==(const SignalReceived&) const = default;
};

struct MessagePublished {
  std::string name;
  std::string key;
  Payload payload;
  TimeUs expires;
  std::string message_id;
  bool operator==(const MessagePublished&) const = default;
};

struct MessageCorrelated {
  RunId run;
  std::string name;
  Payload payload;
  Position message_position;
  uint32_t message_ordinal = 0;
  uint32_t wait = 0;  // which of the run's
  bool operator==(const MessageCorrelated&) const = default;
};

struct HumanTaskCreated {
  RunId run;
  std::vector<std::string> assignees;
  std::vector<std::string> groups;
  uint32_t min_approvers = 1;
  TimeUs due;
  Payload form;
  bool veto = true;
  TimeUs escalate_at;
  TimeUs remind_at;
  int64_t remind_every_us = 0;
  uint32_t remind_limit = 0;
  bool operator==(const HumanTaskCreated&) const = default;
};

struct HumanTaskClaimed {
  RunId run;
  std::string person;
  std::string comment;
  std::vector<std::string> groups;
  bool as_operator = false;
  bool operator==(const HumanTaskClaimed&) const = default;
};

struct HumanTaskReleased {
  RunId run;
  std::string person;
  std::string comment;
  std::vector<std::string> groups;
  bool as_operator = false;
  bool operator==(const HumanTaskReleased&) const = default;
};

struct HumanTaskDecided {
  RunId run;
  std::string person;
  bool approved = false;
  std::string comment;
  Payload variables;
  std::vector<std::string> groups;
  bool as_operator = false;
  bool operator==(const HumanTaskDecided&) const = default;
};

struct HumanTaskEscalated {
  RunId run;
  std::vector<std::string> assignees;
  std::vector<std::string> groups;
  bool operator==(const HumanTaskEscalated&) const = default;
};

struct HumanTaskReminded {
  RunId run;
  uint32_t count = 0;
  TimeUs next;
  bool operator==(const HumanTaskReminded&) const = default;
};

struct ChildStarted {
  RunId run;
  InstanceId child;
  bool operator==(const ChildStarted&) const = default;
};

using Event = std::variant<
    InstanceStarted, InstanceCompleted, InstanceFailed, InstanceCancelRequested, InstanceCancelled,
    InstanceTerminated, StepActivated, StepPassed, StepSkipped, StepCompleted, StepFailed,
    StepCancelled, AttemptStarted, AttemptCompleted, AttemptFailed, AttemptInterrupted,
    RetryScheduled, TimerElapsed, TokenArrived, TokenHeld, ScopeOpened, ScopeClosed, VariablesSet,
    CompensationStarted, CompensationWaived, CompensationEnded, IncidentRaised, IncidentResolved,
    InstancePaused, InstanceResumed, InstanceMigrated, InstanceRetryRequested, InstanceAdmitted,
    StepHeld, StepFailing, StepRetryRequested, StepSkipRequested, StepRolledBack, SignalReceived,
    MessagePublished, MessageCorrelated, HumanTaskCreated, HumanTaskClaimed, HumanTaskReleased,
    HumanTaskDecided, HumanTaskEscalated, HumanTaskReminded, ChildStarted, DefinitionRegistered,
    DefinitionStateChanged, TriggerRegistered, TriggerFired, TriggerStateChanged, SettingChanged,
    AccessDenied, InstancesPurged, InstancesErased, AlertChanged, InstanceForked>;

// What apply knows of the record besides the event.
struct RecordContext {
  Position position;
  TimeUs time;
};

}  // namespace stele::model
