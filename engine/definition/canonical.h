// Stele's own notation, the form in which a definition is recorded in the log: JSON, complete, with
// steps and transitions in index order. Reading what was written gives an equal graph with the same
// indices, in this and every later build (docs/canonical.md describes the format, version 1).
#pragma once

#include <string>
#include <string_view>

#include "engine/definition/load.h"

namespace stele::definition {

struct Node;

std::string WriteCanonical(const Definition& definition);
LoadResult ReadCanonical(std::string_view json);
// The same, of a document that was read already, in YAML or JSON.
LoadResult ReadCanonicalTree(const Node& root);

}  // namespace stele::definition
