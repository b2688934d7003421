// What somebody who is known may do, and the log as it grows.
//
// Thread: the loop's.
#pragma once

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class SessionServer : public api::Session::Server {
 public:
  explicit SessionServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> whoAmI(WhoAmIContext context) override;
  kj::Promise<void> narrow(NarrowContext context) override;
  kj::Promise<void> instances(InstancesContext context) override;
  kj::Promise<void> definitions(DefinitionsContext context) override;
  kj::Promise<void> triggers(TriggersContext context) override;
  kj::Promise<void> tasks(TasksContext context) override;
  kj::Promise<void> views(ViewsContext context) override;
  kj::Promise<void> log(LogContext context) override;
  kj::Promise<void> workers(WorkersContext context) override;
  kj::Promise<void> alerts(AlertsContext context) override;
  kj::Promise<void> maintenance(MaintenanceContext context) override;
  kj::Promise<void> refresh(RefreshContext context) override;
  kj::Promise<void> logout(LogoutContext context) override;
  kj::Promise<void> changePassword(ChangePasswordContext context) override;

 private:
  // kForbidden of a session that was handed on, kUnsupported where nobody is asked for a name.
  Status CheckHolder() const;

  const SharedAccess access_;
};

class LogServer : public api::Log::Server {
 public:
  explicit LogServer(SharedAccess access) : access_(std::move(access)) {}
  kj::Promise<void> follow(FollowContext context) override;
  kj::Promise<void> report(ReportContext context) override;
  kj::Promise<void> prove(ProveContext context) override;
  kj::Promise<void> heads(HeadsContext context) override;
  kj::Promise<void> growth(GrowthContext context) override;

 private:
  const SharedAccess access_;
};

}  // namespace stele::server::rpc
