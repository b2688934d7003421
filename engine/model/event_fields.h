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
  E(InstancePaused, "instance_paused", INSTANCE_PAUSED)                              \
  E(InstanceResumed, "instance_resumed", INSTANCE_RESUMED)                           \
  E(InstanceMigrated, "instance_migrated", INSTANCE_MIGRATED)                        \
  E(InstanceRetryRequested, "instance_retry_requested", INSTANCE_RETRY_REQUESTED)    \
  E(InstanceAdmitted, "instance_admitted", INSTANCE_ADMITTED)                        \
  E(StepHeld, "step_held", STEP_HELD)                                                \
  E(StepFailing, "step_failing", STEP_FAILING)                                       \
  E(StepRetryRequested, "step_retry_requested", STEP_RETRY_REQUESTED)                \
  E(StepSkipRequested, "step_skip_requested", STEP_SKIP_REQUESTED)                   \
  E(StepRolledBack, "step_rolled_back", STEP_ROLLED_BACK)                            \
  E(SignalReceived, "signal_received", SIGNAL_RECEIVED)                              \
  E(MessagePublished, "message_published", MESSAGE_PUBLISHED)                        \
  E(MessageCorrelated, "message_correlated", MESSAGE_CORRELATED)                     \
  E(HumanTaskCreated, "human_task_created", HUMAN_TASK_CREATED)                      \
  E(HumanTaskClaimed, "human_task_claimed", HUMAN_TASK_CLAIMED)                      \
  E(HumanTaskReleased, "human_task_released", HUMAN_TASK_RELEASED)                   \
  E(HumanTaskDecided, "human_task_decided", HUMAN_TASK_DECIDED)                      \
  E(HumanTaskEscalated, "human_task_escalated", HUMAN_TASK_ESCALATED)                \
  E(HumanTaskReminded, "human_task_reminded", HUMAN_TASK_REMINDED)                   \
  E(ChildStarted, "child_started", CHILD_STARTED)                                    \
  E(DefinitionRegistered, "definition_registered", DEFINITION_REGISTERED)            \
  E(DefinitionStateChanged, "definition_state_changed", DEFINITION_STATE_CHANGED)    \
  E(TriggerRegistered, "trigger_registered", TRIGGER_REGISTERED)                     \
  E(TriggerFired, "trigger_fired", TRIGGER_FIRED)                                    \
  E(TriggerStateChanged, "trigger_state_changed", TRIGGER_STATE_CHANGED)             \
  E(SettingChanged, "setting_changed", SETTING_CHANGED)                              \
  E(AccessDenied, "access_denied", ACCESS_DENIED)                                    \
  E(InstancesPurged, "instances_purged", INSTANCES_PURGED)                           \
  E(InstancesErased, "instances_erased", INSTANCES_ERASED)                           \
  E(AlertChanged, "alert_changed", ALERT_CHANGED)                                    \
  E(InstanceForked, "instance_forked", INSTANCE_FORKED)

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
  F(parent_run, ParentRun)              \
  F(linked, Linked)                     \
  F(paused, Paused)                     \
  F(queued, Queued)                     \
  F(concurrency_key, ConcurrencyKey)    \
  F(trace_parent, TraceParent)
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
  F(secrets, Secrets)                 \
  F(waits, Waits)                     \
  F(concurrency_key, ConcurrencyKey)  \
  F(unprepared, Unprepared)
#define STELE_FIELDS_StepPassed(F) F(scope, Scope) F(step, Step) F(via, Via)
#define STELE_FIELDS_StepSkipped(F) F(scope, Scope) F(step, Step) F(via, Via)
#define STELE_FIELDS_StepCompleted(F) F(run, Run) F(output, Output) F(undoable, Undoable)
#define STELE_FIELDS_StepFailed(F) \
  F(run, Run) F(kind, Kind) F(message, Message) F(fallback, Fallback) F(handled, Handled)
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
#define STELE_FIELDS_VariablesSet(F) F(scope, Scope) F(variables, Variables) F(reason, Reason)
#define STELE_FIELDS_CompensationStarted(F) \
  F(scope, Scope) F(ends_as, EndsAs) F(run, Run) F(kind, Kind) F(message, Message)
#define STELE_FIELDS_CompensationWaived(F) F(run, Run) F(reason, Reason)
#define STELE_FIELDS_CompensationEnded(F) F(scope, Scope)
#define STELE_FIELDS_IncidentRaised(F) F(run, Run) F(kind, Kind) F(message, Message)
#define STELE_FIELDS_IncidentResolved(F) F(run, Run) F(resolution, Resolution) F(reason, Reason)
#define STELE_FIELDS_InstancePaused(F) F(reason, Text) F(with_parent, WithParent)
#define STELE_FIELDS_InstanceResumed(F) F(reason, Reason) F(steps, Steps)
#define STELE_FIELDS_InstanceMigrated(F) \
  F(definition, Definition)              \
  F(plan, Plan) F(steps, Steps) F(transitions, Transitions) F(bodies, Bodies) F(reason, Reason)
