// A recorded instance as it is shown: its state, and what became of every step.
//
// Thread: any, one at a time for a store.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "base/error.h"
#include "engine/model/instance.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "replay/history.h"
#include "replay/timeline.h"

namespace stele::replay {

struct Recorded {
  model::Instance instance;
  std::optional<Timeline> timeline;
  const definition::Definition* definition = nullptr;  // that it runs, one of the registry's
};

// Sees an event when it is applied, and the version of the definition that it speaks of.
using VisitRecorded =
    std::function<void(const HistoryEntry& entry, const definition::Definition& definition)>;
// Whether the event is still part of what is shown. Once it says no, nothing that follows is.
using Includes = std::function<bool(const HistoryEntry& entry)>;

// kUnknownInstance; kNoSuchMoment: not even its first event is included; kForbidden: it ran a
// definition that may not be read; kUnknownDefinition: one that the registry does not have.
// REQUIRES: the registry outlives the answer.
Result<std::unique_ptr<Recorded>> ReadRecorded(const Source& source, InstanceId instance,
                                               const model::Registry& registry,
                                               const VisitRecorded& visit = nullptr,
                                               const Includes& includes = nullptr);
Result<std::unique_ptr<Recorded>> ReadRecorded(const eventstore::EventStore& store, ShardId shard,
                                               InstanceId instance, const model::Registry& registry,
                                               const VisitRecorded& visit = nullptr,
                                               const Includes& includes = nullptr);

}  // namespace stele::replay
