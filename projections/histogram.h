// How often values of which size came: durations, in microseconds.
//
// Log-linear buckets: values below 32 have one each, every power of two above is cut into 16 of the
// same width, up to int64's largest. What is told of a bucket is its middle, which is off by at
// most 1/32 (3.2 %) of the value; count, sum, least and largest are exact. Two histograms merge
// into what one of all their values would be. (The layout is that of Gil Tene's HdrHistogram, with
// 16 buckets to the power of two.)
//
// Only buckets that hold something take memory. Thread: any, one at a time.
#pragma once

#include <cstdint>
#include <vector>

namespace stele::projections {

class Histogram {
 public:
  // Of what is told of a value that was counted, but for the least and the largest.
  static constexpr double kRelativeError = 1.0 / 32;

  // A negative value, of a clock that was put back, counts as 0.
  void Add(int64_t value);
  void Merge(const Histogram& other);

  uint64_t count() const { return count_; }
  // Stays at its largest number, 584,000 years, rather than begin again.
  uint64_t sum() const { return sum_; }
  // 0 when there is no value, as for the others.
  int64_t min() const { return min_; }
  int64_t max() const { return max_; }
  int64_t Average() const;
  // The least value that is not below `permille` of all: 500 is the median. By the nearest rank:
  // the value with the number ceil(count * permille / 1000), from 1, in their order. REQUIRES:
  // permille <= 1000.
  int64_t Percentile(uint32_t permille) const;

  // Values from `from` up to and with `to`.
  struct Bar {
    int64_t from = 0;
    int64_t to = 0;
    uint64_t count = 0;
    bool operator==(const Bar&) const = default;
  };
  // Those that hold something, the least first.
  std::vector<Bar> Bars() const;

  bool operator==(const Histogram&) const = default;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.count_, self.sum_, self.min_, self.max_, self.buckets_);
  }

 private:
  struct Bucket {
    uint16_t index = 0;
    uint64_t count = 0;
    bool operator==(const Bucket&) const = default;
    template <class Self, class Archive>
    static void Fields(Self& self, Archive& archive) {
      archive(self.index, self.count);
    }
  };
  static uint16_t IndexOf(int64_t value);
  static Bar RangeOf(uint16_t index);

  uint64_t count_ = 0;
  uint64_t sum_ = 0;
  int64_t min_ = 0;
  int64_t max_ = 0;
  std::vector<Bucket> buckets_;  // by index
};

}  // namespace stele::projections
