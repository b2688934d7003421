#include "server/operations/histories.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"
#include "replay/recorded.h"
#include "replay/to_json.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

using replay::HistoryEntry;

// What a thread needs to read an instance.
struct Source {
  const eventstore::EventStore* log;
  ShardId shard;
  InstanceId instance;
  std::shared_ptr<const model::Registry> registry;
};

// A page, and what the instance runs when it comes to the event behind it.
struct NamedPage {
  HistoryPage page;
  Seq end;
  DefinitionId runs;
};

// The definition that the instance runs behind an event; `before` where it does not change it.
DefinitionId DefinitionBehind(const model::Event& event, DefinitionId before) {
  const DefinitionId runs = model::DefinitionBehind(event);
  return runs ? runs : before;
}

// Visits the events of records that hold some from `from` on, until `visit` says false.
Status Walk(const Source& source, Seq from, const auto& visit) {
  return eventstore::ForEachRecord(
      source.log->ReadInstance(source.shard, source.instance, from),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        const eventstore::RecordHeader& header = record.header;
        Seq seq = header.first_seq;
        bool goes_on = true;
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          if (goes_on)
            goes_on = visit(HistoryEntry{{record.position, header.time},
                                         seq,
                                         header.actor,
                                         header.source,
                                         event,
                                         record.erased});
          seq = seq.Next();
        }));
        return goes_on;
      });
}

// What the instance runs when it comes to the event `to`.
Result<DefinitionId> FindDefinition(const Source& source, Seq to) {
  DefinitionId runs;
  STELE_RETURN_IF_ERROR(Walk(source, Seq(1), [&](const HistoryEntry& entry) {
    if (entry.seq >= to) return false;
    runs = DefinitionBehind(entry.event, runs);
    return true;
  }));
  return runs;
}

// `runs`: what the instance runs when it comes to `from`, if that is known.
Result<NamedPage> ReadPage(const Source& source, Seq from, size_t limit, DefinitionId runs) {
  NamedPage named;
  HistoryPage& page = named.page;
  page.position = Position(source.log->NextPosition(source.shard).value - 1);
  if (!runs && from > Seq(1)) {
    const auto found = FindDefinition(source, from);
    if (!found.has_value()) return std::unexpected(found.error());
    runs = *found;
  }
  size_t bytes = 0;
  named.end = from;
  STELE_RETURN_IF_ERROR(Walk(source, from, [&](const HistoryEntry& entry) {
    if (entry.seq < from) return true;
    if (page.events.size() == limit || bytes >= kMaxHistoryBytes) {
      page.next = entry.seq;
      return false;
    }
    runs = DefinitionBehind(entry.event, runs);
    const model::RegisteredDefinition* registered = source.registry->Find(runs);
    page.events.push_back(
        replay::ToJson(entry, registered == nullptr ? nullptr : registered->definition.get()));
    bytes += stele::ToJson(Value(page.events.back())).size();
    named.end = entry.seq.Next();
    return true;
  }));
  named.runs = runs;
  return named;
}

Result<std::unique_ptr<replay::Recorded>> ReadAt(const Source& source, Moment moment) {
  replay::Includes includes;
  if (moment.seq)
    includes = [last = moment.seq](const HistoryEntry& entry) { return entry.seq <= last; };
  if (moment.time)
    includes = [last = moment.time](const HistoryEntry& entry) {
      return entry.record.time <= last;
    };
  auto recorded = replay::ReadRecorded(*source.log, source.shard, source.instance, *source.registry,
                                       nullptr, includes);
  if (!recorded.has_value() || !moment.seq || (*recorded)->instance.seq == moment.seq)
    return recorded;
  return Fail(
      ErrorCode::kNoSuchMoment,
      fmt::format("Expected an event of instance {} from 1 to {} but found {}",
                  source.instance.value, (*recorded)->instance.seq.value, moment.seq.value));
}

}  // namespace

Promised<HistoryPage> Histories::Events(const Caller& caller, InstanceId instance, Seq from,
                                        size_t limit) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<HistoryPage>(std::unexpected(allowed.error()));
  from = std::max(from, Seq(1));
  const auto known = runs_.find({instance, from});
  return desk_
      .Read([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                             desk_.Definitions()},
             from, limit, runs = known == runs_.end() ? DefinitionId() : known->second] {
        return ReadPage(source, from, limit, runs);
      })
      .then([this, instance](Result<NamedPage> named) -> Result<HistoryPage> {
        if (!named.has_value()) return std::unexpected(named.error());
        // Whoever asks for the next page, or for what has come meanwhile, begins there.
        if (!named->page.events.empty()) {
          if (runs_.size() >= kKnownPageEnds) runs_.clear();
          runs_[{instance, named->end}] = named->runs;
        }
        return std::move(named->page);
      });
}

Promised<Object> Histories::At(const Caller& caller, InstanceId instance, Moment moment) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<Object>(std::unexpected(allowed.error()));
  return desk_.ReadLong([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                                         desk_.Definitions()},
                         moment]() -> Result<Object> {
    const auto recorded = ReadAt(source, moment);
    if (!recorded.has_value()) return std::unexpected(recorded.error());
    const model::Instance& state = (*recorded)->instance;
    Object shown = ToJson(StatusOf(state, *source.registry->Find(state.definition), nullptr));
    shown.Set("steps", replay::StepsToJson(*(*recorded)->timeline));
    return shown;
  });
}

Promised<Array> Histories::Steps(const Caller& caller, InstanceId instance) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<Array>(std::unexpected(allowed.error()));
  return desk_.ReadLong([source = Source{desk_.engine().store, desk_.engine().shard_id, instance,
                                         desk_.Definitions()}]() -> Result<Array> {
    const auto recorded = ReadAt(source, {});
    if (!recorded.has_value()) return std::unexpected(recorded.error());
    return replay::StepsToJson(*(*recorded)->timeline);
  });
}

}  // namespace stele::server
