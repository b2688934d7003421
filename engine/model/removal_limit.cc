#include "engine/model/removal_limit.h"

namespace stele::model {

bool MayBeRemoved(std::span<const InstanceRange> ranges) {
  InstanceId before;
  uint64_t count = 0;
  for (const InstanceRange& range : ranges) {
    if (range.first <= before || range.last < range.first) return false;
    const uint64_t more = range.last.value - range.first.value;
    if (more >= kMaxRemovedAtOnce - count) return false;
    count += more + 1;
    before = range.last;
  }
  return true;
}

}  // namespace stele::model
