#include "engine/definition/moment.h"

#include <charconv>
#include <chrono>

namespace stele::definition {
namespace {

// Takes what it reads from the front of the text; `ok` turns false for good at the first fault.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  int Digits(size_t count) {
    int value = 0;
    const auto [end, error] =
        std::from_chars(rest_.data(), rest_.data() + std::min(count, rest_.size()), value);
    if (error != std::errc() || end != rest_.data() + count || rest_[0] == '-') ok_ = false;
    rest_.remove_prefix(std::min(count, rest_.size()));
    return value;
  }
  char OneOf(std::string_view wanted) {
    if (rest_.empty() || !wanted.contains(rest_[0])) {
      ok_ = false;
      return 0;
    }
    const char taken = rest_[0];
    rest_.remove_prefix(1);
    return taken;
  }
  // ".25" as microseconds; digits beyond the sixth are dropped.
  int64_t Fraction() {
    if (rest_.empty() || rest_[0] != '.') return 0;
    rest_.remove_prefix(1);
    int64_t value = 0;
    int64_t unit = 100'000;
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') ok_ = false;
    for (; !rest_.empty() && rest_[0] >= '0' && rest_[0] <= '9'; rest_.remove_prefix(1)) {
      value += (rest_[0] - '0') * unit;
      unit /= 10;
    }
    return value;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace

std::optional<int64_t> ParseInstant(std::string_view text) {
  Scanner scan(text);
  const int year = scan.Digits(4);
  scan.OneOf("-");
  const int month = scan.Digits(2);
  scan.OneOf("-");
  const int day = scan.Digits(2);
  scan.OneOf("Tt ");
  const int hour = scan.Digits(2);
  scan.OneOf(":");
  const int minute = scan.Digits(2);
  scan.OneOf(":");
  const int second = scan.Digits(2);
  const int64_t fraction = scan.Fraction();
  const char sign = scan.OneOf("Zz+-");
  int offset = 0;
  if (sign == '+' || sign == '-') {
    const int hours = scan.Digits(2);
    scan.OneOf(":");
    const int minutes = scan.Digits(2);
    if (hours > 23 || minutes > 59) return std::nullopt;
    offset = (sign == '-' ? -1 : 1) * (hours * 60 + minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!scan.ok() || !scan.at_end() || !date.ok() || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  const int64_t seconds = ((days * 24 + hour) * 60 + minute - offset) * 60 + second;
  return seconds * 1'000'000 + fraction;
}

std::optional<TimeUs> ParseTime(std::string_view text) {
  const std::optional<int64_t> instant = ParseInstant(text);
  return instant && *instant >= 1'000'000 ? std::optional(TimeUs(*instant)) : std::nullopt;
}

}  // namespace stele::definition
