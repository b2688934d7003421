// Tokens: which transitions a step takes, and what a token does where it arrives.
//
// A transition that is not taken carries a dead token (dead-path elimination), so that a join can
// always tell whether it must wait. Dead tokens do not follow back edges; those that leave a loop
// are held until the loop has ended, because a later iteration may still take the transition.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/turn.h"

namespace stele::decide {

namespace {

using definition::On;
using definition::Transition;

std::expected<bool, Problem> Holds(const Transition& transition,
                                   const ScopeEnvironment& environment) {
  if (!transition.condition.has_value()) return true;
  const Result<bool> holds = transition.condition->EvaluateBool(environment);
  if (!holds.has_value())
    return std::unexpected(Problem{"expression", holds.error().message, false});
  return *holds;
}

// The default branch is taken when no other is: of a choice, any other; else any with a condition.
void TakeDefault(const Definition& definition, const Step& step, On outcome, Branches& branches) {
  const auto taken = [&](const Branch& branch) {
    const Transition& transition = definition.transition(branch.transition);
    const bool counts = step.split == definition::Split::kFirst || transition.condition.has_value();
    return branch.live && counts && transition.on == outcome;
  };
  if (std::ranges::any_of(branches, taken)) return;
  for (Branch& branch : branches) {
    const Transition& transition = definition.transition(branch.transition);
    if (transition.is_default && transition.on == outcome) branch.live = true;
  }
}

bool IsChoice(const Definition& definition, const Step& step) {
  return step.split == definition::Split::kFirst &&
         std::ranges::any_of(step.outgoing, [&](TransitionIndex index) {
           return definition.transition(index).on == On::kSuccess;
         });
}

// The tokens of a join that belong together: the first that came on each transition.
class Round {
 public:
  Round(const Definition& definition, const Scope& scope, model::Arrival arriving)
      : seen_(definition.transitions.size()) {
    for (const model::Arrival& arrival : scope.arrivals)
      if (arrival.step == arriving.step) Add(arrival);
    Add(arriving);
  }
  size_t decided() const { return decided_; }
  uint32_t live() const { return live_; }
  const std::vector<model::Arrival>& over() const { return over_; }

 private:
  void Add(const model::Arrival& arrival) {
    if (seen_[arrival.transition.value]) return over_.push_back(arrival);
    seen_[arrival.transition.value] = true;
    ++decided_;
    if (arrival.live) ++live_;
  }

