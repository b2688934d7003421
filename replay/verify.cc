#include "replay/verify.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

#include "base/instance_ranges.h"
#include "engine/apply/apply.h"
#include "engine/definition/canonical.h"
#include "engine/model/removal_limit.h"
#include "eventstore/for_each_record.h"
#include "replay/redecide.h"

namespace stele::replay {

namespace {

using eventstore::RecordView;
using model::Event;

constexpr uint64_t kProgressRecords = 10'000;

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
  Verifier(const eventstore::EventStore& store, ShardId shard)
      : store_(store), source_(store, shard), redecider_(registry_, WholeLog(shard)) {}
  Verifier(const Verifier&) = delete;
  Verifier& operator=(const Verifier&) = delete;

  Status Check(const RecordView& record);
  VerifyReport report() const;

 private:
  RedeciderOptions WholeLog(ShardId shard) const;
  Status CheckRegistry(const RecordView& record);
  Status CheckInstance(const RecordView& record);
  Status CheckFork(const RecordView& record, const model::InstanceForked& fork) const;
  std::unexpected<Error> MismatchOf(const RecordView& record, const Redecision& decision) const;

  const eventstore::EventStore& store_;
  const StoreSource source_;
  model::Registry registry_;
  Redecider redecider_;
  VerifyReport report_;
};

RedeciderOptions Verifier::WholeLog(ShardId shard) const {
  return {
      .whole_log = true,
      .source = &source_,
      .is_erased = [this, shard](InstanceId id) { return store_.KeyDestroyed(shard, id); },
      .check_fork = [this](const RecordView& record,
                           const model::InstanceForked& fork) { return CheckFork(record, fork); }};
}

VerifyReport Verifier::report() const {
  VerifyReport report = report_;
  report.definitions = registry_.definitions.size();
  report.open = redecider_.followed();
  return report;
}

Status Verifier::Check(const RecordView& record) {
  ++report_.records;
  report_.events += record.header.event_count;
  return record.header.instance ? CheckInstance(record) : CheckRegistry(record);
}

Status Verifier::CheckRegistry(const RecordView& record) {
  const Result<std::vector<Event>> events = DecodeRecord(record);
  if (!events.has_value()) return std::unexpected(events.error());
  Seq seq = record.header.first_seq;
  if (events->empty() || events->size() != record.header.event_count)
    return Mismatch(record, seq, fmt::format("a record of {} events", record.header.event_count),
                    fmt::format("{}", events->size()));
  if (seq != registry_.seq.Next())
    return Mismatch(record, seq, fmt::format("seq {}", registry_.seq.value + 1),
                    fmt::format("{}", seq.value));
  for (const Event& event : *events) {
    if (const std::string expected = std::visit(RegistryFault{registry_}, event); !expected.empty())
      return Mismatch(record, seq, expected, ShowEvent(event, nullptr));
    apply::Apply(registry_, event, {record.position, record.header.time});
    seq = seq.Next();
  }
  return {};
}

Status Verifier::CheckInstance(const RecordView& record) {
  const Result<Redecision> decision = redecider_.Take(record);
  if (!decision.has_value()) return std::unexpected(decision.error());
  if (decision->begins) ++report_.instances;
  const bool follows = decision->outcome == Redecision::Outcome::kSame ||
                       decision->outcome == Redecision::Outcome::kErased;
  return follows ? Status() : MismatchOf(record, *decision);
}

// That its origin was so, before anything is decided on a state that nobody may ever have had. An
// origin that was purged or erased cannot say.
Status Verifier::CheckFork(const RecordView& record, const model::InstanceForked& fork) const {
  const auto mismatch = [&](std::string_view expected, std::string_view found) {
    return Mismatch(record, record.header.first_seq,
                    fmt::format("{} of instance {} behind its event {}", expected,
                                fork.origin.value, fork.origin_seq.value),
                    found);
  };
  const Result<bool> erased = store_.KeyDestroyed(record.shard, fork.origin);
  if (!erased.has_value()) return std::unexpected(erased.error());
  if (*erased) return {};
  if (fork.origin_position >= record.position)
    return mismatch("a record before the fork's",
                    fmt::format("position {}", fork.origin_position.value));
  auto origin = ReadInstance(source_, fork.origin, fork.origin_position.Next());
  if (!origin.has_value() && origin.error().code == ErrorCode::kInstanceErased) return {};
  if (!origin.has_value() && origin.error().code == ErrorCode::kUnknownInstance)
    return mismatch("a fork", "no such instance");
  if (!origin.has_value()) return std::unexpected(origin.error());
  const Seq seq = origin->seq;
  if (seq != fork.origin_seq ||
      fork.state != model::ForkedState(std::make_shared<model::Instance>(*std::move(origin))))
    return mismatch("the state", "another one");
  const auto frame = store_.Tree(record.shard)->Frame(fork.origin_position);
  if (!frame.has_value()) return std::unexpected(frame.error());
  if (!frame->has_value()) return {};
  const eventstore::Hash leaf = eventstore::LeafHash(fork.origin_position, **frame);
  const std::string_view hash(reinterpret_cast<const char*>(leaf.data()), leaf.size());
  return hash == fork.origin_hash ? Status() : mismatch("the hash of the record", "another one");
}

std::unexpected<Error> Verifier::MismatchOf(const RecordView& record,
                                            const Redecision& decision) const {
  const auto show = [](const std::vector<Event>& events, size_t at,
                       const definition::Definition* definition) {
    return at < events.size() ? ShowEvent(events[at], definition) : "the end of the record";
  };
  const std::string found = show(redecider_.recorded(), decision.recorded_at, decision.ran);
  const Seq seq = record.header.first_seq.Plus(decision.recorded_at);
  if (!decision.expected.empty())
    return Mismatch(record, seq, decision.expected,
                    decision.found.empty() ? found : decision.found);
  if (decision.rejection.has_value())
    return Mismatch(record, seq, fmt::format("a refusal ({})", decision.rejection->message), found);
  return Mismatch(record, seq, show(redecider_.decided(), decision.decided_at, decision.decided),
                  found);
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
