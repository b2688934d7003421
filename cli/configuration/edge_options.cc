#include "cli/configuration/edge_options.h"

#include "base/check.h"
#include "cli/configuration/issuers.h"

namespace stele::cli {

namespace {

// The number that a default of the table begins with.
constexpr int64_t DefaultOf(std::string_view name) {
  int64_t number = 0;
  for (const Setting& setting : kSettings)
    if (setting.name == name)
      for (const char c : setting.otherwise)
        if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
  return number;
}

// What a part does by itself is what the table says.
constexpr int64_t kMinute = 60;
constexpr int64_t kHourUs = 3600 * server::kSecondUs;
static_assert(DefaultOf("auth.token_lifetime") * kHourUs == server::kTokenLifetimeUs);
static_assert(DefaultOf("auth.session_lifetime") * kHourUs == server::kSessionUs);
static_assert(DefaultOf("cors.max_age") * kMinute == server::http::kCorsMaxAgeSeconds);
static_assert(DefaultOf("http.header_timeout") == server::http::kHeaderSeconds);
static_assert(DefaultOf("http.body_timeout") == server::http::kBodySeconds);
static_assert(DefaultOf("http.idle_timeout") == server::http::kIdleSeconds);
static_assert(DefaultOf("http.send_timeout") == server::http::kSendSeconds);
static_assert(DefaultOf("http.max_requests") == server::http::kMaxInProgress);
static_assert(DefaultOf("http.max_streams") == server::http::kMaxStreams);
static_assert(DefaultOf("http.max_connections") == server::kMaxConnections);
static_assert(DefaultOf("rpc.max_connections") == server::kMaxConnections);
static_assert(DefaultOf("drain_timeout") == server::kDrainSeconds);

// Said without a CA it is a mistake, which the edge tells; nobody is asked for anything then.
server::ClientCertificate ClientsOf(const Configuration& configuration) {
  const ChosenSetting& clients = configuration.Find("tls.clients");
  if (configuration.Text("tls.ca").empty() && clients.origin.kind == Origin::Kind::kDefault)
    return server::ClientCertificate::kNone;
  return clients.value == Value("required") ? server::ClientCertificate::kRequired
                                            : server::ClientCertificate::kOptional;
}

server::http::ServiceSettings RequestsOf(const Configuration& configuration) {
  const auto time = [&configuration](std::string_view name) {
    return configuration.Number(name) * kj::MICROSECONDS;
  };
  server::http::ServiceSettings requests;
  requests.header_time = time("http.header_timeout");
  requests.body_time = time("http.body_timeout");
  requests.idle_time = time("http.idle_timeout");
  requests.send_time = time("http.send_timeout");
  requests.max_in_progress = static_cast<size_t>(configuration.Number("http.max_requests"));
  requests.max_streams = static_cast<size_t>(configuration.Number("http.max_streams"));
  requests.cors.origins = configuration.List("cors.origins");
  for (std::string& header : configuration.List("cors.headers"))
    requests.cors.headers.push_back(std::move(header));
  requests.cors.credentials = configuration.Is("cors.credentials");
  requests.cors.max_age_seconds = configuration.Number("cors.max_age") / server::kSecondUs;
  return requests;
}

}  // namespace

server::EdgeOptions EdgeOptionsOf(const Configuration& configuration) {
  server::EdgeOptions options;
  options.http = configuration.List("http.listen");
  options.rpc = configuration.List("rpc.listen");
  options.dev = configuration.Is("dev");
  options.data = configuration.Text("data");
  options.backups = configuration.Text("backups");
  options.program = "stele " STELE_VERSION;
  options.tls = {.certificate_file = configuration.Text("tls.certificate"),
                 .key_file = configuration.Text("tls.key"),
                 .ca_file = configuration.Text("tls.ca"),
                 .client_certificate = ClientsOf(configuration)};
  options.certified_workers = configuration.Text("tls.clients") == "workers";
  options.auth.token_lifetime_us = configuration.Number("auth.token_lifetime");
  options.auth.session_us = configuration.Number("auth.session_lifetime");
  options.issuers = IssuersOf(configuration.Find("auth.issuers").value);
  options.requests = RequestsOf(configuration);
  options.max_http_connections = static_cast<size_t>(configuration.Number("http.max_connections"));
  options.max_rpc_connections = static_cast<size_t>(configuration.Number("rpc.max_connections"));
  options.connection_loops = static_cast<size_t>(configuration.Number("connection_loops"));
  options.drain_us = configuration.Number("drain_timeout");
  options.open_metrics = configuration.Is("metrics.open");
  options.log = configuration.Text("log.file");
  const auto level = server::FindLogLevel(configuration.Text("log.level"));
  CHECK(level.has_value(), "the table has a level that the log does not know");
  options.log_level = *level;
  return options;
}

}  // namespace stele::cli
