#include "projections/histogram.h"

#include <algorithm>
#include <bit>

#include "base/check.h"

namespace stele::projections {

namespace {

constexpr int kCutBits = 4;                           // of a power of two: 16 buckets
constexpr uint64_t kExact = uint64_t{2} << kCutBits;  // values below have a bucket each
constexpr int kFirstWidth = std::bit_width(kExact);   // of the least value that has not
constexpr uint64_t kCuts = uint64_t{1} << kCutBits;

uint64_t AddUpTo(uint64_t sum, uint64_t value) {
  return value > UINT64_MAX - sum ? UINT64_MAX : sum + value;
}

}  // namespace

uint16_t Histogram::IndexOf(int64_t value) {
  const auto number = static_cast<uint64_t>(value);
  if (number < kExact) return static_cast<uint16_t>(number);
  const int width = std::bit_width(number);
  const uint64_t leading = number >> (width - 1 - kCutBits);  // kCuts to 2 * kCuts - 1
  return static_cast<uint16_t>(kExact + static_cast<uint64_t>(width - kFirstWidth) * kCuts +
                               (leading - kCuts));
}

Histogram::Bar Histogram::RangeOf(uint16_t index) {
  if (index < kExact) return {.from = index, .to = index};
  const uint64_t above = index - kExact;
  const int width = kFirstWidth + static_cast<int>(above / kCuts);
  const int shift = width - 1 - kCutBits;
  const uint64_t from = (kCuts + above % kCuts) << shift;
  return {.from = static_cast<int64_t>(from),
          .to = static_cast<int64_t>(from + ((uint64_t{1} << shift) - 1))};
}

void Histogram::Add(int64_t value) {
  value = std::max<int64_t>(value, 0);
  min_ = count_ == 0 ? value : std::min(min_, value);
  max_ = std::max(max_, value);
  ++count_;
  sum_ = AddUpTo(sum_, static_cast<uint64_t>(value));
  const uint16_t index = IndexOf(value);
  const auto at = std::ranges::lower_bound(buckets_, index, {}, &Bucket::index);
  if (at != buckets_.end() && at->index == index) {
    ++at->count;
  } else {
    buckets_.insert(at, {index, 1});
  }
}

void Histogram::Merge(const Histogram& other) {
  if (other.count_ == 0) return;
  min_ = count_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  count_ += other.count_;
  sum_ = AddUpTo(sum_, other.sum_);
  std::vector<Bucket> merged;
  merged.reserve(buckets_.size() + other.buckets_.size());
  auto mine = buckets_.begin();
  for (const Bucket& theirs : other.buckets_) {
    while (mine != buckets_.end() && mine->index < theirs.index) merged.push_back(*mine++);
    merged.push_back(theirs);
    if (mine != buckets_.end() && mine->index == theirs.index) merged.back().count += mine++->count;
  }
  merged.insert(merged.end(), mine, buckets_.end());
  buckets_ = std::move(merged);
}

int64_t Histogram::Average() const {
  return count_ == 0 ? 0 : static_cast<int64_t>(sum_ / count_);
}

int64_t Histogram::Percentile(uint32_t permille) const {
  CHECK(permille <= 1000, "a percentile of {} permille", permille);
  if (count_ == 0) return 0;
  const uint64_t rank = std::max<uint64_t>((count_ * permille + 999) / 1000, 1);
  // The ends are known exactly.
  if (rank == 1) return min_;
  if (rank == count_) return max_;
  uint64_t passed = 0;
  for (const Bucket& bucket : buckets_) {
    passed += bucket.count;
    if (passed < rank) continue;
    const Bar bar = RangeOf(bucket.index);
    return std::clamp(bar.from + (bar.to - bar.from) / 2, min_, max_);
  }
  return max_;
}

std::vector<Histogram::Bar> Histogram::Bars() const {
  std::vector<Bar> bars;
  bars.reserve(buckets_.size());
  for (const Bucket& bucket : buckets_) {
    bars.push_back(RangeOf(bucket.index));
    bars.back().count = bucket.count;
  }
  return bars;
}

}  // namespace stele::projections
