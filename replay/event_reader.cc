#include "replay/event_reader.h"

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/model/beginning.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "replay/history.h"

namespace stele::replay {

namespace {

bool EndsInstance(const model::Event& event) {
  return std::holds_alternative<model::InstanceCompleted>(event) ||
         std::holds_alternative<model::InstanceFailed>(event) ||
         std::holds_alternative<model::InstanceCancelled>(event) ||
         std::holds_alternative<model::InstanceTerminated>(event);
}

// What an event without an instance is about.
struct AboutOf {
  ShownEvent& shown;
  void operator()(const model::DefinitionRegistered& event) const {
    shown.about_definition = event.definition;
  }
  void operator()(const model::DefinitionStateChanged& event) const {
    shown.about_definition = event.definition;
  }
  void operator()(const model::TriggerRegistered& event) const {
    shown.about_trigger = event.trigger;
  }
  void operator()(const model::TriggerFired& event) const { shown.about_trigger = event.trigger; }
  void operator()(const model::TriggerStateChanged& event) const {
    shown.about_trigger = event.trigger;
  }
  void operator()(const model::AlertChanged& event) const {
    const auto document = ParseJson(event.document);
    const Value* name = document.has_value() ? document->Find("definition") : nullptr;
    if (name != nullptr && name->is_string()) shown.definition = name->as_string();
  }
  template <class Other>
  void operator()(const Other&) const {}
};

}  // namespace

Status EventReader::OpenCursor() {
  auto cursor =
      instance_ ? store_.ReadInstance(shard_, instance_, next_seq_) : store_.Read(shard_, from_);
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  cursor_ = *std::move(cursor);
  return {};
}

Result<std::optional<std::vector<ShownEvent>>> EventReader::Next() {
  // A cursor of one instance that has come to the end looks its blocks up from where it began.
  if (cursor_ == nullptr || (instance_ && all_read_)) STELE_RETURN_IF_ERROR(OpenCursor());
  for (;;) {
    const auto record = cursor_->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    all_read_ = !record->has_value();
    if (all_read_) return std::nullopt;
    const eventstore::RecordHeader& header = (*record)->header;
    next_seq_ = Seq(header.first_seq.value + header.event_count);
    const auto events = model::Decode((*record)->body);
    if (!events.has_value()) return std::unexpected(events.error());
    if ((*record)->position >= from_) {
      if (header.instance && !runs_.contains(header.instance) &&
          !model::BeginsInstance(events->front()))
        STELE_RETURN_IF_ERROR(LookUp(header.instance, (*record)->position));
      return Shown(**record, *events);
    }
    for (const model::Event& event : *events) Follow(header.instance, event);
  }
}

std::vector<ShownEvent> EventReader::Shown(const eventstore::RecordView& record,
                                           std::span<const model::Event> events) {
  std::vector<ShownEvent> shown;
  shown.reserve(events.size());
  const InstanceId instance = record.header.instance;
  bool ended = false;
  for (const model::Event& event : events) {
    Follow(instance, event);
    ended = ended || EndsInstance(event);
    const auto ordinal = static_cast<uint32_t>(shown.size());
    const definition::Definition* definition = DefinitionOf(instance);
    shown.push_back({.position = record.position,
                     .ordinal = ordinal,
                     .seq = Seq(record.header.first_seq.value + ordinal),
                     .instance = instance,
                     .time = record.header.time,
                     .name = model::EventName(event),
                     .definition = definition == nullptr ? std::string() : definition->name,
                     .about_definition = {},
                     .about_trigger = {},
                     .actor = std::string(record.header.actor),
                     .source = std::string(record.header.source),
                     .json = stele::ToJson(model::EventToJson(event, definition))});
    std::visit(AboutOf{shown.back()}, event);
  }
  if (ended && !instance_) runs_.erase(instance);
  return shown;
}

void EventReader::Follow(InstanceId instance, const model::Event& event) {
  if (const auto* registered = std::get_if<model::DefinitionRegistered>(&event)) {
    if (definitions_.contains(registered->definition)) return;
    definition::LoadResult read = definition::ReadCanonical(registered->canonical);
    if (read.has_value()) definitions_[registered->definition] = *std::move(read);
    return;
  }
  const DefinitionId definition = model::DefinitionBehind(event);
  if (!definition) return;
  if (runs_.size() >= kKnownInstances) runs_.clear();
  runs_[instance] = definition;
}

Status EventReader::LookUp(InstanceId instance, Position end) {
  return ReadHistory(
      store_, shard_, instance, [&](const HistoryEntry& entry) { Follow(instance, entry.event); },
      end);
}

const definition::Definition* EventReader::DefinitionOf(InstanceId instance) {
  const auto runs = runs_.find(instance);
  if (runs == runs_.end()) return nullptr;
  auto found = definitions_.find(runs->second);
  if (found == definitions_.end()) {
    // It came after this began, and its record is not among those that are read.
    const auto registry = ReadRegistry(store_, shard_);
    if (!registry.has_value()) return nullptr;
    for (const model::RegisteredDefinition& each : registry->definitions)
      definitions_.try_emplace(each.id, each.definition);
    found = definitions_.find(runs->second);
  }
  return found == definitions_.end() ? nullptr : found->second.get();
}

}  // namespace stele::replay
