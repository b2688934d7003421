#include "engine/triggers/schedule.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/check.h"

namespace stele::triggers {
namespace {

constexpr int64_t kSecondUs = 1'000'000;
constexpr int64_t kDaySeconds = 86'400;
// Years 1 and 9999, as far as a cron's calendar goes.
constexpr int64_t kFirstSecond = -62'135'596'800;
constexpr int64_t kLastSecond = 253'402'300'799;

int64_t FloorDivide(int64_t value, int64_t by) {
  return value / by - (value % by < 0 ? 1 : 0);
}

// FNV-1a of the text, then the finalizer of SplitMix64 over it and the time: both fixed for ever,
// since a firing's due time must be the same after every restart.
uint64_t HashOf(const std::string& identity, int64_t time) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (const char c : identity) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
  uint64_t z = hash + static_cast<uint64_t>(time) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return z ^ (z >> 31);
}

}  // namespace

Schedule::Schedule(const Cron& cron, ScheduleOptions options)
    : cron_(cron), options_(std::move(options)) {
  CHECK(options_.jitter_us >= 0 && options_.jitter_us <= kMaxJitterUs, "{}", options_.jitter_us);
}

// The times that the jump into `period` swallowed.
std::optional<int64_t> Schedule::MomentOfGap(const TimeZone::Period& period, int64_t from_s,
                                             int32_t offset_before_s) const {
  const int64_t gap_begin = period.begin_s + offset_before_s;
  const int64_t gap_end = period.begin_s + period.offset_s;
  if (cron_.names_hours()) {
    if (from_s > period.begin_s) return std::nullopt;
    const auto local_s = cron_.Next(gap_begin - 1);
    if (!local_s || *local_s >= gap_end) return std::nullopt;
    return period.begin_s;
  }
  const auto local_s = cron_.Next(std::max(gap_begin, from_s + offset_before_s) - 1);
  if (!local_s || *local_s >= gap_end) return std::nullopt;
  const int64_t moment = *local_s - offset_before_s;
  return moment < period.end_s ? std::optional(moment) : std::nullopt;
}

std::optional<int64_t> Schedule::MomentIn(const TimeZone::Period& period, int64_t from_s) const {
  from_s = std::max(from_s, period.begin_s);
  std::optional<int64_t> of_gap;
  int64_t local_from = from_s + period.offset_s;
  if (period.begin_s != INT64_MIN) {
    const int32_t offset_before_s = options_.zone.At(period.begin_s - 1).offset_s;
    if (offset_before_s < period.offset_s)
      of_gap = MomentOfGap(period, from_s, offset_before_s);
    else if (cron_.names_hours())  // what the clock showed before the jump has fired
      local_from = std::max(local_from, period.begin_s + offset_before_s);
  }
  const auto local_s = cron_.Next(local_from - 1);
  if (!local_s || *local_s - period.offset_s >= period.end_s) return of_gap;
  const int64_t moment = *local_s - period.offset_s;
  return of_gap ? std::min(*of_gap, moment) : moment;
}

std::optional<int64_t> Schedule::MomentFrom(int64_t from_s) const {
  int64_t at = std::max(from_s, kFirstSecond);
  while (at <= kLastSecond) {
    const TimeZone::Period period = options_.zone.At(at);
    if (const auto moment = MomentIn(period, at)) return moment;
    if (period.end_s == INT64_MAX) return std::nullopt;
    // What the calendar says next lies in a later period. Two days earlier an overlap may still
    // repeat it, and no offset makes a local time a day older than its moment.
    const auto local_s = cron_.Next(at + period.offset_s - 2 * kDaySeconds);
    if (!local_s) return std::nullopt;
    at = std::max(period.end_s, *local_s - kDaySeconds);
  }
  return std::nullopt;
}

std::optional<int64_t> Schedule::NextOfEvery(int64_t after_us, int64_t every_us) const {
  const int64_t start = options_.start_us.value_or(0);
  int64_t elapsed = 0;
  int64_t next = 0;
  if (__builtin_sub_overflow(after_us, start, &elapsed)) return std::nullopt;
  const int64_t periods = FloorDivide(elapsed, every_us) + 1;
  if (__builtin_mul_overflow(periods, every_us, &next) ||
      __builtin_add_overflow(next, start, &next))
    return std::nullopt;
  return next;
}

int64_t Schedule::JitterOf(int64_t scheduled_us) const {
  if (options_.jitter_us == 0) return 0;
  const auto range = static_cast<uint64_t>(options_.jitter_us) + 1;
  return static_cast<int64_t>(HashOf(options_.identity, scheduled_us) % range);
}

std::optional<Firing> Schedule::NextFiring(int64_t after_us) const {
  if (options_.start_us) after_us = std::max(after_us, *options_.start_us - 1);
  std::optional<int64_t> scheduled_us;
  if (const auto every = cron_.every_us()) {
    scheduled_us = NextOfEvery(after_us, *every);
  } else if (const auto moment = MomentFrom(FloorDivide(after_us, kSecondUs) + 1)) {
    scheduled_us = *moment * kSecondUs;
  }
  if (!scheduled_us || (options_.end_us && *scheduled_us >= *options_.end_us)) return std::nullopt;
  if (*scheduled_us > std::numeric_limits<int64_t>::max() - kMaxJitterUs) return std::nullopt;
  return Firing{*scheduled_us, *scheduled_us + JitterOf(*scheduled_us)};
}

std::vector<Firing> Schedule::Firings(int64_t from_us, int64_t to_us, size_t limit) const {
  std::vector<Firing> firings;
  if (from_us == std::numeric_limits<int64_t>::min()) ++from_us;
  auto next = NextFiring(from_us - 1);
  while (firings.size() < limit && next && next->scheduled_us < to_us) {
    firings.push_back(*next);
    next = NextFiring(next->scheduled_us);
  }
  return firings;
}

Schedule::Missed Schedule::MissedFirings(int64_t last_us, int64_t now_us, int64_t window_us,
                                         size_t limit) const {
  int64_t oldest = 0;
  if (__builtin_sub_overflow(now_us, window_us, &oldest))
    oldest = std::numeric_limits<int64_t>::min();
  if (last_us == std::numeric_limits<int64_t>::max() ||
      now_us == std::numeric_limits<int64_t>::max())
    return {};
  const size_t wanted = limit == SIZE_MAX ? limit : limit + 1;
  Missed missed{.firings = Firings(std::max(last_us + 1, oldest), now_us + 1, wanted)};
  missed.more = missed.firings.size() > limit;
  if (missed.more) missed.firings.pop_back();
  return missed;
}

}  // namespace stele::triggers
