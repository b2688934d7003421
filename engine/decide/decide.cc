#include "engine/decide/decide.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/decide/limits.h"
#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

struct Dispatcher {
  Turn& turn;

  std::optional<Rejection> operator()(const model::StartInstance& c) { return Start(turn, c); }
  std::optional<Rejection> operator()(const model::CompleteAttempt& c) { return Complete(turn, c); }
  std::optional<Rejection> operator()(const model::FailAttempt& c) { return Fail(turn, c); }
  std::optional<Rejection> operator()(const model::InterruptAttempt& c) {
    return Interrupt(turn, c);
  }
  std::optional<Rejection> operator()(const model::RestartAttempt& c) { return Restart(turn, c); }
  std::optional<Rejection> operator()(const model::ElapseTimer& c) { return Elapse(turn, c); }
  std::optional<Rejection> operator()(const model::CancelInstance& c) { return Cancel(turn, c); }
  std::optional<Rejection> operator()(const model::TerminateInstance& c) {
    return Terminate(turn, c);
  }
  std::optional<Rejection> operator()(const model::ResolveIncident& c) { return Resolve(turn, c); }
  std::optional<Rejection> operator()(const model::AdmitInstance& c) { return Admit(turn, c); }
  std::optional<Rejection> operator()(const model::PauseInstance& c) { return Pause(turn, c); }
  std::optional<Rejection> operator()(const model::ResumeInstance& c) { return Resume(turn, c); }
  std::optional<Rejection> operator()(const model::RetryInstance& c) {
    return RetryFailed(turn, c);
  }
  std::optional<Rejection> operator()(const model::RetryStep& c) { return RetryNow(turn, c); }
  std::optional<Rejection> operator()(const model::SkipStep& c) { return Skip(turn, c); }
  std::optional<Rejection> operator()(const model::RollBack& c) { return SendBack(turn, c); }
  std::optional<Rejection> operator()(const model::AssignVariables& c) { return Assign(turn, c); }
  std::optional<Rejection> operator()(const model::SendSignal& c) { return Signal(turn, c); }
  std::optional<Rejection> operator()(const model::CorrelateMessage& c) {
    return Correlate(turn, c);
  }
  std::optional<Rejection> operator()(const model::ClaimTask& c) { return Claim(turn, c); }
  std::optional<Rejection> operator()(const model::ReleaseTask& c) { return Release(turn, c); }
  std::optional<Rejection> operator()(const model::DecideTask& c) { return Vote(turn, c); }
  std::optional<Rejection> operator()(const model::NoteChild& c) { return Note(turn, c); }
  std::optional<Rejection> operator()(const model::MigrateInstance& c) { return Migrate(turn, c); }
  std::optional<Rejection> operator()(const model::ForkInstance& c) { return Fork(turn, c); }
};

// A scope in which nothing runs any more comes to its end, or goes on undoing.
void Settle(Turn& turn, ScopeId id) {
  const Scope* scope = turn.instance.FindScope(id);
  if (scope == nullptr) return;
  if (scope->state == model::ScopeState::kCompensating) {
    AdvanceCompensation(turn, id);
  } else if (scope->state == model::ScopeState::kOpen && scope->active == 0 &&
             scope->held_steps.empty()) {
    if (MayEnd(turn, id)) CompleteScope(turn, id);
  }
}

// The step that began last in this turn.
std::string LastStep(const Turn& turn) {
  const auto named = [&](StepIndex step) {
    return fmt::format(", the last of which was \"{}\"", turn.definition.step(step).id);
  };
  for (auto event = turn.events.rbegin(); event != turn.events.rend(); ++event) {
    if (const auto* activated = std::get_if<model::StepActivated>(&*event))
      return named(activated->step);
    if (const auto* passed = std::get_if<model::StepPassed>(&*event)) return named(passed->step);
  }
  return "";
}

