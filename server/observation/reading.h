// What the figures of a server are at a moment: a value, that is shown as metrics and as health.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/worker_pool.h"
#include "eventstore/event_store.h"
#include "projections/projector.h"
#include "projections/view_state.h"
#include "projections/views/statistics_rows.h"
#include "server/observation/process.h"
#include "server/rpc/call_meter.h"
#include "server/tracing/tracer.h"

namespace stele::server {

// What the loop knows at once.
struct LoopFigures {
  size_t live_instances = 0;
  size_t queued_attempts = 0;
  size_t max_queued_attempts = 0;
  uint64_t definitions = 0;         // names
  uint64_t active_definitions = 0;  // of them: those that can be started
  std::map<std::string, uint64_t> triggers_by_state;
  uint64_t trigger_firings = 0;
  tasks::WorkerFigures workers;
  size_t http_connections = 0;
  size_t rpc_connections = 0;
  size_t http_in_progress = 0;
  size_t http_streams = 0;
  size_t event_followers = 0;
  std::map<std::string, bool> alerts_firing;      // by rule
  std::map<std::string, uint64_t> alert_notices;  // by what became of them
  uint64_t alert_attempts_failed = 0;             // to tell somebody of one
  runtime::ShardFigures shard;
  std::map<std::string, rpc::CallFigures> calls;   // over RPC, by method
  std::optional<tracing::TracingFigures> tracing;  // nothing: nobody is told of spans
};

// Whether the log takes records, and how long it took to tell that all before were on the disk.
struct Durability {
  enum class State : uint8_t { kGood, kSlow, kFailed } state = State::kGood;
  double seconds = 0;
};

// What the view of statistics has counted since the log's beginning.
struct CountedWork {
  // The definitions that were started most, by name; the rest together are kOtherSeries.
  std::map<std::string, projections::DefinitionRow> definitions;
  projections::DefinitionRow all;
  // Of steps that are no containers, by type, over all definitions.
  std::map<std::string, projections::StepCounts> tasks;
};

// What must be read.
struct StoredFigures {
  eventstore::StoreStats store;
  Position last;  // of the log
  std::vector<projections::ViewState> views;
  std::optional<Error> views_failure;
  std::optional<CountedWork> work;  // nothing: the view is not there yet
  ProcessFigures process;
};

struct Reading {
  LoopFigures loop;
  Durability durability;
  StoredFigures stored;
};

// Reads on the caller's thread.
StoredFigures ReadStored(const projections::Projector& projector,
                         const eventstore::EventStore& store, ShardId shard);

}  // namespace stele::server
