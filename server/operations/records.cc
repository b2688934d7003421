// Records as the log has them: histories.h.
#include <set>

#include "engine/model/codec.h"
#include "engine/runtime/custom_types.h"
#include "eventstore/for_each_record.h"
#include "server/operations/histories.h"
#include "server/operations/limits.h"

namespace stele::server {

namespace {

// What of the registry one caller may see. Of definitions that they may not see, and of their
// triggers, the numbers are left: those of others count on them.
class RegistryView {
 public:
  RegistryView(const Sight& sight, const model::Registry& registry, bool firings)
      : sight_(sight), firings_(firings) {
    for (const model::RegisteredDefinition& registered : registry.definitions)
      if (!sight.Sees(registered.name)) definitions_.insert(registered.id);
    for (const model::RegisteredTrigger& registered : registry.triggers)
      if (!sight.Sees(registered.definition)) triggers_.insert(registered.id);
  }

  // Whether it is shown, perhaps with less.
  bool Show(model::Event& event) const {
    if (auto* registered = std::get_if<model::DefinitionRegistered>(&event)) {
      if (!sight_.Sees(registered->name)) *registered = {.definition = registered->definition};
      return true;
    }
    if (auto* registered = std::get_if<model::TriggerRegistered>(&event)) {
      if (!sight_.Sees(registered->definition)) *registered = {.trigger = registered->trigger};
      return true;
    }
    if (const auto* setting = std::get_if<model::SettingChanged>(&event))
      return setting->name.starts_with(runtime::kTypePrefix);
    if (const auto* changed = std::get_if<model::TriggerStateChanged>(&event))
      return !triggers_.contains(changed->trigger);
    if (const auto* fired = std::get_if<model::TriggerFired>(&event))
      return firings_ && !triggers_.contains(fired->trigger);
    if (const auto* changed = std::get_if<model::DefinitionStateChanged>(&event))
      return !definitions_.contains(changed->definition);
    return false;
  }

 private:
  Sight sight_;
  // Those that are not seen.
  std::set<DefinitionId> definitions_;
  std::set<TriggerId> triggers_;
  bool firings_;
};

Result<RecordPage> ReadPage(const eventstore::EventStore& log, ShardId shard, InstanceId instance,
                            Seq from, const auto& take) {
  RecordPage page;
  size_t bytes = 0;
  STELE_RETURN_IF_ERROR(
      eventstore::ForEachRecord(log.ReadInstance(shard, instance, std::max(from, Seq(1))),
                                [&](const eventstore::RecordView& record) -> Result<bool> {
                                  const eventstore::RecordHeader& header = record.header;
                                  if (bytes >= kMaxRecordPageBytes) {
                                    page.next = header.first_seq;
                                    return false;
                                  }
                                  // What is left out was read, too.
                                  bytes += sizeof(StoredRecord) + record.body.size();
                                  StoredRecord stored{.position = record.position,
                                                      .first_seq = header.first_seq,
                                                      .time = header.time,
                                                      .causation = header.causation,
                                                      .actor = std::string(header.actor),
                                                      .source = std::string(header.source),
                                                      .erased = record.erased,
                                                      .body = {}};
                                  const Status taken = take(record.body, stored.body);
                                  if (!taken.has_value()) return std::unexpected(taken.error());
                                  if (!stored.body.empty())
                                    page.records.push_back(std::move(stored));
                                  return true;
                                }));
  return page;
}

}  // namespace

Promised<RecordPage> Histories::Records(const Caller& caller, InstanceId instance, Seq from) {
  if (const auto allowed = instances_.Allow(caller, Permission::kRead, instance);
      !allowed.has_value())
    return Result<RecordPage>(std::unexpected(allowed.error()));
  std::vector<std::string> lacking = instances_.LackingWorkers();
  return desk_.Read([log = desk_.engine().store, shard = desk_.engine().shard_id, instance, from,
                     lacking = std::move(lacking)] {
    auto page = ReadPage(*log, shard, instance, from, [](std::string_view body, std::string& to) {
      to = body;
      return Status();
    });
    if (page.has_value()) page->lacking = lacking;
    return page;
  });
}

Promised<RecordPage> Histories::RegistryRecords(const Caller& caller, Seq from, bool firings) {
  if (const Status allowed = desk_.Allow(caller, Permission::kReadDefinitions);
      !allowed.has_value())
    return Result<RecordPage>(std::unexpected(allowed.error()));
  RegistryView view(desk_.SightOf(caller, Permission::kReadDefinitions), desk_.registry(), firings);
  return desk_.Read(
      [log = desk_.engine().store, shard = desk_.engine().shard_id, from, view = std::move(view)] {
        model::RecordEncoder encoder;
        return ReadPage(
            *log, shard, InstanceId(), from, [&](std::string_view body, std::string& to) -> Status {
              auto events = model::Decode(body);
              if (!events.has_value()) return std::unexpected(events.error());
              std::erase_if(*events, [&](model::Event& event) { return !view.Show(event); });
              if (!events->empty()) to = encoder.Encode(*events);
              return {};
            });
      });
}

}  // namespace stele::server
