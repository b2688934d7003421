// Scopes: the iterations of loops, sub-processes, and the root.
#include <fmt/format.h>

#include <algorithm>

#include "engine/decide/limits.h"
#include "engine/decide/turn.h"
#include "engine/definition/limits.h"

namespace stele::decide {

namespace {

using definition::Body;
using definition::Loop;
using definition::LoopMode;

uint32_t TotalOf(const Loop& loop, const StepRun& run) {
  const Value& items = run.input.value();
  if (loop.mode == LoopMode::kTimes) return static_cast<uint32_t>(items.as_int());
  return static_cast<uint32_t>(items.as_array().size());
}

void CompleteLoop(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  Object output;
  const model::LoopProgress* progress = run.loop.get();
  output.Set("count", static_cast<int64_t>(progress == nullptr ? 0 : progress->next));
  output.Set("failed", static_cast<int64_t>(progress == nullptr ? 0 : progress->failed));
  if (progress != nullptr && progress->last.has_value()) output.Set("last", progress->last.value());
  CompleteRun(turn, id, Payload::FromValue(std::move(output)));
}

// For-each and times: as many iterations at once as the limit says.
void AdvanceCounted(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  const Loop& loop = turn.StepOf(run).loop;
  const uint32_t total = TotalOf(loop, run);
  const uint32_t limit = loop.max_iterations;
  if (limit != 0 && total > limit)
    return FailForGood(
        turn, id,
        {"limit", fmt::format("Expected at most {} iterations but found {} items", limit, total),
         false});
  const uint32_t concurrent = std::max<uint32_t>(loop.max_concurrent, 1);
  for (;;) {
    const StepRun& now = *turn.instance.FindRun(id);
    const uint32_t next = now.loop == nullptr ? 0 : now.loop->next;
    const uint32_t running = now.loop == nullptr ? 0 : now.loop->running;
    if (next >= total) {
      if (running == 0) CompleteLoop(turn, id);
      return;
    }
    if (running >= concurrent || turn.IsRunaway()) return;
    Payload item;
    if (loop.mode == LoopMode::kForEach)
      item = Payload::FromValue(now.input.value().as_array()[next]);
    OpenScope(turn, id, next, std::move(item));
  }
}

// While and until: one iteration after the other, as long as the condition says.
void AdvanceConditional(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  const Loop& loop = turn.StepOf(run).loop;
  if (run.loop != nullptr && run.loop->running > 0) return;
  const uint32_t done = run.loop == nullptr ? 0 : run.loop->next;
  const bool until = loop.mode == LoopMode::kUntil;
  if (!until || done > 0) {
    const ScopeEnvironment environment(turn.definition, turn.instance, run.scope,
                                       {.outputs = run.loop == nullptr ? Payload() : run.loop->last,
                                        .loop_index = until ? done - 1 : done});
    const Result<bool> holds = loop.condition->EvaluateBool(environment);
    if (!holds.has_value())
      return FailForGood(turn, id, {"expression", holds.error().message, false});
    if (*holds == until) return CompleteLoop(turn, id);
  }
  const uint32_t limit =
      loop.max_iterations == 0 ? definition::kDefaultMaxIterations : loop.max_iterations;
  if (done >= limit) {
    // A limit that the definition sets itself is a bound, not an error.
    if (loop.max_iterations != 0) return CompleteLoop(turn, id);
    return FailForGood(
        turn, id,
        {"limit", fmt::format("Expected the loop to end within {} iterations", limit), false});
  }
  OpenScope(turn, id, done, Payload());
}

// What a sub-process is given becomes variables of its scope, over its own defaults.
std::vector<model::NamedPayload> ScopeVariables(const StepRun& owner, const Body& body,
                                                bool sub_process) {
  std::vector<model::NamedPayload> variables;
  for (const definition::Variable& variable : body.variables)
    variables.push_back({variable.name, Payload::FromValue(variable.initial)});
  if (!sub_process || !owner.input.has_value()) return variables;
  for (const Member& member : owner.input.value().as_object()) {
    const auto found = std::ranges::find(variables, member.key, &model::NamedPayload::name);
    if (found == variables.end()) {
      variables.push_back({member.key, Payload::FromValue(member.value)});
    } else {
      found->value = Payload::FromValue(member.value);
    }
  }
  return variables;
}

bool IsInside(const Instance& instance, ScopeId inner, ScopeId outer) {
  while (inner != outer && inner != ScopeId()) inner = instance.FindScope(inner)->parent;
  return inner == outer;
}

// Closes the open scopes for which `wanted` holds, the innermost first, with all that runs in them,
// the youngest first.
template <class Wanted>
void CancelScopes(Turn& turn, model::CancelReason reason, Wanted wanted) {
  std::vector<ScopeId> open;
  for (const Scope& scope : turn.instance.scopes)
    if (wanted(scope)) open.push_back(scope.id);
  std::vector<std::pair<ScopeId, RunId>> inside;
  for (const StepRun& run : turn.instance.runs)
    if (std::ranges::binary_search(open, run.scope)) inside.emplace_back(run.scope, run.id);
  std::ranges::sort(inside, std::ranges::greater());
  auto run = inside.begin();
  for (auto id = open.rbegin(); id != open.rend(); ++id) {
    for (; run != inside.end() && run->first == *id; ++run)
      turn.Emit(model::StepCancelled{run->second, reason});
    const Scope* scope = turn.instance.FindScope(*id);
    if (scope == nullptr || scope->state == model::ScopeState::kClosed) continue;
    const StepRun* owner = turn.instance.FindRun(scope->owner);
    const bool keeps = owner == nullptr || owner->purpose != Purpose::kCompensation;
    turn.Emit(model::ScopeClosed{
        .scope = *id, .outcome = model::Outcome::kCancelled, .keeps_undo = keeps});
  }
}

}  // namespace

void OpenScope(Turn& turn, RunId owner, uint32_t index, Payload item) {
  const StepRun& run = *turn.instance.FindRun(owner);
  const Step& step = turn.StepOf(run);
  const ScopeId id = turn.instance.last_scope.Next();
  const Body& body = turn.definition.body(step.child);
  std::vector<model::NamedPayload> variables =
      ScopeVariables(run, body, step.kind == StepKind::kSubProcess);
  turn.Emit(model::ScopeOpened{.scope = id,
                               .parent = run.scope,
                               .run = owner,
                               .body = step.child,
                               .index = index,
                               .item = std::move(item)});
  if (!variables.empty()) turn.Emit(model::VariablesSet{id, std::move(variables)});
  for (const StepIndex entry : body.entries) turn.tokens.push_back({.scope = id, .step = entry});
  turn.Touch(id);
}

void AdvanceLoop(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  switch (turn.StepOf(run).loop.mode) {
    case LoopMode::kForEach:
    case LoopMode::kTimes:
      return AdvanceCounted(turn, id);
    case LoopMode::kWhile:
    case LoopMode::kUntil:
      return AdvanceConditional(turn, id);
  }
}

std::expected<Payload, Problem> ScopeOutput(const Turn& turn, const Scope& scope) {
  // The last steps: those after whose success nothing but an end comes.
  const auto leads_on = [&](TransitionIndex index) {
    const definition::Transition& transition = turn.definition.transition(index);
    return turn.definition.step(transition.to).kind != StepKind::kEnd && !transition.back_edge &&
           transition.on != definition::On::kFailure;
  };
  std::vector<const model::Slot*> last;
  for (const model::Slot& slot : scope.slots) {
    const Step& step = turn.definition.step(slot.step);
    if (slot.state == model::SlotState::kCompleted && slot.output.has_value() && !step.handler &&
        std::ranges::none_of(step.outgoing, leads_on))
      last.push_back(&slot);
  }
  if (last.empty()) return Payload();
  if (last.size() == 1) return last[0]->output;
  std::vector<Member> output;
  size_t bytes = 0;
  for (const model::Slot* slot : last) {
    bytes += slot->output.text().size();
    output.push_back({turn.definition.step(slot->step).id, slot->output.value()});
  }
  if (auto problem = ProblemOfSize(bytes, "what the last steps give together"))
    return std::unexpected(*problem);
  return Payload::FromValue(Object::Of(std::move(output)));
}

void CompleteScope(Turn& turn, ScopeId id) {
  if (id == ScopeId()) return CompleteInstance(turn);
  const Scope& scope = *turn.instance.FindScope(id);
  const RunId owner = scope.owner;
  const StepRun& run = *turn.instance.FindRun(owner);
  const Step& step = turn.StepOf(run);
  std::expected<Payload, Problem> output = ScopeOutput(turn, scope);
  if (!output.has_value())
    return CloseFailedScope(turn, id, {output.error().kind, output.error().message, RunId()});
  // A compensation is not undone.
  const bool keeps = run.purpose != Purpose::kCompensation;
  turn.Emit(model::ScopeClosed{
      .scope = id, .outcome = model::Outcome::kCompleted, .output = *output, .keeps_undo = keeps});
  if (step.kind == StepKind::kLoop) return AdvanceLoop(turn, owner);
  CompleteRun(turn, owner, *std::move(output));
}

void CloseFailedScope(Turn& turn, ScopeId id, const model::Failure& failure) {
  const RunId owner = turn.instance.FindScope(id)->owner;
  const StepRun& run = *turn.instance.FindRun(owner);
  const Step& step = turn.StepOf(run);
  turn.Emit(model::ScopeClosed{.scope = id,
                               .outcome = model::Outcome::kFailed,
                               .keeps_undo = run.purpose != Purpose::kCompensation});
  if (step.kind == StepKind::kLoop && !step.loop.break_on_error) return AdvanceLoop(turn, owner);
  FailRun(turn, owner, {failure.kind, failure.message});
}

void CancelRuns(Turn& turn, ScopeId id, model::CancelReason reason) {
  CancelScopes(turn, reason, [&](const Scope& scope) {
    return scope.id != id && IsInside(turn.instance, scope.id, id);
  });
  std::vector<RunId> runs;
  for (const StepRun& run : turn.instance.runs)
    if (run.scope == id) runs.push_back(run.id);
  for (auto run = runs.rbegin(); run != runs.rend(); ++run)
    turn.Emit(model::StepCancelled{*run, reason});
}

void CancelChildren(Turn& turn, RunId owner, model::CancelReason reason) {
  CancelScopes(turn, reason, [&](const Scope& scope) {
    for (const Scope* at = &scope; at->id != ScopeId(); at = turn.instance.FindScope(at->parent))
      if (at->owner == owner) return true;
    return false;
  });
}

void SetVariables(Turn& turn, ScopeId from, std::vector<model::NamedPayload> variables) {
  const auto has = [](const Scope& scope, const std::string& name) {
    return std::ranges::find(scope.variables, name, &model::NamedPayload::name) !=
           scope.variables.end();
  };
  const auto is_iteration = [&](const Scope& scope) {
    return scope.id != ScopeId() &&
           turn.definition.step(turn.definition.body(scope.body).owner).kind == StepKind::kLoop;
  };
  const auto target = [&](const std::string& name) {
    std::optional<ScopeId> fresh;
    for (const Scope* scope = turn.instance.FindScope(from);;
         scope = turn.instance.FindScope(scope->parent)) {
      if (has(*scope, name)) return scope->id;
      if (!fresh.has_value() && !is_iteration(*scope)) fresh = scope->id;
      if (scope->id == ScopeId()) return *fresh;
    }
  };
  // One event for each run of variables that go to the same scope.
  std::vector<model::VariablesSet> events;
  for (model::NamedPayload& variable : variables) {
    const ScopeId scope = target(variable.name);
    if (events.empty() || events.back().scope != scope) events.push_back({scope, {}});
    events.back().variables.push_back(std::move(variable));
  }
  for (model::VariablesSet& event : events) turn.Emit(std::move(event));
}

}  // namespace stele::decide
