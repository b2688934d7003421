// The native interface of a server: schemas/api.capnp over one connection after the other.
//
// Owns nothing of the engine. Thread: the loop's.
#pragma once

#include <kj/async-io.h>
#include <kj/timer.h>

#include <set>
#include <string>
#include <utility>

#include "server/rpc/access.h"
#include "server/vat/message_buffers.h"

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
  kj::Promise<void> Serve(kj::Own<kj::AsyncIoStream> stream, std::string_view source);

  // When all that was asked is answered, and those who asked have read it, however slowly. Nobody
  // comes in any more. REQUIRES: the desk is closed, and this outlives the promise.
  kj::Promise<void> Drain();

  size_t connections() const { return connections_.size(); }
  // What peers have not read of what is there for them.
  size_t unsent_bytes() const;

 private:
  class Connection;
  kj::Promise<void> WhenSent();

  const Operations operations_;
  const RpcOptions options_;
  Endings endings_;
  kj::Own<MessageBuffers> buffers_ = kj::refcounted<MessageBuffers>();
  std::set<Connection*> connections_;
};

}  // namespace stele::server::rpc
