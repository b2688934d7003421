#include "engine/runtime/rate_window.h"

#include <algorithm>

#include "base/check.h"

namespace stele::runtime {

RateWindow::RateWindow(const definition::RateLimit& limit)
    : count_(limit.count), per_us_(limit.per_us) {
  if (count_ <= kMaxKept) return;
  const size_t parts = (count_ + kMaxKept - 1) / kMaxKept;
  count_ /= parts;
  per_us_ = (per_us_ + static_cast<int64_t>(parts) - 1) / static_cast<int64_t>(parts);
}

TimeUs RateWindow::Opens() const {
  if (count_ == 0 || began_.size() < count_) return TimeUs();
  return began_[oldest_].Plus(per_us_);
}

void RateWindow::Begin(TimeUs now) {
  if (count_ == 0) return;
  CHECK(Opens() <= now, "one begins at {} but may at {}", now.value, Opens().value);
  if (began_.size() < count_) {
    began_.push_back(now);
    return;
  }
  began_[oldest_] = now;
  oldest_ = (oldest_ + 1) % count_;
}

}  // namespace stele::runtime
