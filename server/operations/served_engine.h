// The running engine that a server stands on: its parts, which whoever made them owns and keeps
// until every edge is gone.
//
// Thread: the parts' own rules. The shard, the triggers and the workers are the loop's; the store
// and the projector may be read from any thread.
#pragma once

#include <functional>
#include <memory>

#include "base/clock.h"
#include "engine/retention/service.h"
#include "engine/runtime/custom_types.h"
#include "engine/runtime/shard.h"
#include "engine/secrets/secrets.h"
#include "engine/tasks/worker_pool.h"
#include "engine/triggers/service.h"
#include "eventstore/event_store.h"
#include "projections/projector.h"

namespace stele::server {

struct ServedEngine {
  ShardId shard_id;
  runtime::Shard* shard = nullptr;
  triggers::TriggerService* triggers = nullptr;
  eventstore::EventStore* store = nullptr;
  projections::Projector* projector = nullptr;
  tasks::WorkerPool* workers = nullptr;
  const tasks::TaskRegistry* tasks = nullptr;
  const secrets::Secrets* secrets = nullptr;
  retention::RetentionService* retention = nullptr;
  const Clock* clock = nullptr;
  // The task types that the registry has, as this process runs them.
  const runtime::CustomTypes* types = nullptr;
  // Reads them anew: the registry has changed. What is new gets its executor.
  std::function<void()> take_up_types;
};

}  // namespace stele::server
