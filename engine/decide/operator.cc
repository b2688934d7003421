// What operators do to an instance and its steps: admit, retry, skip, assign variables.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/decide/past.h"
#include "engine/model/names.h"

namespace stele::decide {

namespace {

// What of the root scope failed, was cut off or did not come to start when the instance failed.
std::vector<Token> UnfinishedSteps(const Turn& turn) {
  std::vector<Token> tokens = HeldTokens(turn);
  Past past(turn, ScopeId());
  for (const model::Slot& slot : turn.instance.scopes[0].slots) {
    const bool unfinished =
        slot.state == model::SlotState::kFailed || slot.state == model::SlotState::kCancelled;
    if (!unfinished || turn.definition.step(slot.step).handler) continue;
    tokens.push_back({.scope = ScopeId(), .step = slot.step, .output = past.OutputInto(slot.step)});
  }
  return tokens;
}

}  // namespace

std::optional<Rejection> Admit(Turn& turn, const model::AdmitInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (!turn.instance.queued)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be queued but found it {}",
                                 turn.instance.id.value, model::StatusOf(turn.instance))};
  // One that was retried goes on with what it held; any other has not begun.
  std::vector<Token> held = HeldTokens(turn);
  const bool began = !held.empty() || !turn.instance.scopes[0].slots.empty();
  turn.Emit(model::InstanceAdmitted{command.reason});
  if (!began) Begin(turn);
  std::ranges::move(held, std::back_inserter(turn.tokens));
  turn.Touch(ScopeId());
  GoOnWithRuns(turn);
  return std::nullopt;
}

std::optional<Rejection> RetryFailed(Turn& turn, const model::RetryInstance& command) {
  const Instance& instance = turn.instance;
  if (instance.status != model::Status::kFailed)
    return Rejection{instance.status == model::Status::kNone ? ErrorCode::kUnknownInstance
                                                             : ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to have failed but found it {}",
                                 instance.id.value, model::StatusOf(instance))};
  if (instance.compensated)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to have failed with its steps in place but "
                                 "found them compensated; start a new one",
                                 instance.id.value)};
  std::vector<Token> unfinished = UnfinishedSteps(turn);
  // Its deadline may have passed while it was still queued.
  const bool began = !instance.scopes[0].slots.empty() || !unfinished.empty();
  turn.Emit(model::InstanceRetryRequested{command.reason, command.deadline, command.queued});
  if (!began && !command.queued) Begin(turn);
  std::ranges::move(unfinished, std::back_inserter(turn.tokens));
  turn.Touch(ScopeId());
  return std::nullopt;
}

std::optional<Rejection> RetryNow(Turn& turn, const model::RetryStep& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  const bool parked = run->state == RunState::kParked;
  if (!parked && run->state != RunState::kBackoff)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected run {} to wait for a retry or to be parked but found it "
                                 "at {}",
                                 command.run.value, model::EnumName(run->state))};
  const Problem problem{run->error_kind, run->error_message};
  turn.Emit(model::StepRetryRequested{command.run, command.reason});
  if (parked) {
    RetryParked(turn, command.run, problem);
  } else {
    turn.Emit(model::RetryScheduled{command.run, turn.instance.FindRun(command.run)->attempt + 1,
                                    turn.now()});
  }
  return std::nullopt;
}

std::optional<Rejection> Skip(Turn& turn, const model::SkipStep& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const StepRun* run = turn.instance.FindRun(command.run);
  if (run == nullptr) return NoSuchRun(turn, command.run);
  const Step& step = turn.StepOf(*run);
  if (run->purpose != Purpose::kNormal || !step.optional)
    return Rejection{
        ErrorCode::kWrongState,
        fmt::format("Expected a step that is optional but found \"{}\", which is {}", step.id,
                    run->purpose == Purpose::kNormal ? "not" : "a fallback or a compensation")};
  const ScopeId scope = run->scope;
  std::expected<Branches, Problem> branches =
      PlanBranches(turn, scope, step, definition::On::kSuccess, Payload());
  if (!branches.has_value())
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected a way on behind \"{}\" without its output but found: {}",
                                 step.id, branches.error().message)};
  turn.Emit(model::StepSkipRequested{command.run, command.reason});
  CancelChildren(turn, command.run, model::CancelReason::kSkipped);
  CancelStandIn(turn, command.run);
  turn.Emit(model::StepCancelled{command.run, model::CancelReason::kSkipped});
  Send(turn, scope, *branches, Payload());
  turn.Touch(scope);
  return std::nullopt;
}

std::optional<Rejection> Assign(Turn& turn, const model::AssignVariables& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  const Scope* scope = turn.instance.FindScope(command.scope);
  if (scope == nullptr || scope->state == model::ScopeState::kClosed)
    return Rejection{ErrorCode::kInvalidInput,
                     fmt::format("Expected an open scope of instance {} but found no {}",
                                 turn.instance.id.value, command.scope.value)};
  if (command.variables.empty())
    return Rejection{ErrorCode::kInvalidInput, "Expected a variable to set but found none"};
  if (auto rejection = RejectVariables(command.variables)) return rejection;
  if (auto rejection = RejectTypes(turn.definition.body(scope->body).variables, command.variables))
    return rejection;
  turn.Emit(model::VariablesSet{command.scope, command.variables, command.reason});
  return std::nullopt;
}

}  // namespace stele::decide
