// From records to spans: one for an instance, one for each run of a step in it, one for each
// attempt of a run. A span is made when what it tells of has ended, from the state before that: so
// instances that began long ago, or before this process, have theirs, too.
//
//     instance ── run ── attempt ── (a worker's, a service's, a child's own spans)
//         └────── run ── run (in a loop or a sub-process) ── attempt
//
// Only instances whose trace is sampled have any. No payload is told, and no message of an error,
// which may hold one.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "projections/tracker.h"
#include "server/tracing/limits.h"
#include "server/tracing/span.h"

namespace stele::server::tracing {

class SpanMaker {
 public:
  using Sink = std::function<void(Span)>;

  // `ratio`: as of ShardOptions::trace_ratio. REQUIRES: the store outlives it.
  SpanMaker(const eventstore::EventStore& store, ShardId shard, double ratio, Sink sink);
  SpanMaker(const SpanMaker&) = delete;
  SpanMaker& operator=(const SpanMaker&) = delete;

  // To be called once, before anything else: the records behind that position come.
  Status Begin(Position position) { return tracker_.Begin(position); }
  Status Take(const eventstore::RecordView& record);
  // Lets go of what it holds, down to the bounds. To be called now and then.
  void Trim();

 private:
  // What of an instance's past its state does not hold.
  struct Past {
    Seq retried_seq;                             // of its last retry as a whole; 0: none
    TimeUs retried_at;                           // and when
    std::unordered_map<RunId, TimeUs> attempts;  // when the attempt that runs began, but the first
  };
  class Record;

  Result<Past*> PastOf(const eventstore::RecordView& record);
  static void Note(Past& past, const model::Event& event, Seq seq, TimeUs time);

  const eventstore::EventStore& store_;
  const ShardId shard_;
  const double ratio_;
  const Sink sink_;
  projections::Tracker tracker_;
  std::unordered_map<InstanceId, Past> pasts_;
};

}  // namespace stele::server::tracing
