// How often values of which size came: up to 1, 2, 4 … 2^31, and more.
//
// Thread: one adds at a time; any reads, and may see a value counted in one place and not yet in
// another.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace stele::eventstore {

class DoublingCounts {
 public:
  static constexpr size_t kBounds = 32;
  struct Reading {
    std::array<uint64_t, kBounds + 1> counts{};  // [k]: above 2^(k-1), up to 2^k; the last: more
    uint64_t sum = 0;
  };

  void Add(uint64_t value) {
    const size_t place = value <= 1 ? 0 : static_cast<size_t>(std::bit_width(value - 1));
    Raise(counts_[std::min(place, kBounds)], 1);
    Raise(sum_, value);
  }

  Reading Read() const {
    Reading reading;
    for (size_t i = 0; i <= kBounds; ++i)
      reading.counts[i] = counts_[i].load(std::memory_order_relaxed);
    reading.sum = sum_.load(std::memory_order_relaxed);
    return reading;
  }

 private:
  // Nobody else adds: no locked instruction is needed.
  static void Raise(std::atomic<uint64_t>& count, uint64_t by) {
    count.store(count.load(std::memory_order_relaxed) + by, std::memory_order_relaxed);
  }

  std::array<std::atomic<uint64_t>, kBounds + 1> counts_{};
  std::atomic<uint64_t> sum_ = 0;
};

}  // namespace stele::eventstore
