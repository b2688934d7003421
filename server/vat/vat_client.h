// One who calls a server: a network and the calls over it, for a stream that is connected.
//
// Thread: the loop's.
#pragma once

#include <capnp/rpc.h>

#include <utility>

#include "server/vat/message_network.h"

namespace stele::server {

class VatClient {
 public:
  // REQUIRES: the stream outlives it.
  explicit VatClient(kj::AsyncIoStream& stream,
                     kj::Own<MessageBuffers> buffers = kj::refcounted<MessageBuffers>())
      : network_(stream, kj::mv(buffers), {.side = capnp::rpc::twoparty::Side::CLIENT}),
        rpc_(capnp::makeRpcClient(network_)) {}

  // What the server offers to begin with.
  capnp::Capability::Client Bootstrap() {
    capnp::MallocMessageBuilder message(4);
    auto server = message.initRoot<capnp::rpc::twoparty::VatId>();
    server.setSide(capnp::rpc::twoparty::Side::SERVER);
    return rpc_.bootstrap(server);
  }
  kj::Promise<void> onDisconnect() { return network_.onDisconnect(); }
  size_t unsent_bytes() const { return network_.unsent_bytes(); }

 private:
  MessageNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
};

}  // namespace stele::server
