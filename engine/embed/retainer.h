// Retention of an embedded engine: its service, and the timer that looks at the clock for it.
//
// Thread: the loop's, but for Stop.
#pragma once

#include <uv.h>

#include "base/clock.h"
#include "engine/embed/plugin_host.h"
#include "engine/embed/views.h"
#include "engine/retention/service.h"
#include "engine/runtime/shard.h"
#include "eventstore/event_store.h"
#include "stele/engine.h"

namespace stele::embed {

class Retainer {
 public:
  // Begins at once. REQUIRES: all of them outlive it; the loop runs until Stop has returned.
  Retainer(uv_loop_t* loop, runtime::Shard& shard, eventstore::EventStore& store, Views& views,
           const Clock& clock, const Options& options, Problem problem);

  // Looks whether a run is due.
  void Tick() { service_.Tick(); }
  // Waits for the step that is under way. Not on the loop, which runs.
  void Stop() { service_.Stop(); }
  // REQUIRES: it was stopped.
  void CloseTimer();

 private:
  retention::RetentionService service_;
  uv_timer_t timer_;
};

}  // namespace stele::embed
