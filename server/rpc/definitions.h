// Definitions and task types.
//
// Thread: the loop's.
#pragma once

#include "schemas/definitions.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class DefinitionsServer : public api::Definitions::Server {
 public:
  explicit DefinitionsServer(SharedAccess access) : access_(std::move(access)) {}

  kj::Promise<void> validate(ValidateContext context) override;
  kj::Promise<void> register_(RegisterContext context) override;
  kj::Promise<void> list(ListContext context) override;
  kj::Promise<void> get(GetContext context) override;
  kj::Promise<void> source(SourceContext context) override;
  kj::Promise<void> change(ChangeContext context) override;
  kj::Promise<void> types(TypesContext context) override;
  kj::Promise<void> registerType(RegisterTypeContext context) override;
  kj::Promise<void> removeType(RemoveTypeContext context) override;
  kj::Promise<void> records(RecordsContext context) override;

 private:
  const SharedAccess access_;
};

}  // namespace stele::server::rpc
