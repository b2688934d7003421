#include "eventstore/memory_store.h"

#include <fmt/format.h>

#include "base/check.h"
#include "eventstore/block_source.h"
#include "eventstore/cursors.h"
#include "eventstore/tree_following.h"

namespace stele::eventstore {

namespace {

std::unexpected<Error> UnreadableDisk() {
  return stele::Fail(ErrorCode::kIo, "Expected a disk that can be read but found one that cannot");
}

}  // namespace

class MemoryStore::Source final : public BlockSource {
 public:
  Source(const MemoryStore& store, ShardId shard) : store_(store), shard_(shard) {}

  Result<std::optional<StoredBlock>> Find(Position position) override {
    std::lock_guard lock(store_.mutex_);
    const auto shard = store_.blocks_.find(shard_);
    if (shard == store_.blocks_.end()) return std::nullopt;
    auto block = shard->second.upper_bound(position);
    if (block == shard->second.begin()) return std::nullopt;
    return Keep(*--block);
  }

  Result<std::optional<StoredBlock>> After(Position position) override {
    std::lock_guard lock(store_.mutex_);
    const auto shard = store_.blocks_.find(shard_);
    if (shard == store_.blocks_.end()) return std::nullopt;
    const auto block = shard->second.upper_bound(position);
    if (block == shard->second.end()) return std::nullopt;
    return Keep(*block);
  }

  Position End() const override { return store_.shards_.Get(shard_).tail().next; }

 private:
  StoredBlock Keep(const Blocks::value_type& block) {
    kept_ = block.second;
    const auto archived = store_.archived_.find(shard_);
    return {block.first, *kept_,
            archived != store_.archived_.end() && block.first < archived->second};
  }

