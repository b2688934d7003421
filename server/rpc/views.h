// Questions to the views.
//
// Thread: the loop's.
#pragma once

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class ViewsServer : public api::Views::Server {
 public:
  explicit ViewsServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> instances(InstancesContext context) override;
  kj::Promise<void> statistics(StatisticsContext context) override;
  kj::Promise<void> series(SeriesContext context) override;
  kj::Promise<void> definitions(DefinitionsContext context) override;
  kj::Promise<void> errors(ErrorsContext context) override;
  kj::Promise<void> workers(WorkersContext context) override;
  kj::Promise<void> states(StatesContext context) override;

 private:
  const SharedAccess access_;
};

}  // namespace stele::server::rpc
