// Events as JSON, for people and programs that read a history.
#pragma once

#include "base/value.h"
#include "engine/model/event.h"

namespace stele::definition {
struct Definition;
}  // namespace stele::definition

namespace stele::model {

// {"event": "step_activated", "run": 1, …}: the members of event.h by their names. Payloads are
// JSON values, enumerators their names, variables an object, times microseconds since the Unix
// epoch. What is zero, false, empty or absent is left out, except where 0 is a value like any other
// (scope, step, transition, body, index, enumerators).
//
// With a definition, steps and bodies are given by id and transitions as "from -> to".
Value EventToJson(const Event& event, const definition::Definition* definition = nullptr);

}  // namespace stele::model
