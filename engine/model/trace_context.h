// Where an instance stands in a trace: ids as W3C Trace Context has them, and the text that is
// handed from program to program (https://www.w3.org/TR/trace-context/, `traceparent`).
//
// Nothing here is random. A trace id is the one of whoever started the instance, or a hash of the
// instance's number and start; span ids are hashes of the trace, the instance, the run and the
// attempt. So whoever reads the log gives a span the id that the attempt was handed, and a replay
// gives the same ones.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/ids.h"

namespace stele::model {

struct TraceId {
  uint64_t high = 0;
  uint64_t low = 0;
  bool operator==(const TraceId&) const = default;
  std::string ToHex() const;  // 32 digits
};
using SpanId = StrongInteger<struct SpanTag, uint64_t>;
std::string ToHex(SpanId span);  // 16 digits

// A span, as others are told of it.
struct TraceContext {
  TraceId trace;
  SpanId span;
  bool sampled = false;  // whoever handed it on may have recorded it
  bool operator==(const TraceContext&) const = default;
};

// Of version 00, or what this version can tell of a later one. Nothing: it is malformed, and counts
// as none.
std::optional<TraceContext> ParseTraceParent(std::string_view text);
// "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
std::string TraceParent(const TraceContext& context);
// The same text as this version writes it, or an empty one.
std::string NormalTraceParent(std::string_view text);

// An instance's own span.
struct InstanceTrace {
  TraceContext context;
  SpanId parent;  // 0: it is the trace's first
};
// `trace_parent` is normal or empty. `ratio`: the share of those without one that are sampled;
// nothing: they have no trace.
std::optional<InstanceTrace> TraceOf(InstanceId instance, TimeUs started,
                                     std::string_view trace_parent, std::optional<double> ratio);
// The span of a run of one of its steps, inside of the instance's; and of an attempt, inside of the
// run's.
TraceContext TraceOfRun(const InstanceTrace& trace, InstanceId instance, RunId run);
TraceContext TraceOfAttempt(const InstanceTrace& trace, InstanceId instance, RunId run,
                            uint32_t attempt);
// Of the time from an instance's retry on, a span inside of the instance's. `retry`: the event that
// asked for it.
TraceContext TraceOfRetry(const InstanceTrace& trace, InstanceId instance, Seq retry);

}  // namespace stele::model