void StopRunaway(Turn& turn) {
  std::string message =
      turn.events.size() > kMaxEventsPerRecord
          ? fmt::format(
                "Expected at most {} events from one cause but found more: too many steps "
                "that never wait{}",
                kMaxEventsPerRecord, LastStep(turn))
          : fmt::format(
                "Expected at most {} bytes from one cause but found more: too much that "
                "goes on at once{}",
                kMaxBytesPerRecord, LastStep(turn));
  CancelRuns(turn, ScopeId(), model::CancelReason::kScopeFailed);
  turn.failure = {.kind = "limit", .message = std::move(message), .run = RunId()};
}

}  // namespace

bool Turn::IsRunaway() const {
  return events.size() > kMaxEventsPerRecord || bytes > kMaxBytesPerRecord;
}

std::optional<Problem> ProblemOfSize(size_t bytes, std::string_view what) {
  if (bytes <= kMaxDocumentBytes) return std::nullopt;
  return Problem{
      "limit",
      fmt::format("Expected at most {} bytes for {} but found {}", kMaxDocumentBytes, what, bytes),
      false};
}

std::optional<Problem> ProblemOfDocument(const Payload& document, std::string_view what) {
  const std::string_view text = document.text();
  if (auto problem = ProblemOfSize(text.size(), what)) return problem;
  // Each array and object takes two bytes at least.
  if (text.size() <= 2 * kMaxJsonDepth || JsonDepth(text) <= kMaxJsonDepth) return std::nullopt;
  return Problem{"limit",
                 fmt::format("Expected at most {} arrays and objects in each other in {} but found "
                             "more",
                             kMaxJsonDepth, what),
                 false};
}

std::optional<Rejection> RejectDocument(const Payload& document, std::string_view what) {
  std::optional<Problem> problem = ProblemOfDocument(document, what);
  if (!problem.has_value()) return std::nullopt;
  return Rejection{ErrorCode::kLimitExceeded, std::move(problem->message)};
}

void Advance(Turn& turn) {
  while (!model::HasEnded(turn.instance.status)) {
    if (turn.IsRunaway() && !turn.failure.has_value()) StopRunaway(turn);
    if (turn.next_token < turn.tokens.size()) {
      const Token token = std::move(turn.tokens[turn.next_token++]);
      Deliver(turn, token);
      continue;
    }
    turn.tokens.clear();
    turn.next_token = 0;
    if (turn.failure.has_value()) {
      return turn.Emit(
          model::InstanceFailed{turn.failure->kind, turn.failure->message, turn.failure->run});
    }
    if (turn.touched.empty()) return;
    const ScopeId scope = turn.touched.back();
    if (ReleaseHeld(turn, scope)) continue;
    turn.touched.pop_back();
    Settle(turn, scope);
  }
}

std::optional<Rejection> Decider::Decide(Instance& instance, const model::Command& command,
                                         const Context& context,
                                         std::vector<model::Event>& events) {
  tokens_.clear();
  touched_.clear();
  Turn turn{instance, context.definition, context.record, events,
            tokens_,  touched_,           context.target};
  std::optional<Rejection> rejection = std::visit(Dispatcher{turn}, command);
  if (rejection.has_value()) return rejection;
  if (const auto* fork = std::get_if<model::ForkInstance>(&command)) {
    Turn forked{instance,       fork->definition ? *context.target : context.definition,
                context.record, events,
                tokens_,        touched_};
    GoOnForked(forked, *fork);
    Advance(forked);
  } else {
    Advance(turn);
  }
  return std::nullopt;
}

namespace {

struct CauseReader {
  using Found = std::optional<model::Command>;

