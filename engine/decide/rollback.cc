// Sending an instance back to an earlier step (打回): what came behind that step is as if no token
// had reached it, and the step starts again. What stands beside it goes on.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/past.h"

namespace stele::decide {

namespace {

// `from` and every step that a token can reach from it, sorted.
std::vector<StepIndex> StepsBehind(const Definition& definition, StepIndex from) {
  std::vector<StepIndex> reached{from};
  std::vector<bool> seen(definition.steps.size());
  seen[from.value] = true;
  for (size_t at = 0; at < reached.size(); ++at) {
    for (const TransitionIndex index : definition.step(reached[at]).outgoing) {
      const definition::Transition& transition = definition.transition(index);
      if (transition.back_edge || seen[transition.to.value]) continue;
      seen[transition.to.value] = true;
      reached.push_back(transition.to);
    }
  }
  std::ranges::sort(reached);
  return reached;
}

// The open scope that runs the step's body: outwards from the run's, or the only one there is.
std::expected<ScopeId, std::string> ScopeOf(const Turn& turn, const Step& step,
                                            const StepRun* run) {
  std::vector<ScopeId> found;
  if (run != nullptr) {
    for (ScopeId id = run->scope;; id = turn.instance.FindScope(id)->parent) {
      if (turn.instance.FindScope(id)->body == step.body) return id;
      if (id == ScopeId()) break;
    }
  } else {
    for (const Scope& scope : turn.instance.scopes)
      if (scope.body == step.body && scope.state == model::ScopeState::kOpen)
        found.push_back(scope.id);
    if (found.size() == 1) return found[0];
  }
  return std::unexpected(fmt::format(
      "Expected one open scope that holds \"{}\" but found {}", step.id,
      found.empty() ? "none" : fmt::format("{}; name the run to send back", found.size())));
}

// What a rollback changes: the scope, the steps that are reset and the runs that end with it.
struct Plan {
  ScopeId scope;
  StepIndex to_step;
  std::vector<StepIndex> reset;          // sorted
  std::vector<TransitionIndex> cleared;  // sorted
  std::vector<Token> repeated;
  std::vector<RunId> cancelled;
};

bool IsReset(const Plan& plan, StepIndex step) {
  return std::ranges::binary_search(plan.reset, step);
}

// The runs of the scope that the reset takes away: those of its steps and what stands in for them.
void PlanRuns(const Turn& turn, Plan& plan) {
  for (const StepRun& run : turn.instance.runs) {
    const StepRun* original =
        run.purpose == Purpose::kFallback ? turn.instance.FindRun(run.of) : nullptr;
    const StepIndex step = original == nullptr ? run.step : original->step;
    if (run.scope == plan.scope && IsReset(plan, step)) plan.cancelled.push_back(run.id);
  }
}

// Tokens come anew from the steps that are reset. Those that joins behind had from elsewhere, used
// up or not, are sent again, because nothing else will.
void PlanTokens(const Turn& turn, Plan& plan) {
  const Scope& scope = *turn.instance.FindScope(plan.scope);
  Past past(turn, plan.scope);
  for (const StepIndex index : plan.reset) {
    const Step& step = turn.definition.step(index);
    plan.cleared.insert(plan.cleared.end(), step.outgoing.begin(), step.outgoing.end());
    const model::Slot* slot = model::FindSlot(scope, index);
    if (index == plan.to_step || step.incoming.size() < 2 || slot == nullptr) continue;
    const bool is_held = std::ranges::find(scope.held_steps, index, &model::HeldStep::step) !=
                         scope.held_steps.end();
    const bool has_started = is_held || slot->state != model::SlotState::kIdle;
    for (const TransitionIndex via : step.incoming) {
      const StepIndex from = turn.definition.transition(via).from;
      if (IsReset(plan, from)) continue;
      const auto repeat = [&](bool live, bool released) {
        plan.repeated.push_back({.scope = plan.scope,
                                 .step = index,
                                 .via = via,
                                 .live = live,
                                 .released = released,
                                 .output = live ? past.OutputOf(from) : Payload()});
      };
      size_t waiting = 0;
      for (const model::Arrival& arrival : scope.arrivals) {
        if (arrival.transition != via) continue;
        repeat(arrival.live, /*released=*/true);
        ++waiting;
      }
      const bool held = std::ranges::find(scope.held, via) != scope.held.end();
      if (waiting > 0) plan.cleared.push_back(via);
      if (waiting > 0 && held) repeat(/*live=*/false, /*released=*/false);
      if (waiting == 0 && !held && has_started && past.Decided(via))
        repeat(past.Took(via), /*released=*/true);
    }
  }
  std::ranges::sort(plan.cleared);
}

Rejection WrongState(std::string message) {
  return {ErrorCode::kWrongState, std::move(message)};
}

// The run of the scope that `run` is in, or it itself; null when that one is over. REQUIRES: the
// scope is the run's or around it.
const StepRun* RunIn(const Turn& turn, ScopeId scope, const StepRun& run) {
  if (run.scope == scope) return &run;
  const Scope* inner = turn.instance.FindScope(run.scope);
  while (inner->parent != scope) inner = turn.instance.FindScope(inner->parent);
  return turn.instance.FindRun(inner->owner);
}

std::optional<Rejection> RejectRuns(const Turn& turn, const Plan& plan, const StepRun* from) {
  const Step& to = turn.definition.step(plan.to_step);
  const StepRun* in = from == nullptr ? nullptr : RunIn(turn, plan.scope, *from);
  const bool behind =
      in != nullptr && std::ranges::find(plan.cancelled, in->id) != plan.cancelled.end();
  if (from != nullptr && !behind)
    return WrongState(fmt::format("Expected a step before \"{}\" but found \"{}\"",
                                  turn.StepOf(*from).id, to.id));
  const auto keeps = [&](const StepRun& run) {
    return run.purpose == Purpose::kNormal && !turn.StepOf(run).returnable;
  };
  if (from != nullptr && keeps(*from))
    return WrongState(fmt::format("Expected a step that may be sent back but found \"{}\"",
                                  turn.StepOf(*from).id));
  for (const RunId id : plan.cancelled)
    if (const StepRun& run = *turn.instance.FindRun(id); keeps(run))
      return WrongState(fmt::format("Expected a step that may be sent back but found \"{}\"",
                                    turn.StepOf(run).id));
  return std::nullopt;
}

std::expected<ScopeId, Rejection> TargetOf(const Turn& turn, const model::RollBack& command,
                                           const StepRun* run) {
  if (command.to_step.value >= turn.definition.steps.size())
    return std::unexpected(WrongState(fmt::format(
        "Expected a step of the definition but found index {}", command.to_step.value)));
  const Step& to = turn.definition.step(command.to_step);
  if (to.handler)
    return std::unexpected(WrongState(fmt::format(
        "Expected a step that tokens reach but found \"{}\", a fallback or a compensation",
        to.id)));
  const std::expected<ScopeId, std::string> scope = ScopeOf(turn, to, run);
  if (!scope.has_value()) return std::unexpected(WrongState(scope.error()));
  const Scope& found = *turn.instance.FindScope(*scope);
  const model::Slot* slot = model::FindSlot(found, command.to_step);
  const bool reached = slot != nullptr && slot->state != model::SlotState::kIdle &&
                       slot->state != model::SlotState::kSkipped;
  if (!reached || found.state != model::ScopeState::kOpen)
    return std::unexpected(
        WrongState(fmt::format("Expected a step that instance {} has reached but found \"{}\"",
                               turn.instance.id.value, to.id)));
  return *scope;
}

}  // namespace

std::optional<Rejection> SendBack(Turn& turn, const model::RollBack& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (turn.instance.status == model::Status::kCompensating)
    return WrongState(fmt::format("Expected instance {} to be running but found it compensating",
                                  turn.instance.id.value));
  const StepRun* run = turn.instance.FindRun(command.from_run);
  if (command.from_run && run == nullptr) return NoSuchRun(turn, command.from_run);
  const std::expected<ScopeId, Rejection> scope = TargetOf(turn, command, run);
  if (!scope.has_value()) return scope.error();

  Plan plan{.scope = *scope,
            .to_step = command.to_step,
            .reset = StepsBehind(turn.definition, command.to_step)};
  PlanRuns(turn, plan);
  if (auto rejection = RejectRuns(turn, plan, run)) return rejection;
  PlanTokens(turn, plan);
  Token first{.scope = plan.scope,
              .step = plan.to_step,
              .output = Past(turn, plan.scope).OutputInto(plan.to_step)};
  turn.Emit(model::StepRolledBack{command.from_run, plan.to_step, plan.scope, command.reason,
                                  plan.reset, plan.cleared});
  for (auto id = plan.cancelled.rbegin(); id != plan.cancelled.rend(); ++id) {
    CancelChildren(turn, *id, model::CancelReason::kRolledBack);
    turn.Emit(model::StepCancelled{*id, model::CancelReason::kRolledBack});
  }
  turn.tokens.push_back(std::move(first));
  std::ranges::move(plan.repeated, std::back_inserter(turn.tokens));
  turn.Touch(plan.scope);
  return std::nullopt;
}

}  // namespace stele::decide
