// The OpenAPI 3.1 document of a table of routes.
//
// Thread: any.
#pragma once

#include <deque>

#include "base/value.h"
#include "server/rest/route.h"
#include "server/rest/schemas.h"

namespace stele::server::rest {

// REQUIRES: every parameter in a path is one of those that open_api.cc knows.
Value OpenApi(const std::deque<Resource>& resources, const Schemas& schemas);

}  // namespace stele::server::rest
