// A span as it is told to a collector: a piece of work with a beginning and an end.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "base/value.h"
#include "engine/model/trace_context.h"

namespace stele::server::tracing {

enum class SpanKind : uint8_t { kInternal = 1, kClient = 3 };         // numbers of OTLP
enum class SpanStatus : uint8_t { kUnset = 0, kOk = 1, kError = 2 };  // numbers of OTLP

struct Span {
  model::TraceId trace;
  model::SpanId id;
  model::SpanId parent;  // 0: none
  model::SpanId link;    // another one of the trace that it stands for; 0: none
  std::string name;
  SpanKind kind = SpanKind::kInternal;
  SpanStatus status = SpanStatus::kUnset;
  std::string error;  // of a status that is one: its kind
  TimeUs start;
  TimeUs end;
  std::vector<std::pair<std::string_view, Value>> attributes;  // integers and texts
};

}  // namespace stele::server::tracing
