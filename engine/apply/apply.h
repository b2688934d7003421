// Events to state. The one place where an Instance changes: live, in recovery and in replay.
//
// Total: never rejects, never reads a clock, needs no definition. An event that cannot follow the
// state is our own fault or a damaged log: a CHECK failure with the values. A file per concern,
// with the same names as in engine/decide.
//
// Thread: the instance's shard.
#pragma once

#include "base/check.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"

namespace stele::apply {

using model::Instance;
using model::RecordContext;

// Applies one event and counts it (instance.seq).
void Apply(Instance& instance, const model::Event& event, const RecordContext& record);

// The same for the registry (instance 0).
void Apply(model::Registry& registry, const model::Event& event, const RecordContext& record);

// instance.cc
void On(Instance&, const model::InstanceStarted&, const RecordContext&);
void On(Instance&, const model::InstanceCompleted&, const RecordContext&);
void On(Instance&, const model::InstanceFailed&, const RecordContext&);
void On(Instance&, const model::InstanceCancelRequested&, const RecordContext&);
void On(Instance&, const model::InstanceCancelled&, const RecordContext&);
void On(Instance&, const model::InstanceTerminated&, const RecordContext&);
// step.cc
void On(Instance&, const model::StepActivated&, const RecordContext&);
void On(Instance&, const model::StepPassed&, const RecordContext&);
void On(Instance&, const model::StepSkipped&, const RecordContext&);
void On(Instance&, const model::StepCompleted&, const RecordContext&);
void On(Instance&, const model::StepFailed&, const RecordContext&);
void On(Instance&, const model::StepCancelled&, const RecordContext&);
// attempt.cc
void On(Instance&, const model::AttemptStarted&, const RecordContext&);
void On(Instance&, const model::AttemptCompleted&, const RecordContext&);
void On(Instance&, const model::AttemptFailed&, const RecordContext&);
void On(Instance&, const model::AttemptInterrupted&, const RecordContext&);
void On(Instance&, const model::RetryScheduled&, const RecordContext&);
void On(Instance&, const model::TimerElapsed&, const RecordContext&);
// join.cc
void On(Instance&, const model::TokenArrived&, const RecordContext&);
void On(Instance&, const model::TokenHeld&, const RecordContext&);
// scope.cc
void On(Instance&, const model::ScopeOpened&, const RecordContext&);
void On(Instance&, const model::ScopeClosed&, const RecordContext&);
void On(Instance&, const model::VariablesSet&, const RecordContext&);
// saga.cc
void On(Instance&, const model::CompensationStarted&, const RecordContext&);
void On(Instance&, const model::CompensationWaived&, const RecordContext&);
void On(Instance&, const model::CompensationEnded&, const RecordContext&);
void On(Instance&, const model::IncidentRaised&, const RecordContext&);
void On(Instance&, const model::IncidentResolved&, const RecordContext&);
// pause.cc
void On(Instance&, const model::InstancePaused&, const RecordContext&);
void On(Instance&, const model::InstanceResumed&, const RecordContext&);
void On(Instance&, const model::StepHeld&, const RecordContext&);
void On(Instance&, const model::StepFailing&, const RecordContext&);
// operator.cc
void On(Instance&, const model::InstanceRetryRequested&, const RecordContext&);
void On(Instance&, const model::InstanceAdmitted&, const RecordContext&);
void On(Instance&, const model::StepRetryRequested&, const RecordContext&);
void On(Instance&, const model::StepSkipRequested&, const RecordContext&);
void On(Instance&, const model::StepRolledBack&, const RecordContext&);
// fork.cc
void On(Instance&, const model::InstanceForked&, const RecordContext&);
// migrate.cc
void On(Instance&, const model::InstanceMigrated&, const RecordContext&);
// message.cc
void On(Instance&, const model::SignalReceived&, const RecordContext&);
void On(Instance&, const model::MessagePublished&, const RecordContext&);
void On(Instance&, const model::MessageCorrelated&, const RecordContext&);
void On(Instance&, const model::ChildStarted&, const RecordContext&);
// human_task.cc
void On(Instance&, const model::HumanTaskCreated&, const RecordContext&);
void On(Instance&, const model::HumanTaskClaimed&, const RecordContext&);
void On(Instance&, const model::HumanTaskReleased&, const RecordContext&);
void On(Instance&, const model::HumanTaskDecided&, const RecordContext&);
void On(Instance&, const model::HumanTaskEscalated&, const RecordContext&);
void On(Instance&, const model::HumanTaskReminded&, const RecordContext&);

// Shared by the files of this folder. REQUIRES: it exists.
model::StepRun& RunOf(Instance& instance, RunId run);
model::Scope& ScopeOf(Instance& instance, ScopeId scope);
// A run that ended leaves the instance.
void RemoveRun(Instance& instance, RunId run);
// A token moved along `via`: if a dead one was held there, it is so no more.
void ForgetHeld(model::Scope& scope, TransitionIndex via);
// Run `of` is undone, by a compensation that saw the data of scope `from`: it goes from the list of
// the scope around that compensates, with the closed scopes whose data nothing asks for any more.
void EraseUndo(Instance& instance, ScopeId from, RunId of);
// Removes closed scopes whose data no compensation can ask for any more.
void DropUnneededScopes(Instance& instance);

}  // namespace stele::apply
