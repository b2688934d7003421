#include "server/edge/edge.h"

#include <fmt/format.h>

#include <optional>

#include "server/auth/authenticator.h"
#include "server/compat/resources.h"
#include "server/edge/doors.h"
#include "server/edge/limits.h"
#include "server/edge/token_key.h"
#include "server/http/service.h"
#include "server/loop/address.h"
#include "server/loop/kj_loop.h"
#include "server/loop/work_threads.h"
#include "server/observation/figures.h"
#include "server/observation/health.h"
#include "server/observation/requests.h"
#include "server/observation/routes.h"
#include "server/operations/logins.h"
#include "server/operations/operations.h"
#include "server/rest/accounts.h"
#include "server/rest/api.h"
#include "server/rpc/server.h"

namespace stele::server {

namespace {

// "127.0.0.1:7420 ada" is of ada's certificate.
bool IsLoopback(const std::string& text) {
  const auto address = ParseAddress(text);
  if (!address.has_value()) return false;
  return address->is_unix() || address->host == "localhost" || address->host == "::1" ||
         address->host.starts_with("127.");
}

Status CheckDev(const EdgeOptions& options) {
  if (!options.dev) return {};
  for (const std::vector<std::string>* addresses : {&options.http, &options.rpc})
    for (const std::string& address : *addresses)
      if (!IsLoopback(address))
        return Fail(
            ErrorCode::kUsage,
            fmt::format("Expected an address of this machine alone beside --dev, which asks "
                        "nobody for a name, but found \"{}\"",
                        address));
  return {};
}

}  // namespace

// In the order in which each stands on those before it.
struct Edge::Parts {
  Parts(uv_loop_t* uv, const ServedEngine& engine, EdgeOptions given)
      : options(std::move(given)),
        clock(*engine.clock),
        loop(uv),
        threads(loop, {.threads = kReadingThreads}),
        desk(engine, threads, loop.timer()),
        denials(desk) {}

  Result<Caller> CallerOf(const http::Request& request);
  void FillIn(LoopFigures& found) const;
  void OnRequest(const http::AccessRecord& record);
  void OnProblem(std::string_view id, std::string_view what);
  // Ends the connections when all that was asked over them is answered.
  kj::Promise<void> EndRpc();

  const EdgeOptions options;
  const Clock& clock;
  KjLoop loop;
  WorkThreads threads;
  Desk desk;
  Denials denials;
  Instances instances{desk};
  Definitions definitions{desk};
  Triggers triggers{desk};
  Questions questions{desk};
  Histories histories{desk, instances};
  Events events{desk, instances};
  Workers workers{desk};
  Operations operations{desk,      instances, definitions, triggers,
                        questions, histories, events,      workers};

  RandomBytes random = SystemRandom();
  Accounts accounts;
  std::optional<Authenticator> authenticator;
  std::optional<Logins> logins;

  std::optional<JsonLog> log;
  RequestFigures request_figures;
  Figures figures{desk, &request_figures,
                  [this](LoopFigures& loop_figures) { FillIn(loop_figures); }};
  Health health{desk, figures};

  std::optional<TlsServer> tls;
  std::optional<rest::Api> api;
  http::Router router;
  std::optional<http::Service> http;
  std::optional<rpc::RpcServer> rpc;
  std::optional<Doors> http_doors;
  std::optional<Doors> rpc_doors;

