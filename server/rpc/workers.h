// Workers that join, and their places.
//
// Thread: the loop's.
#pragma once

#include "schemas/workers.capnp.h"
#include "server/rpc/access.h"
#include "server/rpc/called_worker.h"

namespace stele::server::rpc {

class WorkersServer : public api::Workers::Server {
 public:
  explicit WorkersServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> join(JoinContext context) override;

 private:
  const SharedAccess access_;
};

class MembershipServer : public api::Membership::Server {
 public:
  explicit MembershipServer(std::shared_ptr<CalledWorker> worker) : worker_(std::move(worker)) {}
  ~MembershipServer() noexcept(false) { worker_->Lose(); }

  kj::Promise<void> setSlots(SetSlotsContext context) override;
  kj::Promise<void> setRate(SetRateContext context) override;
  kj::Promise<void> leave(LeaveContext context) override;
  kj::Promise<void> whenEnded(WhenEndedContext context) override;

 private:
  const std::shared_ptr<CalledWorker> worker_;
};

}  // namespace stele::server::rpc
