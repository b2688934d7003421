#include "engine/decide/environment.h"

#include <algorithm>

#include "base/check.h"

namespace stele::decide {

std::string_view StepStatusWord(model::SlotState state) {
  switch (state) {
    case model::SlotState::kIdle:
      return "pending";
    case model::SlotState::kActive:
      return "running";
    case model::SlotState::kCompleted:
      return "completed";
    case model::SlotState::kSkipped:
    case model::SlotState::kOmitted:
      return "skipped";
    case model::SlotState::kFailed:
    case model::SlotState::kHandled:
      return "failed";
    case model::SlotState::kCancelled:
      return "cancelled";
  }
  return "";
}

expression::Environment::Found ScopeEnvironment::Lookup(Path path) const {
  const std::string& root = path[0];
  if (root == "input") {
    if (!instance_.input.has_value()) return {};
    return {&instance_.input.value(), 1};
  }
  if (root == "variables") return Variables(path);
  if (root == "steps") return Steps(path);
  if (root == "outputs" || root == "previous_task_result") {
    if (local_.outputs.has_value()) return {&local_.outputs.value(), 1};
    return {};
  }
  if (root == "response") {
    const Payload& response = local_.response.has_value() ? local_.response : local_.outputs;
    return response.has_value() ? OfResponse(response.value(), path) : Found{};
  }
  if (root == "loop") return LoopOf(path);
  if (root == "execution") return Execution(path);
  return ShortName(path);
}

// `data` is the body of an HTTP answer; a member that the answer itself lacks is its body's.
expression::Environment::Found ScopeEnvironment::OfResponse(const Value& response,
                                                            Path path) const {
  const Value* body = response.Find("body");
  if (path.size() < 2 || body == nullptr || response.Find(path[1]) != nullptr)
    return {&response, 1};
  if (path[1] == "data" && body->Find("data") == nullptr) return {body, 2};
  const Value* member = body->Find(path[1]);
  return member == nullptr ? Found{&response, 1} : Found{member, 2};
}

const model::Scope* ScopeEnvironment::Outer(const model::Scope& scope) const {
  return scope.id == ScopeId() ? nullptr : ScopeAt(scope.parent);
}

const Value* ScopeEnvironment::Keep(Value value) const {
  return &made_.emplace_front(std::move(value));
}

const Value* ScopeEnvironment::Variable(std::string_view name) const {
  for (const model::Scope* scope = ScopeAt(scope_); scope != nullptr; scope = Outer(*scope)) {
    const auto found = std::ranges::find(scope->variables, name, &model::NamedPayload::name);
    if (found != scope->variables.end()) return &found->value.value();
    const std::string* item = ItemName(*scope);
    if (item != nullptr && *item == name) return &scope->item.value();
  }
  return nullptr;
}

const std::string* ScopeEnvironment::ItemName(const model::Scope& scope) const {
  if (!scope.item.has_value()) return nullptr;
  const definition::Body& body = definition_.body(scope.body);
  return &definition_.step(body.owner).loop.item_name;
}

expression::Environment::Found ScopeEnvironment::Variables(Path path) const {
  if (path.size() > 1) {
    const Value* value = Variable(path[1]);
    return {value, value == nullptr ? 0u : 2u};
  }
  Object all;
  for (const model::Scope* scope = ScopeAt(scope_); scope != nullptr; scope = Outer(*scope))
    for (const model::NamedPayload& variable : scope->variables)
      if (all.Find(variable.name) == nullptr) all.Set(variable.name, variable.value.value());
  return {Keep(std::move(all)), 1};
}

const model::Slot* ScopeEnvironment::SlotInScopes(StepIndex step) const {
  for (const model::Scope* scope = ScopeAt(scope_); scope != nullptr; scope = Outer(*scope))
    if (const model::Slot* slot = model::FindSlot(*scope, step)) return slot;
  return nullptr;
}

const Value* ScopeEnvironment::StepOutput(StepIndex step) const {
  if (step == local_.self && local_.response.has_value()) return &local_.response.value();
  const model::Slot* slot = SlotInScopes(step);
  return slot != nullptr && slot->output.has_value() ? &slot->output.value() : nullptr;
}

Value ScopeEnvironment::StepObject(StepIndex step) const {
  Object object;
  const model::Slot* slot = SlotInScopes(step);
  object.Set("status", StepStatusWord(slot == nullptr ? model::SlotState::kIdle : slot->state));
  if (const Value* output = StepOutput(step)) object.Set("output", *output);
  return object;
}

expression::Environment::Found ScopeEnvironment::Steps(Path path) const {
  if (path.size() < 2) {
    Object all;
    for (const definition::Step& step : definition_.steps)
      if (SlotInScopes(definition_.IndexOf(step)) != nullptr)
        all.Set(step.id, StepObject(definition_.IndexOf(step)));
    return {Keep(std::move(all)), 1};
  }
  const definition::Step* step = definition_.FindStep(path[1]);
  if (step == nullptr) return {};
  const StepIndex index = definition_.IndexOf(*step);
  if (path.size() == 2) return {Keep(StepObject(index)), 2};
  if (path[2] == "output" || path[2] == "outputs" || path[2] == "result") {
    const Value* output = StepOutput(index);
    return {output, output == nullptr ? 0u : 3u};
  }
  return {Keep(StepObject(index)), 2};
}

expression::Environment::Found ScopeEnvironment::LoopOf(Path path) const {
  for (const model::Scope* scope = ScopeAt(scope_); scope != nullptr; scope = Outer(*scope)) {
    const StepIndex owner = definition_.body(scope->body).owner;
    const bool iteration =
        owner.value != kNoIndex && definition_.step(owner).kind == definition::StepKind::kLoop;
    if (!iteration && !local_.loop_index.has_value()) continue;
    const uint32_t index = local_.loop_index.value_or(scope->index);
    if (path.size() > 1 && path[1] == "index") return {Keep(Value(static_cast<int64_t>(index))), 2};
    if (path.size() > 1 && path[1] == "item") {
      if (!scope->item.has_value()) return {};
      return {&scope->item.value(), 2};
    }
    Object loop{{"index", Value(static_cast<int64_t>(index))}};
    if (scope->item.has_value()) loop.Set("item", scope->item.value());
    return {Keep(std::move(loop)), 1};
  }
  return {};
}

expression::Environment::Found ScopeEnvironment::Execution(Path path) const {
  Object execution{{"id", Value(static_cast<int64_t>(instance_.id.value))},
                   {"workflow", Value(definition_.name)},
                   {"business_key", Value(instance_.business_key)},
                   {"started_at_us", Value(instance_.started.value)}};
  return {Keep(std::move(execution)), 1};
}

expression::Environment::Found ScopeEnvironment::ShortName(Path path) const {
  if (const Value* variable = Variable(path[0])) return {variable, 1};
  if (instance_.input.has_value()) {
    const Value* member = instance_.input.value().Find(path[0]);
    if (member != nullptr) return {member, 1};
  }
  if (const definition::Step* step = definition_.FindStep(path[0])) {
    const Value* output = StepOutput(definition_.IndexOf(*step));
    if (output == nullptr) return {};
    // What the step kept under a name of its own.
    if (path.size() > 1 && output->Find(path[1]) == nullptr &&
        std::ranges::find(step->outputs, path[1], &definition::Mapping::name) !=
            step->outputs.end())
      if (const Value* kept = Variable(path[1])) return {kept, 2};
    return OfResponse(*output, path);
  }
  return {};
}

}  // namespace stele::decide
