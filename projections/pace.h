// Whether new work may begin while views follow the log. What is written faster than views take it
// in would be seen later and later; who starts instances asks here first, and starts them later
// when the views are too far behind. What runs already goes on.
//
// Thread: any, one at a time.
#pragma once

#include <cstdint>

#include "projections/projector.h"

namespace stele::projections {

// How far views may be behind the log before new instances wait.
inline constexpr uint64_t kMaxViewLagRecords = 100'000;

class Pace {
 public:
  // 0: any lag is fine. REQUIRES: the projector outlives it.
  explicit Pace(const Projector& projector, uint64_t max_lag_records = kMaxViewLagRecords)
      : projector_(projector), max_lag_records_(max_lag_records) {}

  // A view that is built for the first time, or aside, does not count: that takes as long as the
  // log is. Nor do views that have failed: they would hold new work for ever.
  bool MayStart() const;

 private:
  const Projector& projector_;
  uint64_t max_lag_records_;
};

}  // namespace stele::projections