  const MemoryStore& store_;
  ShardId shard_;
  std::shared_ptr<const std::string> kept_;
};

void MemoryStore::InjectFault(uint64_t nth, WriteFault fault) {
  std::lock_guard lock(mutex_);
  faults_[writes_ + nth] = fault;
}

void MemoryStore::FailReads(bool snapshots, bool notes) {
  std::lock_guard lock(mutex_);
  fails_snapshots_ = snapshots;
  fails_notes_ = notes;
}

void MemoryStore::OnWrite(std::function<void(uint64_t)> hook) {
  std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

uint64_t MemoryStore::writes() const {
  std::lock_guard lock(mutex_);
  return writes_;
}

size_t MemoryStore::unflushed_puts() const {
  std::lock_guard lock(mutex_);
  return unflushed_.size();
}

std::unique_ptr<MemoryStore> MemoryStore::Crash(size_t kept_puts) const {
  std::lock_guard lock(mutex_);
  auto after = std::make_unique<MemoryStore>();
  after->shards_.SignHeads(shards_.signing());
  after->rows_ = after->disk_rows_ = disk_rows_;
  after->archived_ = archived_;
  after->cut_ = cut_;
  after->key_rows_ = after->disk_key_rows_ = disk_key_rows_;
  if (sealing_ != nullptr) after->SealWith(sealing_->log_keys, sealing_->finder);
  for (const auto& [shard, disk] : disk_) after->Restore(shard, disk);
  after->state_ = flushed_;
  for (size_t i = 0; i < std::min(kept_puts, unflushed_.size()); ++i) unflushed_[i](after->state_);
  after->flushed_ = after->state_;
  return after;
}

void MemoryStore::Restore(ShardId shard, const Blocks& disk) {
  ShardLog& log = shards_.Get(shard);
  BlockReader reader;
  for (const auto& [first, bytes] : disk) {
    // Only the last block can be torn: nothing is written behind a failure.
    if (!reader.Open(*bytes, shard, first, first < archived_[shard])) break;
    std::vector<InstanceSeq> records;
    RecordView view;
    Error error{};
    while (!reader.AtEnd()) {
      CHECK(reader.Next(&view, &error), "{}", error.message);
      if (!reader.cut()) records.push_back({view.header.instance, view.header.first_seq});
    }
    log.index().Add(first, reader.next_position(), records);
    log.index().Tidy();
    log.Advance({reader.next_position(), reader.header().hash});
    blocks_[shard][first] = disk_[shard][first] = bytes;
  }
  const TreeAccess access{.source = [&] { return MakeSource(shard); },
                          .rows = [&] { return std::make_unique<MapRows>(rows_); },
                          .write =
                              [&](const std::vector<KeyRow>& rows) {
                                StoreRows(rows, true, true);
                                return Status();
                              }};
  auto frontier = FollowTree(shard, access);
  CHECK(frontier.has_value(), "{}", frontier.error().message);
  const auto newest = LargestHead(MapRows(rows_), shard);
  CHECK(newest.has_value(), "{}", newest.error().message);
  log.tree.Open(shard, *std::move(frontier), *newest, shards_.signing());
}

void MemoryStore::StoreRows(const std::vector<KeyRow>& rows, bool to_readers, bool to_disk) {
  const auto store = [&rows](MapRows::Map* stored) {
    for (const KeyRow& row : rows) {
      if (row.value.empty())
        stored->erase(row.name);
      else
        (*stored)[row.name] = row.value;
    }
  };
  if (to_readers) store(&rows_);
  if (to_disk) store(&disk_rows_);
}

Status MemoryStore::SignHead(ShardId shard) {
  ShardLog& log = shards_.Get(shard);
  const auto head = log.tree.NextHead();
  if (!head) return {};
  std::lock_guard lock(mutex_);
  if (refusal_) return std::unexpected(*refusal_);
  StoreRows({*head}, true, !sync_lies_);
  log.tree.HeadDone(*head);
  return {};
}

Status MemoryStore::Write(const SealedBlock& block) {
  std::function<void(uint64_t)> hook;
  uint64_t number;
  {
    std::lock_guard lock(mutex_);
    if (refusal_) return std::unexpected(*refusal_);
    STELE_RETURN_IF_ERROR(shards_.Get(block.shard).CheckFollows(block));
    hook = hook_;
    number = ++writes_;
  }
  if (hook) hook(number);
  ShardLog& log = shards_.Get(block.shard);
  TreeWriter::Step step = log.tree.Prepare(block);
  {
    std::lock_guard lock(mutex_);
    const auto fault = faults_.find(number);
    const bool faulty = fault != faults_.end();
    sync_lies_ |= faulty && fault->second == WriteFault::kLost;
    const Position first = block.before.next;
    if (faulty && fault->second != WriteFault::kLost) {
      const size_t torn = block.value.size() / 2;
      if (fault->second != WriteFault::kNothingWritten && !sync_lies_)
        disk_[block.shard][first] = std::make_shared<const std::string>(
            fault->second == WriteFault::kTorn ? block.value.substr(0, torn) : block.value);
      if (fault->second == WriteFault::kWritten && !sync_lies_) {
        StoreKeyRows(block.keys, &disk_key_rows_);
        StoreRows(step.rows, false, true);
      }
      refusal_ = Error{ErrorCode::kStoreWriteFailed,
                       fmt::format("Expected to write position {} of shard {} but found an "
                                   "injected fault.",
                                   first.value, block.shard.value)};
      return std::unexpected(*refusal_);
    }
    StoreRows(step.rows, true, !sync_lies_);
    auto bytes = std::make_shared<const std::string>(block.value);
    if (!sync_lies_) disk_[block.shard][first] = bytes;
    blocks_[block.shard][first] = std::move(bytes);
    StoreKeyRows(block.keys, &key_rows_);
    if (!sync_lies_) StoreKeyRows(block.keys, &disk_key_rows_);
    stats_.raw_bytes += block.raw_bytes;
    stats_.appended_bytes += block.value.size();
    stats_.log_bytes += block.value.size();
  }
  if (sealing_ != nullptr) sealing_->keys->Written(block.keys);
  log.index().Add(block.before.next, block.after.next, block.instances);
  log.index().Tidy();
  log.Advance(block.after);
  log.tree.Done(std::move(step));  // last, as in RocksDbStore
  return {};
}

std::unique_ptr<BlockSource> MemoryStore::MakeSource(ShardId shard) const {
  return std::make_unique<Source>(*this, shard);
}

std::unique_ptr<BlockSource> MemoryStore::ReadBlocks(ShardId shard) const {
  return MakeSource(shard);
}

Result<std::unique_ptr<Cursor>> MemoryStore::Read(ShardId shard, Position from) const {
  return std::make_unique<LogCursor>(MakeSource(shard), shard, from, payload_keys());
}

Result<std::unique_ptr<Cursor>> MemoryStore::ReadInstance(ShardId shard, InstanceId instance,
                                                          Seq from) const {
  {
    std::lock_guard lock(mutex_);
    if (fails_snapshots_) return UnreadableDisk();
    if (cut_.contains({shard, instance}))
      return stele::Fail(ErrorCode::kInstanceErased,
                         fmt::format("Expected instance {} of shard {} but found that it was cut "
                                     "out of the log.",
                                     instance.value, shard.value));
  }
  const auto find = [this, shard, instance](Seq seq) -> Result<std::vector<InstanceBlock>> {
    std::vector<InstanceBlock> blocks;
    shards_.Get(shard).index().Find(instance, seq, &blocks);
    return blocks;
  };
  return std::make_unique<InstanceCursor>(MakeSource(shard), shard, instance, from, find,
                                          payload_keys());
}

bool MemoryStore::WaitForRecords(ShardId shard, Position position, int64_t timeout_us,
                                 const std::stop_token& stop) const {
  if (wait_hook_) wait_hook_(position);
  return shards_.Get(shard).WaitFor(position, timeout_us, stop);
}

void MemoryStore::Put(StateChange change) {
  std::lock_guard lock(mutex_);
  change(state_);
  unflushed_.push_back(std::move(change));
}

Status MemoryStore::PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) {
  STELE_RETURN_IF_ERROR(shards_.Get(shard).CheckDurable(snapshot.position, "a snapshot"));
  {
    std::lock_guard lock(mutex_);
    // Of what is gone nothing is kept.
    if (cut_.contains({shard, instance}) || IsDestroyed(shard, instance)) return {};
  }
  Put([=](State& state) { state.snapshots[{shard, instance}] = snapshot; });
  return {};
}

Result<std::optional<Snapshot>> MemoryStore::GetSnapshot(ShardId shard, InstanceId instance) const {
  std::lock_guard lock(mutex_);
  if (fails_snapshots_) return UnreadableDisk();
  if (IsDestroyed(shard, instance)) return std::nullopt;
  const auto snapshot = state_.snapshots.find({shard, instance});
  if (snapshot == state_.snapshots.end()) return std::nullopt;
  return snapshot->second;
}

Status MemoryStore::PutOpen(ShardId shard, InstanceId instance, std::string_view summary) {
  Put([=, bytes = std::string(summary)](State& state) { state.open[{shard, instance}] = bytes; });
  return {};
}

Status MemoryStore::EraseOpen(ShardId shard, InstanceId instance) {
  Put([=](State& state) { state.open.erase({shard, instance}); });
  return {};
}

Status MemoryStore::ForEachOpen(
    ShardId shard, const std::function<void(InstanceId, std::string_view)>& visit) const {
  std::map<InstanceKey, std::string> open;
  {
    std::lock_guard lock(mutex_);
    open = state_.open;
  }
  for (const auto& [key, summary] : open)
    if (key.first == shard) visit(key.second, summary);
  return {};
}

Status MemoryStore::PutNote(ShardId shard, std::string_view key, std::string_view value) {
  Put([shard, key = std::string(key), bytes = std::string(value)](State& state) {
    state.notes[shard][key] = bytes;
  });
  return {};
}

Status MemoryStore::EraseNote(ShardId shard, std::string_view key) {
  Put([shard, key = std::string(key)](State& state) { state.notes[shard].erase(key); });
  return {};
}

Result<std::optional<std::string>> MemoryStore::GetNote(ShardId shard, std::string_view key) const {
  std::lock_guard lock(mutex_);
  if (fails_notes_) return UnreadableDisk();
  const auto notes = state_.notes.find(shard);
  if (notes == state_.notes.end()) return std::nullopt;
  const auto note = notes->second.find(std::string(key));
  if (note == notes->second.end()) return std::nullopt;
  return note->second;
}

Status MemoryStore::ForEachNote(
    ShardId shard, std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  std::map<std::string, std::string> notes;
  {
    std::lock_guard lock(mutex_);
    if (fails_notes_) return UnreadableDisk();
    const auto found = state_.notes.find(shard);
    if (found != state_.notes.end()) notes = found->second;
  }
  for (auto note = notes.lower_bound(std::string(std::max(prefix, from))); note != notes.end();
       ++note)
    if (!note->first.starts_with(prefix) || !visit(note->first, note->second)) break;
  return {};
}

Status MemoryStore::WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) {
  STELE_RETURN_IF_ERROR(shards_.Get(shard).CheckDurable(checkpoint.position, "a checkpoint"));
  const LogTail tail = Tail(shard);
  std::lock_guard lock(mutex_);
  if (refusal_) return std::unexpected(*refusal_);
  state_.checkpoints[shard] = checkpoint;
  state_.known_tails[shard] = tail;
  unflushed_.clear();
  flushed_ = state_;
  return {};
}

Result<Checkpoint> MemoryStore::ReadCheckpoint(ShardId shard) const {
  std::lock_guard lock(mutex_);
  const auto checkpoint = state_.checkpoints.find(shard);
  return checkpoint == state_.checkpoints.end() ? Checkpoint{} : checkpoint->second;
}

StoreStats MemoryStore::Stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

}  // namespace stele::eventstore
