// Which run, scope and step an event speaks of.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

#include "engine/model/event.h"
#include "engine/model/event_fields.h"

namespace stele::replay {

struct EventPlaces {
  RunId run;  // 0: it speaks of none
  std::optional<ScopeId> scope;
  std::optional<StepIndex> step;

  void operator()(std::string_view name, RunId v) {
    if (name == "run" || name == "from_run") run = v;
  }
  void operator()(std::string_view name, ScopeId v) {
    if (name == "scope") scope = v;
  }
  void operator()(std::string_view name, StepIndex v) {
    if (name == "step" || name == "to_step") step = v;
  }
  template <class Other>
  void operator()(std::string_view, const Other&) {}
};

inline EventPlaces PlacesOf(const model::Event& event) {
  EventPlaces places;
  const auto note = [&places](std::string_view name, const auto& value) { places(name, value); };
  std::visit([&](const auto& alternative) { model::VisitFields(alternative, note); }, event);
  return places;
}

}  // namespace stele::replay
