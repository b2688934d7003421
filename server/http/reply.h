// From what a handler answers to what is sent: the rules that hold for every response, in one
// place.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>

#include "server/http/cors.h"
#include "server/http/request.h"
#include "server/http/response.h"

namespace stele::server::http {

// Adds the fields that every response has: X-Request-Id, X-Content-Type-Options, Cache-Control,
// Vary, Content-Type, CORS. What the handler has set stays.
void Complete(const Request& request, const CorsSettings& cors, Response& response);

// The bytes of a text or problem, with ETag, 304 and gzip as the request allows; changes status and
// headers accordingly. REQUIRES: the body is one of the two, and Complete was called.
std::string TakeWholeBody(const Request& request, Response& response);

// What is wrong with the name or value of a field that a handler has set: nothing of it may reach
// the wire.
std::optional<std::string> FindUnsafeField(const Response& response);

}  // namespace stele::server::http
