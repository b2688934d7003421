// All that an edge answers over HTTP beside the REST interface's own table: sessions and users,
// alerts, figures and health, the dialects of other engines. In one place, so that a test walks the
// routes that are served, and no others.
//
// Thread: the loop's.
#pragma once

#include <vector>

#include "server/alerts/alerts.h"
#include "server/observation/figures.h"
#include "server/observation/health.h"
#include "server/operations/logins.h"
#include "server/operations/operations.h"
#include "server/rest/route.h"

namespace stele::server {

struct ServedParts {
  Logins* logins = nullptr;  // null: nobody is asked for a name
  alerts::Alerts& alerts;
  Figures& figures;
  Health& health;
  bool open_metrics = false;  // nobody is asked for a name at /metrics
};

// REQUIRES: the parts outlive the routes.
std::vector<rest::Resource> ServedResources(const Operations& operations, const ServedParts& parts);

}  // namespace stele::server