  std::vector<bool> seen_;  // by transition
  size_t decided_ = 0;
  uint32_t live_ = 0;
  std::vector<model::Arrival> over_;
};

void ArriveAtJoin(Turn& turn, const Token& token, const Step& step) {
  const Scope& scope = *turn.instance.FindScope(token.scope);
  const model::Slot* slot = model::FindSlot(scope, token.step);
  const bool fired = slot != nullptr && slot->fired;
  const Round round(turn.definition, scope, {token.step, token.via, token.live});
  const uint32_t live = round.live();
  const bool last = round.decided() >= step.incoming.size();
  bool fires = false;
  switch (step.join) {
    case definition::Join::kAll:
      fires = last && live > 0;
      break;
    case definition::Join::kAny:
      fires = !fired && live > 0;
      break;
    case definition::Join::kNOfM:
      fires = !fired && live >= step.join_count;
      break;
  }
  turn.Emit(model::TokenArrived{token.scope, token.via, token.step, token.live, fires, last});
  if (last) {
    // What came twice on one transition belongs to the next round.
    for (const model::Arrival& over : round.over())
      turn.tokens.push_back({.scope = token.scope,
                             .step = token.step,
                             .via = over.transition,
                             .live = over.live,
                             .released = true});
  }
  if (fires) {
    StartStep(turn, {.scope = token.scope, .step = token.step, .output = token.output});
  } else if (last && !fired) {
    SkipStep(turn, token.scope, token.step, model::kNoTransition);
  }
}

}  // namespace

std::expected<Branches, Problem> PlanBranches(const Turn& turn, ScopeId scope, const Step& step,
                                              On outcome, const Payload& output) {
  const ScopeEnvironment environment(turn.definition, turn.instance, scope,
                                     {.outputs = output, .self = turn.definition.IndexOf(step)});
  Branches branches;
  branches.reserve(step.outgoing.size());
  bool chosen = false;
  for (const TransitionIndex index : step.outgoing) {
    const Transition& transition = turn.definition.transition(index);
    bool live = transition.on == outcome || transition.on == On::kCompletion;
    const bool decided = step.split == definition::Split::kFirst && chosen;
    if (live && (transition.is_default || decided)) live = false;
    if (live) {
      const std::expected<bool, Problem> holds = Holds(transition, environment);
      if (!holds.has_value()) return std::unexpected(holds.error());
      live = *holds;
    }
    chosen = chosen || live;
    branches.push_back({index, live});
  }
  TakeDefault(turn.definition, step, outcome, branches);
  const bool none = std::ranges::none_of(branches, &Branch::live);
  if (none && outcome == On::kSuccess && IsChoice(turn.definition, step))
    return std::unexpected(
        Problem{"no_branch",
                fmt::format("Expected a condition of \"{}\" to hold, or a default, but found none",
                            step.id),
                false});
  return branches;
}

void Send(Turn& turn, ScopeId scope, const Branches& branches, const Payload& output) {
  for (const Branch& branch : branches) {
    const StepIndex to = turn.definition.transition(branch.transition).to;
    turn.tokens.push_back({.scope = scope,
                           .step = to,
                           .via = branch.transition,
                           .live = branch.live,
                           .output = branch.live ? output : Payload()});
  }
}

void Deliver(Turn& turn, const Token& token) {
  const Scope* scope = turn.instance.FindScope(token.scope);
  // A scope that failed meanwhile takes its tokens with it.
  if (scope == nullptr || scope->state != model::ScopeState::kOpen) return;
  if (token.via == model::kNoTransition) return StartStep(turn, token);

  const Transition& transition = turn.definition.transition(token.via);
  if (transition.back_edge) {
    if (token.live) StartStep(turn, token);
    return;
  }
  if (!token.live && transition.leaves != kNoIndex && !token.released) {
    turn.Emit(model::TokenHeld{token.scope, token.via});
    return turn.Touch(token.scope);
  }
  const Step& step = turn.definition.step(token.step);
  if (step.incoming.size() > 1) return ArriveAtJoin(turn, token, step);
  if (token.live) return StartStep(turn, token);
  SkipStep(turn, token.scope, token.step, token.via);
}

bool ReleaseHeld(Turn& turn, ScopeId id) {
  const Scope* scope = turn.instance.FindScope(id);
  if (scope == nullptr || scope->held.empty() || scope->state != model::ScopeState::kOpen)
    return false;
  const auto running = [&](const definition::Region& region) {
    const auto is_in_it = [&](StepIndex step) {
      return std::ranges::binary_search(region.steps, step);
    };
    return std::ranges::any_of(scope->held_steps, is_in_it, &model::HeldStep::step) ||
           std::ranges::any_of(turn.instance.runs, [&](const StepRun& run) {
             return run.scope == id && is_in_it(run.step);
           });
  };
  // A token that is held at the exit of an inner loop may still set the outer one going.
  const auto awaits = [&](const definition::Region& region) {
    return std::ranges::any_of(scope->held, [&](TransitionIndex held) {
      return std::ranges::binary_search(region.steps, turn.definition.transition(held).to);
    });
  };
  for (const TransitionIndex held : scope->held) {
    const Transition& transition = turn.definition.transition(held);
    const definition::Region& region = turn.definition.regions[transition.leaves];
    if (running(region) || awaits(region)) continue;
    turn.tokens.push_back(
        {.scope = id, .step = transition.to, .via = held, .live = false, .released = true});
  }
  return turn.next_token < turn.tokens.size();
}

}  // namespace stele::decide
