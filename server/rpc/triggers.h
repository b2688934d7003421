// Triggers.
//
// Thread: the loop's.
#pragma once

#include "schemas/triggers.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class TriggersServer : public api::Triggers::Server {
 public:
  explicit TriggersServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> list(ListContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> add(AddContext context) override;
  kj::Promise<void> change(ChangeContext context) override;
  kj::Promise<void> fire(FireContext context) override;
  kj::Promise<void> backfill(BackfillContext context) override;

 private:
  const SharedAccess access_;
};

}  // namespace stele::server::rpc
