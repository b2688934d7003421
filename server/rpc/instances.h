// Starting instances, and finding one by its number.
//
// Thread: the loop's.
#pragma once

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class InstancesServer : public api::Instances::Server {
 public:
  explicit InstancesServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> start(StartContext context) override;
  kj::Promise<void> startMany(StartManyContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> publish(PublishContext context) override;
  kj::Promise<void> receivers(ReceiversContext context) override;

 private:
  Promised<Started> StartOne(api::StartRequest::Reader request);

  const SharedAccess access_;
};

}  // namespace stele::server::rpc
