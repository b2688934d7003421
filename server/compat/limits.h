// The bounds of the dialects.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server::compat {

// Of a kind (notes.h), with those that are removed: each is a setting of the registry.
inline constexpr uint64_t kMaxNotes = 10'000;

// Tasks of a flow; the number of a job's task is made with it.
inline constexpr uint64_t kMaxFlowTasks = 1'000;

// Nodes of a graph, and connections.
inline constexpr size_t kMaxGraphParts = 500;

}  // namespace stele::server::compat
