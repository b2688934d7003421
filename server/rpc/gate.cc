#include "server/rpc/gate.h"

#include "server/rpc/answer.h"
#include "server/rpc/call_meter.h"
#include "server/rpc/limits.h"
#include "server/rpc/session.h"
#include "server/rpc/show.h"

namespace stele::server::rpc {

namespace {

// Whoever is asked whether it counts judges its bytes.
std::string_view ViewOf(capnp::Text::Reader text) {
  return {text.begin(), text.size()};
}

}  // namespace

Status GateServer::CheckAsks() const {
  if (operations_.desk.closed()) return Desk::Closed();
  if (options_.logins != nullptr) return {};
  return Fail(ErrorCode::kUnsupported,
              "Expected a server that asks for names but this one asks nobody: call anonymous");
}

api::Session::Client GateServer::Admit(Caller caller) {
  connected_->admitted = true;
  return kj::heap<Measured<SessionServer>>(
      options_.calls,
      std::make_shared<const Access>(operations_, options_, connected_, std::move(caller)));
}

kj::Promise<void> GateServer::version(VersionContext context) {
  context.getResults().setProtocol(kProtocol);
  context.getResults().setProgram(TextOf(options_.program));
  return kj::READY_NOW;
}

kj::Promise<void> GateServer::login(LoginContext context) {
  if (const Status asks = CheckAsks(); !asks.has_value()) return Refuse(asks.error());
  const auto params = context.getParams();
  return Answer(
      options_.logins->Login(std::string(ViewOf(params.getName())),
                             SecretText(ViewOf(params.getPassword())), connected_->source),
      [this, context](IssuedToken& issued) mutable {
        auto results = context.getResults();
        results.setToken(TextOf(issued.text));
        results.setExpires(issued.caller.expires.value);
        results.setSession(Admit(std::move(issued.caller)));
      });
}

kj::Promise<void> GateServer::withToken(WithTokenContext context) {
  if (const Status asks = CheckAsks(); !asks.has_value()) return Refuse(asks.error());
  auto caller =
      options_.logins->AuthenticateText(ViewOf(context.getParams().getToken()), connected_->source);
  return Answer(std::move(caller), [this, context](Caller& known) mutable {
    context.getResults().setSession(Admit(std::move(known)));
  });
}

kj::Promise<void> GateServer::anonymous(AnonymousContext context) {
  if (operations_.desk.closed()) return Refuse(Desk::Closed().error());
  if (options_.logins != nullptr)
    return Refuse({ErrorCode::kUnauthenticated,
                   "Expected a name and a password, or a token, but found neither"});
  context.getResults().setSession(Admit(AnonymousDeveloper(connected_->source)));
  return kj::READY_NOW;
}

}  // namespace stele::server::rpc
