#include "engine/retention/remover.h"

#include <algorithm>

#include "base/clock.h"
#include "base/instance_ranges.h"
#include "engine/retention/met.h"
#include "engine/retention/tiering.h"
#include "engine/runtime/board.h"
#include "engine/triggers/conditions_at.h"

namespace stele::retention {

namespace {

// How long it waits for the views before it looks whether it is to stop.
constexpr int64_t kTickUs = 100'000;

}  // namespace

Status Remover::WaitForViews(Position position) {
  for (;;) {
    const Status reached = parts_.projector->WaitFor(position, kTickUs);
    if (reached.has_value() || reached.error().code != ErrorCode::kTimeout) return reached;
    if (parts_.stop.stop_requested())
      return Fail(ErrorCode::kShardStopped, "Expected a running engine but found it stopping");
  }
}

Result<PurgeReport> Remover::Finish(const model::Registry& registry) {
  PurgeReport finished;
  if (registry.purge.position) {
    const auto done = projections::WasCutOut(*parts_.store, parts_.shard, registry.purge.instances);
    if (!done.has_value()) return std::unexpected(done.error());
    if (!*done) {
      const std::vector<InstanceId> instances = InstancesIn(registry.purge.instances);
      const auto leaving =
          projections::ReadLeaving(*parts_.store, parts_.shard, registry, instances, parts_.views);
      if (!leaving.has_value()) return std::unexpected(leaving.error());
      const auto cut = CutOut(instances, *leaving, registry.purge.position);
      if (!cut.has_value()) return std::unexpected(cut.error());
      finished = *cut;
    }
  }
  // One that was cut off in the middle.
  const auto rest = parts_.store->Cut(parts_.shard, {}, parts_.stop);
  if (!rest.has_value()) return std::unexpected(rest.error());
  finished.instances += rest->instances;
  finished.records += rest->records;
  std::vector<InstanceId> readable;
  for (const InstanceId id : InstancesIn(registry.erased)) {
    const auto destroyed = parts_.store->KeyDestroyed(parts_.shard, id);
    if (!destroyed.has_value()) return std::unexpected(destroyed.error());
    if (!*destroyed) readable.push_back(id);
  }
  if (!registry.erased.empty()) parts_.projector->ForgetThen();
  // Keys that are noted as destroyed and may still be in files, with what goes with them.
  const Status keys_gone = parts_.store->DestroyKeys(parts_.shard, {});
  if (!keys_gone.has_value() && keys_gone.error().code != ErrorCode::kUnsupported)
    return std::unexpected(keys_gone.error());
  if (readable.empty()) return finished;
  STELE_RETURN_IF_ERROR(WaitForViews(registry.position));
  const auto sent = FindSent(*parts_.store, parts_.shard, readable, "");
  if (!sent.has_value()) return std::unexpected(sent.error());
  STELE_RETURN_IF_ERROR(DestroyKeys(readable, *sent));
  return finished;
}

Result<PurgeReport> Remover::Purge(std::span<const InstanceId> instances,
                                   const model::Registry& registry, Position seen,
                                   TimeUs closed_before, const std::string& reason,
                                   const model::KeptAsker& asker) {
  auto leaving =
      projections::ReadLeaving(*parts_.store, parts_.shard, registry, instances, parts_.views);
  if (!leaving.has_value()) return std::unexpected(leaving.error());
  model::InstancesPurged purged{.instances = RangesOf(instances),
                                .closed_before = closed_before,
                                .reason = reason,
                                .totals = std::move(leaving->totals),
                                .firings = {},
                                .conditions = {},
                                .messages = {},
                                .message_ids = {}};
  for (const auto& [key, instance] : leaving->idempotency_keys)
    if (runtime::FiringOf(key).has_value()) purged.firings.push_back(key);
  STELE_RETURN_IF_ERROR(AddMet(purged, std::move(leaving->met), instances));
  const auto recorded = AddConditions(purged, leaving->last, seen);
  if (!recorded.has_value()) return std::unexpected(recorded.error());
  const auto position = parts_.ask([&](runtime::Shard& shard, runtime::Shard::Answer answer) {
    const Status added = AddIds(purged, leaving->messages, shard.board());
    if (!added.has_value()) return answer(std::unexpected(added.error()));
    shard.Purge(std::move(purged), seen, asker, std::move(answer));
  });
  if (!position.has_value()) return std::unexpected(position.error());
  recorded_ = *recorded;
  STELE_RETURN_IF_ERROR(Step("the purge is decided"));
  return CutOut(instances, *leaving, *position);
}

// Once for the portions of a run, for which the same is seen.
Result<Position> Remover::AddConditions(model::InstancesPurged& purged, Position last,
                                        Position seen) {
  if (last <= recorded_) return recorded_;
  const auto conditions = triggers::FoldConditions(*parts_.store, parts_.shard, last,
                                                   std::max(last, seen), parts_.stop);
  if (!conditions.has_value()) return std::unexpected(conditions.error());
  if (!conditions->has_value()) return last;
  purged.conditions = (*conditions)->ToText();
  return (*conditions)->position;
}

Status Remover::AddMet(model::InstancesPurged& purged, std::vector<model::MessagePlace> met,
                       std::span<const InstanceId> instances) const {
  auto kept =
      KeptOfOthers(*parts_.store, parts_.shard, std::move(met), instances, parts_.clock->Now());
  if (!kept.has_value()) return std::unexpected(kept.error());
  purged.messages = *std::move(kept);
  return {};
}

// An id that somebody else had first stays that one's.
Status Remover::AddIds(model::InstancesPurged& purged,
                       std::span<const projections::Leaving::Message> messages,
                       const runtime::Board& board) {
  for (const auto& [published, id] : messages) {
    if (id.empty()) continue;
    const auto first = board.FirstWithId(id);
    if (!first.has_value()) return std::unexpected(first.error());
    if (first->has_value() && (*first)->position == published) purged.message_ids.push_back(id);
  }
  return {};
}

Result<PurgeReport> Remover::CutOut(std::span<const InstanceId> instances,
                                    const projections::Leaving& leaving, Position purge) {
  STELE_RETURN_IF_ERROR(WaitForViews(purge));
  STELE_RETURN_IF_ERROR(Step("the views have passed"));
  std::vector<Position> published;
  for (const projections::Leaving::Message& message : leaving.messages)
    published.push_back(message.published);
  if (!published.empty()) STELE_RETURN_IF_ERROR(ForgetMessages(std::move(published)));
  STELE_RETURN_IF_ERROR(Step("the messages are forgotten"));
  STELE_RETURN_IF_ERROR(
      ArchiveThrough(*parts_.store, parts_.shard, leaving.last, purge, parts_.stop));
  STELE_RETURN_IF_ERROR(Step("their records are archived"));
  eventstore::Erasure erasure{{instances.begin(), instances.end()}, {}};
  for (const auto& [key, instance] : leaving.idempotency_keys)
    erasure.notes.push_back(runtime::Board::IdempotencyNote(key));
  auto cut = parts_.store->Cut(parts_.shard, erasure, parts_.stop);
  if (!cut.has_value() && cut.error().code == ErrorCode::kWrongState) {
    // The open set still has one that ended since the last checkpoint.
    const auto written = parts_.ask([](runtime::Shard& shard, runtime::Shard::Answer answer) {
      shard.WriteCheckpoint(std::move(answer));
    });
    if (!written.has_value()) return std::unexpected(written.error());
    cut = parts_.store->Cut(parts_.shard, erasure, parts_.stop);
  }
  if (!cut.has_value()) return std::unexpected(cut.error());
  STELE_RETURN_IF_ERROR(Step("they are cut out"));
  const auto forgotten =
      parts_.ask([&](runtime::Shard& shard, const runtime::Shard::Answer& answer) {
        shard.ForgetKeys(leaving.idempotency_keys);
        answer(purge);
      });
  if (!forgotten.has_value()) return std::unexpected(forgotten.error());
  parts_.projector->ForgetThen();
  return PurgeReport{instances.size(), cut->records};
}

Status Remover::Erase(std::span<const InstanceId> instances, const Sent& sent, Position seen,
                      const std::string& reason, const model::KeptAsker& asker) {
  // Nothing is decided that cannot be done.
  STELE_RETURN_IF_ERROR(parts_.store->DestroyKeys(parts_.shard, {}));
  model::InstancesErased erased{RangesOf(instances), reason};
  const auto position = parts_.ask([&](runtime::Shard& shard, runtime::Shard::Answer answer) {
    shard.Erase(std::move(erased), seen, asker, std::move(answer));
  });
  if (!position.has_value()) return std::unexpected(position.error());
  STELE_RETURN_IF_ERROR(Step("the erasure is decided"));
  STELE_RETURN_IF_ERROR(WaitForViews(*position));
  STELE_RETURN_IF_ERROR(Step("the views have passed"));
  return DestroyKeys(instances, sent);
}

// Nobody gets them any more. A restart does not read them again; and the checkpoint has nothing any
// more of who ended since the last one.
Status Remover::ForgetMessages(std::vector<Position> published) {
  const auto written = parts_.ask(
      [published = std::move(published)](runtime::Shard& shard, runtime::Shard::Answer answer) {
        for (const Position each : published) {
          const Status forgotten = shard.board().ForgetMessages(each);
          if (!forgotten.has_value()) return answer(std::unexpected(forgotten.error()));
        }
        shard.WriteCheckpoint(std::move(answer));
      });
  return written.has_value() ? Status() : std::unexpected(written.error());
}

Status Remover::DestroyKeys(std::span<const InstanceId> instances, const Sent& sent) {
  // Their ids are taken as before.
  STELE_RETURN_IF_ERROR(ForgetMessages(sent.published));
  STELE_RETURN_IF_ERROR(Step("the messages are forgotten"));
  // The keys go last: whoever finds them gone need not look any further.
  parts_.projector->ForgetThen();
  STELE_RETURN_IF_ERROR(parts_.projector->Compact());
  STELE_RETURN_IF_ERROR(Step("the views are compacted"));
  STELE_RETURN_IF_ERROR(parts_.store->DestroyKeys(parts_.shard, instances, sent.registry));
  // What somebody asked of an earlier position meanwhile.
  parts_.projector->ForgetThen();
  return Step("the keys are destroyed");
}

}  // namespace stele::retention
