// What a connection begins with: who is there?
//
// Thread: the loop's; passwords are compared on a thread of their own.
#pragma once

#include "schemas/api.capnp.h"
#include "server/rpc/access.h"

namespace stele::server::rpc {

class GateServer : public api::Gate::Server {
 public:
  // REQUIRES: operations and options outlive it.
  GateServer(const Operations& operations, const RpcOptions& options,
             std::shared_ptr<Connected> connected)
      : operations_(operations), options_(options), connected_(std::move(connected)) {}

  kj::Promise<void> version(VersionContext context) override;
  kj::Promise<void> login(LoginContext context) override;
  kj::Promise<void> withToken(WithTokenContext context) override;
  kj::Promise<void> anonymous(AnonymousContext context) override;

 private:
  // The server goes on and asks for names.
  Status CheckAsks() const;
  api::Session::Client Admit(Caller caller);

  const Operations& operations_;
  const RpcOptions& options_;
  const std::shared_ptr<Connected> connected_;
};

}  // namespace stele::server::rpc
