// How many durations were up to which bound: what a histogram of Prometheus is made from.
//
// Thread: any, one at a time.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "projections/histogram.h"

namespace stele::server {

// Upper bounds in seconds: of requests; of instances and tasks; and 1, 2, 4 … 512.
std::span<const double> RequestBounds();
std::span<const double> WorkBounds();
std::span<const double> DoublingBounds();

class Durations {
 public:
  // REQUIRES: the bounds ascend and live longer.
  explicit Durations(std::span<const double> bounds) : bounds_(bounds), counts_(bounds.size()) {}
  // What the views have counted: each value is off by at most Histogram::kRelativeError, which may
  // take one near a bound to the bucket beside it; count and sum are exact.
  static Durations Of(const projections::Histogram& histogram, std::span<const double> bounds);

  void Add(int64_t us);

  std::span<const double> bounds() const { return bounds_; }
  // By bound, each alone; what is above the last is in count() only.
  const std::vector<uint64_t>& counts() const { return counts_; }
  uint64_t count() const { return count_; }
  double sum_seconds() const { return static_cast<double>(sum_us_) / 1e6; }

 private:
  void Place(int64_t us, uint64_t times);

  std::span<const double> bounds_;
  std::vector<uint64_t> counts_;
  uint64_t count_ = 0;
  uint64_t sum_us_ = 0;
};

}  // namespace stele::server
