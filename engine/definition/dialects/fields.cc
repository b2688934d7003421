#include "engine/definition/dialects/fields.h"

#include <fmt/format.h>

#include <algorithm>

#include "engine/definition/duration.h"
#include "engine/definition/limits.h"
#include "engine/definition/value_types.h"

namespace stele::definition {
namespace {

std::string TypeOfValue(const Value& value) {
  return value.is_null() ? "any" : std::string(KindName(value.kind()));
}

// A mapping declares a variable when it has a `type` that is one and no keys but a declaration's;
// any other mapping is the variable's initial value.
bool IsDeclaration(const Node& node) {
  if (!node.is_map()) return false;
  static constexpr std::string_view kKeys[] = {"name",     "type",        "default",
                                               "required", "description", "value"};
  for (const Entry& entry : node.entries)
    if (std::ranges::find(kKeys, entry.key) == std::end(kKeys)) return false;
  return node.Find("type") != nullptr || node.Find("default") != nullptr;
}

Variable ReadVariable(const std::string& name, const Node& node, Lowering& lowering) {
  if (!IsDeclaration(node)) {
    Value initial = ToValue(node);
    std::string type = TypeOfValue(initial);
    return {name, std::move(type), std::move(initial), false};
  }
  MapReader reader(node, "a variable", lowering.faults);
  Variable variable{.name = name, .type = "any", .initial = {}, .required = false};
  const Node* initial = reader.Take({"default", "value"});
  if (initial != nullptr) variable.initial = ToValue(*initial);
  if (const Node* type = reader.Take("type")) {
    const auto word = ReadText(*type, "`type`", lowering.faults);
    if (const auto known = FindValueType(word.value_or("any"))) {
      variable.type = *known;
    } else {
      lowering.Add(ErrorCode::kInvalidDefinition, type->place,
                   fmt::format("Expected a variable's type to be {} but found {}",
                               QuoteList(ValueTypes(), "or"), Quote(*word)));
    }
  } else {
    variable.type = TypeOfValue(variable.initial);
  }
  variable.required = reader.Bool({"required"}, false);
  reader.Text({"description"});
  reader.Take("name");
  if (!FitsType(variable.initial, variable.type))
    lowering.Add(ErrorCode::kInvalidDefinition, initial->place,
                 fmt::format("Expected the default of {} to be of type {} but found {}",
                             Quote(name), variable.type, Describe(*initial)));
  return variable;
}

// Only the shape: who runs triggers knows what may stand in them.
void CheckTrigger(const Node& node, Lowering& lowering) {
  if (!node.is_map()) {
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a trigger as a mapping but found " + Describe(node));
    return;
  }
  const Node* config = node.Find("config");
  if (config != nullptr && !config->is_map() && !config->is_null())
    lowering.Add(ErrorCode::kInvalidDefinition, config->place,
                 "Expected a mapping as a trigger's `config` but found " + Describe(*config));
}

}  // namespace

bool Lowering::AddTransition(uint32_t body, DraftTransition edge) {
  if (draft.many_transitions > kMaxTransitions) return false;
  if (++draft.many_transitions > kMaxTransitions) {
    Add(ErrorCode::kLimitExceeded, edge.place,
        fmt::format("Expected at most {} transitions but found more", kMaxTransitions));
    return false;
  }
  draft.bodies[body].transitions.push_back(std::move(edge));
  return true;
}

void ReadVariables(const Node& node, std::vector<Variable>& variables, Lowering& lowering) {
  if (node.is_list()) {
    for (const Node& item : node.items) {
      const Node* name = item.Find("name");
      if (name == nullptr || !name->is_string())
        lowering.Add(ErrorCode::kInvalidDefinition, item.place,
                     "Expected a variable with a `name` but found " + Describe(item));
      else
        variables.push_back(ReadVariable(name->scalar.as_string(), item, lowering));
    }
    return;
  }
  if (!node.is_map())
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a mapping of variables but found " + Describe(node));
  for (const Entry& entry : node.entries)
    variables.push_back(ReadVariable(entry.key, entry.value, lowering));
}

RetryPolicy ReadRetry(const Node& node, Lowering& lowering) {
  RetryPolicy policy{.max_attempts = 3, .initial_delay_us = 1'000'000};
  MapReader reader(node, "a retry policy", lowering.faults);
  const auto attempts = reader.Integer({"max_attempts", "attempts"}, 1, kMaxAttempts);
  const auto retries = reader.Integer({"max_retries", "retries"}, 0, kMaxAttempts - 1);
  if (attempts)
    policy.max_attempts = static_cast<uint32_t>(*attempts);
  else if (retries)
    policy.max_attempts = static_cast<uint32_t>(*retries + 1);
  const auto initial = reader.Duration({"initial_delay", "delay", "retry_delay"});
  policy.initial_delay_us = initial.value_or(policy.initial_delay_us);
  policy.max_delay_us = reader.Duration({"max_delay"}).value_or(0);
  const auto factor = reader.Number({"multiplier", "backoff_factor", "factor"}, 1, 1e6);
  if (factor) {
    policy.multiplier = *factor;
    policy.backoff = Backoff::kExponential;
  }
  if (const Node* strategy = reader.Take({"backoff_strategy", "backoff", "strategy"})) {
    const std::string word = Fold(ReadText(*strategy, "the backoff", lowering.faults).value_or(""));
    if (word == "fixed" || word == "constant")
      policy.backoff = Backoff::kFixed;
    else if (word == "linear")
      policy.backoff = Backoff::kLinear;
    else if (word == "exponential")
      policy.backoff = Backoff::kExponential;
    else
      lowering.Add(ErrorCode::kInvalidDefinition, strategy->place,
                   "Expected a backoff of \"fixed\", \"linear\" or \"exponential\" but found " +
                       Describe(*strategy));
  }
  if (const Node* jitter = reader.Take("jitter")) {
    if (jitter->is_scalar() && jitter->scalar.is_bool())
      policy.jitter = jitter->scalar.as_bool() ? 0.5 : 0.0;
    else
      policy.jitter = reader.Number({"jitter"}, 0, 1).value_or(0);
  }
  const auto kinds = [&](const Node* list, std::vector<std::string>& into) {
    if (list == nullptr) return;
    for (Word& word : ReadWords(*list, "a list of error kinds", false, lowering.faults))
      into.push_back(std::move(word.text));
  };
  kinds(reader.Take({"retry_on", "retryable_errors"}), policy.retry_on);
  kinds(reader.Take({"no_retry_on", "non_retryable_errors"}), policy.no_retry_on);
  reader.Finish();
  return policy;
}

Value ReadTriggers(const Node& node, Lowering& lowering) {
  if (!node.is_list()) {
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a list of triggers but found " + Describe(node));
    return {};
  }
  for (const Node& item : node.items) CheckTrigger(item, lowering);
  return ToValue(node);
}

std::vector<Mapping> ReadOutputs(const Node& node, Lowering& lowering) {
  std::vector<Mapping> outputs;
  if (!node.is_map())
    lowering.Add(ErrorCode::kInvalidDefinition, node.place,
                 "Expected a mapping of names to expressions but found " + Describe(node));
  for (const Entry& entry : node.entries)
    outputs.push_back({entry.key, lowering.compiler.Computed(entry.value)});
  return outputs;
}

ErrorHandling ReadErrorHandling(const Node& node, Lowering& lowering) {
  ErrorHandling handling;
  static const std::vector<std::string> kStrategies = {"fail", "continue", "compensate", "park",
                                                       "retry"};
  std::optional<int64_t> retries;
  const auto read_strategy = [&](const Node& word) {
    const std::string text = Fold(ReadText(word, "the strategy", lowering.faults).value_or(""));
    if (text == "fail" || text == "stop")
      handling.strategy = Strategy::kFail;
    else if (text == "continue" || text == "ignore")
      handling.strategy = Strategy::kContinue;
    else if (text == "compensate" || text == "rollback")
      handling.strategy = Strategy::kCompensate;
    else if (text == "park")
      handling.strategy = Strategy::kPark;
    else if (text == "retry")
      handling.retry.emplace();
    else
      lowering.Add(ErrorCode::kInvalidDefinition, word.place,
                   fmt::format("Expected an error strategy of {} but found {}",
                               QuoteList(kStrategies, "or"), Describe(word)));
  };
  if (node.is_scalar()) {
    read_strategy(node);
  } else {
    MapReader reader(node, "the error handling", lowering.faults);
    if (const Node* strategy = reader.Take({"strategy", "on_error"})) read_strategy(*strategy);
    retries = reader.Integer({"max_retries"}, 0, kMaxAttempts - 1);
    if (const Node* fallback = reader.Take({"fallback_task", "fallback", "fallback_step"}))
      handling.fallback = {ReadText(*fallback, "`fallback_task`", lowering.faults).value_or(""),
                           fallback->place};
    reader.Finish();
  }
  // `retry` is no strategy of its own: every step tries again, then the process fails.
  if (handling.retry || retries.value_or(0) > 0)
    handling.retry = RetryPolicy{.max_attempts = static_cast<uint32_t>(retries.value_or(2)) + 1,
                                 .initial_delay_us = 1'000'000};
  return handling;
}

}  // namespace stele::definition
