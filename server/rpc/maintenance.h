// What those who run the server ask of it.
//
// Thread: the loop's.
#pragma once

#include "schemas/maintenance.capnp.h"
#include "server/operations/maintenance.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class MaintenanceServer : public api::Maintenance::Server {
 public:
  // REQUIRES: the operations have it.
  explicit MaintenanceServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> verify(VerifyContext context) override;
  kj::Promise<void> rebuildViews(RebuildViewsContext context) override;
  kj::Promise<void> compareViews(CompareViewsContext context) override;
  kj::Promise<void> backup(BackupContext context) override;
  kj::Promise<void> backups(BackupsContext context) override;
  kj::Promise<void> verifyBackups(VerifyBackupsContext context) override;
  kj::Promise<void> archive(ArchiveContext context) override;
  kj::Promise<void> retention(RetentionContext context) override;
  kj::Promise<void> retain(RetainContext context) override;
  kj::Promise<void> erase(EraseContext context) override;
  kj::Promise<void> secrets(SecretsContext context) override;
  kj::Promise<void> setSecret(SetSecretContext context) override;
  kj::Promise<void> removeSecret(RemoveSecretContext context) override;
  kj::Promise<void> keys(KeysContext context) override;

 private:
  Maintenance& maintenance() const { return *access_->operations().maintenance; }
  // Tells the watcher of the progress while the answer is waited for; gives it up with it.
  kj::Promise<void> Watched(kj::Promise<void> answer, SharedProgress progress,
                            api::Watcher::Client watcher) const;

  const SharedAccess access_;
};

}  // namespace stele::server::rpc
