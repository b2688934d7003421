// Who did what to which instance: reads the deeds that somebody asks for from the log, in its
// order.
//
// In memory it has one record, the definitions, and of a bounded number of instances which
// definition they run. All of the log takes as long as reading it: what is no deed is not decoded.
// Of one instance only its own records and those of the registry are read. The name of a step is
// looked up in the history of its instance, as far as the step's begin.
//
// Thread: one at a time. REQUIRES: the store outlives it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/error.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "replay/audit/account_changes.h"
#include "replay/audit/deed.h"

namespace stele::replay {

// Instances whose definition a report remembers, 16 bytes each; of others it is looked up again.
inline constexpr size_t kKnownBegins = 65'536;

// What is not said narrows nothing.
struct DeedFilter {
  InstanceId instance;     // and what was removed or denied of it
  std::string definition;  // its name
  std::string actor;
  TimeUs since;  // recorded then or later
  TimeUs until;  // recorded before
  std::vector<DeedKind> kinds;
  bool all = false;  // also the engine's and its workers' own
};

// Where a report goes on: of all of the log, the next record; of one instance, its next event and
// the registry's. "7", "7-3-12".
struct DeedPlace {
  Position position{1};
  Seq of_instance{1};
  Seq of_registry{1};
};
std::string PlaceText(const DeedPlace& place, const DeedFilter& filter);
// kInvalidInput: it is none of such a report.
Result<DeedPlace> ParsePlace(std::string_view text, const DeedFilter& filter);

class DeedReader {
 public:
  // Up to `end`, excluded. `known` has the definitions and triggers of the registry as it is there.
  DeedReader(const eventstore::EventStore& store, ShardId shard, DeedFilter filter,
             std::shared_ptr<const model::Registry> known, Position end, DeedPlace from = {})
      : store_(store),
        shard_(shard),
        filter_(std::move(filter)),
        known_(std::move(known)),
        end_(end),
        place_(from),
        accounts_(store, shard) {}

  // The next deed; nothing when there is no more, or when `most_records` were looked at, which
  // `ended` tells apart.
  Result<std::optional<Deed>> Next(uint64_t most_records = UINT64_MAX);
  bool ended() const { return ended_; }
  // Records that were looked at so far.
  uint64_t looked() const { return looked_; }
  // Behind what was looked at.
  DeedPlace place() const { return place_; }

 private:
  struct Stream {
    std::unique_ptr<eventstore::Cursor> cursor;
    std::optional<eventstore::RecordView> next;
  };

  Status Open();
  static Status Advance(Stream& stream);
  // The stream whose record is next; null: there is none.
  Stream* First();
  void Pass(const eventstore::RecordView& record);
  Result<std::optional<Deed>> Take(const eventstore::RecordView& record);
  bool Fits(const Deed& deed) const;
  // With the names that are not in the record.
  Status Complete(Deed& deed);
  Status NameDefinition(Deed& deed);
  Status NameStep(Deed& deed) const;
  // What the instance ran when it began; 0: that is not known any more.
  Result<DefinitionId> FirstOf(InstanceId instance);

  const eventstore::EventStore& store_;
  const ShardId shard_;
  const DeedFilter filter_;
  const std::shared_ptr<const model::Registry> known_;
  const Position end_;
  DeedPlace place_;
  bool opened_ = false;
  bool ended_ = false;
  uint64_t looked_ = 0;
  Stream log_;       // all of it, or the instance's
  Stream registry_;  // beside an instance's
  std::unordered_map<InstanceId, DefinitionId> first_;
  AccountChanges accounts_;
};

}  // namespace stele::replay
