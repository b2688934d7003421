// HTTP/1.1 for handlers that know nothing of it: connections in, requests to a router's handlers,
// responses out. What holds for every request is done here: bounds, times, codings, tags, CORS,
// errors as problem documents, the count of what is in progress, draining.
//
// A client that goes away in a long request is noticed when the stream's whenWriteDisconnected is
// done: kj drops the request's promise then, and with it the handler's. A reset does that; the mere
// end of a TCP peer's half does not, as it may still read. Streams notice it when they write, which
// feeds of events do every 15 s; a handler that waits without writing needs a bound of its own.
//
// kj itself keeps `Connection`, `Upgrade`, `Content-Length` and `Transfer-Encoding` of responses:
// what handlers set there is not sent.
//
// Owner: main; outlives its connections. Thread: one, that of the timer's loop.
#pragma once

#include <kj/async-io.h>
#include <kj/compat/http.h>
#include <kj/timer.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "server/http/cors.h"
#include "server/http/limits.h"
#include "server/http/router.h"

namespace stele::server::http {

struct ServiceSettings {
  kj::Duration header_time = kHeaderSeconds * kj::SECONDS;  // for a whole head, from its first byte
  kj::Duration body_time = kBodySeconds * kj::SECONDS;
  kj::Duration idle_time = kIdleSeconds * kj::SECONDS;  // between two requests of a connection
  // For a client to take some of its answer: whoever takes none is cut off. TCP alone has it.
  kj::Duration send_time = kSendSeconds * kj::SECONDS;
  kj::Duration heartbeat = kHeartbeatSeconds * kj::SECONDS;
  // Requests whose handlers run, and responses that stream; beyond either, 503. One whose body is
  // on its way counts for neither, but its bytes for the next.
  size_t max_in_progress = kMaxInProgress;
  size_t max_bodies_bytes = kMaxBodiesBytes;
  size_t max_streams = kMaxStreams;
  CorsSettings cors;
  // Ids of requests that bring none are this, a dash and a number. Another in every process, so
  // that ids of two runs differ.
  std::string id_prefix = "request";
};

// One request, when all of it is done.
struct AccessRecord {
  std::string_view method;
  std::string_view route;  // the pattern; empty when none matched
  std::string_view path;   // without the query: it may hold what no log should
  std::string_view source;
  std::string_view id;
  int status = 0;  // 499 when the client had gone before there was one
  uint64_t bytes_in = 0;
  uint64_t bytes_out = 0;  // of the body, as sent
  int64_t duration_us = 0;
};

struct ServiceHooks {
  std::function<void(const AccessRecord&)> access;
  // Something of ours went wrong: the request's id, and what. The client is not told the latter.
  std::function<void(std::string_view id, std::string_view what)> problem;
};

class Service {
 public:
  // REQUIRES: CheckCors(settings.cors); the timer and router live longer.
  Service(kj::Timer& timer, const Router& router, ServiceSettings settings, ServiceHooks hooks);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  // Answers the connection's requests until it ends; dropping the promise ends it. `source` is the
  // peer's address. Rejected when the connection breaks.
  kj::Promise<void> Serve(kj::Own<kj::AsyncIoStream> connection, std::string source);

  // From now on new requests get 503 and connections are closed behind the answers that are due;
  // feeds and conversations are ended. Done when no connection is left. May be called again.
  kj::Promise<void> Drain();

  size_t in_progress() const;
  size_t streams() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace stele::server::http
