// The half of an exchange that sends the response.
#include <fmt/format.h>
#include <kj/debug.h>

#include "server/http/exchange.h"
#include "server/http/reply.h"
#include "server/http/wire.h"

namespace stele::server::http {
namespace {

bool IsDisconnected(const kj::Exception& fault) {
  return fault.getType() == kj::Exception::Type::DISCONNECTED;
}

// A write that is not finished leaves the body without its end, and kj closes the connection.
void Cut(kj::AsyncOutputStream& out) {
  const auto already_cut = kj::runCatchingExceptions(
      [&out]() { const kj::Promise<void> never_finished = out.write("\n", 1); });
}

struct OpenDownload {
  OpenDownload(Response sent, kj::Own<kj::AsyncOutputStream> stream, uint64_t& written)
      : response(kj::mv(sent)), out(kj::mv(stream)), writer(*out, written) {}
  Response response;
  kj::Own<kj::AsyncOutputStream> out;
  BodyWriter writer;
};

struct OpenFeed {
  OpenFeed(Response sent, kj::Own<kj::AsyncOutputStream> stream, uint64_t& written,
           kj::Timer& timer, kj::Duration heartbeat)
      : download(kj::mv(sent), kj::mv(stream), written),
        events(download.writer, timer, heartbeat) {}
  OpenDownload download;
  EventStream events;
};

struct OpenSocket {
  OpenSocket(Response sent, kj::Own<kj::WebSocket> accepted)
      : response(kj::mv(sent)), socket(kj::mv(accepted)) {}
  Response response;
  WatchedSocket socket;
};

kj::Promise<void> ReceiveUntilClose(kj::WebSocket& socket) {
  return socket.receive().then(
      [&socket](const kj::WebSocket::Message& message) -> kj::Promise<void> {
        if (message.is<kj::WebSocket::Close>()) return kj::READY_NOW;
        return ReceiveUntilClose(socket);
      });
}

}  // namespace

kj::Own<kj::AsyncOutputStream> Exchange::Begin(const Response& response,
                                               kj::Maybe<uint64_t> length) {
  state_.close_next = CloseBehind();
  auto out = SendHead(out_, state_.table, response, length);
  state_.close_next = false;
  return out;
}

// kj reads and drops what is left of a body before it takes the next request, within bounds. Where
// it will come to their end, the client is told not to send that request.
bool Exchange::CloseBehind() {
  bool close = !body_read_;
  KJ_IF_MAYBE (length, body_.tryGetLength())
    close = close && (expects_continue_ || *length > kMaxDroppedBytes);
  // kj itself says that it closes, and goes on reading.
  if (close || state_.draining || status_ == 408) connection_.EndBehind();
  return connection_.ends_behind();
}

kj::Promise<void> Exchange::AnswerWhole(Response response) {
  const bool head_only = request_.method == Method::kHead;
  std::string body = TakeWholeBody(request_, response);
  status_ = response.status;
  bytes_out_ = head_only ? 0 : body.size();
  state_.close_next = CloseBehind();
  auto sent = SendWhole(out_, state_.table, response, kj::mv(body), head_only);
  state_.close_next = false;
  return sent;
}

kj::Promise<void> Exchange::AnswerDownload(Response response) {
  auto out = Begin(response, nullptr);
  if (request_.method == Method::kHead) return kj::READY_NOW;
  auto open = kj::heap<OpenDownload>(kj::mv(response), kj::mv(out), bytes_out_);
  OpenDownload& at = *open;
  return kj::evalNow([&at]() { return std::get<Download>(at.response.body)(at.writer); })
      .catch_([this, &at](kj::Exception&& fault) {
        if (!IsDisconnected(fault)) TellProblem(kj::str(fault).cStr());
        Cut(*at.out);
      })
      .attach(kj::mv(open));
}

kj::Promise<void> Exchange::AnswerEvents(Response response) {
  // Proxies that gather bytes would keep events back.
  response.headers.Set("X-Accel-Buffering", "no");
  auto out = Begin(response, nullptr);
  if (request_.method == Method::kHead) return kj::READY_NOW;
  auto open = kj::heap<OpenFeed>(kj::mv(response), kj::mv(out), bytes_out_, state_.timer,
                                 state_.settings.heartbeat);
  OpenFeed& at = *open;
  auto fed = kj::evalNow([&at]() {
               return std::get<EventFeed>(at.download.response.body)(at.events);
             }).catch_([this](kj::Exception&& fault) -> kj::Promise<void> {
    if (IsDisconnected(fault)) return kj::mv(fault);
    TellProblem(kj::str(fault).cStr());
    return kj::READY_NOW;
  });
  return fed.exclusiveJoin(at.events.KeepAlive())
      .exclusiveJoin(state_.on_drain.addBranch())
      .then([&at]() { return at.events.Flush(); })
      .attach(kj::mv(open));
}

kj::Promise<void> Exchange::Converse(Response response) {
  if (std::optional<Response> refusal = RefuseHandshake()) {
    Complete(request_, state_.settings.cors, *refusal);
    return AnswerWhole(*std::move(refusal));
  }
  connection_.PassFrames();
  auto socket = out_.acceptWebSocket(WireHeaders(response.headers, state_.table));
  auto open = kj::heap<OpenSocket>(kj::mv(response), kj::mv(socket));
  OpenSocket& at = *open;
  auto ended = kj::evalNow([&at]() {
                 return std::get<Conversation>(at.response.body)(at.socket);
               }).then([]() {
                   return kNormalClosure;
                 }).catch_([this, &at](kj::Exception&& fault) -> kj::Promise<uint16_t> {
    if (IsDisconnected(fault)) return kj::mv(fault);
    if (at.socket.client_fault().has_value()) return *at.socket.client_fault();
    TellProblem(kj::str(fault).cStr());
    return kInternalError;
  });
  auto drained = state_.on_drain.addBranch().then([]() { return kGoingAway; });
  return ended.exclusiveJoin(kj::mv(drained))
      .then([this, &at](uint16_t code) { return CloseSocket(at.socket, code); })
      .attach(kj::mv(open));
}

kj::Promise<void> Exchange::CloseSocket(WatchedSocket& socket, uint16_t code) {
  bytes_out_ = socket.sentByteCount();
  kj::Promise<void> closed = kj::READY_NOW;
  if (!socket.close_sent())
    closed = kj::evalNow([&socket, code]() { return socket.close(code, nullptr); });
  // Closing with frames unread would reset the connection, and the client would not learn the code.
  // Of one that breaks the protocol nothing more can be read as frames: the connection lingers.
  if (!socket.close_received() && !socket.client_fault().has_value())
    closed = closed.then([&socket]() { return ReceiveUntilClose(socket); });
  // The handler may have been dropped within a message: then there is no more to say.
  return closed.catch_([](kj::Exception&&) {})
      .exclusiveJoin(state_.timer.afterDelay(kDropSeconds * kj::SECONDS));
}

}  // namespace stele::server::http
