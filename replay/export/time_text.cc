#include "replay/export/time_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>

namespace stele::replay {

void WriteTime(TimeUs time, std::string& out) {
  using std::chrono::days;
  using std::chrono::floor;
  using std::chrono::microseconds;
  constexpr int64_t kFirst = -62'167'219'200'000'000;  // 0000-01-01
  constexpr int64_t kLast = 253'402'300'799'999'999;   // 9999-12-31
  const microseconds since(std::clamp(time.value, kFirst, kLast));
  const auto day = floor<days>(since);
  const std::chrono::year_month_day date{std::chrono::sys_days(day)};
  const std::chrono::hh_mm_ss clock(since - day);
  fmt::format_to(std::back_inserter(out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                 static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                 static_cast<unsigned>(date.day()), clock.hours().count(), clock.minutes().count(),
                 clock.seconds().count(), clock.subseconds().count());
}

}  // namespace stele::replay
