// Checkpoints: what bounds the work of a restart. And the orderly end, which is one more of them.
//
// The loop copies the instances that have changed; when what they reflect is durable, a thread puts
// the copies and waits for the disk. Instances go on meanwhile.
#include <utility>

#include "engine/model/snapshot.h"
#include "engine/runtime/checkpointing.h"
#include "engine/runtime/open_summary.h"

namespace stele::runtime {

void Shard::MaybeCheckpoint() {
  if (checkpointing_ != nullptr) return FinishCheckpoint();
  if (!checkpoint_asked_.empty() && !stopping_)
    return BeginCheckpoint([this, asked = std::exchange(checkpoint_asked_, {})] {
      for (const Answer& answer : asked) answer(checkpointed_);
    });
  if (next_position_.value - checkpointed_.value > options_.checkpoint_records ||
      board_.notes().changed() > kMaxChangedNotes)
    BeginCheckpoint(nullptr);
}

void Shard::WriteCheckpoint(Answer answer) {
  if (RefuseStopped(answer)) return;
  checkpoint_asked_.push_back(std::move(answer));
  Wake();
}

void Shard::BeginCheckpoint(std::function<void()> done) {
  checkpointing_ = std::make_unique<Checkpointing>();
  checkpointing_->position = Position(next_position_.value - 1);
  checkpointing_->time = now_;
  checkpointing_->done = std::move(done);
  // Those whose start is still in the inbox may never be written.
  checkpointing_->last_instance = InstanceId(last_instance_.value - starting_instances_);
  checkpointing_->ended.swap(ended_in_open_);
  if (const Status expired = board_.Expire(now_); !expired.has_value())
    return Failed(expired.error());
  checkpointing_->notes = &board_.notes().BeginWriting();
  for (const auto& [id, live] : live_) {
    if (model::HasEnded(live->instance.status)) {
      // Its end is among what this checkpoint covers, though nobody has been told of it yet.
      if (std::exchange(live->in_open, false)) checkpointing_->ended.push_back(id);
      continue;
    }
    if (!live->open_changed) continue;
    const model::Instance& instance = live->instance;
    checkpointing_->items.push_back({id,
                                     {instance.seq, instance.position, EncodeSnapshot(instance)},
                                     OpenSummaryOf(*live).Encode()});
    live->snapshot_seq = instance.seq;
    live->in_open = true;
    live->open_changed = false;
  }
  FinishCheckpoint();
}

void Shard::FinishCheckpoint() {
  Checkpointing& job = *checkpointing_;
  if (job.writing || job.position > durable_) return;
  job.writing = true;
  eventstore::EventStore* store = parts_.store;
  const ShardId shard = options_.shard;
  const uint64_t last = job.last_instance.value;
  const int64_t now = job.time.value;
  job.thread = std::thread([this, &job, store, shard, last, now] {
    for (const Checkpointing::Item& item : job.items) {
      const std::lock_guard lock(job.mutex);
      if (job.result && !job.newer_snapshots.contains(item.instance))
        job.result = store->PutSnapshot(shard, item.instance, item.snapshot);
      if (job.result && !job.newer_entries.contains(item.instance))
        job.result = store->PutOpen(shard, item.instance, item.open);
    }
    for (const InstanceId id : job.ended) {
      const std::lock_guard lock(job.mutex);
      if (job.result && !job.newer_entries.contains(id)) job.result = store->EraseOpen(shard, id);
    }
    for (const auto& [key, change] : *job.notes)
      if (job.result)
        job.result = change.value.has_value() ? store->PutNote(shard, key, *change.value)
                                              : store->EraseNote(shard, key);
    const int64_t numbers[] = {static_cast<int64_t>(last), now};
    std::string state(reinterpret_cast<const char*>(numbers), sizeof numbers);
    if (job.result) job.result = store->WriteCheckpoint(shard, {job.position, std::move(state)});
    Post([this] {
      const std::unique_ptr<Checkpointing> ended = std::move(checkpointing_);
      ended->thread.join();
      if (!ended->result.has_value()) return Failed(ended->result.error());
      checkpointed_ = ended->position;
      board_.notes().EndWriting();
      if (ended->done) ended->done();
    });
  });
}

void Shard::Drain() {
  if (failed_ || draining_) return;
  draining_ = has_drained_ = true;
  timers_.Hold();
  StopQueued();
  Wake();
}

void Shard::Stop(std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  if (failed_) return std::exchange(stopped_, nullptr)();
  stopping_ = draining_ = true;
  StopQueued();
  for (auto& [id, live] : live_) {
    for (const auto& [run, attempt] : live->outside) {
      if (attempt.executor != nullptr && attempt.executor->outlives_engine()) continue;
      const auto ended = [this, instance = id, run, number = attempt.attempt] {
        // It may have acted: recovery asks its executor, or its policy, as after a crash.
        if (has_drained_) return;
        inbox_.push_back({instance,
                          model::InterruptAttempt{run, number, model::Interruption::kShutdown},
                          {},
                          nullptr});
        Wake();
      };
      CancelOutside(attempt, id, ended);
    }
    live->outside.clear();
    // These start again as if they had begun: nobody counts them as attempts.
    for (const RunId run : std::exchange(live->not_begun, {}))
      StartAttempt(*live, {.run = run, .attempt = live->instance.FindRun(run)->attempt});
  }
  Wake();
}

void Shard::ContinueStop() {
  if (!stopping_ || failed_ || stopped_ == nullptr) return;
  const bool busy = cancelling_ > 0 || !inbox_.empty() || next_release_ < releases_.size() ||
                    checkpointing_ != nullptr || durable_.value + 1 < next_position_.value;
  if (busy) return;
  closing_ = true;
  BeginCheckpoint([this] {
    committer_->Stop();
    std::exchange(stopped_, nullptr)();
  });
}

}  // namespace stele::runtime
