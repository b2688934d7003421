#include "server/edge/edge.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <optional>

#include "server/alerts/alerts.h"
#include "server/auth/authenticator.h"
#include "server/auth/source.h"
#include "server/edge/doors.h"
#include "server/edge/limits.h"
#include "server/edge/served_resources.h"
#include "server/edge/token_key.h"
#include "server/http/service.h"
#include "server/loop/address.h"
#include "server/loop/connection_loops.h"
#include "server/loop/kj_loop.h"
#include "server/loop/work_threads.h"
#include "server/observation/figures.h"
#include "server/observation/health.h"
#include "server/observation/requests.h"
#include "server/operations/logins.h"
#include "server/operations/operations.h"
#include "server/rest/api.h"
#include "server/rpc/server.h"

namespace stele::server {

namespace {

// A name that begins like a number of the loopback's may be anybody's.
bool IsLoopback(const std::string& host) {
  in_addr ipv4{};
  in6_addr ipv6{};
  if (inet_pton(AF_INET, host.c_str(), &ipv4) == 1) return ntohl(ipv4.s_addr) >> 24 == 127;
  if (inet_pton(AF_INET6, host.c_str(), &ipv6) == 1) return IN6_IS_ADDR_LOOPBACK(&ipv6);
  return host == "localhost";
}

Status CheckDev(const EdgeOptions& options) {
  if (!options.dev) return {};
  for (const std::vector<std::string>* addresses : {&options.http, &options.rpc})
    for (const std::string& address : *addresses)
      if (const auto parsed = ParseAddress(address);
          !parsed.has_value() || (!parsed->is_unix() && !IsLoopback(parsed->host)))
        return Fail(
            ErrorCode::kUsage,
            fmt::format("Expected an address of this machine alone beside --dev, which asks "
                        "nobody for a name, but found \"{}\"",
                        address));
  return {};
}

// A page that makes its own name lead to this machine must not act for who looks at it.
Status CheckHost(const http::Request& request) {
  const std::string host(request.headers.Get("Host"));
  const auto address =
      ParseAddress(host.ends_with(']') || !host.contains(':') ? host + ":0" : host);
  if (host.empty() || (address.has_value() && IsLoopback(address->host))) return {};
  return Fail(
      ErrorCode::kForbidden,
      fmt::format("Expected `Host` to be a name of this machine alone, where nobody is asked "
                  "for a name, but found \"{}\"",
                  host));
}

Status CheckTls(const TlsOptions& tls) {
  if (tls.client_certificate != ClientCertificate::kNone && tls.ca_file.empty())
    return Fail(ErrorCode::kUsage,
                "Expected a CA, to tell whose certificates of clients are good, but found none");
  const bool serves = !tls.certificate_file.empty();
  if (serves == !tls.key_file.empty() && (serves || tls.ca_file.empty())) return {};
  return Fail(
      ErrorCode::kUsage,
      "Expected a certificate and its key, beside a CA of clients too, but found only a part");
}

}  // namespace

// In the order in which each stands on those before it.
struct Edge::Parts {
  Parts(uv_loop_t* uv, const ServedEngine& engine, EdgeOptions given)
      : options(std::move(given)),
        clock(*engine.clock),
        loop(uv),
        connection_loops(loop, options.connection_loops),
        threads(loop),
        desk(engine, threads, loop.timer()),
        denials(desk) {}

  Status OpenAccounts();
  Status OpenLog();
  Status OpenTls();
  void MakeApi();
  void MakeServices();
  Result<Caller> CallerOf(const http::Request& request);
  void FillIn(LoopFigures& found);
  void OnRequest(const http::AccessRecord& record);
  void OnProblem(std::string_view id, std::string_view what);
  std::string TraceIdOf(InstanceId id);
  void Note(std::string_view sentence);
  // Ends the connections when all that was asked over them is answered.
  kj::Promise<void> EndRpc();
  // What is left of the time for what is under way.
  kj::Duration TimeToDrain();

  const EdgeOptions options;
  const Clock& clock;
  KjLoop loop;
  ConnectionLoops connection_loops;
  Threads threads;
  Desk desk;
  Denials denials;
  Instances instances{desk};
  Definitions definitions{desk};
  Triggers triggers{desk};
  Questions questions{desk};
  Histories histories{desk, instances};
  Events events{desk, instances};
  Workers workers{desk};
  Forks forks{desk, instances, histories};
  Maintenance maintenance{desk, {options.data, options.backups}};
  Operations operations{desk,      instances, definitions, triggers, questions,
                        histories, events,    workers,     forks,    &maintenance};

  alerts::Alerts alerts{desk, [this](const std::string&, const std::string& sentence) {
                          if (log.has_value()) log->Write(LogLevel::kWarn, sentence, {});
                        }};

  RandomBytes random = SystemRandom();
  Accounts accounts;
  std::optional<Authenticator> authenticator;
  std::optional<Logins> logins;

  std::optional<JsonLog> log;
  RequestFigures request_figures;
  rpc::CallMeter calls{loop.timer()};
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

