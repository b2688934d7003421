// What is asked of a time machine, as the documents that every edge answers with: a state of the
// past, and what differs between two. docs/time-travel.md shows them.
//
// Thread: the machine's.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "replay/json_patch.h"
#include "replay/time_machine.h"

namespace stele::replay {

// {instance, last, event, state}: the event behind which it is, and the state (state_json.h).
Result<Object> PastState(TimeMachine& machine, const When& when);

// {instance, from, to, changes, patch}: the events, what differs and the RFC 6902 patch that makes
// the second state of the first.
Result<Object> PastDifference(TimeMachine& machine, const When& from, const When& to);

// [{change: "added" | "removed" | "changed", at, from, to}]
Array ChangesToJson(const std::vector<Difference>& differences);

// The event as `history --json` has it, and the `label` of the step that it speaks of.
Result<Object> EventBehind(TimeMachine& machine, Seq seq);

// The state behind an event as a document; behind 0, nothing: {}.
Result<Value> StateBehind(TimeMachine& machine, Seq seq);

}  // namespace stele::replay
