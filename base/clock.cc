#include "base/clock.h"

#include <chrono>

namespace stele {

TimeUs SystemClock::Now() const {
  using std::chrono::duration_cast, std::chrono::microseconds, std::chrono::system_clock;
  return TimeUs(duration_cast<microseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace stele
