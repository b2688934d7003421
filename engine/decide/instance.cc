// An instance's life: started, completed, cancelled, terminated.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/decide/limits.h"
#include "engine/decide/start_check.h"
#include "engine/decide/turn.h"
#include "engine/definition/value_types.h"

namespace stele::decide {

namespace {

using definition::Variable;

const model::NamedPayload* FindGiven(const model::StartInstance& command, const std::string& name) {
  const auto given = std::ranges::find(command.variables, name, &model::NamedPayload::name);
  return given == command.variables.end() ? nullptr : &*given;
}

// Those that the definition declares are of their types, and all are there that must be.
std::optional<Rejection> RejectDeclared(const Definition& definition,
                                        const model::StartInstance& command) {
  for (const Variable& variable : definition.bodies[0].variables) {
    const model::NamedPayload* given = FindGiven(command, variable.name);
    if (given == nullptr && variable.required)
      return Rejection{
          ErrorCode::kInvalidInput,
          fmt::format("Expected a value for the variable \"{}\" but found none", variable.name)};
    if (given == nullptr) continue;
    if (std::string problem = TypeProblem(variable, given->value.value()); !problem.empty())
      return Rejection{ErrorCode::kInvalidInput, std::move(problem)};
  }
  return std::nullopt;
}

// The variables that an instance starts with: what was given, then the definition's defaults.
std::vector<model::NamedPayload> InitialVariables(const Definition& definition,
                                                  const model::StartInstance& command) {
  const std::vector<Variable>& declared = definition.bodies[0].variables;
  std::vector<model::NamedPayload> variables;
  for (const Variable& variable : declared) {
    const model::NamedPayload* given = FindGiven(command, variable.name);
    variables.push_back(
        given != nullptr
            ? *given
            : model::NamedPayload{variable.name, Payload::FromValue(variable.initial)});
  }
  for (const model::NamedPayload& given : command.variables)
    if (std::ranges::find(declared, given.name, &Variable::name) == declared.end())
      variables.push_back(given);
  return variables;
}

}  // namespace

std::string TypeProblem(const Variable& variable, const Value& value) {
  const std::string& type = variable.type;
  if (type.empty() || definition::FitsType(value, type)) return "";
  return fmt::format("Expected the variable \"{}\" to be of type {} but found {}", variable.name,
                     type, KindName(value.kind()));
}

std::optional<Rejection> RejectTypes(const std::vector<Variable>& declared,
                                     const std::vector<model::NamedPayload>& variables) {
  for (const model::NamedPayload& variable : variables)
    for (const Variable& known : declared)
      if (known.name == variable.name)
        if (std::string problem = TypeProblem(known, variable.value.value()); !problem.empty())
          return Rejection{ErrorCode::kInvalidInput, std::move(problem)};
  return std::nullopt;
}

std::string ConcurrencyKeyText(const Value& key) {
  return key.is_string() ? key.as_string() : ToJson(key);
}

std::optional<Rejection> RejectVariables(const std::vector<model::NamedPayload>& variables) {
  if (variables.size() > kMaxVariablesSet)
    return Rejection{ErrorCode::kLimitExceeded,
                     fmt::format("Expected at most {} variables at once but found {}",
                                 kMaxVariablesSet, variables.size())};
  size_t bytes = 0;
  for (const model::NamedPayload& variable : variables) {
    if (auto rejection = RejectDocument(variable.value, "a variable")) return rejection;
    bytes += variable.value.text().size();
  }
  if (auto problem = ProblemOfSize(bytes, "variables"))
    return Rejection{ErrorCode::kLimitExceeded, std::move(problem->message)};
  return std::nullopt;
}

std::optional<Rejection> RejectEnded(const Instance& instance) {
  if (instance.status == model::Status::kNone)
    return Rejection{ErrorCode::kUnknownInstance,
                     fmt::format("Expected an instance but found no {}", instance.id.value)};
  if (model::HasEnded(instance.status))
    return Rejection{ErrorCode::kInstanceEnded,
                     fmt::format("Expected instance {} to be running but found it {}",
                                 instance.id.value, model::StatusName(instance.status))};
  return std::nullopt;
}

std::optional<Rejection> RejectStart(const Definition& definition,
                                     const model::StartInstance& command) {
  if (auto rejection = RejectDocument(command.input, "an input")) return rejection;
  if (auto rejection = RejectVariables(command.variables)) return rejection;
  if (!definition.input_schema.is_null()) {
    const Value none{Object()};
    const Value& input = command.input.has_value() ? command.input.value() : none;
    if (const ::stele::Status fits = definition::CheckInput(definition, input); !fits.has_value())
      return fits.error();
  }
  return RejectDeclared(definition, command);
}

std::optional<Rejection> Start(Turn& turn, const model::StartInstance& command) {
  if (turn.instance.status != model::Status::kNone)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected a new instance but found {}", turn.instance.id.value)};
  if (auto rejection = RejectStart(turn.definition, command)) return rejection;
  const int64_t deadline_us = turn.definition.deadline_us;
  turn.Emit(model::InstanceStarted{
      .definition = command.definition,
      .priority = command.priority != 0 ? command.priority : turn.definition.priority,
      .input = command.input,
      .variables = InitialVariables(turn.definition, command),
      .business_key = command.business_key,
      .idempotency_key = command.idempotency_key,
      .tags = command.tags,
      .deadline = command.deadline   ? command.deadline
                  : deadline_us == 0 ? TimeUs()
                                     : turn.now().Plus(deadline_us),
      .parent_instance = command.parent_instance,
      .parent_run = command.parent_run,
      .linked = command.linked,
      .paused = command.paused,
      .queued = command.queued,
      .concurrency_key = command.concurrency_key,
      .trace_parent = command.trace_parent});
  if (!command.queued) Begin(turn);
  return std::nullopt;
}

Result<std::string> ConcurrencyKeyOf(const Definition& definition,
                                     const model::StartInstance& command) {
  // An instance as the start will make it, for what the key refers to.
  Instance instance;
  instance.input = command.input;
  instance.business_key = command.business_key;
  instance.scopes.emplace_back().variables = InitialVariables(definition, command);
  const ScopeEnvironment environment(definition, instance, ScopeId(), {});
  Result<expression::Rendered> key = definition.concurrency->key.Render(environment);
  if (!key.has_value())
    return Fail(ErrorCode::kInvalidInput, fmt::format("Concurrency key: {}", key.error().message));
  return ConcurrencyKeyText(key->value);
}

void Begin(Turn& turn) {
  for (const StepIndex entry : turn.definition.bodies[0].entries)
    turn.tokens.push_back({.scope = ScopeId(), .step = entry});
  turn.Touch(ScopeId());
}

std::optional<Rejection> Cancel(Turn& turn, const model::CancelInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  if (turn.instance.status == model::Status::kCompensating)
    return Rejection{ErrorCode::kWrongState,
                     fmt::format("Expected instance {} to be running but found it compensating",
                                 turn.instance.id.value)};
  turn.Emit(model::InstanceCancelRequested{command.compensate, command.reason});
  CancelRuns(turn, ScopeId(), model::CancelReason::kInstanceCancelled);
  if (command.compensate && !turn.instance.scopes[0].undo.empty()) {
    turn.Emit(model::CompensationStarted{
        .scope = ScopeId(), .ends_as = model::Outcome::kCancelled, .message = command.reason});
    turn.Touch(ScopeId());
  } else {
    turn.Emit(model::InstanceCancelled{});
  }
  return std::nullopt;
}

std::optional<Rejection> Terminate(Turn& turn, const model::TerminateInstance& command) {
  if (auto rejection = RejectEnded(turn.instance)) return rejection;
  turn.Emit(model::InstanceTerminated{command.reason});
  return std::nullopt;
}

void CompleteInstance(Turn& turn) {
  const Definition& definition = turn.definition;
  if (definition.outputs.empty()) {
    std::expected<Payload, Problem> output = ScopeOutput(turn, turn.instance.scopes[0]);
    if (!output.has_value())
      return FailScope(turn, ScopeId(), {output.error().kind, output.error().message, RunId()});
    turn.Emit(model::InstanceCompleted{*std::move(output)});
    return;
  }
  const ScopeEnvironment environment(definition, turn.instance, ScopeId(), {});
  std::vector<Member> members;
  for (const definition::Mapping& mapping : definition.outputs) {
    Result<expression::Rendered> value = mapping.value.Render(environment);
    if (!value.has_value()) {
      return FailScope(
          turn, ScopeId(),
          {"expression", fmt::format("Output \"{}\": {}", mapping.name, value.error().message),
           RunId()});
    }
    members.push_back({mapping.name, std::move(value->value)});
  }
  Payload output = Payload::FromValue(Object::Of(std::move(members)));
  if (auto problem = ProblemOfSize(output.text().size(), "what the instance gives"))
    return FailScope(turn, ScopeId(), {problem->kind, problem->message, RunId()});
  turn.Emit(model::InstanceCompleted{std::move(output)});
}

}  // namespace stele::decide
