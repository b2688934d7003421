#include "server/http/reply.h"

#include <fmt/format.h>

#include "base/check.h"
#include "base/json.h"
#include "server/http/entity_tag.h"
#include "server/http/gzip.h"
#include "server/http/limits.h"
#include "server/http/media_type.h"

namespace stele::server::http {
namespace {

bool IsRead(const Request& request) {
  return request.method == Method::kGet || request.method == Method::kHead;
}

void AddVary(std::string_view name, Headers& headers) {
  if (headers.HasToken("Vary", name)) return;
  const std::string_view before = headers.Get("Vary");
  headers.Set("Vary", before.empty() ? std::string(name) : fmt::format("{}, {}", before, name));
}

bool IsWhole(const Response& response) {
  return std::holds_alternative<std::string>(response.body) ||
         std::holds_alternative<ProblemDocument>(response.body);
}

// A tag is for what a client may keep: the JSON of a resource, unless the handler says otherwise.
bool WantsTag(const Request& request, const Response& response) {
  return IsRead(request) && response.status == 200 && !response.headers.Has("ETag") &&
         !response.headers.Has("Cache-Control") && IsJson(response.content_type) &&
         std::holds_alternative<std::string>(response.body);
}

bool WantsGzip(const Request& request, const Response& response, const std::string& body) {
  return body.size() >= kMinGzipBytes && body.size() <= kMaxGzipBytes &&
         IsCompressible(response.content_type) && !response.headers.Has("Content-Encoding") &&
         AcceptsGzip(request.headers.Get("Accept-Encoding"));
}

}  // namespace

void Complete(const Request& request, const CorsSettings& cors, Response& response) {
  Headers& headers = response.headers;
  if (!response.content_type.empty()) headers.Set("Content-Type", response.content_type);
  headers.Set("X-Request-Id", request.id);
  headers.Set("X-Content-Type-Options", "nosniff");
  if (WantsTag(request, response)) {
    headers.Set("ETag", EntityTag(std::get<std::string>(response.body)));
  }
  // A copy of what needs a login is the asker's own, and is asked about before it is used again.
  if (!headers.Has("Cache-Control"))
    headers.Set("Cache-Control", headers.Has("ETag") ? "private, no-cache" : "no-store");
  if (IsWhole(response) && IsCompressible(response.content_type))
    AddVary("Accept-Encoding", headers);
  if (!cors.origins.empty()) AddVary("Origin", headers);
  AddCorsHeaders(cors, request.headers, headers);
}

std::string TakeWholeBody(const Request& request, Response& response) {
  CHECK(IsWhole(response));
  if (auto* problem = std::get_if<ProblemDocument>(&response.body)) {
    problem->members.Set("instance", "requests/" + request.id);
    return ToJson(Value(std::move(problem->members)));
  }
  std::string body = std::move(std::get<std::string>(response.body));
  const bool pack = WantsGzip(request, response, body);
  const std::string etag(response.headers.Get("ETag"));
  if (!etag.empty() && pack) response.headers.Set("ETag", GzipTag(etag));
  const std::string* known = request.headers.Find("If-None-Match");
  if (!etag.empty() && known != nullptr && response.status == 200 && IsRead(request) &&
      MatchesWeakly(*known, etag)) {
    response.status = 304;
    response.headers.Erase("Content-Type");
    return {};
  }
  if (!pack) return body;
  response.headers.Set("Content-Encoding", "gzip");
  return Gzip(body, kGzipLevel);
}

std::optional<std::string> FindUnsafeField(const Response& response) {
  for (const auto& [name, value] : response.headers.fields()) {
    if (!IsFieldName(name)) return "Expected the name of a field but found one that is none";
    if (!IsFieldValue(value))
      return fmt::format("Expected no control characters in {} but found one", name);
  }
  if (!IsFieldValue(response.content_type))
    return "Expected no control characters in the content type but found one";
  return std::nullopt;
}

}  // namespace stele::server::http
