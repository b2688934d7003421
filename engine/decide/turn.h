// One turn of deciding: what the files of this folder share. Not for others.
#pragma once

#include <string>
#include <vector>

#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/decide/environment.h"
#include "engine/model/event_size.h"

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
  std::vector<Token>& tokens;          // a queue: those before `next_token` are spent
  std::vector<ScopeId>& touched;       // scopes that may have come to their end
  const Definition* target = nullptr;  // Context::target
  size_t next_token = 0;
  size_t bytes = 0;        // of `events`, about
  uint32_t allowance = 0;  // of things that a paused instance may start in this turn
  // The root scope fails, and with it the instance, as soon as no token moves any more: what those
  // reach is held, so that a retry goes on with it.
  std::optional<model::Failure> failure = std::nullopt;

  // The only way in which anything happens.
  template <class Event>
  void Emit(Event event) {
    bytes += model::BytesOf(event);
    events.emplace_back(std::move(event));
    apply::Apply(instance, events.back(), record);
  }
  TimeUs now() const { return record.time; }
  // More has followed from this cause than may.
  bool IsRunaway() const;
  const Step& StepOf(const StepRun& run) const { return definition.step(run.step); }
  void Touch(ScopeId scope) {
    if (touched.empty() || touched.back() != scope) touched.push_back(scope);
  }
};

// decide.cc: lets tokens travel and scopes end until nothing moves.
void Advance(Turn& turn);
// A failure when the documents are too many bytes together for one step; `what` they are.
std::optional<Problem> ProblemOfSize(size_t bytes, std::string_view what);
// The same for a document that comes from outside, which may also be too deep.
std::optional<Problem> ProblemOfDocument(const Payload& document, std::string_view what);
// As a rejection.
std::optional<Rejection> RejectDocument(const Payload& document, std::string_view what);

// instance.cc
std::optional<Rejection> RejectEnded(const Instance& instance);
// Of a limit, from the value that its expression gave.
std::string ConcurrencyKeyText(const Value& key);
// When they are too many or too large.
std::optional<Rejection> RejectVariables(const std::vector<model::NamedPayload>& variables);
// "" when `value` is of the declared type.
std::string TypeProblem(const definition::Variable& variable, const Value& value);
// When one is not of the type that it is declared with; others may be set, too.
std::optional<Rejection> RejectTypes(const std::vector<definition::Variable>& declared,
                                     const std::vector<model::NamedPayload>& variables);
std::optional<Rejection> Start(Turn& turn, const model::StartInstance& command);
std::optional<Rejection> Cancel(Turn& turn, const model::CancelInstance& command);
std::optional<Rejection> Terminate(Turn& turn, const model::TerminateInstance& command);
void CompleteInstance(Turn& turn);
// The root scope's first steps.
void Begin(Turn& turn);

// attempt.cc
Rejection NoSuchRun(const Turn& turn, RunId run);
// The next attempt, now.
void StartAttempt(Turn& turn, RunId run);
std::optional<Rejection> Complete(Turn& turn, const model::CompleteAttempt& command);
std::optional<Rejection> Fail(Turn& turn, const model::FailAttempt& command);
std::optional<Rejection> Interrupt(Turn& turn, const model::InterruptAttempt& command);
std::optional<Rejection> Restart(Turn& turn, const model::RestartAttempt& command);
std::optional<Rejection> Elapse(Turn& turn, const model::ElapseTimer& command);
// A failure of the run's present attempt: retried if the policy says so.
void FailRun(Turn& turn, RunId run, const Problem& problem);
TimeUs DeadlineOf(const Turn& turn, const Step& step);

// pause.cc
std::optional<Rejection> Pause(Turn& turn, const model::PauseInstance& command);
std::optional<Rejection> Resume(Turn& turn, const model::ResumeInstance& command);
// The steps that are held, as tokens that start them, the outer scopes first.
std::vector<Token> HeldTokens(const Turn& turn);
// The runs that are held, and those that failed in a pause, as far as they may go on.
void GoOnWithRuns(Turn& turn);
// In a pause a step that a live token has reached is kept, and true is the answer.
bool HoldStep(Turn& turn, const Token& token);
// In a pause a run that failed is kept, and true is the answer.
bool HoldFailure(Turn& turn, RunId run, const Problem& problem);
// Spends what a paused instance may start: false when it may not start one thing more, or when the
// instance waits for its place or is about to fail.
bool MayStart(Turn& turn);
// The same for the end of a scope: a paused instance does not end, nor one that has not begun.
bool MayEnd(Turn& turn, ScopeId scope);

