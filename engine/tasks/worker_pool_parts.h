// What the pool knows of a task, of a worker and of a type. Included by its two files alone:
// worker_pool.cc has the workers and the time, worker_tasks.cc the tasks and their answers.
#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/tasks/bounded_text.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/worker_pool.h"

namespace stele::tasks {

struct WorkerPool::Task {
  Task(TaskRequest&& request, std::function<void(TaskResult)> when_done, size_t max_log_bytes)
      : key(request.key),
        type(request.task_type),
        step(request.step_id),
        definition(request.definition),
        config(std::move(request.config)),
        input(std::move(request.input)),
        secrets(std::move(request.secrets)),
        trace_parent(std::move(request.trace_parent)),
        done(std::move(when_done)),
        redactor(secrets),
        log_redactor(redactor),
        log(max_log_bytes) {}

  AttemptKey key;
  std::string type;
  std::string step;
  std::string definition;
  Value config;
  Value input;
  std::vector<std::string> secrets;
  std::string trace_parent;
  TimeUs deadline;     // 0: none
  uint64_t order = 0;  // of its type's queue; kept when it waits again
  std::function<void(TaskResult)> done;
  std::vector<std::function<void()>> stopped;  // not empty: it was cancelled
  Redactor redactor;
  StreamRedactor log_redactor;
  BoundedText log;
  std::string detail;  // of the last heartbeat
  bool timed_out = false;
  uint32_t losses = 0;
  LeaseId lease;  // 0: it waits
  Member* member = nullptr;
  TimeUs due;  // of the lease; 0: none

  // Nobody wants an answer any more.
  bool IsOver() const { return timed_out || !stopped.empty(); }
};

// A rate, by the generic cell rate algorithm (ITU-T I.371): `due_ns_` is when the tasks so far
// would have been handed out at even distances, and may be ahead by those of a second.
class Pace {
 public:
  void Set(double rate) { distance_ns_ = rate > 0 ? std::llround(1e9 / rate) : 0; }
  // When the next one may be handed out: perhaps in the past.
  TimeUs Next() const {
    const int64_t ahead_ns = std::max<int64_t>(1'000'000'000 - distance_ns_, 0);
    return TimeUs((due_ns_ - ahead_ns + 999) / 1'000);
  }
  void Count(TimeUs now) {
    if (distance_ns_ > 0) due_ns_ = std::max(due_ns_, now.value * 1'000) + distance_ns_;
  }

 private:
  int64_t distance_ns_ = 0;  // 0: any rate
  int64_t due_ns_ = 0;
};

struct WorkerPool::Member {
  WorkerId id;
  Joining joining;
  Worker* worker = nullptr;
  std::set<LeaseId> held;
  std::set<LeaseId> overdue;  // ended without an answer: their slots are not free
  Pace pace;
  TimeUs paced;  // it stands in `paced_`; 0: it does not
  uint64_t turn = 0;
  bool leaving = false;
  bool heard = false;  // it has renewed or answered something

  int64_t LeaseUs() const {
    if (joining.lease_us == 0) return 0;
    return heard ? joining.lease_us : std::max(joining.lease_us, joining.first_lease_us);
  }
  bool HasSlot() const { return !leaving && held.size() + overdue.size() < joining.slots; }
};

struct WorkerPool::TypeQueue {
  std::map<uint64_t, Task*> waiting;
  std::set<std::pair<uint64_t, WorkerId>> free;  // who has waited longest first
  size_t workers = 0;
  size_t expected = 0;
  size_t leased = 0;
  bool told_waiting = false;
  bool dispatching = false;
};

}  // namespace stele::tasks
