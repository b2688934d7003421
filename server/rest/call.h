// A request whose caller is known and whose query and body fit the route: what is left to read is
// values.
//
// Owner: the dispatcher, until it is answered. Thread: the loop's.
#pragma once

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"
#include "base/payload.h"
#include "base/value.h"
#include "engine/model/event_values.h"
#include "server/auth/caller.h"
#include "server/http/request.h"
#include "server/rest/route.h"

namespace stele::server::rest {

class Call {
 public:
  // kBadRequest: a parameter that is unknown, or given twice. kInvalidInput: a value that does not
  // fit. REQUIRES: `request` outlives it.
  static Status CheckQuery(const Route& route, const http::Request& request);

  Call(Caller caller, const http::Request& request, Object body)
      : caller_(std::move(caller)), request_(request), body_(std::move(body)) {}
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  const Caller& caller() const { return caller_; }
  const http::Request& request() const { return request_; }

  // The header `traceparent`, as it was given; empty: none.
  std::string TraceParent() const { return std::string(request_.headers.Get("traceparent")); }

  // The key of the header or of the body, which may both give it; empty: neither does.
  Result<std::string> IdempotencyKey() const;

  // The path. REQUIRES: the pattern has them.
  const std::string& param(std::string_view name) const { return request_.Param(name); }
  // kInvalidInput: it is no number of one.
  Result<uint64_t> NumberParam(std::string_view name, uint64_t most) const;
  Result<InstanceId> Instance() const;
  // Of "{version}" in the pattern; 0 when it has none.
  Result<uint32_t> Version() const;

  // The query: nothing, or nothing said, when it is not there.
  std::string Asked(std::string_view name) const;
  std::vector<std::string> AllAsked(std::string_view name) const {
    return request_.query.All(name);
  }
  std::optional<int64_t> AskedNumber(std::string_view name) const;
  bool AskedFlag(std::string_view name) const;

  // The body; null members are as if they were not there.
  const Object& body() const { return body_; }
  const Value* Find(std::string_view name) const;
  std::string Text(std::string_view name) const;
  int64_t Number(std::string_view name, int64_t otherwise) const;
  bool Flag(std::string_view name) const;
  std::vector<std::string> Texts(std::string_view name) const;
  Payload Document(std::string_view name) const;
  std::vector<model::NamedPayload> Variables(std::string_view name) const;

 private:
  const Caller caller_;
  const http::Request& request_;
  const Object body_;
};

}  // namespace stele::server::rest
