// What somebody asks of an instance: the causes before they are facts. A command is either refused
// (Rejection) or becomes one record.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "engine/model/event.h"

namespace stele::model {

struct StartInstance {
  DefinitionId definition;
  Payload input;                        // an object; absent: {}
  std::vector<NamedPayload> variables;  // in place of the definition's defaults
  std::string business_key;
  std::string idempotency_key;
  std::vector<std::string> tags;
  int32_t priority = 0;
  TimeUs deadline;  // 0: the definition's
  InstanceId parent_instance;
  RunId parent_run;
  bool linked = false;          // to its parent
  bool paused = false;          // nothing starts until it is resumed
  bool queued = false;          // its definition's limit is reached: it begins when admitted
  std::string concurrency_key;  // of that limit, rendered
  std::string trace_parent;     // W3C traceparent of whoever asks; empty: none
};

// Another instance, from what `origin` was behind an event.
struct ForkInstance {
  InstanceId origin;
  Seq origin_seq;
  std::string origin_hash;
  Position origin_position;
  ForkedState state;                    // of the origin, behind that event
  std::vector<NamedPayload> variables;  // set in the root scope
  DefinitionId definition;              // to migrate to, Context::target; 0: none
  std::string plan;
  std::string business_key;
  std::string idempotency_key;
  TimeUs deadline;  // 0: none
  bool paused = false;
  bool queued = false;       // its definition's limit is reached
  bool ends_origin = false;  // a reset: the origin is terminated behind the record
  std::string reason;
  std::string trace_parent;
};

// A queued instance begins.
struct AdmitInstance {
  std::string reason;
};

struct CompleteAttempt {
  RunId run;
  uint32_t attempt = 1;
  Payload output;  // an object
  std::string log;
  bool log_truncated = false;
};

// Of a task for people, an operator may say so, too.
struct FailAttempt {
  RunId run;
  uint32_t attempt = 1;
  std::string kind;
  std::string message;
  bool retryable = true;
  Payload details;
  std::string log;
  bool log_truncated = false;
};

// The attempt is not running any more and nobody knows what it did.
struct InterruptAttempt {
  RunId run;
  uint32_t attempt = 1;
  Interruption by = Interruption::kCrash;
};

// An attempt that the engine stopped when it was stopped itself starts again.
struct RestartAttempt {
  RunId run;
};

struct ElapseTimer {
  TimerKind kind = TimerKind::kDelay;
  RunId run;
  uint32_t attempt = 0;
};

struct CancelInstance {
  bool compensate = false;
  std::string reason;
};

struct TerminateInstance {
  std::string reason;
};

// Of a compensation, kSkip waives it.
struct ResolveIncident {
  RunId run;
  Resolution resolution = Resolution::kRetry;
  std::string reason;
};

struct PauseInstance {
  std::string reason;
  bool with_parent = false;  // because its parent was
};

// With `steps`, so many of the held steps start and the instance stays paused.
struct ResumeInstance {
  std::string reason;
  uint32_t steps = 0;
  bool with_parent = false;  // only if it was paused with its parent
};

// A failed instance goes on with the steps that failed or were cut off; a `queued` one when it is
// admitted.
struct RetryInstance {
  std::string reason;
  TimeUs deadline;  // 0: none
  bool queued = false;
};

// The next attempt of a run that waits for it, now; of a parked one, kRetry.
struct RetryStep {
  RunId run;
  std::string reason;
};

// An optional step's run ends, and the flow goes on behind it.
struct SkipStep {
  RunId run;
  std::string reason;
};

// Back to an earlier step of the run's scope or of one around it. Run 0: from wherever it is.
struct RollBack {
  RunId from_run;
  StepIndex to_step;
  std::string reason;
};

struct AssignVariables {
  ScopeId scope;
  std::vector<NamedPayload> variables;
  std::string reason;
};

struct SendSignal {
  std::string name;
  Payload payload;
};

// A published message meets a wait.
struct CorrelateMessage {
  RunId run;
  uint32_t event = 0;  // which of the run's waits
  std::string name;
  Payload payload;
  Position message_position;
  uint32_t message_ordinal = 0;
};

struct ClaimTask {
  RunId run;
  std::string person;
  std::string comment;
  std::vector<std::string> groups;  // that the person is in
  bool as_operator = false;         // may act for anybody
};

struct ReleaseTask {
  RunId run;
  std::string person;
  std::string comment;
  std::vector<std::string> groups;
  bool as_operator = false;
};

// Approves or rejects; of a manual task, completes it (approved) with its variables.
struct DecideTask {
  RunId run;
  std::string person;
  bool approved = false;
  std::string comment;
  Payload variables;  // an object, or absent
  std::vector<std::string> groups;
  bool as_operator = false;
};

// The child of a call has started.
struct NoteChild {
  RunId run;
  InstanceId child;
};

// On to another version. `plan`: a JSON object, old step id to new step id; steps that it does not
// name map to the same id. Context::target is that definition.
struct MigrateInstance {
  DefinitionId definition;
  std::string plan;
  std::string reason;
};

using Command =
    std::variant<StartInstance, AdmitInstance, CompleteAttempt, FailAttempt, InterruptAttempt,
                 RestartAttempt, ElapseTimer, CancelInstance, TerminateInstance, ResolveIncident,
                 PauseInstance, ResumeInstance, RetryInstance, RetryStep, SkipStep, RollBack,
                 AssignVariables, SendSignal, CorrelateMessage, ClaimTask, ReleaseTask, DecideTask,
                 NoteChild, MigrateInstance, ForkInstance>;

}  // namespace stele::model
