#include "engine/decide/decide.h"

#include <fmt/format.h>

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
};

// A scope in which nothing runs any more comes to its end, or goes on undoing.
void Settle(Turn& turn, ScopeId id) {
  const Scope* scope = turn.instance.FindScope(id);
  if (scope == nullptr) return;
  if (scope->state == model::ScopeState::kCompensating) {
    AdvanceCompensation(turn, id);
  } else if (scope->state == model::ScopeState::kOpen && scope->active == 0) {
    CompleteScope(turn, id);
  }
}

void StopRunaway(Turn& turn) {
  turn.tokens.clear();
  turn.next_token = 0;
  turn.touched.clear();
  CancelRuns(turn, ScopeId(), model::CancelReason::kScopeFailed);
  turn.Emit(model::InstanceFailed{
      .kind = "limit",
      .message = fmt::format("Expected at most {} events from one cause but found more: a cycle "
                             "of steps that never waits",
                             kMaxEventsPerRecord)});
}

}  // namespace

void Advance(Turn& turn) {
  while (!model::HasEnded(turn.instance.status)) {
    if (turn.events.size() > kMaxEventsPerRecord) return StopRunaway(turn);
    if (turn.next_token < turn.tokens.size()) {
      const Token token = std::move(turn.tokens[turn.next_token++]);
      Deliver(turn, token);
      continue;
    }
    turn.tokens.clear();
    turn.next_token = 0;
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
  Turn turn{instance, context.definition, context.record, events, tokens_, touched_};
  std::optional<Rejection> rejection = std::visit(Dispatcher{turn}, command);
  if (!rejection.has_value()) Advance(turn);
  return rejection;
}

namespace {

struct CauseReader {
  using Found = std::optional<model::Command>;

  Found operator()(const model::InstanceStarted& e) const {
    return model::StartInstance{e.definition,      e.input, e.variables, e.business_key,
                                e.idempotency_key, e.tags,  e.priority};
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
