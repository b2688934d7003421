// What the program says of instances as JSON, the same at every edge: histories, steps, what is
// waited for. Times are microseconds since the epoch.
//
// Thread: any.
#pragma once

#include "base/value.h"
#include "engine/definition/definition.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/timeline.h"

namespace stele::replay {

// {seq, position, time, actor, source, erased, event, …}: the event with its members. `definition`
// is the one that it speaks of, null: steps stay numbers.
Object ToJson(const HistoryEntry& entry, const definition::Definition* definition);

// {for, run, step, …}; docs/operators.md has the members.
Value WaitingToJson(const Waiting& waiting);
Array StandingToJson(const Standing& standing);

// The runs of steps and what became of them.
Array StepsToJson(const Timeline& timeline);

}  // namespace stele::replay
