#include "replay/history.h"

#include <fmt/format.h>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"

namespace stele::replay {

namespace {

// Visits the events of `instance`, which may be the registry. Returns how many there are.
Result<uint64_t> Walk(const Source& source, InstanceId instance, const VisitEntry& visit,
                      Position end) {
  uint64_t events = 0;
  const auto take = [&](const eventstore::RecordView& record) -> Result<bool> {
    if (record.position >= end) return false;
    const eventstore::RecordHeader& header = record.header;
    const model::RecordContext context{record.position, header.time};
    Seq seq = header.first_seq;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      visit({context, seq, header.actor, header.source, event, record.erased});
      seq = seq.Next();
      ++events;
    }));
    return true;
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(source.Records(instance), take));
  return events;
}

// What there is to know of a definition whose texts were kept back.
void AddUnread(model::Registry& registry, const model::DefinitionRegistered& event,
               const model::RecordContext& record) {
  auto unread = std::make_shared<definition::Definition>();
  unread->name = event.name;
  registry.definitions.push_back({.id = event.definition,
                                  .name = event.name,
                                  .version = event.version,
                                  .canonical = {},
                                  .source = {},
                                  .file = {},
                                  .registered = record.time,
                                  .definition = std::move(unread)});
}

}  // namespace

Result<std::unique_ptr<eventstore::Cursor>> StoreSource::RecordsFrom(InstanceId instance,
                                                                     Seq from) const {
  return store_.ReadInstance(shard_, instance, from);
}

Status ReadHistory(const Source& source, InstanceId instance, const VisitEntry& visit,
                   Position end) {
  Result<uint64_t> events = 0;
  if (instance) events = Walk(source, instance, visit, end);
  if (!events.has_value()) return std::unexpected(events.error());
  if (*events > 0) return {};
  return Fail(ErrorCode::kUnknownInstance,
              fmt::format("Expected an instance but found no {}", instance.value));
}

Status ReadHistory(const eventstore::EventStore& store, ShardId shard, InstanceId instance,
                   const VisitEntry& visit, Position end) {
  return ReadHistory(StoreSource(store, shard), instance, visit, end);
}

Result<model::Instance> ReadInstance(const Source& source, InstanceId instance, Position end) {
  model::Instance state;
  state.id = instance;
  STELE_RETURN_IF_ERROR(ReadHistory(
      source, instance,
      [&](const HistoryEntry& entry) { apply::Apply(state, entry.event, entry.record); }, end));
  return state;
}

Result<model::Instance> ReadInstance(const eventstore::EventStore& store, ShardId shard,
                                     InstanceId instance, Position end) {
  return ReadInstance(StoreSource(store, shard), instance, end);
}

Result<model::Registry> ReadRegistry(const Source& source, const VisitEntry& visit) {
  model::Registry registry;
  const auto take = [&](const HistoryEntry& entry) {
    const auto* registered = std::get_if<model::DefinitionRegistered>(&entry.event);
    if (registered != nullptr && registered->canonical.empty()) {
      AddUnread(registry, *registered, entry.record);
    } else {
      apply::Apply(registry, entry.event, entry.record);
    }
    if (visit) visit(entry);
  };
  const Result<uint64_t> events = Walk(source, InstanceId(), take, Position(UINT64_MAX));
  if (!events.has_value()) return std::unexpected(events.error());
  return registry;
}

Result<model::Registry> ReadRegistry(const eventstore::EventStore& store, ShardId shard) {
  return ReadRegistry(StoreSource(store, shard));
}

Result<const model::RegisteredDefinition*> FindReadable(const model::Registry& registry,
                                                        DefinitionId definition,
                                                        InstanceId instance) {
  const model::RegisteredDefinition* registered = registry.Find(definition);
  if (registered == nullptr)
    return Fail(ErrorCode::kUnknownDefinition,
                fmt::format("Expected the definition {} that instance {} runs but found it not "
                            "registered when definitions were read; ask again",
                            definition.value, instance.value));
  STELE_RETURN_IF_ERROR(CheckMayBeRead(*registered, instance));
  return registered;
}

Status CheckMayBeRead(const model::RegisteredDefinition& definition, InstanceId instance) {
  if (MayBeRead(definition)) return {};
  // Its name was kept back, too.
  return Fail(ErrorCode::kForbidden,
              fmt::format("Expected a definition that may be read but {} is kept from you: "
                          "read_definitions",
                          instance ? fmt::format("the definition of instance {}", instance.value)
                                   : "this one"));
}

}  // namespace stele::replay
