// Many instances as ranges of their numbers: those of one time follow each other.
//
// Thread: any.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "engine/model/event_values.h"

namespace stele::model {

// What one record removes at most.
inline constexpr uint64_t kMaxRemovedAtOnce = 4'096;

// REQUIRES: the instances are sorted, none is there twice.
std::vector<InstanceRange> RangesOf(std::span<const InstanceId> instances);
// Those in the ranges, in order.
std::vector<InstanceId> InstancesIn(std::span<const InstanceRange> ranges);
// Each range is none of the registry, not empty, and lies behind the one before it; they hold at
// most kMaxRemovedAtOnce.
bool MayBeRemoved(std::span<const InstanceRange> ranges);
// REQUIRES: they are in order.
bool Contains(std::span<const InstanceRange> ranges, InstanceId instance);
// Adds ranges that are in order to others that are; neighbours are joined.
void AddRanges(std::span<const InstanceRange> added, std::vector<InstanceRange>& ranges);
// How many instances they hold.
uint64_t CountOf(std::span<const InstanceRange> ranges);
// "7, 9-12"
std::string RangesText(std::span<const InstanceRange> ranges);

}  // namespace stele::model
