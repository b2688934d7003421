#include "base/instance_ranges.h"

#include <fmt/format.h>

#include <algorithm>

namespace stele {

std::vector<InstanceRange> RangesOf(std::span<const InstanceId> instances) {
  std::vector<InstanceRange> ranges;
  for (const InstanceId instance : instances) {
    if (!ranges.empty() && ranges.back().last.Next() == instance) {
      ranges.back().last = instance;
    } else {
      ranges.push_back({instance, instance});
    }
  }
  return ranges;
}

InstanceRange EnclosingRange(std::span<const InstanceId> instances) {
  if (instances.empty()) return {};
  const auto [first, last] = std::ranges::minmax(instances);
  return {first, last};
}

std::vector<InstanceId> InstancesIn(std::span<const InstanceRange> ranges) {
  std::vector<InstanceId> instances;
  for (const InstanceRange& range : ranges)
    for (InstanceId id = range.first; id <= range.last; id = id.Next()) instances.push_back(id);
  return instances;
}

bool Contains(std::span<const InstanceRange> ranges, InstanceId instance) {
  const auto found = std::ranges::lower_bound(ranges, instance, {}, &InstanceRange::last);
  return found != ranges.end() && found->first <= instance;
}

void AddRanges(std::span<const InstanceRange> added, std::vector<InstanceRange>& ranges) {
  ranges.insert(ranges.end(), added.begin(), added.end());
  std::ranges::sort(ranges, {}, &InstanceRange::first);
  size_t kept = 0;
  for (size_t i = 1; i < ranges.size(); ++i) {
    if (ranges[i].first <= ranges[kept].last.Next()) {
      ranges[kept].last = std::max(ranges[kept].last, ranges[i].last);
    } else {
      ranges[++kept] = ranges[i];
    }
  }
  if (!ranges.empty()) ranges.resize(kept + 1);
}

uint64_t CountOf(std::span<const InstanceRange> ranges) {
  uint64_t count = 0;
  for (const InstanceRange& range : ranges) count += range.last.value - range.first.value + 1;
  return count;
}

std::string RangesText(std::span<const InstanceRange> ranges) {
  std::string text;
  for (const InstanceRange& range : ranges) {
    if (!text.empty()) text += ", ";
    text += range.first == range.last ? fmt::format("{}", range.first.value)
                                      : fmt::format("{}-{}", range.first.value, range.last.value);
  }
  return text;
}

}  // namespace stele
