#include "replay/state_members.h"

#include <fmt/format.h>

#include "base/json.h"
#include "replay/standing.h"

namespace stele::replay {

Value ValueOf(const Payload& payload) {
  if (!payload.has_value()) return Value();
  // Not Payload::value(): that stops the program when the text is no JSON.
  Result<Value> parsed = ParseJson(payload.text(), nullptr, kWrittenJson);
  return parsed.has_value() ? *std::move(parsed) : Value(payload.text());
}

Array Texts(const std::vector<std::string>& texts) {
  return Array(texts.begin(), texts.end());
}

bool IsNothing(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
      return true;
    case Value::Kind::kBool:
      return !value.as_bool();
    case Value::Kind::kInt:
      return value.as_int() == 0;
    case Value::Kind::kDouble:
      return value.as_double() == 0;
    case Value::Kind::kString:
      return value.as_string().empty();
    case Value::Kind::kArray:
      return value.as_array().empty();
    case Value::Kind::kObject:
      return value.as_object().empty();
  }
  return true;
}

std::string Names::Step(StepIndex step) const {
  if (step.value >= definition_.steps.size()) return fmt::format("#{}", step.value);
  return definition_.step(step).id;
}

std::string Names::Compensation(StepIndex step) const {
  if (step.value >= definition_.steps.size()) return "";
  const StepIndex by = definition_.step(step).compensation;
  return by.value == kNoIndex ? "" : Step(by);
}

std::string Names::Body(BodyIndex body) const {
  if (body.value >= definition_.bodies.size()) return fmt::format("#{}", body.value);
  return definition_.body(body).id;
}

std::string Names::Transition(TransitionIndex index) const {
  if (index.value >= definition_.transitions.size()) return fmt::format("#{}", index.value);
  const definition::Transition& transition = definition_.transition(index);
  std::string name = fmt::format("{} -> {}", Step(transition.from), Step(transition.to));
  int before = 0;
  for (const TransitionIndex other : definition_.step(transition.from).outgoing)
    if (other.value < index.value && definition_.transition(other).to == transition.to) ++before;
  return before == 0 ? name : fmt::format("{} ({})", name, before + 1);
}

std::string Names::Label(const model::Instance& instance, const model::StepRun& run) const {
  if (run.step.value >= definition_.steps.size()) return Step(run.step);
  return LabelOf(instance, definition_, run);
}

}  // namespace stele::replay
