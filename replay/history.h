// An instance's history as it is recorded, and the state that it amounts to. Reads records alone:
// no engine has to run.
//
// Threads: any, one at a time for a source.
#pragma once

#include <functional>
#include <memory>
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
  std::string_view actor;   // who asked; empty: the engine itself
  std::string_view source;  // from where (engine/model/asker.h)
  const model::Event& event;
  bool erased = false;  // its record had payloads, whose key was destroyed
};
using VisitEntry = std::function<void(const HistoryEntry&)>;

// Where records come from: a store, or a server that has one.
class Source {
 public:
  virtual ~Source() = default;
  // An instance's records, in order; the registry's of instance 0. The source outlives the cursor.
  Result<std::unique_ptr<eventstore::Cursor>> Records(InstanceId instance) const {
    return RecordsFrom(instance, Seq(1));
  }
  // Those that hold events from `from` on.
  virtual Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                                  Seq from) const = 0;
};

// A shard of a store, which outlives it.
class StoreSource final : public Source {
 public:
  StoreSource(const eventstore::EventStore& store, ShardId shard) : store_(store), shard_(shard) {}
  Result<std::unique_ptr<eventstore::Cursor>> RecordsFrom(InstanceId instance,
                                                          Seq from) const override;

 private:
  const eventstore::EventStore& store_;
  const ShardId shard_;
};

// Visits the events of an instance that stand before position `end`, in order.
// kUnknownInstance: it has none.
Status ReadHistory(const Source& source, InstanceId instance, const VisitEntry& visit,
                   Position end = Position(UINT64_MAX));
Status ReadHistory(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                   const VisitEntry& visit, Position end = Position(UINT64_MAX));

// The instance as its whole history makes it, or what of it stands before position `end`.
Result<model::Instance> ReadInstance(const Source& source, InstanceId instance,
                                     Position end = Position(UINT64_MAX));
Result<model::Instance> ReadInstance(const eventstore::EventStore& store, ShardId shard,
                                     InstanceId instance, Position end = Position(UINT64_MAX));

// The definitions of the shard. A server keeps the texts of those back that its caller may not
// read: they are there without any, and without steps (MayBeRead). `visit` sees every event.
Result<model::Registry> ReadRegistry(const Source& source, const VisitEntry& visit = nullptr);
Result<model::Registry> ReadRegistry(const eventstore::EventStore& store, ShardId shard);

inline bool MayBeRead(const model::RegisteredDefinition& definition) {
  return !definition.canonical.empty();
}
// The definition that an instance runs. kUnknownDefinition: the registry does not have it, which
// may have been read before it was registered; kForbidden: as CheckMayBeRead.
Result<const model::RegisteredDefinition*> FindReadable(const model::Registry& registry,
                                                        DefinitionId definition,
                                                        InstanceId instance);
// kForbidden: the texts of the definition were kept back, which `instance` runs, if it is any.
Status CheckMayBeRead(const model::RegisteredDefinition& definition,
                      InstanceId instance = InstanceId());

}  // namespace stele::replay
