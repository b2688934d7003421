// How many instances one record may remove: the record names them, and what follows from it is held
// in memory until it is done.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <span>

#include "base/instance_ranges.h"

namespace stele::model {

inline constexpr uint64_t kMaxRemovedAtOnce = 4'096;

// Each range is none of the registry, not empty, and lies behind the one before it; they hold at
// most kMaxRemovedAtOnce.
bool MayBeRemoved(std::span<const InstanceRange> ranges);

}  // namespace stele::model
