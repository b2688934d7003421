// Expressions and templates that can have no value whenever they are evaluated: what they refer to
// is never there at that place, or they refer to nothing and fail as they stand.
//
// An expression is judged where all that it refers to is known to be absent: it is evaluated as the
// engine would evaluate it, so that `steps.later.output is null` is no fault and
// `steps.later.output` is one. Whatever depends on data is left to the instance.
#pragma once

#include "engine/definition/definition.h"
#include "engine/definition/faults.h"

namespace stele::definition {

// Where the graph is not known, as `by_id` is empty, nothing is said of what steps see of each
// other.
//
// REQUIRES: the steps have their bodies.
void CheckCertainFaults(const Definition& definition, Faults& faults);

}  // namespace stele::definition
