#include "server/http/request.h"

#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "base/json.h"
#include "base/repeated_member.h"
#include "server/http/entity_tag.h"
#include "server/http/media_type.h"

namespace stele::server::http {

std::string_view MethodName(Method method) {
  switch (method) {
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kPatch:
      return "PATCH";
    case Method::kDelete:
      return "DELETE";
    case Method::kOptions:
      return "OPTIONS";
  }
  return "";
}

const std::string& Request::Param(std::string_view name) const {
  const auto found = params.find(std::string(name));
  CHECK(found != params.end(), "no parameter {} in the pattern of {}", name, path);
  return found->second;
}

Result<uint64_t> Request::NumberParam(std::string_view name) const {
  const std::string& text = Param(name);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return Fail(ErrorCode::kBadRequest,
                fmt::format("Expected a number for {} in the path but found \"{}\"", name, text));
  return number;
}

Result<Value> Request::Json() const {
  if (const std::string_view type = headers.Get("Content-Type"); !type.empty() && !IsJson(type))
    return Fail(ErrorCode::kUnsupportedMedia,
                fmt::format("Expected a body of application/json but found {}", MediaType(type)));
  Result<Value> value = ParseJson(body);
  if (!value.has_value()) return value;
  if (const std::string twice = RepeatedMemberOf(body); !twice.empty())
    return Fail(ErrorCode::kInvalidJson,
                fmt::format("Expected each member of an object once but found {} twice",
                            ToJson(Value(twice))));
  return value;
}

Result<Object> Request::JsonObject() const {
  if (body.empty()) return Object();
  Result<Value> value = Json();
  if (!value.has_value()) return std::unexpected(std::move(value).error());
  if (!value->is_object())
    return Fail(ErrorCode::kInvalidJson, fmt::format("Expected an object as the body but found {}",
                                                     KindName(value->kind())));
  return std::move(value->as_object());
}

Status Request::CheckIfMatch(std::string_view etag) const {
  const std::string* wanted = headers.Find("If-Match");
  if (wanted == nullptr || MatchesStrongly(*wanted, etag)) return {};
  return Fail(ErrorCode::kPreconditionFailed,
              fmt::format("Expected the resource to be {} still but found {}", *wanted, etag));
}

}  // namespace stele::server::http
