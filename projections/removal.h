// What removing instances does to views. A purge (their records are cut out of the log) and an
// erasure (their payloads cannot be read any more) are records of the registry, and both are in the
// log before anything goes. Views of single instances lose the rows of those that were purged, and
// make them anew, without payloads, of those that were erased. Views of totals keep their figures:
//
// - a generation that has seen the instances has them already;
// - one that is built when they are cut out adds what the record of the purge says of them;
// - one that was being built meanwhile begins anew.
//
// Thread: any; a writer's.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/instance_ranges.h"
#include "engine/model/registry.h"
#include "eventstore/event_store.h"
#include "projections/scratch_view.h"
#include "projections/view.h"

namespace stele::projections {

// Whether the instances of a purge are cut out of the log: all of them, or none. REQUIRES: there is
// one.
Result<bool> WasCutOut(const eventstore::EventStore& log, ShardId shard,
                       std::span<const InstanceRange> instances);
// The last purge whose instances are cut out; 0: none. Reads the registry.
Result<Position> LastCutPurge(const eventstore::EventStore& log, ShardId shard);
// kInstanceErased: what a view was built of went meanwhile; it is to be built anew.
Status CutMeanwhile(Position purge);

enum class Payloads : uint8_t { kAsTheyAre, kBlanked };
struct ViewFeeding {
  View* view;
  ViewWriter* writer;
};
// All records of an instance, and nothing else, as a batch of these views. What it is at its end,
// when given, is put there.
Status FeedInstance(const eventstore::EventStore& log, ShardId shard, InstanceId instance,
                    const model::Registry& registry, Payloads payloads,
                    std::span<const ViewFeeding> views, model::Instance* at_end = nullptr);

// What has to be known of instances before they are purged.
struct Leaving {
  std::vector<model::ViewRow> totals;  // what they add to views of totals
  std::vector<std::pair<std::string, InstanceId>> idempotency_keys;
  struct Message {
    Position published;
    std::string id;  // empty: it has none
  };
  std::vector<Message> messages;         // that they published
  std::vector<model::MessagePlace> met;  // messages of anybody
  Position last;                         // the last of their records
};
// Reads all of their records. kWrongState: one of them has not ended.
Result<Leaving> ReadLeaving(const eventstore::EventStore& log, ShardId shard,
                            const model::Registry& registry, std::span<const InstanceId> instances,
                            std::span<const MakeView> views);

}  // namespace stele::projections
