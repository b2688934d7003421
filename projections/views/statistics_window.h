// Which slots a stretch of time is made of: whole days, hours and minutes, each kind as far back as
// it is kept (statistics_rows.h).
//
// Thread: any.
#pragma once

#include <vector>

#include "base/ids.h"
#include "projections/views/statistics_rows.h"

namespace stele::projections {

// Whole slots: those with the numbers [first, end).
struct Stretch {
  Resolution resolution = Resolution::kDay;
  int64_t first = 0;
  int64_t end = 0;

  TimeUs from() const { return TimeUs(first * SlotUs(resolution)); }
  TimeUs to() const { return TimeUs(end * SlotUs(resolution)); }
};

// The slots of one resolution around [from, to), without those that are not kept any more. `to` 0:
// up to the last record, which was written at `latest`.
Stretch Around(TimeUs from, TimeUs to, TimeUs latest, Resolution resolution);

struct Window {
  TimeUs from;
  TimeUs to;
  Resolution resolution = Resolution::kMinute;  // of the coarser one of its borders
  std::vector<Stretch> stretches;               // one behind the other, as few as may be
};
// [from, to), each border moved out to the finest one that what is kept allows; not behind the
// minute of the last record. `from` or `to` 0: as for Around.
Window WindowOf(TimeUs from, TimeUs to, TimeUs latest);

}  // namespace stele::projections
