// What a zone does after the last change that its file lists: the rule at the end of every file of
// the system's zones, like "CET-1CEST,M3.5.0,M10.5.0/3". Source: RFC 9636, 3.3, and the TZ variable
// of POSIX.1-2017, 8.3. The date library reads the lists alone, which end in 2037 or much earlier.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace stele::triggers {

// The first moment at which an offset from UTC holds, both in seconds.
struct OffsetChange {
  int64_t at_s;
  int32_t offset_s;
};

class PosixRule {
 public:
  // Nothing when the text is no such rule.
  static std::optional<PosixRule> Parse(std::string_view text);

  // The two changes of a year in the order of time; none where there is no daylight saving.
  std::vector<OffsetChange> ChangesOf(int year) const;
  int32_t standard_offset_s() const { return standard_s_; }

 private:
  enum class DayKind : uint8_t { kJulianNoLeap, kZeroBased, kWeekdayOfMonth };
  struct Change {
    DayKind kind = DayKind::kWeekdayOfMonth;
    int day = 0;  // of the year, or a weekday
    int month = 0;
    int week = 0;  // 5 is the last
    int32_t time_s = 7200;
  };
  class Reader;
  static int64_t DayOf(const Change& change, int year);

  int32_t standard_s_ = 0;
  int32_t daylight_s_ = 0;
  bool has_daylight_ = false;
  std::array<Change, 2> changes_;  // to daylight saving time, and back
};

}  // namespace stele::triggers
