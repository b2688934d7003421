// The edges of a server as its configuration has them.
#pragma once

#include "cli/configuration/configuration.h"
#include "server/edge/edge.h"

namespace stele::cli {

// Without `note`.
server::EdgeOptions EdgeOptionsOf(const Configuration& configuration);

}  // namespace stele::cli
