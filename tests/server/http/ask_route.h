// A route as a service asks it: whether the head is let in, then its handler.
#pragma once

#include <kj/async.h>

#include <optional>
#include <utility>

#include "server/http/router.h"

namespace stele::server::http {

inline kj::Promise<Response> AskRoute(const Route& route, Request& request) {
  if (route.options.admit != nullptr)
    if (std::optional<Response> refused = route.options.admit(request)) return *std::move(refused);
  return route.handler(request);
}

}  // namespace stele::server::http
