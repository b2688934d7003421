// The one table of events and their fields: the codec, the JSON form and the tests are written over
// it, so that a field is named in one place. A row gives the member in event.h and the accessor
// that Cap'n Proto makes of the field in schemas/record.capnp.
//
// X macros because C++23 cannot enumerate members; nothing but this file defines such lists of
// events.
#pragma once

#include <string_view>

#include "engine/model/event.h"

// E(type, its name in JSON and for people, its enumerator in schema::Event::Which): in the order of
// the Event variant.
#define STELE_EVENTS(E)                                                              \
  E(InstanceStarted, "instance_started", INSTANCE_STARTED)                           \
  E(InstanceCompleted, "instance_completed", INSTANCE_COMPLETED)                     \
  E(InstanceFailed, "instance_failed", INSTANCE_FAILED)                              \
  E(InstanceCancelRequested, "instance_cancel_requested", INSTANCE_CANCEL_REQUESTED) \
  E(InstanceCancelled, "instance_cancelled", INSTANCE_CANCELLED)                     \
  E(InstanceTerminated, "instance_terminated", INSTANCE_TERMINATED)                  \
  E(StepActivated, "step_activated", STEP_ACTIVATED)                                 \
  E(StepPassed, "step_passed", STEP_PASSED)                                          \
  E(StepSkipped, "step_skipped", STEP_SKIPPED)                                       \
  E(StepCompleted, "step_completed", STEP_COMPLETED)                                 \
  E(StepFailed, "step_failed", STEP_FAILED)                                          \
  E(StepCancelled, "step_cancelled", STEP_CANCELLED)                                 \
  E(AttemptStarted, "attempt_started", ATTEMPT_STARTED)                              \
  E(AttemptCompleted, "attempt_completed", ATTEMPT_COMPLETED)                        \
  E(AttemptFailed, "attempt_failed", ATTEMPT_FAILED)                                 \
  E(AttemptInterrupted, "attempt_interrupted", ATTEMPT_INTERRUPTED)                  \
  E(RetryScheduled, "retry_scheduled", RETRY_SCHEDULED)                              \
  E(TimerElapsed, "timer_elapsed", TIMER_ELAPSED)                                    \
  E(TokenArrived, "token_arrived", TOKEN_ARRIVED)                                    \
  E(TokenHeld, "token_held", TOKEN_HELD)                                             \
  E(ScopeOpened, "scope_opened", SCOPE_OPENED)                                       \
  E(ScopeClosed, "scope_closed", SCOPE_CLOSED)                                       \
  E(VariablesSet, "variables_set", VARIABLES_SET)                                    \
  E(CompensationStarted, "compensation_started", COMPENSATION_STARTED)               \
  E(CompensationWaived, "compensation_waived", COMPENSATION_WAIVED)                  \
  E(CompensationEnded, "compensation_ended", COMPENSATION_ENDED)                     \
  E(IncidentRaised, "incident_raised", INCIDENT_RAISED)                              \
  E(IncidentResolved, "incident_resolved", INCIDENT_RESOLVED)                        \
  E(DefinitionRegistered, "definition_registered", DEFINITION_REGISTERED)

// F(member, accessor).
#define STELE_FIELDS_InstanceStarted(F) \
  F(definition, Definition)             \
  F(priority, Priority)                 \
  F(input, Input)                       \
  F(variables, Variables)               \
  F(business_key, BusinessKey)          \
  F(idempotency_key, IdempotencyKey)    \
  F(tags, Tags)                         \
  F(deadline, Deadline)                 \
  F(parent_instance, ParentInstance)    \
  F(parent_run, ParentRun)
#define STELE_FIELDS_InstanceCompleted(F) F(output, Output)
#define STELE_FIELDS_InstanceFailed(F) \
  F(kind, Kind) F(message, Message) F(run, Run) F(compensated, Compensated)
#define STELE_FIELDS_InstanceCancelRequested(F) F(compensate, Compensate) F(reason, Reason)
#define STELE_FIELDS_InstanceCancelled(F) F(compensated, Compensated)
#define STELE_FIELDS_InstanceTerminated(F) F(reason, Text)
#define STELE_FIELDS_StepActivated(F) \
  F(run, Run)                         \
  F(scope, Scope)                     \
  F(step, Step)                       \
  F(via, Via)                         \
  F(due, Due)                         \
  F(deadline, Deadline)               \
  F(of, Of)                           \
  F(purpose, Purpose)                 \
  F(config, Config)                   \
  F(input, Input)                     \
  F(secrets, Secrets)
