// What the view of statistics keeps, and under which keys. What each figure is: docs/statistics.md.
//
//     A                                  DefinitionRow of all definitions together
//     L                                  the time of the latest record
//     v name version                     DefinitionRow
//     s name version group               StepsRow: kStepsInARow steps of the version
//     t resolution name place            SlotRow: a minute, an hour or a day of all versions of a
//                                        name; of all definitions under the empty name
//     u name version group place         StepsSlotRow: a day of those steps
//
// A slot's place is its number since the epoch modulo how many are kept: a later one takes the
// place of an earlier one, and what comes late for one that has lost its place is dropped. So what
// is kept is bounded, and nothing has to be swept.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "projections/histogram.h"
#include "projections/keys.h"
#include "projections/row.h"

namespace stele::projections {

inline constexpr std::string_view kStatisticsView = "statistics";

enum class Resolution : uint8_t { kMinute = 0, kHour = 1, kDay = 2 };

// The length of a slot, in microseconds, and how many are kept of each definition.
inline constexpr int64_t kSlotUs[] = {60'000'000, 3'600'000'000, 86'400'000'000};
inline constexpr int64_t kSlotsKept[] = {6 * 60, 14 * 24, 400};

inline int64_t SlotUs(Resolution resolution) {
  return kSlotUs[static_cast<size_t>(resolution)];
}
inline int64_t SlotsKept(Resolution resolution) {
  return kSlotsKept[static_cast<size_t>(resolution)];
}
// The number of the slot that a moment is in. A moment before the epoch is in the first.
inline int64_t SlotOf(TimeUs time, Resolution resolution) {
  return std::max<int64_t>(time.value, 0) / SlotUs(resolution);
}

// What happened to instances.
struct InstanceCounts {
  uint64_t started = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t cancelled = 0;
  uint64_t terminated = 0;
  uint64_t retried = 0;  // that had failed, and go on
  uint64_t migrated_in = 0;
  uint64_t migrated_out = 0;
  uint64_t failed_attempts = 0;  // of their steps
  Histogram durations;           // of those that completed, from their start

  void Merge(const InstanceCounts& other);
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.started, self.completed, self.failed, self.cancelled, self.terminated,
            self.retried, self.migrated_in, self.migrated_out, self.failed_attempts,
            self.durations);
  }
};

// How runs of steps stand now.
struct RunGauges {
  int64_t attempts = 0;  // an attempt is under way, or waits for a place to begin
  int64_t backoffs = 0;  // wait for their next attempt
  int64_t waiting = 0;   // for people, a message, a signal, a moment, a child
  int64_t parked = 0;    // for an operator
  int64_t held = 0;      // stopped with the engine

  void Merge(const RunGauges& other);
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.attempts, self.backoffs, self.waiting, self.parked, self.held);
  }
};

// Of one version, or of all definitions.
struct DefinitionRow {
  TimeUs registered;
  uint32_t state = 0;  // a model::DefinitionState
  InstanceCounts counts;
  int64_t open = 0;    // have not ended
  int64_t queued = 0;  // of them: wait for a place
  int64_t paused = 0;  // of them
  RunGauges runs;
  TimeUs first_started;
  TimeUs last_started;
  TimeUs last_ended;

  // But for `state`.
  void Merge(const DefinitionRow& other);
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.registered, self.state, self.counts, self.open, self.queued, self.paused,
            self.runs, self.first_started, self.last_started, self.last_ended);
  }
};

// What happened to runs of a step.
struct StepCounts {
  uint64_t activated = 0;
  uint64_t completed = 0;
  uint64_t failed = 0;     // for good, the flow going on or not
  uint64_t cancelled = 0;  // with what they were a part of, or by an operator who skipped them
  uint64_t skipped = 0;    // by the flow: its conditions did not hold
  uint64_t passed = 0;     // of a step that does nothing, such as a gateway
  uint64_t attempts = 0;
  uint64_t failed_attempts = 0;  // that told of an error
  uint64_t interrupted = 0;      // attempts that the engine's end cut off
  uint64_t timeouts = 0;         // deadlines of attempts and tasks for people, as a task told too
  uint64_t retried = 0;          // runs that began an attempt again
  uint64_t retried_completed = 0;
  Histogram durations;  // of runs that completed, from their activation

  void Merge(const StepCounts& other);
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.activated, self.completed, self.failed, self.cancelled, self.skipped, self.passed,
            self.attempts, self.failed_attempts, self.interrupted, self.timeouts, self.retried,
            self.retried_completed, self.durations);
  }
};

struct StepRow {
  std::string step;        // its id
  std::string type;        // "script", "approval", "loop", …
  bool container = false;  // runs other steps: its time is theirs
  StepCounts counts;
  RunGauges runs;

  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.step, self.type, self.container, self.counts, self.runs);
  }
};

// By their index in the definition's table: those of the group g begin at g * kStepsInARow.
inline constexpr size_t kStepsInARow = 16;
struct StepsRow {
  std::vector<StepRow> steps;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.steps);
  }
};
struct StepsCounts {
  std::vector<StepCounts> steps;

  void Merge(const StepsCounts& other);
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.steps);
  }
};

struct LatestRow {
  TimeUs time;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.time);
  }
};

template <class Counts>
struct Slot {
  int64_t number = 0;  // since the epoch
  Counts counts;
  template <class Self, class Archive>
  static void Fields(Self& self, Archive& archive) {
    archive(self.number, self.counts);
  }
};
using SlotRow = Slot<InstanceCounts>;
using StepsSlotRow = Slot<StepsCounts>;  // a day

inline std::string AllKey() {
  return "A";
}
inline std::string LatestKey() {
  return "L";
}
inline std::string VersionsPrefix(std::string_view name) {
  return KeyWriter('v').Text(name).Take();
}
inline std::string VersionKey(std::string_view name, uint32_t version) {
  return KeyWriter('v').Text(name).Number(version).Take();
}
inline std::string StepsPrefix(std::string_view name) {
  return KeyWriter('s').Text(name).Take();
}
inline std::string StepsKey(std::string_view name, uint32_t version, size_t group) {
  return KeyWriter('s').Text(name).Number(version).Number(group).Take();
}
inline std::string SlotsPrefix(Resolution resolution, std::string_view name) {
  return KeyWriter('t').Byte(static_cast<uint8_t>(resolution)).Text(name).Take();
}
inline std::string SlotKey(Resolution resolution, std::string_view name, int64_t number) {
  return KeyWriter('t')
      .Byte(static_cast<uint8_t>(resolution))
      .Text(name)
      .Number(static_cast<uint64_t>(number % SlotsKept(resolution)))
      .Take();
}
inline std::string StepsSlotsPrefix(std::string_view name) {
  return KeyWriter('u').Text(name).Take();
}
inline std::string StepsSlotKey(std::string_view name, uint32_t version, size_t group,
                                int64_t day) {
  return KeyWriter('u')
      .Text(name)
      .Number(version)
      .Number(group)
      .Number(static_cast<uint64_t>(day % SlotsKept(Resolution::kDay)))
      .Take();
}

}  // namespace stele::projections
