// `stele:` in a file: what a notation has no words for, in those of the canonical form
// (docs/canonical.md). Export writes it, loading puts it over what the notation said.
//
// A patch is a mapping of canonical members; null takes a member back to its default. Steps are
// named by their ids in the file. Beyond the canonical members it may hold
//
//   next:  of a step: all its outgoing transitions, a list of {to, on, condition, default}
//   body:  of a definition, a loop or a sub-process: members of the body that it runs, `entries`
//          and `fallback` by ids
//   fragment: of a definition: true when its expressions name what is not in the file
//   extra: members that are added to those that the notation kept
#pragma once

#include <string_view>
#include <vector>

#include "engine/definition/draft.h"

namespace stele::definition {

inline constexpr std::string_view kPatchKey = "stele";

// Takes `stele` from the mapping and notes it for ApplyPatches. `step` is empty for the definition.
void TakePatch(MapReader& reader, const std::string& step, Draft& draft, Faults& faults);

// Does before linking what linking must know: which steps are handlers, and whether expressions may
// name steps and variables that are not in the file (`fragment: true` of a definition).
void PreparePatches(Draft& draft);

// The definition with the patches applied, checked like any canonical text. Adds faults, with the
// place of the patch; the result is complete only when none were added.
Definition ApplyPatches(Definition definition, const std::vector<Patch>& patches, Faults& faults);

}  // namespace stele::definition
