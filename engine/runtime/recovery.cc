// From what is stored to a shard that goes on: the registry, the open set, the log behind the last
// checkpoint. The time it takes depends on the work since that checkpoint, not on the history.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "engine/apply/apply.h"
#include "engine/runtime/checkpointing.h"
#include "engine/runtime/open_summary.h"
#include "eventstore/for_each_record.h"

namespace stele::runtime {

Status Shard::Recover() {
  Result<eventstore::Checkpoint> checkpoint = parts_.store->ReadCheckpoint(options_.shard);
  if (!checkpoint.has_value()) return std::unexpected(checkpoint.error());
  checkpointed_ = checkpoint->position;
  // Earlier builds wrote the first of the two alone.
  const std::string& state = checkpoint->state;
  if (state.size() >= sizeof last_instance_.value)
    std::memcpy(&last_instance_.value, state.data(), sizeof last_instance_.value);
  if (state.size() >= sizeof last_instance_.value + sizeof now_.value)
    std::memcpy(&now_.value, state.data() + sizeof last_instance_.value, sizeof now_.value);
  next_position_ = parts_.store->NextPosition(options_.shard);
  durable_ = durable_told_ = opened_at_ = Position(next_position_.value - 1);
  STELE_RETURN_IF_ERROR(RecoverRegistry());
  STELE_RETURN_IF_ERROR(ReplayTail(checkpointed_.Next()));
  board_.notes().Recovered();
  // The log does not show it any more, but it had its number.
  const Result<InstanceId> last_cut = parts_.store->LastCutInstance(options_.shard);
  if (!last_cut.has_value()) return std::unexpected(last_cut.error());
  last_instance_ = std::max(last_instance_, *last_cut);
  last_at_open_ = last_instance_;
  return options_.max_open_instances == 0 ? Status() : CountOpen();
}

Status Shard::CountOpen() {
  const std::set<InstanceId> ended(ended_in_open_.begin(), ended_in_open_.end());
  open_instances_ = live_.size();
  return parts_.store->ForEachOpen(options_.shard, [&](InstanceId id, std::string_view) {
    if (!live_.contains(id) && !ended.contains(id)) ++open_instances_;
  });
}

Status Shard::RecoverRegistry() {
  return eventstore::ForEachRecord(
      parts_.store->ReadInstance(options_.shard, InstanceId(), Seq(1)),
      [&](const eventstore::RecordView& record) {
        const model::RecordContext context{record.position, record.header.time};
        return model::DecodeEach(record.body, [&](const model::Event& event) {
          apply::Apply(registry_, event, context);
        });
      });
}

Status Shard::ReplayTail(Position from) {
  // Resets whose origin has no record behind theirs, by origin.
  std::map<InstanceId, Inbound> torn;
  const auto take = [&](const eventstore::RecordView& record) -> Status {
    now_ = std::max(now_, record.header.time);
    STELE_RETURN_IF_ERROR(ApplyRecord(record));
    const eventstore::RecordHeader& header = record.header;
    torn.erase(header.instance);
    if (header.instance && header.first_seq == Seq(1))
      if (const model::Instance& begun = live_.at(header.instance)->instance; begun.ends_origin)
        torn.insert_or_assign(begun.origin, EndOfOrigin(begun, {std::string(header.actor),
                                                                std::string(header.source)}));
    // What was erased is a message to nobody; its id is taken as before.
    return record.erased ? board_.ForgetMessages(record.position) : Status();
  };
  STELE_RETURN_IF_ERROR(eventstore::ForEachRecord(parts_.store->Read(options_.shard, from), take));
  // What has ended meanwhile leaves memory and the open set; the rest waits for a resume.
  std::vector<InstanceId> ended;
  for (auto& [id, live] : live_) {
    live->dormant = true;
    live->waiting = Board::WaitingRuns(live->instance);
    if (model::HasEnded(live->instance.status)) ended.push_back(id);
  }
  for (const InstanceId id : ended) {
    ended_in_open_.push_back(id);
    live_.erase(id);
  }
  for (auto& [id, live] : live_) Settle(*live);
  for (auto& [origin, end] : torn) inbox_.push_back(std::move(end));
  if (!inbox_.empty()) Wake();
  return {};
}

Status Shard::ApplyRecord(const eventstore::RecordView& record) {
  const InstanceId id = record.header.instance;
  const model::RecordContext context{record.position, record.header.time};
  Result<std::vector<model::Event>> events = model::Decode(record.body);
  if (!events.has_value()) return std::unexpected(events.error());
  if (id == InstanceId()) {
    board_.FoldRegistry(*events, context);
    return {};
  }
  last_instance_ = std::max(last_instance_, id);
  Live* live = nullptr;
  const auto found = live_.find(id);
  if (found != live_.end()) {
    live = found->second.get();
  } else if (record.header.first_seq == Seq(1)) {
    live = &Adopt(id);
  } else {
    live = &Adopt(id);
    STELE_RETURN_IF_ERROR(ReadSnapshot(*live));
    // The snapshots of a checkpoint reflect all before it; one of another build says nothing.
    if (live->instance.seq.Next() < record.header.first_seq)
      STELE_RETURN_IF_ERROR(ReadRecords(*live, record.header.first_seq));
    live->in_open = true;
    const Result<std::vector<RunId>> noted = board_.NotedWaits(id);
    if (!noted.has_value()) return std::unexpected(noted.error());
    live->waiting = *noted;
  }
  live->open_changed = true;
  if (record.header.first_seq > live->instance.seq) {
    for (const model::Event& event : *events) apply::Apply(live->instance, event, context);
  }
  live->definition = registry_.Find(live->instance.definition)->definition.get();
  board_.Fold(live->instance, *live->definition, *events, context, live->waiting);
  if (std::holds_alternative<model::InstanceMigrated>(events->front()))
    board_.Migrated(live->instance, *live->definition);
  return {};
}

size_t Shard::Resume(model::Asker asker) {
  if (resumed_ || failed_) return 0;
  std::vector<std::pair<InstanceId, OpenSummary>> open;
  const Status read =
      parts_.store->ForEachOpen(options_.shard, [&](InstanceId id, std::string_view bytes) {
        open.emplace_back(id, OpenSummary::Decode(bytes));
      });
  if (!read.has_value()) {
    Failed(read.error());
    return 0;
  }
  // Those that the tail began have no entry yet; others have ended in it.
  std::map<InstanceId, OpenSummary> dormant;
  for (const auto& [id, summary] : open)
    if (IsDormant(id)) dormant.emplace(id, summary);
  for (const InstanceId id : ended_in_open_) dormant.erase(id);
  if (checkpointing_ != nullptr)
    for (const InstanceId id : checkpointing_->ended) dormant.erase(id);
  for (const auto& [id, live] : live_)
    if (live->dormant) dormant.emplace(id, OpenSummary());
  for (const auto& [id, summary] : dormant) {
    if (!summary.attempts && !summary.linked && !live_.contains(id)) {
      if (summary.timer) timers_.Add(summary.timer, id);
      continue;
    }
    if (!GoOnWith(id, asker)) return 0;
  }
  // Those that were looked at meanwhile, as the parents of others.
  for (const auto& [id, summary] : dormant)
    if (live_.contains(id) && !GoOnWith(id, asker)) return 0;
  resumed_ = true;
  awake_.clear();
  ReadClock();
  ResumeBoard();
  Wake();
  return dormant.size();
}

bool Shard::GoOnWith(InstanceId id, model::Asker asker) {
  const Result<Live*> live = LoadOpen(id);
  if (live.has_value()) {
    GoOn(**live, asker);
  } else {
    Failed(live.error());
  }
  return live.has_value();
}

// What a crash left between one record and what it means for others.
void Shard::ResumeBoard() {
  const auto topics = board_.Topics();
  if (!topics.has_value()) return Failed(topics.error());
  for (const auto& [name, key] : *topics) Route(name, key);
  const auto queues = board_.Queues();
  if (!queues.has_value()) return Failed(queues.error());
  for (const auto& [definition, key] : *queues) PlaceMayBeFree(definition, key);
}

Status Shard::ResumeInstance(InstanceId instance, model::Asker asker) {
  const Result<Live*> live = Load(instance);
  if (!live.has_value()) return std::unexpected(live.error());
  GoOn(**live, asker);
  looked_at_.push_back(instance);
  Wake();
  return {};
}

}  // namespace stele::runtime
