// /metrics and /health: routes of the REST interface's table, outside of /api/v1.
//
// Thread: the loop's.
#pragma once

#include "server/observation/figures.h"
#include "server/observation/health.h"
#include "server/rest/route.h"

namespace stele::server {

// `open_metrics`: nobody is asked for a name at /metrics. REQUIRES: both outlive the routes.
rest::Resource ObservationResource(Figures& figures, Health& health, bool open_metrics);

}  // namespace stele::server
