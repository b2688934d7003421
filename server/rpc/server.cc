#include "server/rpc/server.h"

#include <capnp/rpc.h>

#include <algorithm>

#include "server/rpc/call_meter.h"
#include "server/rpc/gate.h"
#include "server/rpc/limits.h"
#include "server/vat/message_network.h"

namespace stele::server::rpc {

class RpcServer::Connection {
 public:
  Connection(RpcServer& server, kj::Own<kj::AsyncIoStream> stream, std::string_view source)
      : server_(server),
        stream_(kj::mv(stream)),
        connected_(std::make_shared<Connected>(source, server.endings_)),
        network_(*stream_, kj::addRef(*server.buffers_),
                 {.side = capnp::rpc::twoparty::Side::SERVER,
                  .max_message_words = kMaxMessageWords,
                  .max_unsent_bytes = kMaxUnsentBytes,
                  .max_unasked_bytes = kMaxUnaskedBytes,
                  .known = &connected_->admitted,
                  .max_words_unknown = kWordsBeforeLogin}),
        rpc_(capnp::makeRpcServer(
            network_, kj::heap<Measured<GateServer>>(server.options_.calls, server.operations_,
                                                     server.options_, connected_))) {
    rpc_.setFlowLimit(kMaxCallWords);
    connected_->network = &network_;
    server_.connections_.insert(this);
  }
  ~Connection() {
    connected_->network = nullptr;
    server_.connections_.erase(this);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  size_t unsent_bytes() const { return network_.unsent_bytes(); }
  bool HasUnsent() const { return unsent_bytes() > 0; }

  kj::Promise<void> Run() {
    auto too_late = After(server_.options_.login_patience_us).then([this]() -> kj::Promise<void> {
      if (connected_->admitted) return kj::NEVER_DONE;
      return kj::READY_NOW;
    });
    return network_.onDisconnect()
        .exclusiveJoin(kj::mv(too_late))
        .exclusiveJoin(UntilDeaf(/*had_unsent=*/false, 0));
  }

 private:
  kj::Promise<void> After(int64_t us) {
    return server_.operations_.desk.timer().afterDelay(us * kj::MICROSECONDS);
  }
  // When there was something to take from one look to the next, and nothing of it was taken. `sent`
  // is of the look before.
  kj::Promise<void> UntilDeaf(bool had_unsent, uint64_t sent) {
    return After(server_.options_.send_patience_us)
        .then([this, had_unsent, sent]() -> kj::Promise<void> {
          if (had_unsent && HasUnsent() && network_.sent_bytes() == sent) return kj::READY_NOW;
          return UntilDeaf(HasUnsent(), network_.sent_bytes());
        });
  }

  RpcServer& server_;
  kj::Own<kj::AsyncIoStream> stream_;
  const std::shared_ptr<Connected> connected_;
  MessageNetwork network_;
  capnp::RpcSystem<capnp::rpc::twoparty::VatId> rpc_;
};

size_t RpcServer::unsent_bytes() const {
  size_t bytes = 0;
  for (const Connection* each : connections_) bytes += each->unsent_bytes();
  return bytes;
}

kj::Promise<void> RpcServer::Drain() {
  return operations_.desk.WhenIdle().then([this] { return WhenSent(); });
}

kj::Promise<void> RpcServer::WhenSent() {
  // Behind the answers, which are sent when their calls are done. Nobody tells when a queue has
  // become empty.
  return kj::evalLast([this]() -> kj::Promise<void> {
    if (std::ranges::none_of(connections_, [](Connection* each) { return each->HasUnsent(); }))
      return kj::READY_NOW;
    return operations_.desk.timer().afterDelay(kLookAgainMs * kj::MILLISECONDS).then([this] {
      return WhenSent();
    });
  });
}

kj::Promise<void> RpcServer::Serve(kj::Own<kj::AsyncIoStream> stream, std::string_view source) {
  auto connection = kj::heap<Connection>(*this, kj::mv(stream), source);
  auto served = connection->Run();
  return served.attach(kj::mv(connection)).catch_([](kj::Exception&&) {});
}

}  // namespace stele::server::rpc
