#include "replay/state_environment.h"

#include <algorithm>
#include <utility>

#include "replay/event_places.h"
#include "replay/state_json.h"
#include "replay/to_json.h"

namespace stele::replay {

StateEnvironment::StateEnvironment(const Moment& moment, ScopeId scope, EventOf event)
    : moment_(moment),
      event_(std::move(event)),
      conditions_(moment.definition, moment.state, scope, {}) {}

expression::Environment::Found StateEnvironment::Lookup(std::span<const std::string> path) const {
  if (path[0] == "state") return OfState(path);
  if (const Found found = conditions_.Lookup(path); found.value != nullptr) return found;
  const Value* member = Member(path[0]);
  return {member, member == nullptr ? 0u : 1u};
}

bool StateEnvironment::Knows(std::span<const std::string> path) const {
  const definition::Definition& definition = moment_.definition;
  const auto names = [](const auto& all, const std::string& name) {
    return std::ranges::any_of(all, [&](const auto& one) { return one.name == name; });
  };
  const auto may_be_set = [&](const std::string& name) {
    return names(definition.bodies[0].variables, name) ||
           std::ranges::any_of(definition.steps, [&](const definition::Step& step) {
             return names(step.outputs, name);
           });
  };
  if (path[0] == "steps") return path.size() < 2 || definition.FindStep(path[1]) != nullptr;
  if (path[0] == "variables" && path.size() > 1)
    return conditions_.Lookup(path).value != nullptr || may_be_set(path[1]);
  return Lookup(path).value != nullptr || definition.FindStep(path[0]) != nullptr ||
         may_be_set(path[0]);
}

expression::Environment::Found StateEnvironment::OfState(std::span<const std::string> path) const {
  const Value* found = path.size() == 1 ? Member("state") : Member(path[1]);
  return {found, found == nullptr ? 0 : std::min<size_t>(path.size(), 2)};
}

const Value* StateEnvironment::Member(const std::string& name) const {
  const auto made = members_.find(name);
  if (made != members_.end()) return &made->second;
  std::optional<Value> value = Made(name);
  if (!value.has_value()) return nullptr;
  return &members_.emplace(name, *std::move(value)).first->second;
}

std::optional<Value> StateEnvironment::Made(const std::string& name) const {
  if (name == "state") return StateToJson(moment_.state, moment_.definition, moment_.version);
  if (name == "time") return Value(moment_.time.value);
  if (name != "event" && name != "actor")
    return StateMember(moment_.state, moment_.definition, moment_.version, name);
  const PastEvent* event = event_ ? event_() : nullptr;
  if (event == nullptr) return std::nullopt;
  if (name == "actor") return Value(event->record.actor);
  return EventDocument(*event);
}

Object EventDocument(const PastEvent& event) {
  return ToJson({.record = event.record.context,
                 .seq = event.seq,
                 .actor = event.record.actor,
                 .source = event.record.source,
                 .event = event.event,
                 .erased = event.record.erased},
                &event.definition);
}

ScopeId ScopeOfEvent(const model::Event& event, const model::Instance& instance) {
  const EventPlaces places = PlacesOf(event);
  const model::StepRun* run = instance.FindRun(places.run);
  const ScopeId scope = run == nullptr ? places.scope.value_or(ScopeId()) : run->scope;
  return instance.FindScope(scope) == nullptr ? ScopeId() : scope;
}

}  // namespace stele::replay
