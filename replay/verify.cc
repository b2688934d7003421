#include "replay/verify.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <span>

#include "base/instance_ranges.h"
#include "base/json.h"
#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/definition/canonical.h"
#include "engine/model/codec.h"
#include "engine/model/event_json.h"
#include "engine/model/removal_limit.h"
#include "eventstore/for_each_record.h"
#include "replay/history.h"

namespace stele::replay {

namespace {

using eventstore::RecordView;
using model::Event;

constexpr uint64_t kProgressRecords = 10'000;
constexpr size_t kMaxShownBytes = 400;

std::string Show(const Event& event, const definition::Definition* definition) {
  std::string text = ToJson(model::EventToJson(event, definition));
  if (text.size() > kMaxShownBytes) {
    text.resize(kMaxShownBytes);
    text += "…";
  }
  return text;
}

std::unexpected<Error> Mismatch(const RecordView& record, Seq seq, std::string_view expected,
                                std::string_view found) {
  return Fail(ErrorCode::kReplayMismatch,
              fmt::format("Expected {} but found {} (position {}, instance {}, seq {})", expected,
                          found, record.position.value, record.header.instance.value, seq.value));
}

// What is wrong with an event of the registry before it is applied; empty: nothing.
struct RegistryFault {
  const model::Registry& registry;

  std::string operator()(const model::DefinitionRegistered& event) const {
    const uint64_t next = registry.definitions.size() + 1;
    if (event.definition.value != next)
      return fmt::format("the registration of definition {}", next);
    const definition::LoadResult loaded = definition::ReadCanonical(event.canonical);
    if (loaded.has_value()) return "";
    return "a definition that this build reads: " + loaded.error().front().message;
  }
  std::string operator()(const model::DefinitionStateChanged& event) const {
    if (registry.Find(event.definition) == nullptr) return "a registered definition";
    return model::FindDefinitionState(event.state).has_value() ? "" : "a state of a definition";
  }
  std::string operator()(const model::TriggerRegistered& event) const {
    const uint64_t next = registry.triggers.size() + 1;
    return event.trigger.value == next ? "" : fmt::format("the registration of trigger {}", next);
  }
  std::string operator()(const model::TriggerFired& event) const {
    return registry.Find(event.trigger) != nullptr ? "" : "a registered trigger";
  }
  std::string operator()(const model::TriggerStateChanged& event) const {
    if (registry.Find(event.trigger) == nullptr) return "a registered trigger";
    return model::FindTriggerState(event.state).has_value() ? "" : "a state of a trigger";
  }
  std::string operator()(const model::SettingChanged&) const { return ""; }
  std::string operator()(const model::AccessDenied&) const { return ""; }
  std::string operator()(const model::AlertChanged&) const { return ""; }
  std::string operator()(const model::MessagePublished&) const { return ""; }
  std::string operator()(const model::InstancesPurged& event) const {
    return model::MayBeRemoved(event.instances) ? "" : "some purged instances, in order";
  }
  std::string operator()(const model::InstancesErased& event) const {
    return model::MayBeRemoved(event.instances) ? "" : "some erased instances, in order";
  }
  template <class OfAnInstance>
  std::string operator()(const OfAnInstance&) const {
    return "an event of the registry";
  }
};

class Verifier {
 public:
  Verifier(const eventstore::EventStore& store, ShardId shard) : store_(store), shard_(shard) {}

  Status Check(const RecordView& record);
  VerifyReport report() const;

 private:
  Status CheckRegistry(const RecordView& record);
  Status CheckInstance(const RecordView& record);
  Status Compare(const RecordView& record, const definition::Definition& definition) const;
  Result<model::Instance*> InstanceOf(const RecordView& record);
  Result<model::Instance*> Reopen(const RecordView& record);
  Result<bool> IsErased(const RecordView& record);

