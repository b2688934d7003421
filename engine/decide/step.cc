// A step in a scope: started by a token, skipped, completed.
#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/json_pointer.h"
#include "engine/decide/limits.h"
#include "engine/decide/turn.h"
#include "engine/definition/duration.h"

namespace stele::decide {

namespace {

using definition::On;

// What a task is handed, and when a delay ends.
struct Prepared {
  Payload config;
  Payload input;
  TimeUs due;
  std::vector<model::SecretUse> secrets;
  std::vector<model::Wait> waits;
  std::string concurrency_key;
};

std::optional<Problem> PrepareInput(const Step& step, const ScopeEnvironment& environment,
                                    Prepared& out) {
  if (step.inputs.empty()) return std::nullopt;
  std::vector<Member> input;
  for (const definition::Mapping& mapping : step.inputs) {
    Result<expression::Rendered> value = mapping.value.Render(environment);
    if (!value.has_value())
      return Problem{"expression",
                     fmt::format("Input \"{}\": {}", mapping.name, value.error().message), false};
    input.push_back({mapping.name, std::move(value->value)});
    for (model::SecretUse& use : value->secrets) {
      std::string pointer = "input";
      AppendPointer(pointer, mapping.name);
      use.pointer = pointer + use.pointer;
      out.secrets.push_back(std::move(use));
    }
  }
  out.input = Payload::FromValue(Object::Of(std::move(input)));
  return std::nullopt;
}

std::optional<Problem> PrepareConfig(const Step& step, const ScopeEnvironment& environment,
                                     Prepared& out) {
  const bool acts = step.kind == StepKind::kTask || step.kind == StepKind::kHuman ||
                    step.kind == StepKind::kWait || step.kind == StepKind::kPublish;
  if (!acts || !step.config.is_dynamic()) return std::nullopt;
  Result<expression::Rendered> config = step.config.Render(environment);
  if (!config.has_value()) return Problem{"expression", config.error().message, false};
  out.config = Payload::FromValue(config->value);
  std::ranges::move(config->secrets, std::back_inserter(out.secrets));
  return std::nullopt;
}

std::optional<Problem> PrepareDelay(const Turn& turn, const Step& step,
                                    const ScopeEnvironment& environment, Prepared& out) {
  if (step.kind != StepKind::kDelay) return std::nullopt;
  Result<expression::Rendered> delay = step.delay->Render(environment);
  if (!delay.has_value()) return Problem{"expression", delay.error().message, false};
  const std::optional<int64_t> duration = DurationUs(delay->value);
  if (!duration.has_value())
    return Problem{"duration",
                   fmt::format("Expected a duration such as \"5s\"{} but found {}",
                               definition::DurationBound(delay->value), ToJson(delay->value)),
                   false};
  out.due = turn.now().Plus(std::min(*duration, kMaxDelayUs));
  return std::nullopt;
}

// A loop's items are evaluated once, when it starts.
std::optional<Problem> PrepareItems(const Step& step, const ScopeEnvironment& environment,
                                    Prepared& out) {
  if (step.kind != StepKind::kLoop || !step.loop.items.has_value()) return std::nullopt;
  Result<expression::Rendered> items = step.loop.items->Render(environment);
  if (!items.has_value()) return Problem{"expression", items.error().message, false};
  const bool counted = step.loop.mode == definition::LoopMode::kTimes;
  const Value& value = items->value;
  const bool fits = counted ? value.is_int() && value.as_int() >= 0 && value.as_int() <= kMaxTimes
                            : value.is_array();
  if (!fits)
    return Problem{"expression",
                   fmt::format("Expected {} to loop over but found {}",
                               counted ? "a count" : "a list", KindName(value.kind())),
                   false};
  out.input = Payload::FromValue(value);
  return std::nullopt;
}

std::optional<Problem> PrepareWaits(const Turn& turn, const Step& step, Prepared& out) {
  if (step.kind != StepKind::kWait) return std::nullopt;
  const Value& config = out.config.has_value() ? out.config.value() : step.config.source();
  std::expected<std::vector<model::Wait>, Problem> waits = WaitsOf(turn, step, config);
  if (!waits.has_value()) return waits.error();
  out.waits = *std::move(waits);
  out.due = model::FirstDue(out.waits);
  return std::nullopt;
}

std::optional<Problem> PrepareKey(const Step& step, const ScopeEnvironment& environment,
                                  Prepared& out) {
  if (!step.concurrency.has_value()) return std::nullopt;
  Result<expression::Rendered> key = step.concurrency->key.Render(environment);
  if (!key.has_value())
    return Problem{"expression", fmt::format("Concurrency key: {}", key.error().message), false};
  out.concurrency_key = ConcurrencyKeyText(key->value);
  return std::nullopt;
}

std::expected<Prepared, Problem> Prepare(const Turn& turn, const Activation& activation) {
  const Step& step = turn.definition.step(activation.step);
  const ScopeEnvironment environment(
      turn.definition, turn.instance, activation.scope,
      {.outputs = activation.output, .response = activation.output, .self = activation.undone});
  Prepared out;
  if (auto problem = PrepareConfig(step, environment, out)) return std::unexpected(*problem);
  if (auto problem = PrepareInput(step, environment, out)) return std::unexpected(*problem);
  if (auto problem = PrepareDelay(turn, step, environment, out)) return std::unexpected(*problem);
  if (auto problem = PrepareItems(step, environment, out)) return std::unexpected(*problem);
  if (auto problem = PrepareWaits(turn, step, out)) return std::unexpected(*problem);
  if (auto problem = PrepareKey(step, environment, out)) return std::unexpected(*problem);
  const size_t bytes = out.config.text().size() + out.input.text().size();
  if (auto problem = ProblemOfSize(bytes, "what a step is given")) return std::unexpected(*problem);
  return out;
}

// A gateway, a start or an end: nothing runs, the token goes on.
void Pass(Turn& turn, const Token& token, const Step& step) {
  std::expected<Branches, Problem> branches =
      PlanBranches(turn, token.scope, step, On::kSuccess, token.output);
  if (!branches.has_value()) {
    return ActivateFailed(turn, {.scope = token.scope, .step = token.step, .via = token.via},
                          branches.error());
  }
  turn.Emit(model::StepPassed{token.scope, token.step, token.via});
  Send(turn, token.scope, *branches, token.output);
  turn.Touch(token.scope);
}

// What a completed step assigns, or why it cannot.
std::expected<std::vector<model::NamedPayload>, Problem> MapOutputs(const Turn& turn,
                                                                    const StepRun& run,
                                                                    const Payload& response) {
  const Step& step = turn.StepOf(run);
  const ScopeEnvironment environment(turn.definition, turn.instance, run.scope,
                                     {.outputs = response, .response = response, .self = run.step});
  std::vector<model::NamedPayload> variables;
  size_t bytes = 0;
  for (const definition::Mapping& mapping : step.outputs) {
    Result<expression::Rendered> value = mapping.value.Render(environment);
    if (!value.has_value())
      return std::unexpected(
          Problem{"expression",
                  fmt::format("Output \"{}\": {}", mapping.name, value.error().message), false});
    variables.push_back({mapping.name, Payload::FromValue(value->value)});
    bytes += variables.back().value.text().size();
    if (auto problem = ProblemOfSize(bytes, "what a step assigns"))
      return std::unexpected(*problem);
  }
  return variables;
}

void FinishNormal(Turn& turn, RunId id, const Payload& output, const Branches& branches) {
  const StepRun& run = *turn.instance.FindRun(id);
  const ScopeId scope = run.scope;
  const bool undoable = turn.StepOf(run).compensation.value != kNoIndex;
  // An attempt's output is in the run already.
  turn.Emit(model::StepCompleted{id, run.output.has_value() ? Payload() : output, undoable});
  Send(turn, scope, branches, output);
  turn.Touch(scope);
}

model::StepActivated ActivatedOf(const Turn& turn, const Activation& activation) {
  return {.run = turn.instance.last_run.Next(),
          .scope = activation.scope,
          .step = activation.step,
          .via = activation.via,
          .of = activation.of,
          .purpose = activation.purpose};
}

}  // namespace

std::optional<int64_t> DurationUs(const Value& value) {
  if (value.is_string()) return definition::ParseDuration(value.as_string());
  if (!value.is_number() || value.as_double() < 0) return std::nullopt;
  return static_cast<int64_t>(std::min(value.as_double() * 1e6, double{kMaxDelayUs}));
}

const Value& ConfigOf(const Turn& turn, const StepRun& run) {
  return run.config.has_value() ? run.config.value() : turn.StepOf(run).config.source();
}

void StartStep(Turn& turn, const Token& token) {
  if (HoldStep(turn, token)) return;
  const Step& step = turn.definition.step(token.step);
  if (step.condition.has_value()) {
    const ScopeEnvironment environment(turn.definition, turn.instance, token.scope,
                                       {.outputs = token.output});
    const Result<bool> holds = step.condition->EvaluateBool(environment);
    if (!holds.has_value()) {
      return ActivateFailed(turn, {.scope = token.scope, .step = token.step, .via = token.via},
                            {"expression", holds.error().message, false});
    }
    if (!*holds) return SkipStep(turn, token.scope, token.step, token.via);
  }
  switch (step.kind) {
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
      return Pass(turn, token, step);
    case StepKind::kTask:
    case StepKind::kDelay:
    case StepKind::kLoop:
    case StepKind::kSubProcess:
    case StepKind::kHuman:
    case StepKind::kWait:
    case StepKind::kPublish:
      return Activate(
          turn,
          {.scope = token.scope, .step = token.step, .via = token.via, .output = token.output});
  }
}

void SkipStep(Turn& turn, ScopeId scope, StepIndex step, TransitionIndex via) {
  turn.Emit(model::StepSkipped{scope, step, via});
  Branches dead;
  for (const TransitionIndex transition : turn.definition.step(step).outgoing)
    dead.push_back({transition, false});
  Send(turn, scope, dead, Payload());
  turn.Touch(scope);
}

void Activate(Turn& turn, const Activation& activation) {
  const Step& step = turn.definition.step(activation.step);
  std::expected<Prepared, Problem> prepared = Prepare(turn, activation);
  if (!prepared.has_value()) return ActivateFailed(turn, activation, prepared.error());
  model::StepActivated event = ActivatedOf(turn, activation);
  event.due = prepared->due;
  event.deadline = DeadlineOf(turn, step);
  event.config = std::move(prepared->config);
  event.input = std::move(prepared->input);
  event.secrets = std::move(prepared->secrets);
  event.waits = std::move(prepared->waits);
  event.concurrency_key = std::move(prepared->concurrency_key);
  turn.Emit(std::move(event));
  BeginChildren(turn, turn.instance.last_run);
}

void ActivateFailed(Turn& turn, const Activation& activation, const Problem& problem) {
  model::StepActivated event = ActivatedOf(turn, activation);
  event.unprepared = true;
  turn.Emit(std::move(event));
  FailForGood(turn, turn.instance.last_run, problem);
}

void BeginChildren(Turn& turn, RunId id) {
  const StepRun& run = *turn.instance.FindRun(id);
  switch (turn.StepOf(run).kind) {
    case StepKind::kLoop:
      return AdvanceLoop(turn, id);
    case StepKind::kSubProcess:
      return OpenScope(turn, id, 0, Payload());
    case StepKind::kStart:
    case StepKind::kEnd:
    case StepKind::kGateway:
      // Reached by a token they are passed; here they stand in for a step or undo one.
      return CompleteRun(turn, id, Payload());
    case StepKind::kHuman:
      return BeginHumanTask(turn, id);
    case StepKind::kWait:
      return BeginWait(turn, id);
    case StepKind::kPublish:
      return Publish(turn, id);
    case StepKind::kTask:
    case StepKind::kDelay:
      return;
  }
}

void CompleteRun(Turn& turn, RunId id, Payload output) {
  const StepRun& run = *turn.instance.FindRun(id);
  std::expected<std::vector<model::NamedPayload>, Problem> variables =
      MapOutputs(turn, run, output);
  if (!variables.has_value()) return FailForGood(turn, id, variables.error());
  if (!variables->empty()) SetVariables(turn, run.scope, *std::move(variables));

  const ScopeId scope = run.scope;
  const RunId of = run.of;
  switch (run.purpose) {
    case Purpose::kNormal: {
      std::expected<Branches, Problem> branches =
          PlanBranches(turn, scope, turn.StepOf(run), On::kSuccess, output);
      if (!branches.has_value()) return FailForGood(turn, id, branches.error());
      return FinishNormal(turn, id, output, *branches);
    }
    case Purpose::kFallback: {
      // The step that it stands in for completes with its output.
      turn.Emit(model::StepCompleted{id, run.output.has_value() ? Payload() : output});
      return CompleteRun(turn, of, output);
    }
    case Purpose::kCompensation: {
      const ScopeId compensating = CompensatingScope(turn, scope);
      turn.Emit(model::StepCompleted{id, run.output.has_value() ? Payload() : output});
      return turn.Touch(compensating);
    }
  }
}

}  // namespace stele::decide
