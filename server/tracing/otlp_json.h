// Spans as OTLP/HTTP has them in JSON: https://opentelemetry.io/docs/specs/otlp/, the body of a
// request to /v1/traces (ExportTraceServiceRequest), ids in hexadecimal, 64-bit integers as texts.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/tracing/span.h"

namespace stele::server::tracing {

// Who tells: attributes of the resource, "service.name" and others.
using Resource = std::vector<std::pair<std::string, std::string>>;

std::string ToOtlpJson(std::span<const Span> spans, const Resource& resource,
                       std::string_view version);

// How many of the spans a collector says that it has rejected, of its answer of success; 0: none,
// or it says nothing that can be read.
uint64_t RejectedSpans(std::string_view answer);

}  // namespace stele::server::tracing
