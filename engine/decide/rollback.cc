// Sending an instance back to an earlier step (打回): what came behind that step is as if no token
// had reached it, and the step starts again. What stands beside it goes on.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/turn.h"

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

// Whether the finished source of `via` sent a live token along it.
bool WasTaken(const Turn& turn, ScopeId scope, const model::Slot& source, TransitionIndex via) {
  if (source.state == model::SlotState::kSkipped) return false;
  const auto outcome = source.state == model::SlotState::kHandled ? definition::On::kFailure
                                                                  : definition::On::kSuccess;
  const std::expected<Branches, decide::Problem> branches =
      PlanBranches(turn, scope, turn.definition.step(source.step), outcome, source.output);
  return branches.has_value() && std::ranges::any_of(*branches, [&](const Branch& branch) {
           return branch.transition == via && branch.live;
         });
}

std::optional<std::string> WhyNot(const Turn& turn, const model::RollBack& command,
                                  const StepRun* run) {
  if (command.to_step.value >= turn.definition.steps.size())
    return fmt::format("Expected a step of the definition but found index {}",
                       command.to_step.value);
  const Step& to = turn.definition.step(command.to_step);
  if (to.handler)
    return fmt::format(
        "Expected a step that tokens reach but found \"{}\", a fallback or a "
        "compensation",
        to.id);
  if (run == nullptr) return std::nullopt;
  const Step& from = turn.StepOf(*run);
  if (run->purpose != Purpose::kNormal || !from.returnable)
    return fmt::format("Expected a step that may be sent back but found \"{}\", which may not",
                       from.id);
  return std::nullopt;
}

bool IsOver(const model::Slot* slot) {
  return slot != nullptr && slot->state != model::SlotState::kIdle &&
         slot->state != model::SlotState::kActive;
}

// Tokens that joins behind have used up and that nothing will send again, because what sent them
// stands beside the steps that are reset.
std::vector<Token> TokensToRepeat(const Turn& turn, const Scope& scope, StepIndex target,
                                  const std::vector<StepIndex>& reset) {
  std::vector<Token> tokens;
  for (const StepIndex index : reset) {
    const Step& join = turn.definition.step(index);
    const model::Slot* slot = model::FindSlot(scope, index);
    const bool used = slot != nullptr && slot->state != model::SlotState::kIdle;
    if (index == target || join.incoming.size() < 2 || !used) continue;
    for (const TransitionIndex via : join.incoming) {
      const StepIndex from = turn.definition.transition(via).from;
      const model::Slot* source = model::FindSlot(scope, from);
      const bool waits = std::ranges::find(slot->arrivals, via, &model::Arrival::transition) !=
                         slot->arrivals.end();
      if (std::ranges::binary_search(reset, from) || waits || !IsOver(source)) continue;
      tokens.push_back({.scope = scope.id,
                        .step = index,
                        .via = via,
                        .live = WasTaken(turn, scope.id, *source, via),
                        .released = true,
                        .output = source->output});
    }
  }
  return tokens;
}

// The runs of the scope that the reset takes away, with all that runs inside them.
void CancelBehind(Turn& turn, ScopeId scope, const std::vector<StepIndex>& reset) {
  std::vector<RunId> runs;
  for (const StepRun& run : turn.instance.runs) {
    const StepRun* original =
        run.purpose == Purpose::kFallback ? turn.instance.FindRun(run.of) : nullptr;
    const StepIndex step = original == nullptr ? run.step : original->step;
    if (run.scope == scope && std::ranges::binary_search(reset, step)) runs.push_back(run.id);
  }
  for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
    CancelChildren(turn, *run, model::CancelReason::kRolledBack);
    turn.Emit(model::StepCancelled{*run, model::CancelReason::kRolledBack});
  }
}

}  // namespace

std::optional<Rejection> SendBack(Turn& turn, const model::RollBack& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (turn.instance.status == model::Status::kCompensating)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be running but found it compensating",
                                 turn.instance.id.value)};
  const StepRun* run = turn.instance.FindRun(command.from_run);
  if (command.from_run && run == nullptr) return NoSuchRun(turn, command.from_run);
  if (auto problem = WhyNot(turn, command, run))
    return Rejection{ErrorCode::kWrongState, *std::move(problem)};
  const Step& to = turn.definition.step(command.to_step);
  const std::expected<ScopeId, std::string> scope = ScopeOf(turn, to, run);
  if (!scope.has_value()) return Rejection{ErrorCode::kWrongState, scope.error()};
  const Scope& found = *turn.instance.FindScope(*scope);
  const model::Slot* slot = model::FindSlot(found, command.to_step);
  const bool reached = slot != nullptr && slot->state != model::SlotState::kIdle;
  if (!reached || found.state != model::ScopeState::kOpen)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected a step that instance {} has reached but found \"{}\"",
                                 turn.instance.id.value, to.id)};

  std::vector<StepIndex> reset = StepsBehind(turn.definition, command.to_step);
  std::vector<TransitionIndex> cleared;
  for (const StepIndex step : reset)
    for (const TransitionIndex transition : turn.definition.step(step).outgoing)
      cleared.push_back(transition);
  std::ranges::sort(cleared);
  std::vector<Token> repeated = TokensToRepeat(turn, found, command.to_step, reset);
  const ScopeId in = *scope;
  const std::vector<StepIndex> behind = reset;
  const TransitionIndex source = to.incoming.size() == 1 ? to.incoming[0] : model::kNoTransition;
  turn.Emit(model::StepRolledBack{command.from_run, command.to_step, in, command.reason,
                                  std::move(reset), std::move(cleared)});
  CancelBehind(turn, in, behind);
  turn.tokens.push_back({.scope = in,
                         .step = command.to_step,
                         .source = source,
                         .output = OutputAlong(turn, in, source)});
  std::ranges::move(repeated, std::back_inserter(turn.tokens));
  turn.Touch(in);
  return std::nullopt;
}

}  // namespace stele::decide
