// What follows from a definition's steps, transitions and entries: who enters and leaves whom, the
// back edges and the natural loops that they make.
#pragma once

#include "engine/definition/definition.h"
#include "engine/definition/faults.h"

namespace stele::definition {

// Fills Step::incoming, outgoing and region, Transition::back_edge and leaves, and
// Definition::regions, which are ordered by their headers' index. All of it is determined by the
// graph alone, so that every build derives the same. Adds faults for steps that cannot be reached
// and for cycles that are no natural loops.
//
// A transition is a back edge when its target dominates its source (Aho, Sethi, Ullman,
// "Compilers", 10.4); dominators by Cooper, Harvey and Kennedy, "A Simple, Fast Dominance
// Algorithm" (2001).
//
// REQUIRES: every index in the tables is in range, transitions stay within a body.
void AnalyzeGraph(Definition& definition, Faults& faults);

// Steps of that body that can be reached from `entries`, themselves included, by definition-wide
// index. REQUIRES: Step::outgoing is filled.
std::vector<bool> Reach(const Definition& definition, const std::vector<StepIndex>& entries);

// Fills Step::incoming (back edges included) and outgoing.
void ConnectSteps(Definition& definition);

}  // namespace stele::definition
