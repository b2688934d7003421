// One request and its response, from its head to the last byte.
//
// Owner: the connection's promise; when the client goes, it is dropped with it. Thread: the
// connection's.
#pragma once

#include <kj/async-io.h>
#include <kj/compat/http.h>
#include <kj/timer.h>

#include <cstdint>
#include <optional>
#include <string>

#include "server/http/body_reader.h"
#include "server/http/framed_stream.h"
#include "server/http/router.h"
#include "server/http/service.h"
#include "server/http/watched_socket.h"

namespace stele::server::http {

// What all exchanges of a service share.
struct ServiceState {
  kj::Timer& timer;
  const Router& router;
  const ServiceSettings settings;
  const ServiceHooks hooks;
  kj::HttpHeaderTable table;
  kj::ForkedPromise<void> on_drain;
  bool draining = false;
  // The response whose head is written next is the connection's last.
  bool close_next = false;
  BodyBudget bodies{settings.max_bodies_bytes};
  size_t in_progress = 0;
  size_t streams = 0;
  uint64_t last_id = 0;
};

std::string NextId(ServiceState& state);

class Exchange {
 public:
  Exchange(ServiceState& state, FramedStream& connection, kj::AsyncInputStream& body,
           kj::HttpService::Response& out);
  // Tells the access hook.
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  kj::Promise<void> Run(kj::HttpMethod method, std::string_view url, const kj::HttpHeaders& headers,
                        std::string source);

 private:
  // Of the head alone; nothing when the handler is to be called.
  std::optional<Response> Refuse(kj::HttpMethod method, std::string_view url);
  std::optional<Response> RefuseHandshake() const;
  std::optional<Response> RefuseCrowd() const;
  Response Unmatched(const Router::Unmatched& unmatched) const;
  kj::Promise<void> ReadThenHandle();
  kj::Promise<void> SendContinue();
  kj::Promise<Response> Handle();

  kj::Promise<void> Answer(Response response);
  kj::Promise<void> AnswerWhole(Response response);
  kj::Promise<void> AnswerDownload(Response response);
  kj::Promise<void> AnswerEvents(Response response);
  kj::Promise<void> Converse(Response response);
  kj::Promise<void> CloseSocket(WatchedSocket& socket, uint16_t code);
  kj::Own<kj::AsyncOutputStream> Begin(const Response& response, kj::Maybe<uint64_t> length);
  bool CloseBehind();
  bool BecomeStream();
  void TellProblem(std::string_view what) const;

  ServiceState& state_;
  FramedStream& connection_;
  kj::AsyncInputStream& body_;
  kj::HttpService::Response& out_;
  const kj::TimePoint begin_;
  Request request_;
  const Route* route_ = nullptr;
  bool handshake_ = false;         // asks for a WebSocket
  bool body_read_ = false;         // to its end
  bool expects_continue_ = false;  // waits for what has not been sent
  bool in_progress_ = false;
  bool is_stream_ = false;
  BodyBudget::Share body_share_{state_.bodies};
  std::string method_;
  int status_ = 499;
  uint64_t bytes_out_ = 0;
};

}  // namespace stele::server::http
