// Which instances are in memory. One that waits can be evicted: its snapshot and its next timer
// stay.
#include <fmt/format.h>

#include "base/instance_ranges.h"
#include "engine/apply/apply.h"
#include "engine/model/snapshot.h"
#include "engine/runtime/checkpointing.h"
#include "engine/runtime/open_summary.h"
#include "engine/runtime/shard.h"
#include "eventstore/for_each_record.h"

namespace stele::runtime {

Live& Shard::Adopt(InstanceId instance) {
  std::unique_ptr<Live>& place = live_[instance];
  CHECK(place == nullptr, "instance {} is in memory already", instance.value);
  place = std::make_unique<Live>();
  place->instance.id = instance;
  return *place;
}

Result<Live*> Shard::Load(InstanceId id) {
  return Load(id, Known::kNothing);
}

Result<Live*> Shard::LoadOpen(InstanceId id) {
  return Load(id, Known::kOpen);
}

Result<Live*> Shard::Load(InstanceId id, Known known) {
  const auto found = live_.find(id);
  if (found != live_.end()) return found->second.get();
  const auto unknown = [&] {
    return Fail(ErrorCode::kUnknownInstance,
                fmt::format("Expected an instance but found no {}", id.value));
  };
  if (!id || id > last_instance_) return unknown();
  if (Contains(registry_.purge.instances, id)) return std::unexpected(*RefuseRemoved(id));

  auto live = std::make_unique<Live>();
  live->instance.id = id;
  STELE_RETURN_IF_ERROR(ReadSnapshot(*live));
  // One that is open and not in memory was written down when it left.
  if (known == Known::kNothing || !live->snapshot_seq) STELE_RETURN_IF_ERROR(ReadRecords(*live));
  const model::Instance& instance = live->instance;
  if (instance.status == model::Status::kNone) return unknown();
  live->definition = registry_.Find(instance.definition)->definition.get();
  live->in_open = !model::HasEnded(instance.status);
  live->dormant = live->in_open && IsDormant(id);
  live->waiting = Board::WaitingRuns(instance);
  Live& placed = *(live_[id] = std::move(live));
  ArmTimer(placed);
  return &placed;
}

// The instance as it was written down last; as it is before its first record when it never was, or
// by a build of another kind: the records say it all again.
Status Shard::ReadSnapshot(Live& live) const {
  Result<std::optional<eventstore::Snapshot>> snapshot =
      parts_.store->GetSnapshot(options_.shard, live.instance.id);
  if (!snapshot.has_value()) return std::unexpected(snapshot.error());
  if (!snapshot->has_value()) return {};
  Result<model::Instance> decoded = model::DecodeSnapshot((*snapshot)->state);
  if (!decoded.has_value()) return {};
  live.instance = *std::move(decoded);
  live.snapshot_seq = live.instance.seq;
  return {};
}

// Its records behind the state that it has, up to the one that begins with `end`.
Status Shard::ReadRecords(Live& live, Seq end) const {
  return eventstore::ForEachRecord(
      parts_.store->ReadInstance(options_.shard, live.instance.id, live.instance.seq.Next()),
      [&](const eventstore::RecordView& record) -> Result<bool> {
        if (record.header.first_seq >= end) return false;
        const model::RecordContext context{record.position, record.header.time};
        STELE_RETURN_IF_ERROR(model::DecodeEach(record.body, [&](const model::Event& event) {
          apply::Apply(live.instance, event, context);
        }));
        return true;
      });
}

// Was open when the engine started, and nobody has asked to go on with it.
bool Shard::IsDormant(InstanceId id) const {
  return !resumed_ && id <= last_at_open_ && !awake_.contains(id);
}

void Shard::Use(Live& live) {
  if (!live.idle) return;
  live.idle = false;
  idle_bytes_ -= live.idle_bytes;
  idle_.erase(live.idle_place);
}

// Nothing waits for the disk any more: the instance may leave, or wait, or be written down.
void Shard::Settle(Live& live) {
  if (live.pending > 0 || live.idle) return;
  const model::Instance& instance = live.instance;
  if (instance.position > durable_) return;
  if (instance.seq.value - live.snapshot_seq.value >= options_.snapshot_events &&
      !model::HasEnded(instance.status)) {
    const Status written = WriteDown(live);
    if (!written.has_value()) return Failed(written.error());
  }
  if (!live.outside.empty() || !live.not_begun.empty() || live.results > 0) return;
  if (model::HasEnded(instance.status) || instance.status == model::Status::kNone) {
    if (parts_.observer != nullptr && instance.status != model::Status::kNone && live.open_changed)
      parts_.observer->OnEnded(instance);
    TellWatchers(instance);
    if (live.in_open) ended_in_open_.push_back(instance.id);
    live_.erase(instance.id);
    return;
  }
  live.idle = true;
  const model::MemoryUse memory = model::MemoryOf(instance);
  live.idle_bytes = memory.structure + memory.payloads + memory.parsed + sizeof(Live);
  idle_bytes_ += live.idle_bytes;
  live.idle_place = idle_.insert(idle_.end(), instance.id);
}

// The checkpoint that is under way knows an older one at most. Put while the lock is held.
std::unique_lock<std::mutex> Shard::SetNewer(std::set<InstanceId> Checkpointing::* newer,
                                             InstanceId instance) {
  if (checkpointing_ == nullptr) return {};
  std::unique_lock lock(checkpointing_->mutex);
  (checkpointing_.get()->*newer).insert(instance);
  return lock;
}

Status Shard::WriteDown(Live& live) {
  const model::Instance& instance = live.instance;
  if (live.snapshot_seq == instance.seq) return {};
  std::string state = EncodeSnapshot(instance);
  const auto lock = SetNewer(&Checkpointing::newer_snapshots, instance.id);
  STELE_RETURN_IF_ERROR(parts_.store->PutSnapshot(
      options_.shard, instance.id, {instance.seq, instance.position, std::move(state)}));
  live.snapshot_seq = instance.seq;
  return {};
}

Status Shard::NoteOpen(Live& live) {
  if (live.in_open && !live.open_changed) return {};
  const auto lock = SetNewer(&Checkpointing::newer_entries, live.instance.id);
  STELE_RETURN_IF_ERROR(
      parts_.store->PutOpen(options_.shard, live.instance.id, OpenSummaryOf(live).Encode()));
  live.in_open = true;
  live.open_changed = false;
  return {};
}

void Shard::Evict(Live& live) {
  Status written = WriteDown(live);
  if (written) written = NoteOpen(live);
  if (!written.has_value()) return Failed(written.error());
  idle_bytes_ -= live.idle_bytes;
  idle_.erase(live.idle_place);
  live_.erase(live.instance.id);
}

void Shard::EvictOverBudget() {
  while (!failed_ && idle_bytes_ > options_.idle_memory_bytes && !idle_.empty())
    Evict(*live_.at(idle_.front()));
}

void Shard::ArmTimer(Live& live) {
  const bool rests = live.dormant || model::HasEnded(live.instance.status);
  const TimeUs at = rests ? TimeUs() : model::NextTimer(live.instance).at;
  if (at == live.armed) return;
  if (live.armed) timers_.Remove(live.armed, live.instance.id);
  if (at) timers_.Add(at, live.instance.id);
  live.armed = at;
}

}  // namespace stele::runtime
