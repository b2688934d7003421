// The instances of a shard in a line each. Found by a scan of the log, in time that grows with it;
// the view of instances (projections/) will answer the same question from an index.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "engine/model/instance.h"
#include "eventstore/event_store.h"

namespace stele::replay {

struct InstanceSummary {
  InstanceId id;
  DefinitionId definition;  // the version that it runs now
  model::Status status = model::Status::kNone;
  bool paused = false;
  bool queued = false;
  TimeUs started;
  TimeUs ended;                  // 0: it has not
  uint64_t steps_completed = 0;  // runs of steps, in all scopes
  int32_t priority = 0;
  std::string business_key;
  std::vector<std::string> tags;
  InstanceId parent;
};

// By id.
Result<std::vector<InstanceSummary>> ListInstances(const eventstore::EventStore& store,
                                                   ShardId shard);

}  // namespace stele::replay
