// The bounds of the dialects.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/json.h"

namespace stele::server::compat {

// Of a kind (notes.h), with those that are removed: each is a setting of the registry.
inline constexpr uint64_t kMaxNotes = 10'000;

// Of a note as it is written. What shows it and what is registered of it goes around it, and is to
// stay within what clients and definitions may be (base/json.h).
inline constexpr size_t kMaxNoteBytes = 8u << 20;
inline constexpr size_t kMaxNoteDepth = kMaxJsonDepth - 8;

// A page of graphs ends behind so much of them.
inline constexpr size_t kMaxPageBytes = 16u << 20;

// Tasks of a flow; the number of a job's task is made with it.
inline constexpr uint64_t kMaxFlowTasks = 1'000;

// Nodes of a graph, and connections.
inline constexpr size_t kMaxGraphParts = 500;

}  // namespace stele::server::compat