  const eventstore::EventStore& store_;
  const ShardId shard_;
  model::Registry registry_;
  std::map<InstanceId, model::Instance> open_;
  InstanceId last_started_;
  std::set<InstanceId> erased_;  // of those that have started
  decide::Decider decider_;
  std::vector<Event> decided_;
  std::vector<Event> recorded_;
  VerifyReport report_;
};

VerifyReport Verifier::report() const {
  VerifyReport report = report_;
  report.definitions = registry_.definitions.size();
  report.open = open_.size();
  return report;
}

Status Verifier::Check(const RecordView& record) {
  Result<std::vector<Event>> events = model::Decode(record.body);
  if (!events.has_value())
    return Fail(events.error().code,
                fmt::format("{} (position {})", events.error().message, record.position.value));
  recorded_ = *std::move(events);
  if (recorded_.empty() || recorded_.size() != record.header.event_count)
    return Mismatch(record, record.header.first_seq,
                    fmt::format("a record of {} events", record.header.event_count),
                    fmt::format("{}", recorded_.size()));
  ++report_.records;
  report_.events += recorded_.size();
  return record.header.instance ? CheckInstance(record) : CheckRegistry(record);
}

Status Verifier::CheckRegistry(const RecordView& record) {
  Seq seq = record.header.first_seq;
  if (seq != registry_.seq.Next())
    return Mismatch(record, seq, fmt::format("seq {}", registry_.seq.value + 1),
                    fmt::format("{}", seq.value));
  for (const Event& event : recorded_) {
    if (const std::string expected = std::visit(RegistryFault{registry_}, event); !expected.empty())
      return Mismatch(record, seq, expected, Show(event, nullptr));
    apply::Apply(registry_, event, {record.position, record.header.time});
    seq = seq.Next();
  }
  return {};
}

// The state before the record, or why there is none that it could follow.
Result<model::Instance*> Verifier::InstanceOf(const RecordView& record) {
  const InstanceId id = record.header.instance;
  const Seq first = record.header.first_seq;
  const auto found = open_.find(id);
  if (found != open_.end()) {
    const Seq next = found->second.seq.Next();
    if (first != next)
      return Mismatch(record, first, fmt::format("seq {}", next.value),
                      fmt::format("{}", first.value));
    return &found->second;
  }
  if (id <= last_started_ &&
      std::holds_alternative<model::InstanceRetryRequested>(recorded_.front()))
    return Reopen(record);
  if (id <= last_started_)
    return Mismatch(record, first, "no more records of an instance that has ended",
                    Show(recorded_.front(), nullptr));
  if (first != Seq(1) || !std::holds_alternative<model::InstanceStarted>(recorded_.front()))
    return Mismatch(record, first, "the start of the instance", Show(recorded_.front(), nullptr));
  last_started_ = id;
  ++report_.instances;
  model::Instance& instance = open_[id];
  instance.id = id;
  return &instance;
}

// Asked at its start.
Result<bool> Verifier::IsErased(const RecordView& record) {
  const InstanceId id = record.header.instance;
  if (record.header.first_seq == Seq(1)) {
    const Result<bool> destroyed = store_.KeyDestroyed(shard_, id);
    if (!destroyed.has_value()) return destroyed;
    if (*destroyed) erased_.insert(id);
  }
  return erased_.contains(id);
}

// A failed instance goes on: its state is what its records before this one, which are checked,
// make.
Result<model::Instance*> Verifier::Reopen(const RecordView& record) {
  model::Instance instance;
  instance.id = record.header.instance;
  STELE_RETURN_IF_ERROR(ReadHistory(
      store_, shard_, instance.id,
      [&](const HistoryEntry& entry) { apply::Apply(instance, entry.event, entry.record); },
      record.position));
  if (record.header.first_seq != instance.seq.Next())
    return Mismatch(record, record.header.first_seq, fmt::format("seq {}", instance.seq.value + 1),
                    fmt::format("{}", record.header.first_seq.value));
  return &(open_[instance.id] = std::move(instance));
}

Status Verifier::CheckInstance(const RecordView& record) {
  Result<model::Instance*> instance = InstanceOf(record);
  if (!instance.has_value()) return std::unexpected(instance.error());
  const Seq first = record.header.first_seq;
  const std::optional<model::Command> command = decide::CommandOf(recorded_.front());
  if (!command.has_value())
    return Mismatch(record, first, "a cause", Show(recorded_.front(), nullptr));
  const auto* start = std::get_if<model::StartInstance>(&*command);
  const DefinitionId id = start != nullptr ? start->definition : (*instance)->definition;
  const model::RegisteredDefinition* registered = registry_.Find(id);
  if (registered == nullptr)
    return Mismatch(record, first, "a registered definition", fmt::format("number {}", id.value));

  const Result<bool> erased = IsErased(record);
  if (!erased.has_value()) return std::unexpected(erased.error());
  if (*erased) {
    // What it was decided on cannot be read any more.
    for (const Event& event : recorded_)
      apply::Apply(**instance, event, {record.position, record.header.time});
    if (model::HasEnded((*instance)->status)) open_.erase(record.header.instance);
    return {};
  }
  decided_.clear();
  const auto* migrate = std::get_if<model::MigrateInstance>(&*command);
  const auto* target = migrate == nullptr ? nullptr : registry_.Find(migrate->definition);
  const decide::Context context{*registered->definition,
                                {record.position, record.header.time},
                                target == nullptr ? nullptr : target->definition.get()};
  if (auto rejection = decider_.Decide(**instance, *command, context, decided_))
    return Mismatch(record, first, fmt::format("a refusal ({})", rejection->message),
                    Show(recorded_.front(), registered->definition.get()));
  STELE_RETURN_IF_ERROR(Compare(record, *registered->definition));
  if (model::HasEnded((*instance)->status)) open_.erase(record.header.instance);
  return {};
}

Status Verifier::Compare(const RecordView& record, const definition::Definition& definition) const {
  if (decided_ == recorded_) return {};
  const size_t both = std::min(decided_.size(), recorded_.size());
  size_t at = 0;
  while (at < both && decided_[at] == recorded_[at]) ++at;
  const auto show = [&](const std::vector<Event>& events) {
    return at < events.size() ? Show(events[at], &definition) : "the end of the record";
  };
  return Mismatch(record, record.header.first_seq.Plus(at), show(decided_), show(recorded_));
}

}  // namespace

Result<VerifyReport> Verify(const eventstore::EventStore& store, ShardId shard,
                            const VerifyProgress& progress) {
  const Result<uint64_t> chain = store.VerifyChain(shard);
  if (!chain.has_value()) return std::unexpected(chain.error());
  const Position end = store.NextPosition(shard);
  Verifier verifier(store, shard);
  const auto check = [&](const RecordView& record) -> Status {
    STELE_RETURN_IF_ERROR(verifier.Check(record));
    if (progress && record.position.value % kProgressRecords == 0)
      return progress(record.position, end);
    return {};
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(store.Read(shard, Position(1)), check));
  return verifier.report();
}

}  // namespace stele::replay
