// What a handler answers. The body is one of: a text, a problem, a download, a feed of events, a
// conversation over a WebSocket; so a handler may look first and then refuse or stream.
//
// Thread: the connection's.
#pragma once

#include <kj/async.h>
#include <kj/compat/http.h>
#include <kj/function.h>

#include <string>
#include <variant>

#include "base/error.h"
#include "base/value.h"
#include "server/http/body_writer.h"
#include "server/http/event_stream.h"
#include "server/http/headers.h"

namespace stele::server::http {

// The members of an RFC 9457 problem document. The service adds `instance`, the request's id.
struct ProblemDocument {
  Object members;
};

// The body ends when the promise is done. When it is rejected, the connection is cut, so that a
// client never takes a part for the whole.
using Download = kj::Function<kj::Promise<void>(BodyWriter&)>;

// The stream ends when the promise is done, when the client goes, and when the service drains; the
// promise is dropped then.
using EventFeed = kj::Function<kj::Promise<void>(EventStream&)>;

// The socket is closed when the promise is done; when the service drains, the promise is dropped
// and the client told (1001). A handler that only sends must receive, too, to notice that the
// client has gone.
using Conversation = kj::Function<kj::Promise<void>(kj::WebSocket&)>;

struct Response {
  int status = 200;
  // What a handler adds. The service adds its own (Content-Type, ETag, CORS …) where these have
  // none.
  Headers headers;
  std::string content_type;
  std::variant<std::string, ProblemDocument, Download, EventFeed, Conversation> body;
};

Response Json(int status, const Value& value);
Response Created(std::string location, const Value& value);
Response NoContent();
Response Text(int status, std::string content_type, std::string text);
Response Stream(std::string content_type, Download download);
Response Events(EventFeed feed);
Response Talk(Conversation conversation);

// The error as application/problem+json, with the status of HttpStatus: `type` "errors#STL0405",
// `title` the code's name, `detail` its sentence, `code`, and `extra`. With WWW-Authenticate and
// Retry-After where the status wants them.
Response Problem(const Error& error, Object extra = {});
// The same with another status.
Response Problem(int status, const Error& error, Object extra = {});
// Of what has no error code: a fault of HTTP itself, or of ours.
Response BareProblem(int status, std::string_view detail);

// "STL0405"
std::string CodeText(ErrorCode code);

}  // namespace stele::server::http
