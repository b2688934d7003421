// The load of a measurement: when each operation is begun, and what became of it. It knows nothing
// of what an operation is: who drives it takes operations, begins them, and says when they are
// done.
//
// Open loop: operations are begun at a rate, whatever becomes of those before, and each one counts
// from the moment at which it was to be begun: a target that falls behind is not spared the waiting
// that it caused (coordinated omission). Closed loop: so many are under way, and the next one is
// begun when one is done; each counts from its call, so that a target that stops is asked less.
//
// Moments are microseconds of NowUs(). Thread: any, many at once.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/error.h"
#include "projections/histogram.h"

namespace stele::load {

// Of the machine's own clock, which nobody sets.
int64_t NowUs();

struct Plan {
  double rate = 0;         // operations a second: open loop; 0: closed loop
  uint64_t in_flight = 1;  // closed loop
  // What is begun within the warm-up, and what is done then, is not measured.
  int64_t warm_up_us = 0;
  int64_t duration_us = 0;
  uint64_t count = 0;  // so many operations, all measured, in place of the two; 0: the two

  bool is_open() const { return rate > 0; }
};

struct Progress {
  int64_t elapsed_us = 0;
  bool warming_up = false;
  uint64_t done_since = 0;  // since the progress before
};

// What it came to.
struct Measured {
  uint64_t begun = 0;
  uint64_t done = 0;     // all of them, those of the warm-up too
  uint64_t refused = 0;  // because the target had too much to do
  std::string first_refusal;
  int64_t window_us = 0;  // the time that was measured, and what was done within it
  uint64_t done_in_window = 0;
  uint64_t records_in_window = 0;       // that the log grew by
  projections::Histogram latencies_us;  // of what was begun within it
  std::optional<Error> cut_short;       // why it ended before its time: this is what was until then
};

// Told on the thread that calls Look.
struct LoadEvents {
  std::function<void()> window_begins;
  std::function<void()> window_ends;
  std::function<void(const Progress&)> second;
};

class Load {
 public:
  Load(const Plan& plan, LoadEvents events);
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  const Plan& plan() const { return plan_; }

  void Begin(int64_t now_us);
  // An operation to be begun now: the moment from which it counts. None: there is none as yet.
  std::optional<int64_t> Take(int64_t now_us);
  // Of one that was taken. `position`: of the log, as far as it is known by then; 0: it is not.
  void Done(int64_t from_us, int64_t now_us, uint64_t position = 0);
  // The log has come so far.
  void Reached(uint64_t position);
  // The target has too much to do. In a closed loop nothing is begun for a moment.
  void Refuse(int64_t now_us, const std::string& why);
  // It cannot go on.
  void Fail(Error error);
  // Nothing more is begun; what is under way is waited for.
  void Stop(int64_t now_us);

  // To be called by one thread, again and again: says what has happened. True: it is over.
  bool Look(int64_t now_us);
  // When to call Look, and Take, again, unless something is done before.
  int64_t NextLookUs(int64_t now_us) const;

  // What it failed with, unless it had measured something by then. REQUIRES: Look has said that it
  // is over.
  Result<Measured> Finish() const;

 private:
  bool IsEnding(int64_t now_us) const;
  int64_t DueUs(uint64_t number) const;
  void LookAtWindow(int64_t now_us);

  const Plan plan_;
  const LoadEvents events_;

  mutable std::mutex mutex_;
  int64_t begin_us_ = 0;
  int64_t from_us_ = 0;  // the window
  int64_t to_us_ = 0;
  int64_t not_before_us_ = 0;  // behind a refusal
  int64_t last_done_us_ = 0;
  bool window_begun_ = false;
  bool window_ended_ = false;
  bool stopped_ = false;
  std::optional<Error> failure_;
  uint64_t under_way_ = 0;
  uint64_t position_ = 0;  // the highest that is known
  uint64_t position_at_begin_ = 0;
  uint64_t position_at_end_ = 0;
  int64_t next_second_us_ = 0;
  uint64_t done_at_second_ = 0;
  Measured measured_;
};

}  // namespace stele::load
