// A worker that is called: each task that the pool hands it is a call, and the call's answer is the
// task's.
//
//     OnTask ──► run ──► answered: Complete, FailTask
//                  ├──► dropped: cancelled, or its lease has ended; stopped when `control` goes
//                  └──► its connection has ended: the worker is lost, and all that it holds
//
// While its connection has no room for more, because its peer does not read, it counts as one
// without a free slot.
//
// Owner: its membership alone. A worker may keep controls of its tasks for longer; they do nothing
// then. Thread: the loop's.
#pragma once

#include <kj/async.h>

#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <vector>

#include "engine/tasks/worker_pool.h"
#include "schemas/workers.capnp.h"
#include "server/rpc/access.h"
#include "server/rpc/endings.h"

namespace stele::server::rpc {

class CalledWorker final : public std::enable_shared_from_this<CalledWorker>,
                           private tasks::Worker,
                           private kj::TaskSet::ErrorHandler {
 public:
  CalledWorker(SharedAccess access, api::Worker::Client worker);
  // What libraries throw when it ends would be our own fault.
  ~CalledWorker() noexcept override;

  Status Join(tasks::WorkerPool::Joining joining);
  // kClosed: it is not in the pool any more.
  Status SetSlots(uint32_t slots);
  Status SetRate(double tasks_per_second);
  // It gets nothing new.
  void Leave();
  // Kept when it has left, or was lost.
  kj::Promise<void> WhenEnded() { return when_ended_.addBranch(); }
  // The same, and what it has answered is durable. kShardStopped: it will not be.
  Promised<void> WhenDurable();
  // Its tasks go to others, and it is not called any more.
  void Lose();

  Status Heartbeat(tasks::LeaseId lease, std::string_view detail);
  Status Log(tasks::LeaseId lease, std::string_view text);
  // The worker has let go of the task.
  void Release(tasks::LeaseId lease);

 private:
  struct Running {
    kj::Promise<void> call;
    bool released = false;
  };

  void OnTask(const tasks::WorkerTask& task) override;
  void OnCancel(tasks::LeaseId lease, std::string_view reason) override { Drop(lease); }
  void OnLeaseEnded(tasks::LeaseId lease, std::string_view reason) override { Drop(lease); }
  void OnLeft() override { End(); }
  void taskFailed(kj::Exception&& exception) override;

  tasks::WorkerPool& pool() const { return access_->operations().workers.pool(); }
  // As many as it may have, none while there is no room.
  void ShowSlots();
  void WaitForRoom();
  // Whether the credential that it joined with still counts.
  Status Check() const;
  Status CheckJoined() const;
  void End();
  void LoseLater();
  void Done(tasks::LeaseId lease, const api::Worker::RunResults::Reader& results);
  void Failed(tasks::LeaseId lease, const kj::Exception& exception);
  // Nobody wants the call's answer. It stands in `stopping_` until its control is let go.
  void Drop(tasks::LeaseId lease);
  // The call is forgotten; false: it was. Its promise, inside which this may be, goes later.
  bool Forget(tasks::LeaseId lease);
  Endings& endings() const { return access_->connected().endings; }

  const SharedAccess access_;
  api::Worker::Client worker_;
  std::unique_ptr<Workers::Membership> membership_;  // null: it was lost
  uint32_t slots_ = 0;                               // as it has said
  bool waits_for_room_ = false;
  bool ended_ = false;  // it has left, or was lost
  kj::Own<kj::PromiseFulfiller<void>> end_;
  kj::ForkedPromise<void> when_ended_;
  std::map<tasks::LeaseId, Running> running_;
  std::set<tasks::LeaseId> stopping_;
  std::vector<tasks::LeaseId> refused_;  // handed to it when it might work no more
  kj::TaskSet tasks_{*this};
};

}  // namespace stele::server::rpc
