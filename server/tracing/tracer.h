// Follows a shard's log on a thread of its own and tells a collector of the spans that it comes to.
//
//     log (durable) ──► SpanMaker ──► Exporter ──► OTLP/HTTP
//
// The shard knows nothing of it and never waits for it: the log is the queue. A collector that is
// slow lets it fall behind the log; one that takes nothing costs spans, the oldest first. Neither
// costs memory beyond the bounds of limits.h. What was not sent when the process dies is not sent
// later.
//
// Thread: the one that made it; figures and problem any.
#pragma once

#include <uv.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "server/tracing/exporter.h"
#include "server/tracing/span_maker.h"

namespace stele::server::tracing {

struct TracerOptions {
  double ratio = 1;  // of ShardOptions::trace_ratio
  ExportOptions exporting;
  int64_t look_every_us = kLookEveryUs;
};

struct TracingFigures {
  uint64_t exported = 0;
  uint64_t dropped = 0;
  uint64_t failed_requests = 0;
  uint64_t queued = 0;
  uint64_t lag_records = 0;  // of the log, that were not looked at yet
};

class Tracer {
 public:
  // From what becomes durable from now on. `tell` is called from the tracer's thread. REQUIRES: the
  // store outlives it.
  static Result<std::unique_ptr<Tracer>> Start(const eventstore::EventStore& store, ShardId shard,
                                               TracerOptions options, Exporter::Tell tell);
  // Stop(0), if nobody has called it.
  ~Tracer();
  Tracer(const Tracer&) = delete;
  Tracer& operator=(const Tracer&) = delete;

  // Sends what the log has come to, for so long at most, and ends. Waits for that.
  void Stop(int64_t patience_us = kFlushUs);

  TracingFigures figures() const;

 private:
  Tracer(const eventstore::EventStore& store, ShardId shard, TracerOptions options,
         Exporter::Tell tell);

  // On its thread.
  void Run();
  void Look();
  // Takes records, some of them. False: there is no more now, or no room for what they come to.
  bool Follow();
  Result<bool> TakeNext();
  void LookSoon(int64_t after_us);
  void BeginStop();
  bool MayEnd() const;

  const eventstore::EventStore& store_;
  const ShardId shard_;
  const TracerOptions options_;
  const Exporter::Tell tell_;

  ExportFigures figures_;
  std::atomic<uint64_t> looked_at_;  // the last position
  std::atomic<int64_t> patience_us_ = 0;

  uv_loop_t loop_;
  uv_async_t stop_;
  // Of its thread, while that runs.
  std::unique_ptr<Exporter> exporter_;
  SpanMaker maker_;
  tasks::UvHandle<uv_timer_t> timer_;
  std::unique_ptr<eventstore::Cursor> cursor_;
  bool broken_ = false;     // the log cannot be followed any more
  uint64_t end_by_ms_ = 0;  // 0: it is not to stop

  std::thread thread_;
};

}  // namespace stele::server::tracing