#define STELE_FIELDS_StepPassed(F) F(scope, Scope) F(step, Step) F(via, Via)
#define STELE_FIELDS_StepSkipped(F) F(scope, Scope) F(step, Step) F(via, Via)
#define STELE_FIELDS_StepCompleted(F) F(run, Run) F(output, Output) F(undoable, Undoable)
#define STELE_FIELDS_StepFailed(F) \
  F(run, Run) F(kind, Kind) F(message, Message) F(fallback, Fallback)
#define STELE_FIELDS_StepCancelled(F) F(run, Run) F(reason, Reason)
#define STELE_FIELDS_AttemptStarted(F) F(run, Run) F(attempt, Attempt) F(deadline, Deadline)
#define STELE_FIELDS_AttemptCompleted(F) \
  F(run, Run) F(attempt, Attempt) F(output, Output) F(log, Log) F(log_truncated, LogTruncated)
#define STELE_FIELDS_AttemptFailed(F) \
  F(run, Run)                         \
  F(attempt, Attempt)                 \
  F(kind, Kind)                       \
  F(message, Message)                 \
  F(retryable, Retryable)             \
  F(details, Details)                 \
  F(log, Log)                         \
  F(log_truncated, LogTruncated)
#define STELE_FIELDS_AttemptInterrupted(F) F(run, Run) F(attempt, Attempt) F(by, By)
#define STELE_FIELDS_RetryScheduled(F) F(run, Run) F(attempt, Attempt) F(due, Due)
#define STELE_FIELDS_TimerElapsed(F) F(kind, Kind) F(run, Run) F(attempt, Attempt)
#define STELE_FIELDS_TokenArrived(F) \
  F(scope, Scope)                    \
  F(transition, Transition) F(step, Step) F(live, Live) F(fires, Fires) F(last, Last)
#define STELE_FIELDS_TokenHeld(F) F(scope, Scope) F(transition, Transition)
#define STELE_FIELDS_ScopeOpened(F) \
  F(scope, Scope) F(parent, Parent) F(run, Run) F(body, Body) F(index, Index) F(item, Item)
#define STELE_FIELDS_ScopeClosed(F) \
  F(scope, Scope) F(outcome, Outcome) F(output, Output) F(keeps_undo, KeepsUndo)
#define STELE_FIELDS_VariablesSet(F) F(scope, Scope) F(variables, Variables)
#define STELE_FIELDS_CompensationStarted(F) \
  F(scope, Scope) F(ends_as, EndsAs) F(run, Run) F(kind, Kind) F(message, Message)
#define STELE_FIELDS_CompensationWaived(F) F(run, Run) F(reason, Reason)
#define STELE_FIELDS_CompensationEnded(F) F(scope, Scope)
#define STELE_FIELDS_IncidentRaised(F) F(run, Run) F(kind, Kind) F(message, Message)
#define STELE_FIELDS_IncidentResolved(F) F(run, Run) F(resolution, Resolution) F(reason, Reason)
#define STELE_FIELDS_DefinitionRegistered(F) \
  F(definition, Definition)                  \
  F(name, Name) F(version, Version) F(canonical, Canonical) F(source, Source) F(file, File)

namespace stele::model {

// Calls visit(member name, member) for each field of an event, in the order of the schema.
#define STELE_VISIT_FIELD(member, Accessor) visit(std::string_view(#member), event.member);
#define STELE_VISIT_EVENT(Type, name, WHICH)         \
  template <class Visit>                             \
  void VisitFields(const Type& event, Visit visit) { \
    STELE_FIELDS_##Type(STELE_VISIT_FIELD)           \
  }                                                  \
  template <class Visit>                             \
  void VisitFields(Type& event, Visit visit) {       \
    STELE_FIELDS_##Type(STELE_VISIT_FIELD)           \
  }
STELE_EVENTS(STELE_VISIT_EVENT)
#undef STELE_VISIT_EVENT
#undef STELE_VISIT_FIELD

}  // namespace stele::model
