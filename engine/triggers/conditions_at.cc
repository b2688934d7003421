#include "engine/triggers/conditions_at.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "eventstore/for_each_record.h"

namespace stele::triggers {

namespace {

using eventstore::EventStore;
using eventstore::ForEachRecord;
using eventstore::RecordView;

bool IsCounted(const model::Event& event) {
  return Occurrences::Reads(event) && !std::holds_alternative<model::MessagePublished>(event);
}

// Of which definition the instances of records are.
class DefinitionNames {
 public:
  DefinitionNames(const EventStore& log, ShardId shard) : log_(log), shard_(shard) {}

  void Learn(const model::Event& event) {
    if (const auto* registered = std::get_if<model::DefinitionRegistered>(&event))
      names_[registered->definition] = registered->name;
  }
  Result<std::string> Of(InstanceId instance, const std::vector<model::Event>& events) {
    bool ends = false;
    for (const model::Event& event : events) {
      if (model::BeginsInstance(event)) {
        open_[instance] = model::DefinitionBehind(event);
      } else {
        ends = ends || !std::holds_alternative<model::InstanceRetryRequested>(event);
      }
    }
    auto known = open_.find(instance);
    if (known == open_.end()) {
      const Result<DefinitionId> read = Read(instance);
      if (!read.has_value()) return std::unexpected(read.error());
      known = open_.emplace(instance, *read).first;
    }
    const auto name = names_.find(known->second);
    if (name == names_.end())
      return Fail(ErrorCode::kStoreCorrupt,
                  fmt::format("Expected a registered definition of instance {} but found {}",
                              instance.value, known->second.value));
    if (ends) open_.erase(known);
    return name->second;
  }

 private:
  // From its first record.
  Result<DefinitionId> Read(InstanceId instance) const {
    DefinitionId definition;
    STELE_RETURN_IF_ERROR(ForEachRecord(
        log_.ReadInstance(shard_, instance, Seq(1)), [&](const RecordView& record) -> Result<bool> {
          STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
            if (model::BeginsInstance(event)) definition = model::DefinitionBehind(event);
          }));
          return false;
        }));
    return definition;
  }

  const EventStore& log_;
  const ShardId shard_;
  std::map<DefinitionId, std::string> names_;
  std::map<InstanceId, DefinitionId> open_;
};

Status ReadRegistry(const EventStore& log, ShardId shard, Position to, TriggerTable& table,
                    DefinitionNames& names) {
  return ForEachRecord(
      log.ReadInstance(shard, InstanceId(), Seq(1)), [&](const RecordView& record) -> Result<bool> {
        if (record.position > to) return false;
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          table.Apply(event, {record.position, record.header.time});
          names.Learn(event);
        }));
        return true;
      });
}

Status FoldLog(const EventStore& log, ShardId shard, Position from, Position to,
               const std::stop_token& stop, DefinitionNames& names, Occurrences& occurrences) {
  return ForEachRecord(log.Read(shard, from.Next()), [&](const RecordView& record) -> Result<bool> {
    if (record.position > to) return false;
    if (stop.stop_requested())
      return Fail(ErrorCode::kShardStopped, "Expected a running engine but found it stopping");
    std::vector<model::Event> events;
    STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
      names.Learn(event);
      if (IsCounted(event)) events.push_back(event);
    }));
    if (events.empty()) return true;
    Result<std::string> name;
    if (record.header.instance) name = names.Of(record.header.instance, events);
    if (!name.has_value()) return std::unexpected(name.error());
    occurrences.Fold(events, {record.position, record.header.time}, *name);
    return true;
  });
}

}  // namespace

std::string ConditionsAt::ToText() const {
  Value written = state;
  written.as_object().Set("position", static_cast<int64_t>(position.value));
  return ToJson(written);
}

std::optional<ConditionsAt> ConditionsAt::FromText(std::string_view text) {
  Result<Value> state = ParseJson(text);
  const Value* position = state.has_value() ? state->Find("position") : nullptr;
  if (position == nullptr || !position->is_int()) return std::nullopt;
  const Position at(static_cast<uint64_t>(position->as_int()));
  return ConditionsAt{at, *std::move(state)};
}

Result<std::optional<ConditionsAt>> FurthestRecorded(const EventStore& log, ShardId shard,
                                                     Position behind) {
  std::optional<ConditionsAt> furthest;
  STELE_RETURN_IF_ERROR(
      ForEachRecord(log.ReadInstance(shard, InstanceId(), Seq(1)), [&](const RecordView& record) {
        return model::DecodeEach(record.body, [&](const model::Event& event) {
          const auto* purged = std::get_if<model::InstancesPurged>(&event);
          if (purged == nullptr || purged->conditions.empty()) return;
          std::optional<ConditionsAt> said = ConditionsAt::FromText(purged->conditions);
          if (!said.has_value() || said->position <= behind) return;
          if (!furthest.has_value() || said->position > furthest->position)
            furthest = std::move(said);
        });
      }));
  return furthest;
}

Result<std::optional<ConditionsAt>> FoldConditions(const EventStore& log, ShardId shard,
                                                   Position needed, Position to,
                                                   const std::stop_token& stop) {
  const auto note = log.GetNote(shard, kConditionsNote);
  if (!note.has_value()) return std::unexpected(note.error());
  std::optional<ConditionsAt> base;
  if (note->has_value()) base = ConditionsAt::FromText(**note);
  Position from = base.has_value() ? base->position : Position();
  if (from >= needed) return base;
  auto recorded = FurthestRecorded(log, shard, from);
  if (!recorded.has_value()) return std::unexpected(recorded.error());
  if (recorded->has_value()) {
    base = *std::move(*recorded);
    from = base->position;
    if (from >= needed) return std::nullopt;
  }
  TriggerTable table;
  DefinitionNames names(log, shard);
  STELE_RETURN_IF_ERROR(ReadRegistry(log, shard, from, table, names));
  Occurrences occurrences(table);
  if (base.has_value() && !occurrences.Restore(base->state))
    return Fail(ErrorCode::kStoreCorrupt,
                "Expected what conditions have come to but found another text");
  STELE_RETURN_IF_ERROR(FoldLog(log, shard, from, to, stop, names, occurrences));
  return ConditionsAt{to, occurrences.ToValue()};
}

}  // namespace stele::triggers
