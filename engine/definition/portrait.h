// A definition's graph without indices and places: what two files must share to be the same
// workflow, and the members in which they differ. Export compares with it what it wrote.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/definition/definition.h"

namespace stele::definition {

struct StepPortrait {
  Object members;        // canonical ones; `fallback` and `compensation` are ids
  std::string owner;     // of its body: the id of the step that runs it, "" for the root
  Array next;            // {to, on, condition, default} of its outgoing transitions
  bool ordered = false;  // whether the order of `next` means something
  Object body;           // of a loop or sub-process: members of its body, `entries` are ids
};

struct Portrait {
  Object members;                             // canonical ones of the definition
  Object body;                                // of the root
  std::map<std::string, StepPortrait> steps;  // by id
};

// `names` gives each step an id in place of its own, by index; empty: their own.
// REQUIRES: names is empty or has one for each step.
Portrait PortraitOf(const Definition& definition, const std::vector<std::string>& names = {});

// The members, as `stele:` says them (patch.h), that turn `have` into `want`: by step, "" for the
// definition. What differs in a way that no patch can say (other steps, other bodies) is left out.
std::map<std::string, Object> Differences(const Portrait& want, const Portrait& have);

// Whether the graphs are the same: steps, transitions, bodies, variables, whatever is executed or
// kept for people, in whichever order and notation a file lists them.
bool SamePortrait(const Portrait& a, const Portrait& b);

}  // namespace stele::definition
