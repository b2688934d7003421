// How long to wait before the next attempt: about twice as long each time, up to a bound, and never
// quite as long as others do, so that workers that lost the same server do not come back at once.
//
// Thread: any one.
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace stele::sdk {

class Backoff {
 public:
  Backoff(std::chrono::milliseconds first, std::chrono::milliseconds last, uint32_t seed)
      : first_(std::max(first, std::chrono::milliseconds(1))),
        last_(std::max(last, first_)),
        next_(first_),
        random_(seed) {}

  // Between half of what it has come to and all of it.
  std::chrono::milliseconds Next() {
    const int64_t whole = next_.count();
    next_ = std::min(next_ * 2, last_);
    return std::chrono::milliseconds(
        std::uniform_int_distribution<int64_t>((whole + 1) / 2, whole)(random_));
  }
  // It went well: the next one is the first.
  void Reset() { next_ = first_; }

 private:
  const std::chrono::milliseconds first_;
  const std::chrono::milliseconds last_;
  std::chrono::milliseconds next_;
  std::mt19937 random_;
};

}  // namespace stele::sdk
