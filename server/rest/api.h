// The REST interface: its table of routes, the checks that all of them have in common, and the
// OpenAPI document that is written from the table.
//
//     head ──► who asks ──► may they ──► query, body fit ──► the route's handler ──► operations
//
// Who asks, and whether they may at all, is settled before a body is read.
//
// Thread: the loop's.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/value.h"
#include "server/auth/caller.h"
#include "server/http/router.h"
#include "server/operations/operations.h"
#include "server/rest/call.h"
#include "server/rest/route.h"
#include "server/rest/schemas.h"

namespace stele::server::rest {

// Who asks, by whatever the edge goes by.
struct Access {
  // kUnauthenticated, kBadToken: it does not say.
  std::function<Result<Caller>(const http::Request&)> authorize;
  // Asked while something streams to them.
  std::function<bool(const Caller&)> still_valid;
};

class Api {
 public:
  // REQUIRES: the operations outlive it.
  Api(const Operations& operations, Access access);
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // What other parts of the server offer beside it. REQUIRES: AddTo was not called yet.
  void Add(Resource resource);
  // All routes, and the OpenAPI document. REQUIRES: it outlives the router; call it once.
  void AddTo(http::Router& router);

  const std::deque<Resource>& resources() const { return resources_; }
  const Schemas& schemas() const { return schemas_; }

 private:
  kj::Promise<http::Response> Serve(const Route& route, const definition::JsonSchema* body,
                                    http::Request& request);
  Result<Caller> CallerOf(const Route& route, const http::Request& head);
  // Leaves the Caller to Serve.
  std::optional<http::Response> Admit(const Route& route, http::Request& head);

  const Operations operations_;
  const Access access_;
  std::deque<Resource> resources_;  // a deque: handlers refer to their routes
  Schemas schemas_;
};

}  // namespace stele::server::rest
