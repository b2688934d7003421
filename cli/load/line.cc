#include "cli/load/line.h"

#include "server/loop/connect.h"
#include "server/rpc/text.h"

namespace stele::load {

Line::Line(kj::Own<kj::AsyncIoStream> stream, const ServerAddress& server)
    : stream_(kj::mv(stream)),
      rpc_(*stream_),
      session_(Enter(rpc_, server)),
      instances_(session_.instancesRequest().send().getInstances()) {}

api::Session::Client Line::Enter(server::VatClient& rpc, const ServerAddress& server) {
  auto gate = rpc.Bootstrap().castAs<api::Gate>();
  if (server.token.empty()) return gate.anonymousRequest().send().getSession();
  auto request = gate.withTokenRequest();
  request.setToken(server::rpc::TextOf(server.token));
  return request.send().getSession();
}

kj::Promise<kj::Own<Line>> Line::Open(server::KjLoop& loop, const ServerAddress& server,
                                      std::optional<server::TlsClient>& tls) {
  return server::Connect(loop, server.address, tls)
      .then([&server](kj::Own<kj::AsyncIoStream> stream) {
        auto line = kj::heap<Line>(kj::mv(stream), server);
        auto known = line->session().whoAmIRequest().send().ignoreResult();
        return known.then([line = kj::mv(line)]() mutable { return kj::mv(line); });
      });
}

}  // namespace stele::load