// operator.cc
std::optional<Rejection> Admit(Turn& turn, const model::AdmitInstance& command);
std::optional<Rejection> RetryFailed(Turn& turn, const model::RetryInstance& command);
std::optional<Rejection> RetryNow(Turn& turn, const model::RetryStep& command);
std::optional<Rejection> Skip(Turn& turn, const model::SkipStep& command);
std::optional<Rejection> Assign(Turn& turn, const model::AssignVariables& command);

// rollback.cc
std::optional<Rejection> SendBack(Turn& turn, const model::RollBack& command);

// fork.cc
std::optional<Rejection> Fork(Turn& turn, const model::ForkInstance& command);
// What is behind the fork's first event. REQUIRES: Fork has accepted it; the turn's definition is
// the one that the instance runs now.
void GoOnForked(Turn& turn, const model::ForkInstance& command);

// migrate.cc
std::optional<Rejection> Migrate(Turn& turn, const model::MigrateInstance& command);

// message.cc
// What a waiting step waits for, from its rendered config.
std::expected<std::vector<model::Wait>, Problem> WaitsOf(const Turn& turn, const Step& step,
                                                         const Value& config);
// A run that waits begins: a signal that was kept may meet it at once.
void BeginWait(Turn& turn, RunId run);
// One of the run's waits is over.
void EndWait(Turn& turn, RunId run, uint32_t event, const Payload& payload);
// The timer of a waiting run has elapsed.
void ElapseWait(Turn& turn, RunId run);
void Publish(Turn& turn, RunId run);
std::optional<Rejection> Signal(Turn& turn, const model::SendSignal& command);
std::optional<Rejection> Correlate(Turn& turn, const model::CorrelateMessage& command);
std::optional<Rejection> Note(Turn& turn, const model::NoteChild& command);

// human_task.cc
void BeginHumanTask(Turn& turn, RunId run);
std::optional<Rejection> Claim(Turn& turn, const model::ClaimTask& command);
std::optional<Rejection> Release(Turn& turn, const model::ReleaseTask& command);
std::optional<Rejection> Vote(Turn& turn, const model::DecideTask& command);
// After TimerElapsed of that kind.
void Escalate(Turn& turn, RunId run);
void Remind(Turn& turn, RunId run);
// Its deadline has passed.
void ExpireHumanTask(Turn& turn, RunId run);

// step.cc
// What a run was handed: its rendered config, or the definition's when nothing in it was dynamic.
const Value& ConfigOf(const Turn& turn, const StepRun& run);
// "5s", or a number of seconds; nothing when it is neither.
std::optional<int64_t> DurationUs(const Value& value);
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
std::expected<Payload, Problem> ScopeOutput(const Turn& turn, const Scope& scope);
// Assigns each to the nearest scope that has the variable, else to the nearest that is no
// iteration.
void SetVariables(Turn& turn, ScopeId scope, std::vector<model::NamedPayload> variables);

// saga.cc
// A run has failed and no retry is left.
void FailForGood(Turn& turn, RunId run, const Problem& problem);
// The same, when it is known that the instance may go on.
void GiveUp(Turn& turn, RunId run, const Problem& problem);
// What a scope does about a failure that no step of it handles.
void FailScope(Turn& turn, ScopeId scope, const model::Failure& failure);
void AdvanceCompensation(Turn& turn, ScopeId scope);
// The scope, from `scope` outwards, that undoes its steps. REQUIRES: there is one.
ScopeId CompensatingScope(const Turn& turn, ScopeId scope);
void RetryParked(Turn& turn, RunId run, const Problem& problem);
// Cancels the fallback that stands in for the run, if there is one.
void CancelStandIn(Turn& turn, RunId run);
std::optional<Rejection> Resolve(Turn& turn, const model::ResolveIncident& command);

}  // namespace stele::decide
