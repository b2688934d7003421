// The edges of a running engine: HTTP and Cap'n Proto RPC on the engine's own loop, connections on
// loops of their own if there are some, who may come in, and their orderly end.
//
// Owns everything between the sockets and the engine; the engine's parts are somebody else's and
// outlive it. Thread: the loop's.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "server/auth/authenticator.h"
#include "server/auth/encoding.h"
#include "server/edge/limits.h"
#include "server/edge/trusted_issuers.h"
#include "server/http/service.h"
#include "server/loop/limits.h"
#include "server/loop/tls.h"
#include "server/observation/log.h"
#include "server/operations/served_engine.h"
#include "server/tracing/tracer.h"

// As <uv.h> has it.
using uv_loop_t = struct uv_loop_s;

namespace stele::server {

// Port 0 takes a free one; loop/address.h has the forms of addresses.
struct EdgeOptions {
  std::vector<std::string> http;
  std::vector<std::string> rpc;
  // Nobody is asked for a name: kUsage unless every address is the loopback's or a Unix socket's.
  bool dev = false;
  std::string data;     // the directory that the key of tokens is in
  std::string backups;  // below which clients may have backups made; empty: nowhere
  std::string program;  // "stele 0.1.0"
  TlsOptions tls;       // of both edges; without a certificate: none
  // Only who shows a certificate may serve tasks, by the name that it says.
  bool certified_workers = false;
  AuthOptions auth;
  std::vector<TrustedIssuer> issuers;             // beside the server itself
  http::ServiceSettings requests;                 // `id_prefix` is the edge's own
  size_t max_http_connections = kMaxConnections;  // of each address
  size_t max_rpc_connections = kMaxConnections;
  // Loops that connections are spread over, each with a thread; 0: they live on the engine's own.
  size_t connection_loops = 0;
  int64_t drain_us = int64_t{kDrainSeconds} * 1'000'000;
  bool open_metrics = false;  // nobody is asked for a name at /metrics
  std::string log;  // a file for a line of JSON a request; "-": standard error; empty: none
  LogLevel log_level = LogLevel::kInfo;
  // What has become of the spans that a collector is told of; null: none is told.
  std::function<tracing::TracingFigures()> tracing;
  // Told, a sentence each, what somebody who runs the server should know.
  std::function<void(std::string_view)> note;
};

class Edge {
 public:
  // What is wrong with the options without a look at anything else. kUsage.
  static Status Check(const EdgeOptions& options);
  // Listens. kListen, kUsage, kIo, kConfiguration.
  static Result<std::unique_ptr<Edge>> Open(uv_loop_t* loop, const ServedEngine& engine,
                                            EdgeOptions options);
  ~Edge();
  Edge(const Edge&) = delete;
  Edge& operator=(const Edge&) = delete;

  // As bound.
  std::vector<std::string> http_addresses() const;
  std::vector<std::string> rpc_addresses() const;

  // Makes the first admin when there is no user, or nobody has logged in as it yet: `made` gets the
  // one-time password, or an empty text. Requests are served from then on.
  void Begin(std::function<void(Result<SecretText>)> made);

  // Something has become durable.
  void OnRecord();
  bool wants_records() const;

  // Reads certificates and the keys of issuers anew and opens the log's file again; what has failed
  // stays as it was, and is told.
  std::vector<Error> Reload();
  // A line of the log, if there is one.
  void Log(LogLevel level, std::string_view message, const Object& fields);

  // The server was told to stop, and Drain comes in a while: health says so, all else is answered
  // as before. The time for what is under way counts from now on.
  void Leave();
  // Takes nothing new, answers what is under way, and calls `drained`, perhaps at once. Those that
  // wait for something long are answered with what there is.
  void Drain(std::function<void()> drained);

 private:
  struct Parts;
  explicit Edge(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace stele::server
