// A request as a handler sees it: decoded, checked, its body read as a whole and unpacked.
//
// Owner: the service, until the response has been sent; streams may refer to it until they end.
#pragma once

#include <any>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/value.h"
#include "server/http/headers.h"
#include "server/http/query.h"

namespace stele::server::http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };

// "GET"
std::string_view MethodName(Method method);

struct Request {
  Method method = Method::kGet;
  std::string path;                           // as sent, without the query
  std::map<std::string, std::string> params;  // of the route's pattern, decoded
  Query query;
  Headers headers;
  std::string body;
  std::string source;  // the address of the peer
  std::string id;      // of X-Request-Id, or given by the service
  std::any admitted;   // what the route's Admit has left

  // REQUIRES: the route's pattern has that parameter.
  const std::string& Param(std::string_view name) const;
  // The same as a decimal number: kBadRequest when it is none.
  Result<uint64_t> NumberParam(std::string_view name) const;

  // The body as JSON. kUnsupportedMedia when its content type is another (none at all is taken as
  // JSON), kInvalidJson with line and column when it is no JSON or an object has a member twice.
  Result<Value> Json() const;
  // The same for an object; an empty body is an empty object.
  Result<Object> JsonObject() const;

  // Whether the resource, whose strong ETag is `etag`, is what If-Match asks for; it is when
  // nothing asks. kPreconditionFailed otherwise.
  Status CheckIfMatch(std::string_view etag) const;
};

}  // namespace stele::server::http
