// What the program says of instances as JSON, the same at every edge: histories, steps, votes, what
// is waited for. Times are microseconds since the epoch.
//
// Thread: any.
#pragma once

#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"
#include "engine/model/instance.h"
#include "replay/history.h"
#include "replay/standing.h"
#include "replay/timeline.h"

namespace stele::replay {

// {seq, position, time, actor, source, erased, event, …}: the event with its members. `definition`
// is the one that it speaks of, null: steps stay numbers.
Object ToJson(const HistoryEntry& entry, const definition::Definition* definition);

// [{person, approved, comment, time}]
Array VotesToJson(const std::vector<model::Vote>& all);
// [{kind, event, name, key, due}], without what a wait does not have.
Array WaitsToJson(const std::vector<model::Wait>& all);

// {for, run, step, …}; docs/operators.md has the members.
Value WaitingToJson(const Waiting& waiting);
Array StandingToJson(const Standing& standing);

// The runs of steps and what became of them.
Array StepsToJson(const Timeline& timeline);

}  // namespace stele::replay
