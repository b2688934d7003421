// Which attempts may begin, and in which order those wait that may not yet.
//
// Attempts wait in a queue per task type: the instance's priority first; within one priority each
// definition has its turn; within a definition who came first. What is limited:
//
//   over all          attempts that are outside at once (calls apart: they only wait for a child)
//   a task type       at once and per time, by a setting
//   a definition      at once by a setting; per time by a setting and by the definition itself
//   a step            per time; at once per rendered key, over all instances and versions
//
// An attempt that one limit holds back does not hold back another that it does not concern. What
// began when is known in memory only: after a restart the times count from nothing.
//
// No clock and no loop: times are given, and the same calls give the same order.
// Thread: the shard's loop.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "engine/definition/definition.h"
#include "engine/runtime/limits.h"
#include "engine/runtime/rate_window.h"
#include "engine/tasks/executor.h"

namespace stele::runtime {

struct AttemptLimit {
  uint32_t at_once = 0;  // 0: any number
  definition::RateLimit rate;
};

struct SchedulerSettings {
  std::map<std::string, AttemptLimit, std::less<>> task_types;   // by name
  std::map<std::string, AttemptLimit, std::less<>> definitions;  // by name
  size_t max_open = kMaxOpenAttempts;
};

class Scheduler {
 public:
  using Attempt = tasks::AttemptKey;

  // What the attempts of one step of one version have in common. Owned by the scheduler.
  class Course;

  explicit Scheduler(SchedulerSettings settings);
  Scheduler(const Scheduler&) = delete;
  Scheduler& operator=(const Scheduler&) = delete;
  ~Scheduler();

  // To be asked once and kept. `counts`: false for attempts that do nothing but wait.
  Course* CourseOf(const definition::Definition& definition, const definition::Step& step,
                   bool counts);

  // True: no limit but the one over all concerns the attempt, and it has begun.
  bool BeginsAtOnce(const Course& course);
  // Waits. `key`: the step's concurrency key, rendered. Nothing when that run waits already.
  void Enqueue(Course& course, const Attempt& attempt, int32_t priority, const std::string& key);
  // The next attempt that may begin, which then has; nothing when none may.
  std::optional<Attempt> Next(TimeUs now);
  // When Next, which had nothing, may have something though no attempt has ended; 0: never.
  TimeUs NextMoment() const { return next_moment_; }
  // An attempt that had begun is outside no more.
  void Ended(const Course& course, const Attempt& attempt);
  // The attempts of the instance that wait and for which `gone` holds wait no more.
  void Withdraw(InstanceId instance, const std::function<bool(const Attempt&)>& gone);
  // The same for the one of a run, if it waits.
  void Withdraw(InstanceId instance, RunId run);
  // All that wait, which then do so no more.
  std::vector<Attempt> TakeAll();

  size_t queued() const { return places_.size(); }
  size_t open() const { return open_; }

 private:
  struct Gate;
  struct KeyGate;
  struct Lane;
  struct CourseQueue;
  struct Turn;
  struct Level;
  struct TypeQueue;
  struct Place {
    Lane* lane = nullptr;
    uint64_t order = 0;
  };
  using Keys = std::unordered_map<std::string, std::unique_ptr<KeyGate>>;

  Gate* GateOf(const std::string& name, const AttemptLimit& limit);
  bool IsOpen(const Course& course, TimeUs now);
  Lane* FirstOf(CourseQueue& queue);
  Lane* FirstOf(Turn& turn, TimeUs now);
  Lane* FirstOf(TypeQueue& queue, TimeUs now);
  Attempt Begin(Lane& lane, TimeUs now);
  void Take(const Place& place);
  void Drop(Lane& lane);

  SchedulerSettings settings_;
  std::map<std::string, std::unique_ptr<Gate>> gates_;  // by what they limit
  std::map<std::string, std::unique_ptr<Keys>> keys_;   // by definition and step
  std::vector<std::unique_ptr<Course>> courses_;
  std::map<std::string, size_t, std::less<>> type_indices_;
  std::vector<std::unique_ptr<TypeQueue>> types_;
  size_t next_type_ = 0;
  std::map<std::pair<InstanceId, RunId>, Place> places_;  // of what waits
  std::map<Attempt, KeyGate*> holding_;                   // what has begun under a key
  uint64_t last_order_ = 0;
  size_t open_ = 0;
  TimeUs next_moment_;
};

}  // namespace stele::runtime
