// A second opinion on schedules, written from the rules alone: it walks UTC second by second or
// minute by minute, asks the C library what a clock on the wall shows, and applies the rules of
// docs/triggers.md with plain loops over days. Nothing of engine/triggers is used.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace stele::triggers {

// A random cron expression, as text and as a predicate that was made beside it.
struct OracleCron {
  std::string text;
  std::set<int> seconds{0};
  std::set<int> minutes;
  std::set<int> hours;
  std::set<int> months;
  std::function<bool(int year, int month, int day)> day_matches;
};

// With seconds: 6 fields.
OracleCron MakeOracleCron(std::mt19937_64& random, bool with_seconds);

// What the clock of a zone shows over a stretch of UTC, in steps.
struct OracleClock {
  int64_t from_s;
  int64_t step_s;
  std::vector<int64_t> local_s;  // at from_s + i * step_s
};
OracleClock WalkClock(const std::string& zone, int64_t from_s, int64_t to_s, int64_t step_s);

// The moments of that stretch at which the cron fires, in seconds of UTC.
std::vector<int64_t> OracleFirings(const OracleCron& cron, const OracleClock& clock);

}  // namespace stele::triggers
