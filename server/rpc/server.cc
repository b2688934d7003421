#include "server/rpc/server.h"

#include <capnp/rpc-twoparty.h>
#include <capnp/rpc.h>

#include "server/rpc/gate.h"
#include "server/rpc/limits.h"
#include "server/rpc/messages.h"

namespace stele::server::rpc {

namespace {

capnp::ReaderOptions OptionsOfMessages() {
  capnp::ReaderOptions options;
  options.traversalLimitInWords = kMaxMessageWords;
  return options;
}

}  // namespace

class RpcServer::Connection {
 public:
  Connection(RpcServer& server, kj::Own<kj::AsyncIoStream> stream, std::string source)
      : server_(server),
        stream_(kj::mv(stream)),
        connected_(std::make_shared<Connected>(std::move(source))),
        messages_(*stream_, *connected_),
        network_(messages_, capnp::rpc::twoparty::Side::SERVER, OptionsOfMessages()),
        rpc_(capnp::makeRpcServer(
            network_, kj::heap<GateServer>(server.operations_, server.options_, connected_))) {
    messages_.Watch(&network_);
    rpc_.setFlowLimit(kMaxCallWords);
    ++server_.connections_;
  }
  ~Connection() { --server_.connections_; }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  kj::Promise<void> Run() {
    auto too_late = server_.operations_.desk.timer().afterDelay(server_.options_.login_patience_us *
                                                                kj::MICROSECONDS);
    return network_.onDisconnect().exclusiveJoin(too_late.then([this]() -> kj::Promise<void> {
      if (connected_->admitted) return kj::NEVER_DONE;
      return kj::READY_NOW;
    }));
  }

 private:
  RpcServer& server_;
  kj::Own<kj::AsyncIoStream> stream_;
  const std::shared_ptr<Connected> connected_;
  BoundedMessages messages_;
  capnp::TwoPartyVatNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
};

kj::Promise<void> RpcServer::Serve(kj::Own<kj::AsyncIoStream> stream, std::string source) {
  auto connection = kj::heap<Connection>(*this, kj::mv(stream), std::move(source));
  auto served = connection->Run();
  return served.attach(kj::mv(connection)).catch_([](kj::Exception&&) {});
}

}  // namespace stele::server::rpc
