#include "replay/gantt_scale.h"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

namespace stele::replay {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMinute = 60 * kSecond;
constexpr int64_t kHour = 60 * kMinute;
constexpr int64_t kDay = 24 * kHour;

constexpr int64_t kClock[] = {kSecond,      2 * kSecond,  5 * kSecond, 10 * kSecond, 15 * kSecond,
                              30 * kSecond, kMinute,      2 * kMinute, 5 * kMinute,  10 * kMinute,
                              15 * kMinute, 30 * kMinute, kHour,       2 * kHour,    3 * kHour,
                              6 * kHour,    12 * kHour,   kDay,        2 * kDay,     7 * kDay};

int64_t StepOf(int64_t span, int64_t most) {
  const auto fits = [&](int64_t step) { return span / step < most; };
  for (int64_t power = 1; power < kSecond; power *= 10)
    for (const int64_t step : {power, 2 * power, 5 * power})
      if (fits(step)) return step;
  for (const int64_t step : kClock)
    if (fits(step)) return step;
  int64_t step = 7 * kDay;
  while (!fits(step)) step *= 2;
  return step;
}

}  // namespace

std::vector<int64_t> TicksOf(int64_t span_us, size_t most) {
  const int64_t step = StepOf(span_us, static_cast<int64_t>(most));
  std::vector<int64_t> ticks;
  for (int64_t at = 0; at <= span_us; at += step) ticks.push_back(at);
  return ticks;
}

std::string SpanText(int64_t us) {
  if (us < 0) return "-" + SpanText(-us);
  struct Unit {
    int64_t size;
    std::string_view name;
    int64_t part;  // the unit below it
    std::string_view part_name;
  };
  static constexpr Unit kUnits[] = {
      {kDay, "d", kHour, "h"}, {kHour, "h", kMinute, "min"}, {kMinute, "min", kSecond, "s"}};
  for (const Unit& unit : kUnits) {
    if (us < unit.size) continue;
    const int64_t rest = us % unit.size / unit.part;
    return rest == 0 ? fmt::format("{} {}", us / unit.size, unit.name)
                     : fmt::format("{} {} {} {}", us / unit.size, unit.name, rest, unit.part_name);
  }
  if (us >= kSecond) return fmt::format("{:.3g} s", static_cast<double>(us) / kSecond);
  if (us >= 1'000) return fmt::format("{:.3g} ms", static_cast<double>(us) / 1'000);
  return us == 0 ? "0" : fmt::format("{} µs", us);
}

}  // namespace stele::replay
