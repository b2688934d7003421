// Workers: programs elsewhere that do tasks (engine/tasks/worker_pool.h). One that the server can
// call joins the pool and is handed tasks as they come. One that must ask polls, and is in the pool
// while it asks or holds something, with as many slots as that is: nothing is handed to nobody.
//
//     Poll ──► in the pool ──► tasks ──► Heartbeat … ──► Complete, FailTask ──► out of it
//       └─ dropped, nobody asks any more: what it was handed meanwhile waits again
//
// A lease is its caller's and worker's: to others it is as if there was none. Its name begins with
// a word that each process makes anew: one of a process before, which may have been killed, names
// none of this one, although numbers begin anew and an attempt may be handed out again.
//
// Where workers show certificates (RequireCertificates), a worker has the name that its own one
// says, at every call.
//
// Thread: the loop's.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "engine/tasks/worker_pool.h"
#include "server/auth/random.h"
#include "server/operations/desk.h"

namespace stele::server {

struct PollRequest {
  std::string worker;  // its name
  std::vector<std::string> types;
  uint32_t max = 1;     // tasks
  int64_t wait_us = 0;  // for the first of them; 0: what is there
  int64_t lease_us = tasks::kWorkerLeaseUs;
};

struct PolledTask {
  std::string lease;  // what the worker names it by: "m4xk9qw2htcz-7-42-7-1"
  Value task;         // tasks::TaskMessage, with that lease
};

// A task that a worker says it holds.
struct LeaseName {
  std::string worker;
  std::string lease;
};

class Workers {
 public:
  // A worker's place in the pool: it is lost with it, unless it has left.
  class Membership {
   public:
    Membership(Workers& workers, tasks::WorkerId id) : workers_(workers), id_(id) {}
    ~Membership();
    Membership(const Membership&) = delete;
    Membership& operator=(const Membership&) = delete;

    tasks::WorkerId id() const { return id_; }

   private:
    Workers& workers_;
    const tasks::WorkerId id_;
  };

  // REQUIRES: the desk outlives it, and it outlives its memberships and polls.
  explicit Workers(Desk& desk, const RandomBytes& random = SystemRandom());
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  tasks::WorkerPool& pool() { return *desk_.engine().workers; }

  // From now on only those may work who ask over a connection that has shown a certificate: others,
  // and those who give another name than the certificate's, get kForbidden.
  void RequireCertificates() { certificates_ = true; }

  // One that is called. Tasks may come before Join has returned. `joining.name` empty: the
  // caller's. REQUIRES: `worker` outlives the membership.
  Result<std::unique_ptr<Membership>> Join(const Caller& caller, tasks::WorkerPool::Joining joining,
                                           tasks::Worker* worker);
  // kLimitExceeded: more than one worker may have.
  static Status CheckSlots(uint32_t slots);
  // kLimitExceeded: neither 0 nor a rate that a worker may have.
  static Status CheckRate(double tasks_per_second);

  // Tasks, when there is at least one; none when so long has passed or the server closes. Dropped,
  // it takes nothing.
  Promised<std::vector<PolledTask>> Poll(const Caller& caller, PollRequest request);

  // kStaleAttempt: no such lease of the worker's, any more; nothing has changed. What ends a task
  // is done at once, and the promise kept when it is durable; kShardStopped: the task may come
  // again.
  Status Heartbeat(const Caller& caller, const LeaseName& name, std::string_view detail);
  Promised<void> Complete(const Caller& caller, const LeaseName& name, Value output,
                          std::string_view log);
  Promised<void> FailTask(const Caller& caller, const LeaseName& name, tasks::TaskFailure failure,
                          std::string_view log);
  Status Log(const Caller& caller, const LeaseName& name, std::string_view text);

 private:
  class Poller;
  class OpenPoll;
  // Caller, worker, types, lease: those who ask for the same as the same one.
  using PollerKey = std::tuple<std::string, std::string, std::vector<std::string>, int64_t>;
  struct Held {
    Poller* poller = nullptr;
    tasks::AttemptKey key;
  };

  // The name that a worker goes by, of the one that it gives. kForbidden: it may not work, or not
  // by that name.
  Result<std::string> Admit(const Caller& caller, std::string given);
  Result<std::pair<tasks::LeaseId, Poller*>> Find(const Caller& caller, const LeaseName& name);
  std::string NameOf(tasks::LeaseId lease, const tasks::AttemptKey& key) const;
  // Answers with what `tell` tells the pool; the lease is over.
  template <class Tell>
  Promised<void> Answer(const Caller& caller, const LeaseName& name, Tell tell);

  Desk& desk_;
  const std::string process_;  // the word that names of leases begin with
  std::map<PollerKey, std::unique_ptr<Poller>> pollers_;
  std::map<tasks::LeaseId, Held> leases_;  // of those that poll
  size_t joined_ = 0;                      // memberships
  size_t polls_ = 0;
  bool certificates_ = false;  // they must be shown
};

}  // namespace stele::server
