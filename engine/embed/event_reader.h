// Reads the events that a subscriber asked for, as the public header has them, from the log.
//
// In memory it has one record, the definitions, and of a bounded number of instances which
// definition they run. One that is not among them is looked up in the log again.
//
// Thread: one at a time. REQUIRES: the store outlives it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "eventstore/event_store.h"
#include "stele/engine.h"

namespace stele::embed {

class EventReader {
 public:
  using Definitions = std::map<DefinitionId, std::shared_ptr<const definition::Definition>>;

  // From position `from` on, of one instance or, of 0, all. `known` saves reading definitions.
  EventReader(const eventstore::EventStore& store, InstanceId instance, Position from,
              Definitions known)
      : store_(store), instance_(instance), from_(from), definitions_(std::move(known)) {}

  // The next record's events; nothing at the end of what is durable, where a later call may find
  // more.
  stele::Result<std::optional<std::vector<Event>>> Next();

 private:
  stele::Status OpenCursor();
  std::vector<Event> Shown(const eventstore::RecordView& record,
                           std::span<const model::Event> events);
  void Follow(InstanceId instance, const model::Event& event);
  stele::Status LookUp(InstanceId instance, Position end);
  const definition::Definition* DefinitionOf(InstanceId instance);

  const eventstore::EventStore& store_;
  const InstanceId instance_;
  const Position from_;
  Definitions definitions_;
  std::unordered_map<InstanceId, DefinitionId> runs_;
  std::unique_ptr<eventstore::Cursor> cursor_;
  Seq next_seq_{1};  // of the one instance
  bool all_read_ = false;
};

}  // namespace stele::embed
