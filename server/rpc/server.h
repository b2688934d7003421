// The native interface of a server: schemas/api.capnp over one connection after the other.
//
// Owns nothing of the engine. Thread: the loop's.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <string>
#include <utility>

#include "server/rpc/access.h"

namespace stele::server::rpc {

class RpcServer {
 public:
  // REQUIRES: what they refer to outlives it.
  RpcServer(const Operations& operations, RpcOptions options)
      : operations_(operations), options_(std::move(options)) {}
  RpcServer(const RpcServer&) = delete;
  RpcServer& operator=(const RpcServer&) = delete;

  // Until the peer has gone, or nobody was known in time. Never broken: what is wrong with a
  // connection ends that one. Dropping the promise ends it at once, with all that was asked over
  // it. `source`: the peer's address. REQUIRES: this outlives the promise.
  kj::Promise<void> Serve(kj::Own<kj::AsyncIoStream> stream, std::string source);

  size_t connections() const { return connections_; }

 private:
  class Connection;

  const Operations operations_;
  const RpcOptions options_;
  size_t connections_ = 0;
};

}  // namespace stele::server::rpc