  Found operator()(const model::InstanceStarted& e) const {
    return model::StartInstance{
        e.definition, e.input,    e.variables, e.business_key,    e.idempotency_key,
        e.tags,       e.priority, e.deadline,  e.parent_instance, e.parent_run,
        e.linked,     e.paused,   e.queued,    e.concurrency_key, e.trace_parent};
  }
  Found operator()(const model::AttemptCompleted& e) const {
    return model::CompleteAttempt{e.run, e.attempt, e.output, e.log, e.log_truncated};
  }
  Found operator()(const model::AttemptFailed& e) const {
    return model::FailAttempt{e.run,       e.attempt, e.kind, e.message,
                              e.retryable, e.details, e.log,  e.log_truncated};
  }
  Found operator()(const model::AttemptInterrupted& e) const {
    return model::InterruptAttempt{e.run, e.attempt, e.by};
  }
  Found operator()(const model::AttemptStarted& e) const { return model::RestartAttempt{e.run}; }
  Found operator()(const model::TimerElapsed& e) const {
    return model::ElapseTimer{e.kind, e.run, e.attempt};
  }
  Found operator()(const model::InstanceCancelRequested& e) const {
    return model::CancelInstance{e.compensate, e.reason};
  }
  Found operator()(const model::InstanceTerminated& e) const {
    return model::TerminateInstance{e.reason};
  }
  Found operator()(const model::IncidentResolved& e) const {
    return model::ResolveIncident{e.run, e.resolution, e.reason};
  }
  Found operator()(const model::InstanceAdmitted& e) const {
    return model::AdmitInstance{e.reason};
  }
  Found operator()(const model::InstancePaused& e) const {
    return model::PauseInstance{e.reason, e.with_parent};
  }
  Found operator()(const model::InstanceResumed& e) const {
    return model::ResumeInstance{e.reason, e.steps};
  }
  Found operator()(const model::InstanceRetryRequested& e) const {
    return model::RetryInstance{e.reason, e.deadline, e.queued};
  }
  Found operator()(const model::StepRetryRequested& e) const {
    return model::RetryStep{e.run, e.reason};
  }
  Found operator()(const model::StepSkipRequested& e) const {
    return model::SkipStep{e.run, e.reason};
  }
  Found operator()(const model::StepRolledBack& e) const {
    return model::RollBack{e.from_run, e.to_step, e.reason};
  }
  Found operator()(const model::VariablesSet& e) const {
    return model::AssignVariables{e.scope, e.variables, e.reason};
  }
  Found operator()(const model::SignalReceived& e) const {
    return model::SendSignal{e.name, e.payload};
  }
  Found operator()(const model::MessageCorrelated& e) const {
    return model::CorrelateMessage{
        e.run, e.wait, e.name, e.payload, e.message_position, e.message_ordinal};
  }
  Found operator()(const model::HumanTaskClaimed& e) const {
    return model::ClaimTask{e.run, e.person, e.comment, e.groups, e.as_operator};
  }
  Found operator()(const model::HumanTaskReleased& e) const {
    return model::ReleaseTask{e.run, e.person, e.comment, e.groups, e.as_operator};
  }
  Found operator()(const model::HumanTaskDecided& e) const {
    return model::DecideTask{e.run,       e.person, e.approved,   e.comment,
                             e.variables, e.groups, e.as_operator};
  }
  Found operator()(const model::ChildStarted& e) const { return model::NoteChild{e.run, e.child}; }
  Found operator()(const model::InstanceMigrated& e) const {
    return model::MigrateInstance{e.definition, e.plan, e.reason};
  }
  Found operator()(const model::InstanceForked& e) const {
    return model::ForkInstance{e.origin,       e.origin_seq,      e.origin_hash, e.origin_position,
                               e.state,        e.variables,       e.definition,  e.plan,
                               e.business_key, e.idempotency_key, e.deadline,    e.paused,
                               e.queued,       e.ends_origin,     e.reason,      e.trace_parent};
  }
  template <class Other>
  Found operator()(const Other&) const {
    return std::nullopt;
  }
};

}  // namespace

std::optional<model::Command> CommandOf(const model::Event& cause) {
  return std::visit(CauseReader{}, cause);
}

}  // namespace stele::decide