#define STELE_FIELDS_InstanceRetryRequested(F) \
  F(reason, Text) F(deadline, Deadline) F(queued, Queued)
#define STELE_FIELDS_InstanceAdmitted(F) F(reason, Text)
#define STELE_FIELDS_InstanceForked(F) \
  F(origin, OriginInstance)            \
  F(origin_seq, OriginSeq)             \
  F(origin_hash, OriginHash)           \
  F(origin_position, OriginPosition)   \
  F(state, State)                      \
  F(variables, Variables)              \
  F(definition, Definition)            \
  F(plan, Plan)                        \
  F(business_key, BusinessKey)         \
  F(idempotency_key, IdempotencyKey)   \
  F(deadline, Deadline)                \
  F(paused, Paused)                    \
  F(queued, Queued)                    \
  F(ends_origin, EndsOrigin)           \
  F(reason, Reason)                    \
  F(trace_parent, TraceParent)
#define STELE_FIELDS_StepHeld(F) F(scope, Scope) F(step, Step) F(via, Via) F(output, Output)
#define STELE_FIELDS_StepFailing(F) \
  F(run, Run) F(kind, Kind) F(message, Message) F(retryable, Retryable)
#define STELE_FIELDS_StepRetryRequested(F) F(run, Run) F(reason, Reason)
#define STELE_FIELDS_StepSkipRequested(F) F(run, Run) F(reason, Reason)
#define STELE_FIELDS_StepRolledBack(F) \
  F(from_run, FromRun)                 \
  F(to_step, ToStep) F(scope, Scope) F(reason, Reason) F(reset, Reset) F(cleared, Cleared)
#define STELE_FIELDS_SignalReceived(F) F(name, Name) F(payload, Payload)
#define STELE_FIELDS_MessagePublished(F) \
  F(name, Name)                          \
  F(key, CorrelationKey) F(payload, Payload) F(expires, Expires) F(message_id, MessageId)
#define STELE_FIELDS_MessageCorrelated(F) \
  F(run, Run)                             \
  F(name, Name)                           \
  F(payload, Payload)                     \
  F(message_position, MessagePosition) F(message_ordinal, MessageOrdinal) F(wait, Wait)
#define STELE_FIELDS_HumanTaskCreated(F) \
  F(run, Run)                            \
  F(assignees, Assignees)                \
  F(groups, Groups)                      \
  F(min_approvers, MinApprovers)         \
  F(due, Due)                            \
  F(form, Form)                          \
  F(veto, Veto)                          \
  F(escalate_at, EscalateAt)             \
  F(remind_at, RemindAt)                 \
  F(remind_every_us, RemindEveryUs)      \
  F(remind_limit, RemindLimit)
#define STELE_FIELDS_HumanTaskClaimed(F) \
  F(run, Run) F(person, Person) F(comment, Comment) F(groups, Groups) F(as_operator, AsOperator)
#define STELE_FIELDS_HumanTaskReleased(F) STELE_FIELDS_HumanTaskClaimed(F)
#define STELE_FIELDS_HumanTaskDecided(F) \
  F(run, Run)                            \
  F(person, Person)                      \
  F(approved, Approved)                  \
  F(comment, Comment) F(variables, Variables) F(groups, Groups) F(as_operator, AsOperator)
#define STELE_FIELDS_HumanTaskEscalated(F) F(run, Run) F(assignees, Assignees) F(groups, Groups)
#define STELE_FIELDS_HumanTaskReminded(F) F(run, Run) F(count, Count) F(next, Next)
#define STELE_FIELDS_ChildStarted(F) F(run, Run) F(child, Child)
#define STELE_FIELDS_DefinitionStateChanged(F) F(definition, Id) F(state, State) F(reason, Reason)
#define STELE_FIELDS_TriggerRegistered(F) \
  F(trigger, Trigger) F(definition, Definition) F(kind, Kind) F(config, Config)
#define STELE_FIELDS_TriggerFired(F) \
  F(trigger, Trigger) F(time, Time) F(outcome, Outcome) F(key, Key) F(payload, Payload)
#define STELE_FIELDS_TriggerStateChanged(F) F(trigger, Id) F(state, State) F(reason, Reason)
#define STELE_FIELDS_SettingChanged(F) F(name, Name) F(document, Document)
#define STELE_FIELDS_AccessDenied(F) F(name, Name) F(document, Document)
#define STELE_FIELDS_AlertChanged(F) F(rule, Rule) F(firing, Firing) F(document, Document)
#define STELE_FIELDS_InstancesPurged(F) \
  F(instances, Instances)               \
  F(closed_before, ClosedBefore)        \
  F(reason, Reason)                     \
  F(totals, Totals)                     \
  F(firings, Firings)                   \
  F(conditions, Conditions) F(messages, Messages) F(message_ids, MessageIds)
#define STELE_FIELDS_InstancesErased(F) F(instances, Instances) F(reason, Reason)
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
