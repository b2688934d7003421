// What there is to see where a debugger stands.
#include <algorithm>
#include <map>

#include "base/json.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "replay/debugger/debugger.h"
#include "replay/json_patch.h"
#include "replay/state_environment.h"
#include "replay/state_json.h"

namespace stele::replay {

namespace {

bool IsEqual(const Result<Value>& a, const Result<Value>& b) {
  return a.has_value() && b.has_value() ? *a == *b : a.has_value() == b.has_value();
}

// Adds the values of one group as they are and as they were, those that are gone at the end.
void Compare(std::vector<ShownValue>& out, const std::string& group, const Object& now,
             const Object& before) {
  for (const Member& member : now) {
    const Value* was = before.Find(member.key);
    ShownValue shown{.group = group, .name = member.key, .value = member.value};
    if (was == nullptr) {
      shown.change = Change::kAdded;
    } else if (*was != member.value) {
      shown.change = Change::kChanged;
      shown.before = *was;
    }
    out.push_back(std::move(shown));
  }
  for (const Member& member : before)
    if (now.Find(member.key) == nullptr)
      out.push_back({group, member.key, Value(), Change::kRemoved, member.value});
}

// Groups of values, in the order in which they are shown.
using Groups = std::vector<std::pair<std::string, Object>>;

Object ObjectAt(const Value* value) {
  return value != nullptr && value->is_object() ? value->as_object() : Object();
}

// The outputs of steps, by id.
Object OutputsOf(const Value* steps) {
  Object outputs;
  for (const Member& step : ObjectAt(steps))
    if (const Value* output = step.value.Find("output")) outputs.Set(step.key, *output);
  return outputs;
}

// "update[2]", "provision": the step that the scope is inside of.
std::string LabelOfScope(const Object& state, const definition::Definition& definition,
                         const std::string& number, const Value& scope) {
  const Value* owner = scope.Find("owner");
  const Value* runs = state.Find("runs");
  const Value* run = owner == nullptr ? nullptr : runs->Find(ToJson(*owner));
  if (run == nullptr) return "scope " + number;
  std::string label = run->Find("label")->as_string();
  const definition::Step* step = definition.FindStep(run->Find("step")->as_string());
  if (step != nullptr && step->kind == definition::StepKind::kLoop)
    label += "[" + ToJson(*scope.Find("index")) + "]";
  return label;
}

Object ValuesOfScope(const Value& scope) {
  Object values;
  if (const Value* item = scope.Find("item")) values.Set("item", *item);
  for (const Member& variable : ObjectAt(scope.Find("variables")))
    values.Set(variable.key, variable.value);
  for (const Member& output : OutputsOf(scope.Find("steps")))
    values.Set(output.key + ".output", output.value);
  return values;
}

Groups GroupsOf(const Object& state, const definition::Definition& definition) {
  Groups groups;
  groups.emplace_back("variables", ObjectAt(state.Find("variables")));
  for (const Member& scope : ObjectAt(state.Find("scopes")))
    if (scope.key != "0" && *scope.value.Find("state") != Value("closed"))
      groups.emplace_back(LabelOfScope(state, definition, scope.key, scope.value),
                          ValuesOfScope(scope.value));
  groups.emplace_back("outputs", OutputsOf(state.Find("steps")));
  Object whole;
  for (const std::string_view name : {"input", "output", "failure"})
    if (const Value* value = state.Find(name)) whole.Set(name, *value);
  groups.emplace_back("instance", std::move(whole));
  return groups;
}

}  // namespace

bool WatchValue::has_changed() const {
  return !IsEqual(now, before);
}

Status Debugger::Look(Seq seq, std::optional<ScopeId> scope, const See& see) {
  const Result<ScopeId> in = scope.has_value() ? *scope : ScopeAt(seq);
  if (!in.has_value()) return std::unexpected(in.error());
  const Result<Moment> moment = machine_->At(seq);
  if (!moment.has_value()) return std::unexpected(moment.error());
  if (moment->state.FindScope(*in) == nullptr)
    return Fail(ErrorCode::kInvalidInput, "Expected a scope that is open but found another one");
  std::optional<PastEvent> event;
  const auto event_of = [&]() -> const PastEvent* {
    if (auto found = machine_->EventAt(seq); found.has_value()) event.emplace(*found);
    return event.has_value() ? &*event : nullptr;
  };
  see(StateEnvironment(*moment, *in, event_of));
  return {};
}

Result<Value> Debugger::ValueOf(const expression::Expression& expression, Seq seq,
                                std::optional<ScopeId> scope) {
  Result<Value> value = Value();
  STELE_RETURN_IF_ERROR(
      Look(seq, scope, [&](const StateEnvironment& seen) { value = expression.Evaluate(seen); }));
  return value;
}

Result<Value> Debugger::Evaluate(std::string_view expression, std::optional<ScopeId> scope) {
  const auto compiled = expression::Expression::Compile(expression);
  if (!compiled.has_value()) return std::unexpected(compiled.error());
  return ValueOf(*compiled, at_, scope);
}

Result<bool> Debugger::Holds(std::string_view expression) {
  const auto compiled = expression::Expression::Compile(expression);
  if (!compiled.has_value()) return std::unexpected(compiled.error());
  Result<bool> holds = false;
  STELE_RETURN_IF_ERROR(Look(at_, std::nullopt, [&](const StateEnvironment& seen) {
    holds = compiled->EvaluateBool(seen);
  }));
  return holds;
}

Result<uint32_t> Debugger::AddWatch(std::string_view expression) {
  auto compiled = expression::Expression::Compile(expression);
  if (!compiled.has_value()) return std::unexpected(compiled.error());
  watches_.push_back({++last_watch_, *std::move(compiled)});
  return last_watch_;
}

bool Debugger::RemoveWatch(uint32_t number) {
  return std::erase_if(watches_, [&](const Watch& watch) { return watch.number == number; }) > 0;
}

std::vector<WatchValue> Debugger::Watches() {
  std::vector<WatchValue> values;
  for (const Watch& watch : watches_)
    values.push_back({watch.number, watch.expression.text(), Value(),
                      ValueOf(watch.expression, from_, std::nullopt)});
  for (size_t i = 0; i < watches_.size(); ++i)
    values[i].now = ValueOf(watches_[i].expression, at_, std::nullopt);
  return values;
}

Result<Object> Debugger::StateAt(Seq seq) {
  const Result<Moment> moment = machine_->At(seq);
  if (!moment.has_value()) return std::unexpected(moment.error());
  return StateToJson(moment->state, moment->definition, moment->version);
}

Result<Array> Debugger::Changes() {
  Result<Object> before = StateAt(from_);
  if (!before.has_value()) return std::unexpected(before.error());
  Result<Object> now = StateAt(at_);
  if (!now.has_value()) return std::unexpected(now.error());
  return PatchBetween(Value(*std::move(before)), Value(*std::move(now)));
}

Result<std::vector<ShownValue>> Debugger::Values() {
  Groups were;
  Groups are;
  for (const auto& [seq, groups] : {std::pair(from_, &were), std::pair(at_, &are)}) {
    const Result<Moment> moment = machine_->At(seq);
    if (!moment.has_value()) return std::unexpected(moment.error());
    *groups = GroupsOf(StateToJson(moment->state, moment->definition), moment->definition);
  }
  std::map<std::string_view, const Object*> before;
  for (const auto& [name, group] : were) before.try_emplace(name, &group);
  const Object none;
  std::vector<ShownValue> values;
  for (const auto& [name, group] : are) {
    const auto was = before.find(name);
    Compare(values, name, group, was == before.end() ? none : *was->second);
  }
  return values;
}

EventLine Debugger::Line(const PastEvent& event) const {
  const IndexedEvent& indexed = index_[event.seq];
  const auto stops_here = [&](const Breakpoint& breakpoint) {
    return breakpoint.enabled && breakpoint.is_on_events() && IsOn(breakpoint, event.seq);
  };
  return {.seq = event.seq,
          .time = event.record.context.time,
          .position = event.record.context.position,
          .name = model::EventName(event.event),
          .step = index_.StepId(indexed.step),
          .label = index_.Label(indexed),
          .run = indexed.run,
          .scope = indexed.scope,
          .actor = event.record.actor,
          .members = model::EventToJson(event.event, &event.definition).as_object(),
          .is_first = indexed.is_first,
          .is_erased = event.record.erased,
          .is_broken = std::ranges::any_of(breakpoints_, stops_here),
          .is_current = event.seq == at_};
}

Result<Value> Debugger::EventDocument(Seq seq) {
  const Result<PastEvent> event = machine_->EventAt(seq);
  if (!event.has_value()) return std::unexpected(event.error());
  return Value(replay::EventDocument(*event));
}

Result<std::vector<EventLine>> Debugger::Events(Seq first, size_t count) {
  std::vector<EventLine> lines;
  for (Seq seq = std::max(first, Seq(1)); seq <= last() && lines.size() < count; seq = seq.Next()) {
    const Result<PastEvent> event = machine_->EventAt(seq);
    if (!event.has_value()) return std::unexpected(event.error());
    lines.push_back(Line(*event));
  }
  return lines;
}

}  // namespace stele::replay
