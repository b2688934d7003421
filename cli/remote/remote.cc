#include "cli/remote/remote.h"

#include <capnp/rpc-twoparty.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "cli/given.h"
#include "server/loop/connect.h"
#include "server/loop/kj_loop.h"
#include "server/loop/own_loop.h"
#include "server/loop/tls.h"
#include "server/rpc/limits.h"
#include "server/rpc/text.h"

namespace stele::cli {

namespace {

// To be connected, with the handshake of TLS, and to be known.
constexpr int64_t kConnectPatienceUs = 10'000'000;

// A token is not asked for again sooner.
constexpr int64_t kRenewPauseUs = 1'000'000;

}  // namespace

// The connection, and the loop that it lives on.
struct Remote::Line {
  // What lives on the loop ends before it.
  struct Connection {
    explicit Connection(kj::Own<kj::AsyncIoStream> connected)
        : stream(kj::mv(connected)), rpc(*stream), gate(rpc.bootstrap().castAs<api::Gate>()) {}
    kj::Own<kj::AsyncIoStream> stream;
    capnp::TwoPartyClient rpc;
    api::Gate::Client gate;
  };
  server::OwnLoop uv;
  server::KjLoop loop{uv.get()};
  std::optional<server::TlsClient> tls;
  std::optional<Connection> connection;
};

Remote::Remote(std::string server) : server_(std::move(server)), line_(std::make_unique<Line>()) {}
Remote::~Remote() = default;

api::Gate::Client& Remote::gate() {
  return line_->connection->gate;
}

Status Remote::RunUntil(const bool& done, kj::Promise<void> promise, int64_t patience_us) {
  bool late = false;
  auto timer = line_->loop.timer()
                   .afterDelay(patience_us * kj::MICROSECONDS)
                   .then([&] { late = true; })
                   .eagerlyEvaluate(nullptr);
  const auto running = promise.eagerlyEvaluate(nullptr);
  while (!done && !late) line_->uv.Turn();
  if (done) return {};
  return Fail(ErrorCode::kTimeout,
              fmt::format("Expected an answer of {} within {} s but found none", server_,
                          patience_us / 1'000'000));
}

Status Remote::Dial(const Arguments& arguments) {
  if (WantsTls(arguments, server_)) {
    auto tls = server::TlsClient::Create({.certificate_file = arguments.Get("--tls-certificate"),
                                          .key_file = arguments.Get("--tls-key"),
                                          .ca_file = arguments.Get("--tls-ca")});
    if (!tls.has_value()) return std::unexpected(tls.error());
    line_->tls = *std::move(tls);
  }
  bool done = false;
  std::string fault;
  const Status in_time = RunUntil(
      done,
      server::Connect(line_->loop, AddressOf(server_), line_->tls)
          .then(
              [&](kj::Own<kj::AsyncIoStream> stream) { line_->connection.emplace(kj::mv(stream)); },
              [&](kj::Exception&& why) { fault = why.getDescription().cStr(); })
          .then([&] { done = true; }),
      kConnectPatienceUs);
  if (!in_time.has_value()) return Fail(ErrorCode::kUnreachable, in_time.error().message);
  if (line_->connection.has_value()) return {};
  if (line_->tls.has_value()) fault = ExplainTls(server_, {ErrorCode::kUnreachable, fault}).message;
  return Fail(ErrorCode::kUnreachable,
              fault.starts_with("Expected")
                  ? fault
                  : fmt::format("Expected a server at {} but found: {}", server_, fault));
}

Status Remote::Greet() {
  const auto answer = Wait(gate().versionRequest().send(), kConnectPatienceUs);
  if (!answer.has_value())
    return Fail(ErrorCode::kUnreachable,
                fmt::format("Expected Stele's RPC at {} but found another end{}", server_,
                            line_->tls.has_value() ? "" : ", or one that speaks TLS"));
  if (answer->getProtocol() == server::rpc::kProtocol) return {};
  return Fail(ErrorCode::kUnreachable,
              fmt::format("Expected protocol {} at {} but found {}, of {}", server::rpc::kProtocol,
                          server_, answer->getProtocol(), answer->getProgram().cStr()));
}

Status Remote::Enter(const std::string& token) {
  Status known;
  if (token.empty()) {
    auto entered = Wait(gate().anonymousRequest().send(), kConnectPatienceUs);
    if (entered.has_value()) session_ = entered->getSession();
    if (!entered.has_value()) known = std::unexpected(entered.error());
  } else {
    auto request = gate().withTokenRequest();
    request.setToken(server::rpc::TextOf(token));
    auto entered = Wait(request.send(), kConnectPatienceUs);
    if (entered.has_value()) session_ = entered->getSession();
    if (!entered.has_value()) known = std::unexpected(entered.error());
  }
  if (known.has_value()) token_ = token;
  return known;
}

Status Remote::EnterWith(const FoundToken& token) {
  const Status known = Enter(token.text);
  if (known.has_value()) return known;
  if (token.text.empty() || known.error().code != ErrorCode::kUnsupported)
    return std::unexpected(Explained(known.error()));
  // It was another server that had this address then.
  if (!token.named) return Enter("");
  return Fail(ErrorCode::kUnsupported,
              fmt::format("Expected no token for {}, which asks nobody for one, but found one in "
                          "{}: leave it out",
                          server_, token.place));
}

Error Remote::Explained(Error error) const {
  if (error.code != ErrorCode::kUnauthenticated && error.code != ErrorCode::kBadToken) return error;
  if (not_renewed_.has_value())
    error.message += fmt::format("; in its time no other one was given: {}", not_renewed_->message);
  error.message += fmt::format("; \"stele login --server {} --user NAME\" gets a token", server_);
  return error;
}

void Remote::NoteEnd(TimeUs expires) {
  expires_ = expires;
  const int64_t left_us = expires.value - SystemClock().Now().value;
  // Clocks may differ: that costs some calls, and no token.
  renew_at_ = line_->loop.timer().now() + std::max(left_us / 2, kRenewPauseUs) * kj::MICROSECONDS;
}

bool Remote::RenewWhenDue() {
  if (token_.empty()) return false;
  if (!expires_.has_value()) {
    // One that is refused already the next call is told of.
    const auto asked = Wait(session().whoAmIRequest().send());
    if (asked.has_value()) NoteEnd(TimeUs(asked->getCaller().getExpires()));
  }
  const bool is_due = expires_.has_value() && *expires_ && line_->loop.timer().now() >= renew_at_;
  if (!is_due) return false;
  const Status renewed = Renew();
  if (renewed.has_value()) return true;
  // Behind its end the token is refused for that, whatever the reason was before.
  if (!not_renewed_.has_value() || renewed.error().code != ErrorCode::kBadToken)
    not_renewed_ = renewed.error();
  NoteEnd(*expires_);
  return false;
}

Status Remote::Renew() {
  const auto fresh = Wait(session().refreshRequest().send(), kConnectPatienceUs);
  if (!fresh.has_value()) return std::unexpected(fresh.error());
  std::string token = fresh->getToken().cStr();
  auto request = gate().withTokenRequest();
  request.setToken(server::rpc::TextOf(token));
  auto entered = Wait(request.send(), kConnectPatienceUs);
  if (!entered.has_value()) return std::unexpected(entered.error());
  session_ = entered->getSession();
  KeepRenewed(arguments_, server_, token_, token);
  token_ = std::move(token);
  not_renewed_.reset();
  NoteEnd(TimeUs(fresh->getExpires()));
  return {};
}

Result<std::unique_ptr<Remote>> Remote::Connect(const Arguments& arguments, std::string server) {
  std::unique_ptr<Remote> remote(new Remote(std::move(server)));
  remote->arguments_ = arguments;
  STELE_RETURN_IF_ERROR(remote->Dial(arguments));
  // Who is no server of ours is told no secret.
  STELE_RETURN_IF_ERROR(remote->Greet());
  return remote;
}

Result<std::unique_ptr<Remote>> Remote::ConnectToLogIn(const Arguments& arguments) {
  auto server = ServerOf(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  STELE_RETURN_IF_ERROR(CheckMayHoldSecrets(arguments, *server));
  return Connect(arguments, *std::move(server));
}

Result<std::unique_ptr<Remote>> Remote::Open(const Arguments& arguments) {
  auto server = ServerOf(arguments);
  if (!server.has_value()) return std::unexpected(server.error());
  const auto token = FindToken(arguments, *server);
  if (!token.has_value()) return std::unexpected(token.error());
  if (!token->text.empty()) STELE_RETURN_IF_ERROR(CheckMayHoldSecrets(arguments, *server));
  auto remote = Connect(arguments, *std::move(server));
  if (!remote.has_value()) return remote;
  STELE_RETURN_IF_ERROR((*remote)->EnterWith(*token));
  return remote;
}

}  // namespace stele::cli
