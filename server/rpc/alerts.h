// Alert rules.
//
// Thread: the loop's.
#pragma once

#include "schemas/alerts.capnp.h"
#include "server/alerts/alerts.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class AlertsServer : public api::Alerts::Server {
 public:
  // REQUIRES: the alerts outlive it.
  AlertsServer(SharedAccess access, alerts::Alerts& alerts)
      : access_(std::move(access)), alerts_(alerts) {}

  kj::Promise<void> list(ListContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> set(SetContext context) override;
  kj::Promise<void> remove(RemoveContext context) override;

 private:
  const SharedAccess access_;
  alerts::Alerts& alerts_;
};

}  // namespace stele::server::rpc
