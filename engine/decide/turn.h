// One turn of deciding: what the files of this folder share. Not for others.
#pragma once

#include <string>
#include <vector>

#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/decide/environment.h"

namespace stele::decide {

using definition::Definition;
using definition::Step;
using definition::StepKind;
using model::Instance;
using model::Purpose;
using model::RunState;
using model::Scope;
using model::StepRun;

struct Problem {
  std::string kind;
  std::string message;
  bool retryable = true;
};

struct Turn {
  Instance& instance;
  const Definition& definition;
  const model::RecordContext& record;
  std::vector<model::Event>& events;
  std::vector<Token>& tokens;     // a queue: those before `next_token` are spent
  std::vector<ScopeId>& touched;  // scopes that may have come to their end
  size_t next_token = 0;

  // The only way in which anything happens.
  template <class Event>
  void Emit(Event event) {
    events.emplace_back(std::move(event));
    apply::Apply(instance, events.back(), record);
  }
  TimeUs now() const { return record.time; }
  const Step& StepOf(const StepRun& run) const { return definition.step(run.step); }
  void Touch(ScopeId scope) {
    if (touched.empty() || touched.back() != scope) touched.push_back(scope);
  }
};

// decide.cc: lets tokens travel and scopes end until nothing moves.
void Advance(Turn& turn);

// instance.cc
std::optional<Rejection> Start(Turn& turn, const model::StartInstance& command);
std::optional<Rejection> Cancel(Turn& turn, const model::CancelInstance& command);
std::optional<Rejection> Terminate(Turn& turn, const model::TerminateInstance& command);
void CompleteInstance(Turn& turn);

// attempt.cc
std::optional<Rejection> Complete(Turn& turn, const model::CompleteAttempt& command);
std::optional<Rejection> Fail(Turn& turn, const model::FailAttempt& command);
std::optional<Rejection> Interrupt(Turn& turn, const model::InterruptAttempt& command);
std::optional<Rejection> Restart(Turn& turn, const model::RestartAttempt& command);
std::optional<Rejection> Elapse(Turn& turn, const model::ElapseTimer& command);
// A failure of the run's present attempt: retried if the policy says so.
void FailRun(Turn& turn, RunId run, const Problem& problem);
TimeUs DeadlineOf(const Turn& turn, const Step& step);

// step.cc
void StartStep(Turn& turn, const Token& token);
void SkipStep(Turn& turn, ScopeId scope, StepIndex step, TransitionIndex via);
struct Activation {
  ScopeId scope;
  StepIndex step;
  TransitionIndex via = model::kNoTransition;
  Purpose purpose = Purpose::kNormal;
  RunId of;
  Payload output;              // that `outputs` shows
  StepIndex undone{kNoIndex};  // kCompensation: the step whose output that is
};
void Activate(Turn& turn, const Activation& activation);
// A run that fails before it begins.
void ActivateFailed(Turn& turn, const Activation& activation, const Problem& problem);
// Begins what an activated run does when it is no task: its delay is in the event, its scopes open.
void BeginChildren(Turn& turn, RunId run);
void CompleteRun(Turn& turn, RunId run, Payload output);

// join.cc
struct Branch {
  TransitionIndex transition;
  bool live = false;
};
using Branches = std::vector<Branch>;
// Which transitions a step takes on an outcome, or why that cannot be said.
std::expected<Branches, Problem> PlanBranches(const Turn& turn, ScopeId scope, const Step& step,
                                              definition::On outcome, const Payload& output);
void Send(Turn& turn, ScopeId scope, const Branches& branches, const Payload& output);
void Deliver(Turn& turn, const Token& token);
// Dead tokens that were held at the exits of loops which have ended. True when any moved.
bool ReleaseHeld(Turn& turn, ScopeId scope);

// scope.cc
void OpenScope(Turn& turn, RunId owner, uint32_t index, Payload item);
void AdvanceLoop(Turn& turn, RunId run);
void CompleteScope(Turn& turn, ScopeId scope);
void CloseFailedScope(Turn& turn, ScopeId scope, const model::Failure& failure);
// Cancels every run of the scope and of those inside it, which close.
void CancelRuns(Turn& turn, ScopeId scope, model::CancelReason reason);
// The same for the scopes that one run has opened; the run stays.
void CancelChildren(Turn& turn, RunId owner, model::CancelReason reason);
Payload ScopeOutput(const Turn& turn, const Scope& scope);
// Assigns each to the nearest scope that has the variable, else to the nearest that is no
// iteration.
void SetVariables(Turn& turn, ScopeId scope, std::vector<model::NamedPayload> variables);

// saga.cc
// A run has failed and no retry is left.
void FailForGood(Turn& turn, RunId run, const Problem& problem);
// What a scope does about a failure that no step of it handles.
void FailScope(Turn& turn, ScopeId scope, const model::Failure& failure);
void AdvanceCompensation(Turn& turn, ScopeId scope);
// The scope, from `scope` outwards, that undoes its steps. REQUIRES: there is one.
ScopeId CompensatingScope(const Turn& turn, ScopeId scope);
std::optional<Rejection> Resolve(Turn& turn, const model::ResolveIncident& command);

}  // namespace stele::decide
