// Which pages of other origins may ask (the CORS protocol of https://fetch.spec.whatwg.org), and
// that none else does: a page can send a simple POST or open a WebSocket without asking first, so
// the origin of those is looked at, too.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "server/http/request.h"

namespace stele::server::http {

inline constexpr int64_t kCorsMaxAgeSeconds = 600;

struct CorsSettings {
  // "https://console.example.org", or "*" alone for every origin. None by default.
  std::vector<std::string> origins;
  std::vector<std::string> headers = {"Authorization", "Content-Type",    "If-Match",
                                      "If-None-Match", "Idempotency-Key", "Last-Event-ID",
                                      "X-API-Key",     "X-Request-Id"};
  std::vector<std::string> exposed = {"ETag", "Location", "Retry-After", "X-Request-Id"};
  int64_t max_age_seconds = kCorsMaxAgeSeconds;
  bool credentials = false;
};

// kUsage when "*" stands beside credentials or other origins, or an origin is none.
Status CheckCors(const CorsSettings& settings);

// kForbidden when a page of another origin, which is not allowed, would change something or open a
// WebSocket. Requests without Origin are not a page's.
Status CheckOrigin(const CorsSettings& settings, const Request& request, bool web_socket);

// Adds what a page of the request's origin needs to read the response; nothing for others.
void AddCorsHeaders(const CorsSettings& settings, const Headers& request, Headers& response);

// Adds to the answer of OPTIONS what a page may send to that path.
void AddPreflightHeaders(const CorsSettings& settings, const Headers& request,
                         std::string_view methods, Headers& response);

}  // namespace stele::server::http
