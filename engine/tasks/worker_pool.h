// Tasks that are done by workers: programs of somebody's own, near or far, that join, are handed
// tasks of their types and answer. Who brings a worker (a child process, a connection, the program
// that holds the engine) is an edge and stands on this.
//
//     Start ──► queued ──► leased to a worker ──► completed, failed
//                 ▲               │
//                 └── worker lost, lease ended: at most `max_losses` times, then "worker_lost"
//
// A lease is what a worker holds of a task: it ends with the answer, with the worker, or when it is
// not renewed in time. An answer with a lease that has ended is refused and changes nothing.
//
// Why a task goes to another worker when its worker is lost, and is not failed at once: what is
// handed out carries the attempt's idempotency key and runs at least once (DESIGN, "Effects"), as
// after a crash of the engine: repeats_after_crash() holds for the same reason. Policies then count
// what the work itself did, not the coming and going of machines; but a task that takes its worker
// down with it must not go round for ever, hence the bound. outlives_engine(): an orderly stop
// records nothing of what only waits here, and workers know a task that comes again by its key.
// A timeout counts from Start on, the wait for a worker included.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

using WorkerId = StrongInteger<struct WorkerTag, uint64_t>;
using LeaseId = StrongInteger<struct LeaseTag, uint64_t>;

// What a worker is handed. What it refers to is good until the worker answers or returns.
struct WorkerTask {
  LeaseId lease;
  AttemptKey key;
  const std::string& type;
  const std::string& definition;
  const std::string& step;
  const Value& config;                      // rendered; secrets are in place. An object
  const Value& input;                       // an object
  const std::vector<std::string>& secrets;  // texts that must not appear in logs
  const std::string& trace_parent;          // of the attempt; empty: none
  int64_t left_us = 0;                      // of the step's timeout; 0: it has none
  int64_t lease_us = 0;                     // how long without a heartbeat; 0: for ever
};

// The far end, as the pool sees it. Called from inside the pool's methods: it may answer at once,
// but must not lose the worker.
class Worker {
 public:
  virtual ~Worker() = default;
  virtual void OnTask(const WorkerTask& task) = 0;
  // Nobody waits for the task any more. Any answer says that it has stopped; it counts for nothing
  // else. Without one the lease ends after a while.
  virtual void OnCancel(LeaseId lease, std::string_view reason) = 0;
  // The lease has ended without an answer. Its slot stays taken until a late answer comes.
  virtual void OnLeaseEnded(LeaseId lease, std::string_view reason) = 0;
  // It had left, and has nothing any more: the last call.
  virtual void OnLeft() = 0;
};

struct WorkerPoolOptions {
  uint32_t max_losses = kMaxWorkerLosses;
  int64_t cancel_grace_us = kWorkerCancelGraceUs;
  size_t max_log_bytes = kMaxLogBytes;
  // Told once when tasks of a type begin to wait because there is no worker for it.
  std::function<void(std::string_view type)> on_waiting;
};

struct WorkerFigures {
  size_t workers = 0;
  std::map<std::string, size_t, std::less<>> workers_by_type;
  std::map<std::string, size_t, std::less<>> queued_by_type;
  std::map<std::string, size_t, std::less<>> leased_by_type;
  uint64_t handed_out = 0;  // since the start
  uint64_t lost = 0;        // leases that ended without an answer
};

class WorkerPool {
 public:
  struct Joining {
    std::string name;
    std::vector<std::string> types;
    uint32_t slots = 1;  // tasks at once
    // 0: leases hold as long as the worker, whose end somebody else sees.
    int64_t lease_us = kWorkerLeaseUs;
    // Leases are at least so long until it has been heard of.
    int64_t first_lease_us = 0;
    // Tasks a second, those of a second at once after a pause; 0: any number.
    double rate = 0;
  };

  // Of the clock only differences count: one that does not jump (loop_clock.h). REQUIRES: loop and
  // clock outlive the pool.
  WorkerPool(uv_loop_t* loop, const Clock* clock, WorkerPoolOptions options = {});
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  // What a type says of its configurations: their faults, asked before a task is queued, too, and
  // the timeout that one of them asks for (0: none).
  struct Rules {
    std::function<std::vector<std::string>(const Value& config, bool rendered)> check;
    std::function<int64_t(const Value& config)> timeout_us;
  };
  // An executor for any types, which keeps the pool.
  static std::unique_ptr<TaskExecutor> MakeExecutor(std::shared_ptr<WorkerPool> pool,
                                                    Rules rules = {});
  // `executor` is one that MakeExecutor has made.
  static bool Serves(const TaskExecutor* executor);

