#include "replay/history.h"

#include <fmt/format.h>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"

namespace stele::replay {

namespace {

// Visits the events of `instance`, which may be the registry. Returns how many there are.
Result<uint64_t> Walk(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                      const VisitEntry& visit, Position end) {
  uint64_t events = 0;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    if (record.position >= end) return false;
    const eventstore::RecordHeader& header = record.header;
    const model::RecordContext context{record.position, header.time};
    Seq seq = header.first_seq;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      visit({context, seq, header.actor, event, record.erased});
      seq = seq.Next();
      ++events;
    }));
    return true;
  };
  STELE_RETURN_IF_ERROR(
      eventstore::ForEachRecord(store.ReadInstance(shard, instance, Seq(1)), take));
  return events;
}

}  // namespace

Status ReadHistory(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                   const VisitEntry& visit, Position end) {
  Result<uint64_t> events = 0;
  if (instance) events = Walk(store, shard, instance, visit, end);
  if (!events.has_value()) return std::unexpected(events.error());
  if (*events > 0) return {};
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected an instance but found no {}", instance.value));
}

Result<model::Instance> ReadInstance(const eventstore::EventStore& store, ShardId shard,
                                     InstanceId instance, Position end) {
  model::Instance state;
  state.id = instance;
  STELE_RETURN_IF_ERROR(ReadHistory(
      store, shard, instance,
      [&](const HistoryEntry& entry) { apply::Apply(state, entry.event, entry.record); }, end));
  return state;
}

Result<model::Registry> ReadRegistry(const eventstore::EventStore& store, ShardId shard) {
  model::Registry registry;
  const Result<uint64_t> events = Walk(
      store, shard, InstanceId(),
      [&](const HistoryEntry& entry) { apply::Apply(registry, entry.event, entry.record); },
      Position(UINT64_MAX));
  if (!events.has_value()) return std::unexpected(events.error());
  return registry;
}

}  // namespace stele::replay
