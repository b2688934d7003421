// Alert rules. Beside the table of resources.h: whoever serves them has Alerts, too.
//
// Thread: the loop's.
#pragma once

#include "server/alerts/alerts.h"
#include "server/rest/route.h"

namespace stele::server::rest {

// REQUIRES: they outlive the routes.
Resource AlertsResource(alerts::Alerts& alerts);

}  // namespace stele::server::rest
