// Checking proofs about a tree of which nothing is known but a root: RFC 9162, 2.1.3.2 and 2.1.4.2.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "eventstore/hash.h"

namespace stele::eventstore {

// The root that a tree of `size` leaves has when `leaf` is at `index` and `path` is beside its way
// up; nothing when no such tree has a path of that length.
std::optional<Hash> RootByInclusion(uint64_t index, uint64_t size, const Hash& leaf,
                                    std::span<const Hash> path);

// Whether `path` proves that a tree of `size` leaves with root `root` begins with the `old_size`
// leaves of the one with root `old_root`. Every tree begins with the empty one.
bool IsConsistent(uint64_t old_size, const Hash& old_root, uint64_t size, const Hash& root,
                  std::span<const Hash> path);

}  // namespace stele::eventstore
