// The whole state of an instance as one JSON document, for people, patches and expressions. Nothing
// of the state is left out: two states that differ give different documents.
//
//   instance, definition {name, version, id}, seq, position, status, paused, queued, …
//   variables    of the root, by name
//   steps        of the root, by id: {status, completions, output, …}
//   runs         that have not ended, by number: {step, label, scope, state, attempt, …}
//   scopes       that are inside the root, by number: {step, index, item, variables, steps, …}
//   tokens       [{kind, scope, step, …}]: that wait at joins, that are held, that are dead
//   timers       [{kind, at, run, step}], the first to elapse first; all of them
//   signals      [{name, payload}] that nothing has waited for yet
//   undo         [{run, step, scope, output}]: what a compensation would undo, in its order
//
// What has a number is keyed by it, so that a patch names it by what it is. What is zero, false,
// empty or absent is left out, but for what everybody looks for (instance to status, variables,
// steps, runs). Times are microseconds since the epoch. docs/time-travel.md shows one.
//
// Thread: that of the instance's payloads.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"

namespace stele::replay {

// REQUIRES: `definition` is the one that the instance runs. `version`: which one of its name, as it
// is registered; 0: not known.
Object StateToJson(const model::Instance& instance, const definition::Definition& definition,
                   uint32_t version = 0);

// One member of that document, made alone, also where the document leaves it out: then null, false,
// 0 or empty. Nothing when the document never has one of that name.
std::optional<Value> StateMember(const model::Instance& instance,
                                 const definition::Definition& definition, uint32_t version,
                                 std::string_view name);

}  // namespace stele::replay
