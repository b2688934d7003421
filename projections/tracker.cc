#include "projections/tracker.h"

#include <utility>

#include "engine/apply/apply.h"
#include "engine/model/codec.h"
#include "engine/model/snapshot.h"
#include "eventstore/for_each_record.h"

namespace stele::projections {

namespace {

// Calls apply(event, record) for the events of the cursor's records before `end`.
template <class Apply>
Status Walk(Result<std::unique_ptr<eventstore::Cursor>> cursor, Position end, Apply apply) {
  return eventstore::ForEachRecord(
      std::move(cursor), [&](const eventstore::RecordView& record) -> Result<bool> {
        if (record.position >= end) return false;
        const model::RecordContext context{record.position, record.header.time};
        STELE_RETURN_IF_ERROR(model::DecodeEach(
            record.body, [&](const model::Event& event) { apply(event, context); }));
        return true;
      });
}

}  // namespace

Status Tracker::Begin(Position position) {
  return Walk(store_.ReadInstance(shard_, InstanceId(), Seq(1)), position.Next(),
              [this](const model::Event& event, const model::RecordContext& record) {
                apply::Apply(registry_, event, record);
              });
}

Result<model::Instance*> Tracker::Before(const eventstore::RecordView& record) {
  const auto [found, is_new] = instances_.try_emplace(record.header.instance);
  Entry& entry = found->second;
  if (is_new) {
    entry.used = used_.insert(used_.end(), record.header.instance);
    if (const Status loaded = Load(record, &entry.instance); !loaded.has_value()) {
      used_.erase(entry.used);
      instances_.erase(found);
      return std::unexpected(loaded.error());
    }
  } else {
    used_.splice(used_.end(), used_, entry.used);
  }
  if (!std::exchange(entry.touched, true)) touched_.push_back(record.header.instance);
  return &entry.instance;
}

// From its last snapshot, unless that is of later.
Status Tracker::Load(const eventstore::RecordView& record, model::Instance* instance) const {
  instance->id = record.header.instance;
  if (record.header.first_seq == Seq(1)) return {};
  const auto snapshot = store_.GetSnapshot(shard_, instance->id);
  if (!snapshot.has_value()) return std::unexpected(snapshot.error());
  if (snapshot->has_value() && (*snapshot)->seq < record.header.first_seq) {
    Result<model::Instance> decoded = model::DecodeSnapshot((*snapshot)->state);
    if (!decoded.has_value()) return std::unexpected(decoded.error());
    *instance = *std::move(decoded);
  }
  return Walk(store_.ReadInstance(shard_, instance->id, instance->seq.Next()), record.position,
              [&](const model::Event& event, const model::RecordContext& context) {
                apply::Apply(*instance, event, context);
              });
}

void Tracker::ForEachTouched(const std::function<void(const model::Instance&)>& visit) {
  for (const InstanceId id : touched_) visit(instances_.at(id).instance);
}

void Tracker::Trim() {
  for (const InstanceId id : touched_) {
    const auto found = instances_.find(id);
    Entry& entry = found->second;
    entry.touched = false;
    if (model::HasEnded(entry.instance.status)) {
      LetGo(found);
      continue;
    }
    const model::MemoryUse use = model::MemoryOf(entry.instance);
    const size_t bytes = sizeof(Entry) + use.structure + use.payloads + use.parsed;
    bytes_ += bytes - std::exchange(entry.bytes, bytes);
  }
  touched_.clear();
  while (!used_.empty() && (instances_.size() > kMaxTrackedInstances || bytes_ > max_bytes_))
    LetGo(instances_.find(used_.front()));
}

void Tracker::LetGo(Entries::iterator entry) {
  bytes_ -= entry->second.bytes;
  used_.erase(entry->second.used);
  instances_.erase(entry);
}

}  // namespace stele::projections
