#include "server/http/cors.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace stele::server::http {
namespace {

bool AllowsAll(const CorsSettings& settings) {
  return settings.origins.size() == 1 && settings.origins[0] == "*";
}

bool Allows(const CorsSettings& settings, std::string_view origin) {
  return AllowsAll(settings) ||
         std::ranges::find(settings.origins, origin) != settings.origins.end();
}

// Without its scheme, an origin is what its pages send as Host.
bool IsSameHost(std::string_view origin, std::string_view host) {
  const size_t at = origin.find("://");
  return at != std::string_view::npos && EqualIgnoringCase(origin.substr(at + 3), host);
}

}  // namespace

Status CheckCors(const CorsSettings& settings) {
  const bool has_all = std::ranges::find(settings.origins, "*") != settings.origins.end();
  if (has_all && (settings.credentials || settings.origins.size() > 1))
    return Fail(ErrorCode::kUsage,
                "Expected \"*\" as the only origin, and without credentials, but found more");
  for (const std::string& origin : settings.origins) {
    const size_t at = origin.find("://");
    if (origin == "*" || (at != std::string::npos && at + 3 < origin.size() &&
                          origin.find('/', at + 3) == std::string::npos))
      continue;
    return Fail(ErrorCode::kUsage,
                fmt::format("Expected an origin as https://host:port but found \"{}\"", origin));
  }
  return {};
}

Status CheckOrigin(const CorsSettings& settings, const Request& request, bool web_socket) {
  const bool reads = request.method == Method::kGet || request.method == Method::kHead ||
                     request.method == Method::kOptions;
  const std::string* origin = request.headers.Find("Origin");
  if ((reads && !web_socket) || origin == nullptr || Allows(settings, *origin) ||
      IsSameHost(*origin, request.headers.Get("Host")))
    return {};
  return Fail(
      ErrorCode::kForbidden,
      fmt::format("Expected a page of this server or of an allowed origin but found {}", *origin));
}

void AddCorsHeaders(const CorsSettings& settings, const Headers& request, Headers& response) {
  if (settings.origins.empty()) return;
  const std::string* origin = request.Find("Origin");
  if (origin == nullptr || !Allows(settings, *origin)) return;
  response.Set("Access-Control-Allow-Origin", AllowsAll(settings) ? "*" : *origin);
  if (settings.credentials) response.Set("Access-Control-Allow-Credentials", "true");
  if (!settings.exposed.empty())
    response.Set("Access-Control-Expose-Headers",
                 fmt::format("{}", fmt::join(settings.exposed, ", ")));
}

void AddPreflightHeaders(const CorsSettings& settings, const Headers& request,
                         std::string_view methods, Headers& response) {
  const std::string* origin = request.Find("Origin");
  if (origin == nullptr || !request.Has("Access-Control-Request-Method") ||
      !Allows(settings, *origin))
    return;
  response.Set("Access-Control-Allow-Methods", std::string(methods));
  response.Set("Access-Control-Allow-Headers",
               fmt::format("{}", fmt::join(settings.headers, ", ")));
  response.Set("Access-Control-Max-Age", fmt::format("{}", settings.max_age_seconds));
}

}  // namespace stele::server::http
