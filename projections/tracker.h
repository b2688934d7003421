// The instances of a shard as they were at a position of its log, for views to look at: a fold of
// the records, with the instances that it does not hold in memory read from the store.
//
// Thread: one at a time.
#pragma once

#include <functional>
#include <list>
#include <unordered_map>

#include "base/error.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "projections/limits.h"

namespace stele::projections {

class Tracker {
 public:
  // Holds so many bytes of instances between two batches. REQUIRES: the store outlives it.
  Tracker(const eventstore::EventStore& store, ShardId shard, size_t max_bytes = kMaxTrackedBytes)
      : store_(store), shard_(shard), max_bytes_(max_bytes) {}

  // The registry as of that position. To be called once, before anything else.
  Status Begin(Position position);
  model::Registry& registry() { return registry_; }

  // The instance as it is before that record. Good until Trim. The caller applies the events.
  Result<model::Instance*> Before(const eventstore::RecordView& record);
  // Those that Before was asked for since the last Trim.
  void ForEachTouched(const std::function<void(const model::Instance&)>& visit);
  // Lets go of instances that have ended, and of those that nothing has happened to for longest,
  // down to the bound.
  void Trim();
  // Instances in memory.
  size_t held() const { return instances_.size(); }

 private:
  struct Entry {
    model::Instance instance;
    size_t bytes = 0;  // as of the last Trim
    std::list<InstanceId>::iterator used;
    bool touched = false;
  };
  using Entries = std::unordered_map<InstanceId, Entry>;
  void LetGo(Entries::iterator entry);
  Status Load(const eventstore::RecordView& record, model::Instance* instance) const;

  const eventstore::EventStore& store_;
  ShardId shard_;
  size_t max_bytes_;
  model::Registry registry_;
  Entries instances_;
  size_t bytes_ = 0;            // of all entries
  std::list<InstanceId> used_;  // the least recently used first
  std::vector<InstanceId> touched_;
};

}  // namespace stele::projections
