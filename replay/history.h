// An instance's history as it is recorded, and the state that it amounts to. Reads the store alone:
// no engine has to run.
//
// Threads: any, one at a time for a store.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.h"
#include "engine/model/event.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"

namespace stele::replay {

// An event and the record that holds it. The references are good during the visit.
struct HistoryEntry {
  model::RecordContext record;
  Seq seq;
  std::string_view actor;  // who asked; empty: the engine itself
  const model::Event& event;
  bool erased = false;  // its record had payloads, whose key was destroyed
};
using VisitEntry = std::function<void(const HistoryEntry&)>;

// Visits the events of an instance that stand before position `end`, in order.
// kUnknownInstance: it has none.
Status ReadHistory(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                   const VisitEntry& visit, Position end = Position(UINT64_MAX));

// The instance as its whole history makes it, or what of it stands before position `end`.
Result<model::Instance> ReadInstance(const eventstore::EventStore& store, ShardId shard,
                                     InstanceId instance, Position end = Position(UINT64_MAX));

// The definitions of the shard.
Result<model::Registry> ReadRegistry(const eventstore::EventStore& store, ShardId shard);

}  // namespace stele::replay
