// A cron expression in a time zone: the moments at which it fires, in UTC.
//
// Daylight saving, where the clock jumps forward (a gap) or back (an overlap):
//  - A cron that leaves hours of the day out ("30 2 * * *") names its times. A time in a gap fires
//    at the first moment after the gap, once, however many of its times the gap swallowed. A time
//    that the clock shows twice fires the first time only.
//  - A cron that matches in every hour ("*/15 * * * *") follows elapsed time. It fires through both
//    passes of an overlap. A time in a gap fires when it would have come had the clock not jumped,
//    which mostly is a moment that fires anyway.
// So each time fires, and no moment twice. `@every` knows no clock: it fires at `start` and then
// each time as much time has passed; without a start it counts from 1970-01-01T00:00:00Z.
//
// Vixie cron and cronie tell the two kinds apart as well, but by how minute or hour are written and
// with a limit of three hours; here it is whether every hour matches, and there is no limit.
//
// A Schedule never changes; it may be used from several threads. It reads no clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/triggers/cron.h"
#include "engine/triggers/limits.h"
#include "engine/triggers/time_zone.h"

namespace stele::triggers {

// All times are microseconds since 1970-01-01T00:00:00Z.
struct Firing {
  int64_t scheduled_us;  // as the calendar says: names the firing, for ever
  int64_t due_us;        // with the jitter: when to start
  bool operator==(const Firing&) const = default;
};

struct ScheduleOptions {
  TimeZone zone;
  std::optional<int64_t> start_us;  // the first moment that may fire
  std::optional<int64_t> end_us;    // the first moment that may not
  // The most that a firing may be late on purpose. How late one is follows from `identity` and its
  // scheduled time alone, evenly spread over [0, jitter_us].
  int64_t jitter_us = 0;
  std::string identity;
};

class Schedule {
 public:
  // REQUIRES: 0 <= jitter_us <= kMaxJitterUs.
  Schedule(const Cron& cron, ScheduleOptions options);

  // The first firing whose scheduled time is after `after_us`. Ask again with the scheduled time of
  // the last one, never with its due time: the jitter may be longer than the cron's distance.
  std::optional<Firing> NextFiring(int64_t after_us) const;

  // Those scheduled in [from_us, to_us), the first `limit` of them.
  std::vector<Firing> Firings(int64_t from_us, int64_t to_us, size_t limit = kMaxFirings) const;

  // What a pause before `now_us` has left out: those scheduled in (last_us, now_us] and not earlier
  // than now_us - window_us, oldest first. One of them may be due after now. `more`: the limit was
  // reached; ask again with the last one's scheduled time.
  struct Missed {
    std::vector<Firing> firings;
    bool more = false;
  };
  Missed MissedFirings(int64_t last_us, int64_t now_us, int64_t window_us,
                       size_t limit = kMaxFirings) const;

  const Cron& cron() const { return cron_; }
  const ScheduleOptions& options() const { return options_; }

 private:
  // Seconds of UTC; the first moment at or after `from_s` that the cron fires at.
  std::optional<int64_t> MomentFrom(int64_t from_s) const;
  std::optional<int64_t> MomentIn(const TimeZone::Period& period, int64_t from_s) const;
  std::optional<int64_t> MomentOfGap(const TimeZone::Period& period, int64_t from_s,
                                     int32_t offset_before_s) const;
  std::optional<int64_t> NextOfEvery(int64_t after_us, int64_t every_us) const;
  int64_t JitterOf(int64_t scheduled_us) const;

  Cron cron_;
  ScheduleOptions options_;
};

}  // namespace stele::triggers
