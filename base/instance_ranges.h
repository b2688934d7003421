// Many instances as ranges of their numbers: those of one time follow each other.
//
// Thread: any.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/ids.h"

namespace stele {

// Instances whose numbers follow each other; both are of them.
struct InstanceRange {
  InstanceId first;
  InstanceId last;
  bool operator==(const InstanceRange&) const = default;
};

// REQUIRES: the instances are sorted, none is there twice.
std::vector<InstanceRange> RangesOf(std::span<const InstanceId> instances);
// From the lowest number to the highest; of none: 0 to 0.
InstanceRange EnclosingRange(std::span<const InstanceId> instances);
// Those in the ranges, in order.
std::vector<InstanceId> InstancesIn(std::span<const InstanceRange> ranges);
// REQUIRES: they are in order.
bool Contains(std::span<const InstanceRange> ranges, InstanceId instance);
// Adds ranges that are in order to others that are; neighbours are joined.
void AddRanges(std::span<const InstanceRange> added, std::vector<InstanceRange>& ranges);
// How many instances they hold.
uint64_t CountOf(std::span<const InstanceRange> ranges);
// "7, 9-12"
std::string RangesText(std::span<const InstanceRange> ranges);

}  // namespace stele
