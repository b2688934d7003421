#include "server/rpc/workers.h"

#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/given.h"

namespace stele::server::rpc {

kj::Promise<void> WorkersServer::join(JoinContext context) {
  const auto params = context.getParams();
  Given given;
  given.Add(access_->Check());
  tasks::WorkerPool::Joining joining{.name = given.Name(params.getName(), "name"),
                                     .types = given.Names(params.getTypes(), "types"),
                                     .slots = params.getSlots(),
                                     .lease_us = params.getLease(),
                                     .rate = params.getRate()};
  if (!params.hasWorker())
    given.Add(ErrorCode::kInvalidInput, "worker: Expected one that can be called but found none");
  if (const Status fits = given.status(); !fits.has_value()) return Refuse(fits.error());
  auto worker = std::make_shared<CalledWorker>(access_, params.getWorker());
  if (const Status joined = worker->Join(std::move(joining)); !joined.has_value())
    return Refuse(joined.error());
  context.getResults().setMembership(
      kj::heap<Measured<MembershipServer>>(access_->options().calls, std::move(worker)));
  return kj::READY_NOW;
}

kj::Promise<void> MembershipServer::setSlots(SetSlotsContext context) {
  if (const Status set = worker_->SetSlots(context.getParams().getSlots()); !set.has_value())
    return Refuse(set.error());
  return kj::READY_NOW;
}

kj::Promise<void> MembershipServer::setRate(SetRateContext context) {
  if (const Status set = worker_->SetRate(context.getParams().getRate()); !set.has_value())
    return Refuse(set.error());
  return kj::READY_NOW;
}

kj::Promise<void> MembershipServer::leave(LeaveContext context) {
  context.allowCancellation();
  worker_->Leave();
  return worker_->WhenDurable().then([](Status durable) -> kj::Promise<void> {
    if (!durable.has_value()) return Refuse(durable.error());
    return kj::READY_NOW;
  });
}

kj::Promise<void> MembershipServer::whenEnded(WhenEndedContext context) {
  context.allowCancellation();
  return worker_->WhenDurable().ignoreResult();
}

}  // namespace stele::server::rpc
