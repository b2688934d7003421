// Server-Sent Events (https://html.spec.whatwg.org/multipage/server-sent-events.html): framing, and
// comments while nothing happens, so that proxies keep the connection and a client that has gone is
// noticed.
//
// Owner: the service, until the handler's promise is done. Thread: the connection's.
#pragma once

#include <kj/timer.h>

#include <optional>
#include <string>

#include "base/error.h"
#include "server/http/body_writer.h"

namespace stele::server::http {

struct Event {
  std::string data;  // may have many lines
  std::string id;    // what a client that comes again says in Last-Event-ID; none when empty
  std::string name;  // "message" to the client when empty
  std::optional<int64_t> retry_ms;  // how long a client waits before it comes again
};

// The bytes of it. kBadRequest when its id or name has a line break or NUL: they would begin
// another field.
Result<std::string> FrameEvent(const Event& event);

class EventStream {
 public:
  // `heartbeat`: after how long a silence a comment is sent.
  EventStream(BodyWriter& out, kj::Timer& timer, kj::Duration heartbeat);

  // Done when the kernel has taken it; a handler waits for that before it makes the next. Rejected
  // when the client has gone, and for an event that cannot be framed.
  kj::Promise<void> Send(const Event& event);

  // Sends the head of the response, and then comments into silences, until it is dropped or the
  // client has gone. The service runs it beside the handler.
  kj::Promise<void> KeepAlive();

  // Done when all that was sent is out. Nothing may be sent after it.
  kj::Promise<void> Flush() { return kj::mv(tail_); }

 private:
  kj::Promise<void> Write(std::string text);
  kj::Promise<void> BeatWhenSilent();

  BodyWriter& out_;
  kj::Timer& timer_;
  kj::Duration heartbeat_;
  kj::TimePoint last_;
  // Ends when all that was written is out: a comment and an event may come at once.
  kj::Promise<void> tail_ = kj::READY_NOW;
};

}  // namespace stele::server::http