  kj::Promise<void> beginning = nullptr;
  kj::Promise<void> draining = nullptr;
};

Result<Caller> Edge::Parts::CallerOf(const http::Request& request) {
  if (options.dev) return AnonymousDeveloper(request.source);
  if (const std::string* key = request.headers.Find("X-API-Key"))
    return logins->AuthenticateText(*key, request.source);
  const std::string* given = request.headers.Find("Authorization");
  return logins->Authenticate(given == nullptr ? std::string_view() : *given, request.source);
}

void Edge::Parts::FillIn(LoopFigures& found) const {
  found.http_connections = http_doors->connections();
  found.rpc_connections = rpc_doors->connections();
  found.http_in_progress = http->in_progress();
  found.http_streams = http->streams();
  found.event_followers = events.followers();
}

void Edge::Parts::OnRequest(const http::AccessRecord& record) {
  request_figures.Count(record);
  if (log.has_value()) LogRequest(*log, record);
}

void Edge::Parts::OnProblem(std::string_view id, std::string_view what) {
  options.note(fmt::format("request {}: {}", id, what));
  if (log.has_value()) log->Write(LogLevel::kError, what, Object{{"request_id", id}});
}

kj::Promise<void> Edge::Parts::EndRpc() {
  // Those that wait are told first, and look at the instance once more.
  return kj::evalLast([this] {
           auto answering = desk.Await();
           desk.shard().WhenDurable(std::move(answering.answer));
           return kj::mv(answering.promise);
         })
      .then([this](Result<Written>) { return kj::evalLast([this] { rpc_doors->EndAll(); }); });
}

Edge::Edge(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Edge::~Edge() = default;

Result<std::unique_ptr<Edge>> Edge::Open(uv_loop_t* loop, const ServedEngine& engine,
                                         EdgeOptions options) {
  STELE_RETURN_IF_ERROR(CheckDev(options));
  STELE_RETURN_IF_ERROR(http::CheckCors(options.cors));
  auto parts = std::make_unique<Parts>(loop, engine, std::move(options));
  Parts* const raw = parts.get();
  for (const Error& fault : Logins::ReadAccounts(*parts->desk.RegistryCopy(), parts->accounts))
    raw->options.note(fault.ToString());

  auto key = ReadOrMakeTokenKey(parts->options.data, parts->random);
  if (!key.has_value()) return std::unexpected(key.error());
  auto authenticator = Authenticator::Create(parts->accounts, *std::move(key), KeySet(),
                                             parts->clock, parts->random);
  if (!authenticator.has_value()) return std::unexpected(authenticator.error());
  parts->authenticator.emplace(*std::move(authenticator));
  parts->logins.emplace(parts->desk, parts->denials, parts->accounts, *parts->authenticator,
                        parts->random, PasswordLimits::Interactive());
  if (!parts->options.log.empty()) {
    auto sink = OpenLogSink(parts->options.log);
    if (!sink.has_value()) return std::unexpected(sink.error());
    parts->log.emplace(parts->clock, parts->options.log_level, *std::move(sink));
  }
  if (!parts->options.tls.certificate_file.empty()) {
    auto tls = TlsServer::Create(parts->options.tls);
    if (!tls.has_value()) return std::unexpected(tls.error());
    parts->tls.emplace(*std::move(tls));
  }

  parts->api.emplace(
      parts->operations,
      rest::Access{
          .authorize = [raw](const http::Request& request) { return raw->CallerOf(request); },
          .still_valid = [raw](const Caller& caller) { return raw->logins->StillValid(caller); }});
  if (!parts->options.dev) {
    parts->api->Add(rest::SessionResource(*parts->logins));
    parts->api->Add(rest::UsersResource(*parts->logins));
  }
  for (rest::Resource& dialect : compat::AllDialects(parts->operations))
    parts->api->Add(std::move(dialect));
  parts->api->Add(ObservationResource(parts->figures, parts->health,
                                      parts->options.dev || parts->options.open_metrics));
  parts->api->AddTo(parts->router);
  http::ServiceSettings settings;
  settings.cors = parts->options.cors;
  settings.id_prefix = fmt::format("{:x}", parts->clock.Now().value);
  parts->http.emplace(
      parts->loop.timer(), parts->router, settings,
      http::ServiceHooks{
          .access = [raw](const http::AccessRecord& record) { raw->OnRequest(record); },
          .problem = [raw](std::string_view id,
                           std::string_view what) { raw->OnProblem(id, what); }});
  parts->rpc.emplace(parts->operations,
                     rpc::RpcOptions{.logins = raw->options.dev ? nullptr : &*parts->logins,
                                     .program = raw->options.program});

  TlsServer* const tls = parts->tls.has_value() ? &*parts->tls : nullptr;
  parts->http_doors.emplace(parts->loop, tls, PeerEnd::kOfBothHalves,
                            [raw](kj::Own<kj::AsyncIoStream> stream, std::string source) {
                              return raw->http->Serve(kj::mv(stream), std::move(source));
                            });
  parts->rpc_doors.emplace(parts->loop, tls, PeerEnd::kOfItsHalf,
                           [raw](kj::Own<kj::AsyncIoStream> stream, std::string source) {
                             return raw->rpc->Serve(kj::mv(stream), std::move(source));
                           });
  STELE_RETURN_IF_ERROR(parts->http_doors->Listen(parts->options.http));
  STELE_RETURN_IF_ERROR(parts->rpc_doors->Listen(parts->options.rpc));
  return std::unique_ptr<Edge>(new Edge(std::move(parts)));
}

std::vector<std::string> Edge::http_addresses() const {
  return parts_->http_doors->addresses();
}

std::vector<std::string> Edge::rpc_addresses() const {
  return parts_->rpc_doors->addresses();
}

void Edge::Begin(std::function<void(Result<std::string>)> made) {
  auto first = parts_->options.dev ? Promised<std::string>(Result<std::string>(std::string()))
                                   : parts_->logins->MakeFirstAdmin();
  parts_->beginning = first
                          .then([this, made](Result<std::string> password) {
                            const bool goes_on = password.has_value();
                            made(std::move(password));
                            if (!goes_on) return;
                            parts_->health.Begin();
                            parts_->http_doors->Begin();
                            parts_->rpc_doors->Begin();
                          })
                          .eagerlyEvaluate([made](kj::Exception&& exception) {
                            made(Fail(ErrorCode::kIo, exception.getDescription().cStr()));
                          });
}

void Edge::OnRecord() {
  parts_->events.Wake();
}

bool Edge::wants_records() const {
  return parts_->events.has_followers();
}

void Edge::Drain(std::function<void()> drained) {
  Parts& parts = *parts_;
  parts.beginning = nullptr;
  parts.http_doors->Close();
  parts.rpc_doors->Close();
  parts.desk.Close();
  auto ended = kj::joinPromises(kj::arr(parts.http->Drain(), parts.EndRpc()));
  parts.draining = parts.loop.timer()
                       .timeoutAfter(kDrainSeconds * kj::SECONDS, kj::mv(ended))
                       .catch_([](kj::Exception&&) {})
                       .then([drained] { drained(); })
                       .eagerlyEvaluate(nullptr);
}

}  // namespace stele::server
