#include "server/observation/durations.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace stele::server {

namespace {

constexpr std::array kRequestBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                       0.25,  0.5,    1.0,   2.5,  5.0,   10.0, 30.0};
constexpr std::array kWorkBounds = {0.01, 0.05,  0.1,   0.5,    1.0,     5.0,     10.0,
                                    60.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0, 604800.0};
constexpr std::array kDoublingBounds = {1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0};

}  // namespace

std::span<const double> RequestBounds() {
  return kRequestBounds;
}

std::span<const double> WorkBounds() {
  return kWorkBounds;
}

std::span<const double> DoublingBounds() {
  return kDoublingBounds;
}

Durations Durations::Of(const projections::Histogram& histogram, std::span<const double> bounds) {
  Durations durations(bounds);
  for (const projections::Histogram::Bar& bar : histogram.Bars())
    durations.Place(bar.from + (bar.to - bar.from) / 2, bar.count);
  durations.count_ = histogram.count();
  durations.sum_us_ = histogram.sum();
  return durations;
}

void Durations::Add(int64_t us) {
  us = std::max<int64_t>(us, 0);
  Place(us, 1);
  ++count_;
  sum_us_ += static_cast<uint64_t>(us);
}

void Durations::Place(int64_t us, uint64_t times) {
  const auto place = std::ranges::lower_bound(bounds_, static_cast<double>(us) / 1e6);
  if (place == bounds_.end()) return;
  counts_[static_cast<size_t>(place - bounds_.begin())] += times;
}

}  // namespace stele::server