  kj::Maybe<kj::TimePoint> left_at;
  kj::Promise<void> beginning = kj::READY_NOW;
  kj::Promise<void> draining = nullptr;
};

Result<Caller> Edge::Parts::CallerOf(const http::Request& request) {
  const std::string source = Through(kRestDoor, request.source);
  if (options.dev) {
    if (AddressOf(source) != "unix") STELE_RETURN_IF_ERROR(CheckHost(request));
    return AnonymousDeveloper(source);
  }
  if (const std::string* key = request.headers.Find("X-API-Key"))
    return logins->AuthenticateText(*key, source);
  const std::string* given = request.headers.Find("Authorization");
  return logins->Authenticate(given == nullptr ? std::string_view() : *given, source);
}

void Edge::Parts::FillIn(LoopFigures& found) {
  found.http_connections = http_doors->connections();
  found.rpc_connections = rpc_doors->connections();
  found.http_in_progress = http->in_progress();
  found.http_streams = http->streams();
  found.event_followers = events.followers();
  found.calls = calls.Read();
  if (options.tracing) found.tracing = options.tracing();
  alerts::AlertFigures told = alerts.figures();
  found.alerts_firing = std::move(told.firing);
  found.alert_notices = {{"delivered", told.delivered}, {"failed", told.given_up}};
  found.alert_attempts_failed = told.failed_attempts;
}

void Edge::Parts::OnRequest(const http::AccessRecord& record) {
  request_figures.Count(record);
  if (log.has_value())
    LogRequest(*log, record, [this](InstanceId instance) { return TraceIdOf(instance); });
}

// Of one that is in memory: nothing is read for a line of the log.
std::string Edge::Parts::TraceIdOf(InstanceId id) {
  const model::Instance* const instance = desk.shard().FindInMemory(id);
  if (instance == nullptr) return {};
  const auto trace = desk.shard().TraceOf(*instance);
  return trace.has_value() ? trace->context.trace.ToHex() : std::string();
}

void Edge::Parts::Note(std::string_view sentence) {
  options.note(sentence);
  if (log.has_value()) log->Write(LogLevel::kWarn, sentence, {});
}

void Edge::Parts::OnProblem(std::string_view id, std::string_view what) {
  options.note(fmt::format("request {}: {}", id, what));
  if (log.has_value()) log->Write(LogLevel::kError, what, Object{{"request_id", id}});
}

kj::Promise<void> Edge::Parts::EndRpc() {
  return rpc->Drain().then([this] {
    // Nothing that a worker loses now is handed to another one, or counted.
    desk.engine().workers->Close();
    rpc_doors->EndAll();
  });
}

Edge::Edge(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Edge::~Edge() = default;

Status Edge::Check(const EdgeOptions& options) {
  STELE_RETURN_IF_ERROR(CheckDev(options));
  STELE_RETURN_IF_ERROR(CheckTls(options.tls));
  return http::CheckCors(options.requests.cors);
}

Result<std::unique_ptr<Edge>> Edge::Open(uv_loop_t* loop, const ServedEngine& engine,
                                         EdgeOptions options) {
  STELE_RETURN_IF_ERROR(Check(options));
  auto parts = std::make_unique<Parts>(loop, engine, std::move(options));
  STELE_RETURN_IF_ERROR(parts->OpenLog());
  STELE_RETURN_IF_ERROR(parts->OpenAccounts());
  STELE_RETURN_IF_ERROR(parts->OpenTls());
  parts->MakeApi();
  parts->MakeServices();
  STELE_RETURN_IF_ERROR(parts->http_doors->Listen(parts->options.http));
  STELE_RETURN_IF_ERROR(parts->rpc_doors->Listen(parts->options.rpc));
  return std::unique_ptr<Edge>(new Edge(std::move(parts)));
}

Status Edge::Parts::OpenLog() {
  if (options.log.empty()) return {};
  auto sink = OpenLogSink(options.log, [this](std::string_view note) { Note(note); });
  if (!sink.has_value()) return std::unexpected(sink.error());
  if (log.has_value()) {
    log->WriteTo(*std::move(sink));
  } else {
    log.emplace(clock, options.log_level, *std::move(sink));
  }
  return {};
}

Status Edge::Parts::OpenTls() {
  if (options.tls.certificate_file.empty()) return {};
  auto opened = TlsServer::Create(options.tls);
  if (!opened.has_value()) return std::unexpected(opened.error());
  tls.emplace(*std::move(opened));
  if (options.certified_workers) workers.RequireCertificates();
  return {};
}

Status Edge::Parts::OpenAccounts() {
  for (const Error& fault : Logins::ReadAccounts(desk.registry(), accounts)) Note(fault.ToString());
  auto key = ReadOrMakeTokenKey(options.data, random);
  if (!key.has_value()) return std::unexpected(key.error());
  const auto trusted =
      ReadTrustedKeys(options.issuers, [this](std::string_view note) { Note(note); });
  if (!trusted.has_value()) return std::unexpected(trusted.error());
  auto created =
      Authenticator::Create(accounts, *std::move(key), *trusted, clock, random, options.auth);
  if (!created.has_value()) return std::unexpected(created.error());
  authenticator.emplace(*std::move(created));
  logins.emplace(desk, denials, accounts, *authenticator, random, options.auth.passwords);
  return {};
}

void Edge::Parts::MakeApi() {
  api.emplace(
      operations,
      rest::Access{
          .authorize = [this](const http::Request& request) { return CallerOf(request); },
          .still_valid = [this](const Caller& caller) { return logins->StillValid(caller); }});
  const ServedParts served{.logins = options.dev ? nullptr : &*logins,
                           .alerts = alerts,
                           .figures = figures,
                           .health = health,
                           .open_metrics = options.dev || options.open_metrics};
  for (rest::Resource& resource : ServedResources(operations, served))
    api->Add(std::move(resource));
  api->AddTo(router);
}

void Edge::Parts::MakeServices() {
  http::ServiceSettings settings = options.requests;
  settings.id_prefix = fmt::format("{:x}", clock.Now().value);
  http.emplace(
      loop.timer(), router, settings,
      http::ServiceHooks{
          .access = [this](const http::AccessRecord& record) { OnRequest(record); },
          .problem = [this](std::string_view id, std::string_view what) { OnProblem(id, what); }});
  rpc.emplace(operations, rpc::RpcOptions{.logins = options.dev ? nullptr : &*logins,
                                          .alerts = &alerts,
                                          .program = options.program,
                                          .calls = &calls});
  TlsServer* const server = tls.has_value() ? &*tls : nullptr;
  http_doors.emplace(loop, connection_loops, server,
                     ListenOptions{.max_connections = options.max_http_connections,
                                   .peer_end = PeerEnd::kOfBothHalves},
                     [this](kj::Own<kj::AsyncIoStream> stream, std::string source) {
                       return http->Serve(kj::mv(stream), std::move(source));
                     });
  rpc_doors.emplace(loop, connection_loops, server,
                    ListenOptions{.max_connections = options.max_rpc_connections,
                                  .peer_end = PeerEnd::kOfItsHalf},
                    [this](kj::Own<kj::AsyncIoStream> stream, const std::string& source) {
                      return rpc->Serve(kj::mv(stream), source);
                    });
}

std::vector<std::string> Edge::http_addresses() const {
  return parts_->http_doors->addresses();
}

std::vector<std::string> Edge::rpc_addresses() const {
  return parts_->rpc_doors->addresses();
}

void Edge::Begin(std::function<void(Result<SecretText>)> made) {
  auto first = parts_->options.dev ? Promised<SecretText>(Result<SecretText>(SecretText()))
                                   : parts_->logins->MakeFirstAdmin();
  parts_->beginning = first
                          .then([this, made](Result<SecretText> password) {
                            const bool goes_on = password.has_value();
                            made(std::move(password));
                            if (!goes_on || parts_->desk.closed()) return;
                            parts_->health.Begin();
                            parts_->alerts.Begin();
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

std::vector<Error> Edge::Reload() {
  std::vector<Error> faults;
  const auto keep = [&faults](const Status& read) {
    if (!read.has_value()) faults.push_back(read.error());
  };
  keep(parts_->OpenLog());
  if (parts_->tls.has_value()) keep(parts_->tls->Reload());
  const auto trusted = ReadTrustedKeys(parts_->options.issuers,
                                       [this](std::string_view note) { parts_->Note(note); });
  keep(trusted.has_value() ? parts_->authenticator->SetTrusted(*trusted)
                           : std::unexpected(trusted.error()));
  for (const Error& fault : faults) Log(LogLevel::kError, fault.ToString(), {});
  return faults;
}

void Edge::Log(LogLevel level, std::string_view message, const Object& fields) {
  if (parts_->log.has_value()) parts_->log->Write(level, message, fields);
}

void Edge::Leave() {
  parts_->left_at = parts_->loop.timer().now();
  parts_->health.Leave();
}

kj::Duration Edge::Parts::TimeToDrain() {
  const kj::Duration all = options.drain_us * kj::MICROSECONDS;
  KJ_IF_MAYBE (since, left_at) {
    const kj::Duration left = all - (loop.timer().now() - *since);
    return kj::max(left, kj::min(all, kLastAnswersSeconds * kj::SECONDS));
  }
  return all;
}

void Edge::Drain(std::function<void()> drained) {
  Parts& parts = *parts_;
  parts.http_doors->Close();
  parts.rpc_doors->Close();
  parts.desk.Close();
  auto ended =
      kj::joinPromises(kj::arr(parts.http->Drain(), parts.EndRpc(), kj::mv(parts.beginning)));
  parts.draining = parts.loop.timer()
                       .timeoutAfter(parts.TimeToDrain(), kj::mv(ended))
                       .catch_([&parts](kj::Exception&&) {
                         parts.desk.engine().workers->Close();
                         parts.http_doors->EndAll();
                         parts.rpc_doors->EndAll();
                       })
                       .then([&parts] {
                         parts.http_doors->EndAll();
                         return parts.connection_loops.WhenEmpty();
                       })
                       .then([&parts, drained] {
                         parts.denials.Close();
                         drained();
                       })
                       .eagerlyEvaluate(nullptr);
}

}  // namespace stele::server
