// Reads the events that somebody follows from the log, as they are shown.
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
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"
#include "eventstore/event_store.h"

namespace stele::replay {

// Instances whose definition a reader remembers, 16 bytes each; of others it is looked up.
inline constexpr size_t kKnownInstances = 65'536;

// An event of the log. (position, ordinal) names it for ever.
struct ShownEvent {
  Position position;
  uint32_t ordinal = 0;  // in its record, from 0
  Seq seq;               // in its instance's history
  InstanceId instance;   // 0: definitions, triggers, messages from outside
  TimeUs time;
  std::string_view name;  // "step_completed"
  // The name of the one that the instance runs, or that an alert watches over; empty: none.
  std::string definition;
  // Of what has no instance: what it is about; 0: neither.
  DefinitionId about_definition;
  TriggerId about_trigger;
  std::string actor;   // who asked; empty: the engine itself
  std::string source;  // from where (engine/model/asker.h)
  std::string json;    // the event with its members, as histories have them
};

class EventReader {
 public:
  using Definitions = std::map<DefinitionId, std::shared_ptr<const definition::Definition>>;

  // From position `from` on, of one instance or, of 0, all. `known` saves reading definitions.
  EventReader(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
              Position from, Definitions known)
      : store_(store),
        shard_(shard),
        instance_(instance),
        from_(from),
        definitions_(std::move(known)) {}

  // The next record's events; nothing at the end of what is durable, where a later call may find
  // more.
  Result<std::optional<std::vector<ShownEvent>>> Next();

 private:
  Status OpenCursor();
  std::vector<ShownEvent> Shown(const eventstore::RecordView& record,
                                std::span<const model::Event> events);
  void Follow(InstanceId instance, const model::Event& event);
  Status LookUp(InstanceId instance, Position end);
  const definition::Definition* DefinitionOf(InstanceId instance);

  const eventstore::EventStore& store_;
  const ShardId shard_;
  const InstanceId instance_;
  const Position from_;
  Definitions definitions_;
  std::unordered_map<InstanceId, DefinitionId> runs_;
  std::unique_ptr<eventstore::Cursor> cursor_;
  Seq next_seq_{1};  // of the one instance
  bool all_read_ = false;
};

}  // namespace stele::replay