  // REQUIRES: `worker` outlives its membership: until OnLeft, or Lose.
  WorkerId Join(Joining joining, Worker* worker);
  // How many at once from now on. What it holds stays.
  void SetSlots(WorkerId worker, uint32_t slots);
  // Joining::rate, from now on. REQUIRES: 0, or kMinWorkerRate to kMaxWorkerRate.
  void SetRate(WorkerId worker, double rate);
  // It gets nothing new and may answer what it holds; then OnLeft.
  void Leave(WorkerId worker);
  // It is gone: its leases end at once, and it is not called any more.
  void Lose(WorkerId worker, std::string_view reason);

  // kStaleAttempt: the worker does not hold that lease (any more); nothing has changed, and the
  // sentence is for the worker. Of a task that was cancelled a heartbeat is refused as well.
  Status Heartbeat(WorkerId worker, LeaseId lease, std::string_view detail = "");
  // An output that is no object fails the task ("outputs").
  Status Complete(WorkerId worker, LeaseId lease, Value output, std::string_view log = "");
  Status FailTask(WorkerId worker, LeaseId lease, TaskFailure failure, std::string_view log = "");
  // Something that the task printed, for the attempt's log.
  Status Log(WorkerId worker, LeaseId lease, std::string_view text);
  // It has not begun the task and will not: the task waits again, and was not lost. Of a lease that
  // has ended the slot is free, as after any answer.
  Status Return(WorkerId worker, LeaseId lease);

  // Somebody makes workers for these types and goes on trying; false takes it back.
  void Expect(const std::vector<std::string>& types, bool expected);
  // A worker of the type is here.
  bool HasWorker(std::string_view type) const;
  // One is here or is expected.
  bool MayRun(std::string_view type) const;
  WorkerFigures figures() const;

  // From now on nothing is handed out: the engine is about to stop. What workers hold they may
  // answer.
  void Hold() { held_ = true; }
  // Tasks that workers hold.
  size_t leased() const { return leases_.size(); }
  // Ends all leases and forgets all tasks, whose `done` is not called: the engine stops. Answers
  // are refused from then on, and nothing is handed out.
  void Close();
  // Ends what is due by the clock, now. For clocks that a test drives.
  void ElapseTimers();

 private:
  friend class WorkerExecutor;
  struct Task;
  struct Member;
  struct TypeQueue;

  void Start(TaskRequest request, std::function<void(TaskResult)> done);
  void Cancel(const AttemptKey& key, std::function<void()> stopped);
  void Dispatch(TypeQueue& queue);
  // What waits for the worker's types, the oldest first.
  void DispatchAll(WorkerId worker);
  // Says once that tasks of the type wait for nobody.
  void TellWaiting(TypeQueue& queue);
  void HandOut(Task& task, Member& member);
  // The task that the worker holds under the lease; a late answer frees its slot.
  Result<Task*> Held(WorkerId worker, LeaseId lease, bool answers);
  void Answer(Task& task, std::expected<Value, TaskFailure> outcome, std::string_view log,
              const std::string& worker);
  // REQUIRES: there is such a worker.
  const std::string& NameOf(WorkerId worker) const;
  // Takes the lease from the task; the member that held it.
  Member& Unlease(Task& task);
  // The lease has ended without an answer: `task` waits again, or is over.
  void Lost(Task& task, const Member& member, std::string_view reason);
  // Nobody wants an answer: it is over when it does not run.
  void StopTask(Task& task, std::string_view reason);
  // Forgets the task and tells who waits: with the result, or that it has stopped.
  void Finish(Task& task, TaskResult result);
  void FinishStopped(Task& task);
  void SetDue(Task& task, int64_t after_us);
  TypeQueue& QueueOf(std::string_view type);
  // Notes whether the member may be handed something; if not yet, for its rate, looks again.
  void Rank(Member& member, bool is_its_turn_over);
  void LeaveIfIdle(WorkerId worker);
  // The timer wakes at the first moment that is due, or before it: it is set anew when one comes
  // nearer, and not for each that goes away.
  void SetTimer();

  const Clock* clock_;
  WorkerPoolOptions options_;
  std::map<AttemptKey, std::unique_ptr<Task>> tasks_;
  std::map<LeaseId, Task*> leases_;
  std::map<WorkerId, std::unique_ptr<Member>> workers_;
  std::map<std::string, std::unique_ptr<TypeQueue>, std::less<>> types_;
  std::set<std::pair<TimeUs, LeaseId>> due_;           // when leases end
  std::set<std::pair<TimeUs, AttemptKey>> deadlines_;  // when timeouts elapse
  std::set<std::pair<TimeUs, WorkerId>> paced_;  // when those that their rate holds back are free
  UvHandle<uv_timer_t> timer_;
  TimeUs wakes_;  // when the timer does; 0: it is not set
  uint64_t last_order_ = 0;
  uint64_t last_turn_ = 0;
  LeaseId last_lease_;
  WorkerId last_worker_;
  uint64_t handed_out_ = 0;
  uint64_t lost_ = 0;
  bool held_ = false;  // nothing is handed out any more
  bool closed_ = false;
};

}  // namespace stele::tasks
