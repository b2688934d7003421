// Traces, as the configuration of a server has them.
#pragma once

#include <optional>

#include "base/error.h"
#include "cli/configuration/configuration.h"
#include "server/tracing/tracer.h"

namespace stele::cli {

struct Tracing {
  std::optional<double> ratio;                           // of ShardOptions::trace_ratio
  std::optional<server::tracing::TracerOptions> tracer;  // nothing: nobody is told of spans
};

// Reads the file of headers. kConfiguration, kUsage of what a flag says.
Result<Tracing> TracingOf(const Configuration& configuration);

}  // namespace stele::cli
