#include "cli/load/load.h"

#include <fmt/format.h>
#include <uv.h>

#include <algorithm>
#include <utility>

#include "cli/load/limits.h"

namespace stele::load {

int64_t NowUs() {
  return static_cast<int64_t>(uv_hrtime() / 1'000);
}

Load::Load(const Plan& plan, LoadEvents events) : plan_(plan), events_(std::move(events)) {}

void Load::Begin(int64_t now_us) {
  const std::lock_guard lock(mutex_);
  begin_us_ = now_us;
  from_us_ = plan_.count > 0 ? now_us : now_us + plan_.warm_up_us;
  to_us_ = plan_.count > 0 ? INT64_MAX : from_us_ + plan_.duration_us;
  next_second_us_ = now_us + 1'000'000;
}

bool Load::IsEnding(int64_t now_us) const {
  return stopped_ || failure_.has_value() || now_us >= to_us_ ||
         (plan_.count > 0 && measured_.begun - measured_.refused >= plan_.count);
}

int64_t Load::DueUs(uint64_t number) const {
  return begin_us_ + static_cast<int64_t>(static_cast<double>(number) * 1e6 / plan_.rate);
}

std::optional<int64_t> Load::Take(int64_t now_us) {
  const std::lock_guard lock(mutex_);
  if (IsEnding(now_us)) return std::nullopt;
  if (plan_.is_open()) {
    const int64_t due_us = DueUs(measured_.begun);
    if (due_us > now_us || under_way_ >= kMaxUnderWay) return std::nullopt;
    now_us = due_us;
  } else if (under_way_ >= plan_.in_flight || now_us < not_before_us_) {
    return std::nullopt;
  }
  ++measured_.begun;
  ++under_way_;
  return now_us;
}

void Load::Done(int64_t from_us, int64_t now_us, uint64_t position) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  ++measured_.done;
  last_done_us_ = std::max(last_done_us_, now_us);
  position_ = std::max(position_, position);
  if (now_us >= from_us_ && now_us < to_us_) ++measured_.done_in_window;
  if (from_us >= from_us_ && from_us < to_us_) measured_.latencies_us.Add(now_us - from_us);
}

void Load::Reached(uint64_t position) {
  const std::lock_guard lock(mutex_);
  position_ = std::max(position_, position);
}

void Load::Refuse(int64_t now_us, const std::string& why) {
  const std::lock_guard lock(mutex_);
  --under_way_;
  if (measured_.refused++ == 0) measured_.first_refusal = why;
  not_before_us_ = now_us + kRefusalPauseUs;
}

void Load::Fail(Error error) {
  const std::lock_guard lock(mutex_);
  if (!failure_.has_value()) failure_ = std::move(error);
}

void Load::Stop(int64_t now_us) {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
  to_us_ = std::min(to_us_, now_us);
}

void Load::LookAtWindow(int64_t now_us) {
  if (!window_begun_ && now_us >= from_us_) {
    window_begun_ = true;
    position_at_begin_ = position_;
    if (events_.window_begins) events_.window_begins();
  }
  const bool all_done = plan_.count > 0 && IsEnding(now_us) && under_way_ == 0;
  if (window_begun_ && !window_ended_ && (now_us >= to_us_ || all_done)) {
    window_ended_ = true;
    if (plan_.count > 0) to_us_ = std::max(last_done_us_, from_us_) + 1;
    position_at_end_ = position_;
    if (events_.window_ends) events_.window_ends();
  }
}

bool Load::Look(int64_t now_us) {
  const std::lock_guard lock(mutex_);
  if (failure_.has_value()) to_us_ = std::min(to_us_, now_us);
  LookAtWindow(now_us);
  if (now_us >= next_second_us_) {
    next_second_us_ += 1'000'000;
    const Progress progress{.elapsed_us = now_us - begin_us_,
                            .warming_up = now_us < from_us_,
                            .done_since = measured_.done - done_at_second_};
    done_at_second_ = measured_.done;
    if (events_.second) events_.second(progress);
  }
  if (failure_.has_value()) return true;
  if (!IsEnding(now_us)) return false;
  if (under_way_ == 0) return true;
  // Of a count nobody knows how long it may take: as long as something comes, it goes on.
  const int64_t since_us = plan_.count > 0 ? std::max(last_done_us_, begin_us_) : to_us_;
  if (now_us - since_us < kDrainUs) return false;
  failure_ = Error{ErrorCode::kTimeout,
                   fmt::format("Expected an answer to everything within {} s but found {} of {} "
                               "without one",
                               kDrainUs / 1'000'000, under_way_, measured_.begun)};
  to_us_ = std::min(to_us_, now_us);
  LookAtWindow(now_us);
  return true;
}

int64_t Load::NextLookUs(int64_t now_us) const {
  const std::lock_guard lock(mutex_);
  int64_t next_us = now_us + kLookEveryUs;
  if (plan_.is_open() && !IsEnding(now_us) && under_way_ < kMaxUnderWay)
    next_us = std::min(next_us, DueUs(measured_.begun));
  if (!plan_.is_open() && not_before_us_ > now_us) next_us = std::min(next_us, not_before_us_);
  return std::max(next_us, now_us);
}

Result<Measured> Load::Finish() const {
  const std::lock_guard lock(mutex_);
  if (failure_.has_value() && (!window_ended_ || measured_.done_in_window == 0))
    return std::unexpected(*failure_);
  Measured measured = measured_;
  measured.cut_short = failure_;
  measured.window_us = std::max<int64_t>(to_us_ - from_us_, 0);
  measured.records_in_window = position_at_end_ - position_at_begin_;
  return measured;
}

}  // namespace stele::load
