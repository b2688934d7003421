#include "eventstore/rocksdb_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>

#include "eventstore/archive.h"
#include "eventstore/backup_maker.h"
#include "eventstore/cursors.h"
#include "eventstore/cut_check.h"
#include "eventstore/index_builder.h"
#include "eventstore/log_db.h"
#include "eventstore/log_rows.h"
#include "eventstore/shard_log.h"
#include "eventstore/shard_opening.h"
#include "eventstore/state_db.h"
#include "eventstore/store_keys.h"
#include "eventstore/tree_following.h"

namespace stele::eventstore {
namespace {

std::unexpected<Error> ErasedInstance(ShardId shard, InstanceId instance) {
  return Fail(ErrorCode::kInstanceErased,
              fmt::format("Expected instance {} of shard {} but found that it was cut out of the "
                          "log; the hashes of its records are what is left.",
                          instance.value, shard.value));
}

class RocksDbStore final : public EventStore {
 public:
  Status Open(const std::string& path, const RocksDbOptions& options);
  ~RocksDbStore() override;

  Status Write(const SealedBlock& block) override;
  LogTail Tail(ShardId shard) const override { return shards_.Get(shard).tail(); }
  Result<std::unique_ptr<Cursor>> Read(ShardId shard, Position from) const override;
  Result<std::unique_ptr<Cursor>> ReadInstance(ShardId shard, InstanceId instance,
                                               Seq from) const override;
  std::unique_ptr<BlockSource> ReadBlocks(ShardId shard) const override {
    return Source(shard, true);
  }
  bool WaitForRecords(ShardId shard, Position position, int64_t timeout_us,
                      const std::stop_token& stop) const override {
    return shards_.Get(shard).WaitFor(position, timeout_us, stop);
  }
  Status PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) override;
  Result<std::optional<Snapshot>> GetSnapshot(ShardId shard, InstanceId instance) const override;
  Status PutNote(ShardId shard, std::string_view key, std::string_view value) override {
    return state_.PutNote(shard, key, value);
  }
  Status EraseNote(ShardId shard, std::string_view key) override {
    return state_.EraseNote(shard, key);
  }
  Result<std::optional<std::string>> GetNote(ShardId shard, std::string_view key) const override {
    return state_.GetNote(shard, key);
  }
  Status ForEachNote(
      ShardId shard, std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override {
    return state_.ForEachNote(shard, prefix, from, visit);
  }
  Status PutOpen(ShardId shard, InstanceId instance, std::string_view summary) override {
    return state_.PutOpen(shard, instance, summary);
  }
  Status EraseOpen(ShardId shard, InstanceId instance) override {
    return state_.EraseOpen(shard, instance);
  }
  Status ForEachOpen(ShardId shard, const std::function<void(InstanceId, std::string_view)>& visit)
      const override {
    return state_.ForEachOpen(shard, visit);
  }
  Status WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) override;
  Result<Checkpoint> ReadCheckpoint(ShardId shard) const override {
    return state_.ReadCheckpoint(shard);
  }
  Result<ChainReport> InspectChain(ShardId shard) const override;
  std::unique_ptr<TreeReader> Tree(ShardId shard) const override {
    return std::make_unique<TreeReader>(shard, Source(shard, false),
                                        std::make_unique<LogRows>(log_));
  }
  Status SignHead(ShardId shard) override;
  const NoteVerifier* head_verifier() const override {
    return options_.heads.signer == nullptr ? nullptr : &options_.heads.signer->verifier();
  }
  Result<ArchiveReport> Archive(ShardId shard, Position to, const std::stop_token& stop) override;
  Position ArchivedTo(ShardId shard) const override { return archive_->View(shard)->end().next; }
  std::vector<SegmentInfo> Segments(ShardId shard) const override {
    return archive_->Segments(shard);
  }
  Result<CutReport> Cut(ShardId shard, const Erasure& erasure,
                        const std::stop_token& stop) override;
  Result<InstanceId> LastCutInstance(ShardId shard) const override {
    return stele::eventstore::LastCutInstance(log_, shard);
  }
  Status DestroyKeys(ShardId shard, std::span<const InstanceId> instances,
                     std::span<const Position> registry_records) override;
  Status Scrub(ShardId shard, const InstanceRange& snapshots) override;
  Result<bool> KeyDestroyed(ShardId shard, InstanceId instance) const override {
    return keys_ == nullptr ? Result<bool>(false) : keys_->IsDestroyed(shard, instance);
  }
  PayloadKeys* payload_keys() const override {
    return keys_ == nullptr ? nullptr : &keys_->payloads();
  }
  std::shared_ptr<const FileCipher> file_cipher() const override {
    return keys_ == nullptr ? nullptr : keys_->files();
  }
  Result<BackupReport> Backup(const BackupRequest& request) const override;
  StoreStats Stats() const override;

 private:
  Status OpenLog();
  Status OpenState();
  Status OpenShards();
  Status LoadShard(ShardLog& shard);
  Status LoadTree(ShardLog& shard);
  Result<bool> HasEnd(ShardId shard, const LogTail& end) const;
  Result<std::vector<InstanceBlock>> FindBlocks(ShardId shard, InstanceId instance, Seq from) const;
  std::unique_ptr<BlockSource> Source(ShardId shard, bool sequential) const;
  void Refuse(const Error& error);
  Status CheckWritable() const;

  std::string path_;
  RocksDbOptions options_;
  LogDb log_;
  std::unique_ptr<StoreKeys> keys_;  // null: payloads are in clear
  StateDb state_;
  std::unique_ptr<ArchiveStore> archive_;
  ShardLogs shards_;
  std::optional<Error> log_damage_;  // of the write-ahead log; set by Open alone
  std::atomic<uint64_t> raw_bytes_ = 0;
  std::atomic<uint64_t> appended_bytes_ = 0;
  std::atomic<bool> refused_ = false;
  mutable std::mutex refusal_mutex_;
  std::optional<Error> refusal_;  // the first failed write
  bool opened_ = false;
  std::unique_ptr<IndexBuilder> index_builder_;
};

Status RocksDbStore::Open(const std::string& path, const RocksDbOptions& options) {
  path_ = path;
  options_ = options;
  shards_.SignHeads(options.heads);
  if (options.create_if_missing && !options.read_only) {
    std::error_code failed;
    std::filesystem::create_directories(path, failed);
    if (failed)
      return Fail(ErrorCode::kIo,
                  "Expected to create the directory " + path + " but found: " + failed.message());
  }
  STELE_RETURN_IF_ERROR(OpenLog());
  auto keys = StoreKeys::Open(log_, path, options, /*writable=*/!refused_);
  if (!keys) return std::unexpected(std::move(keys).error());
  keys_ = std::move(*keys);
  STELE_RETURN_IF_ERROR(OpenState());
  const std::string& given = options.archive_directory;
  const std::string archive = given.empty() ? path + "/archive" : given;
  auto opened = ArchiveStore::Open(
      log_, {archive, options.archive_segment_bytes, options.on_archive_step}, !refused_);
  if (!opened) return std::unexpected(std::move(opened).error());
  archive_ = std::move(*opened);
  STELE_RETURN_IF_ERROR(OpenShards());
  opened_ = true;
  if (options.read_only) return {};
  index_builder_ = std::make_unique<IndexBuilder>(shards_, state_, options.index_chunk_records,
                                                  [this](const Error& error) { Refuse(error); });
  return {};
}

Status RocksDbStore::OpenLog() {
  std::optional<Error>* damage = options_.open_damaged ? &log_damage_ : nullptr;
  const std::string path = path_ + "/log";
  const bool create = options_.create_if_missing, reads = options_.read_only;
  STELE_RETURN_IF_ERROR(reads ? log_.OpenToRead(path, damage)
                              : log_.Open(path, options_.write_buffer_bytes, create, damage));
  if (log_damage_) Refuse(*log_damage_);
  if (reads) Refuse({ErrorCode::kIo, "Expected to write to " + path + " but found it to be read."});
  return {};
}

Status RocksDbStore::OpenState() {
  const std::string path = path_ + "/state";
  if (keys_ == nullptr && log_.HasKeys() && options_.without_key) {
    Refuse({ErrorCode::kMasterKey, fmt::format("Expected the master key of {}/log, to write to it, "
                                               "but found none",
                                               path_)});
    return state_.OpenInMemory(path);
  }
  return options_.read_only ? state_.OpenToRead(path, file_cipher())
                            : state_.Open(path, file_cipher());
}

Status RocksDbStore::OpenShards() {
  auto shards = log_.Shards();
  if (!shards) return std::unexpected(std::move(shards).error());
  for (ShardId id : archive_->Shards())
    if (std::ranges::find(*shards, id) == shards->end()) shards->push_back(id);
  auto checkpointed = state_.CheckpointedShards();
  if (!checkpointed) return std::unexpected(std::move(checkpointed).error());
  for (ShardId id : *checkpointed)
    if (std::ranges::find(*shards, id) == shards->end()) shards->push_back(id);
  for (ShardId id : *shards) {
    ShardLog& shard = shards_.Get(id);
    auto loaded = LoadShard(shard);
    if (loaded) continue;
    if (!options_.open_damaged) return loaded;
    shard.damage = std::move(loaded).error();
  }
  return {};
}

Status RocksDbStore::LoadShard(ShardLog& shard) {
  auto known = log_.ReadKnownTail(shard.id());
  if (!known) return std::unexpected(std::move(known).error());
  shard.known_tail = *known;
  auto tail = log_.ReadTail(shard.id());
  if (!tail) return std::unexpected(std::move(tail).error());
  if (*tail == LogTail()) tail = archive_->View(shard.id())->end();
  shard.Advance(*tail);
  STELE_RETURN_IF_ERROR(CheckEnd(shard, *tail, state_));
  STELE_RETURN_IF_ERROR(LoadTree(shard));
  // When the disk is only read, the index stays in memory.
  const size_t chunk_records = options_.read_only ? SIZE_MAX : options_.index_chunk_records;
  return CatchUpIndex(shard, *Source(shard.id(), true), state_, chunk_records);
}

Status RocksDbStore::LoadTree(ShardLog& shard) {
  const uint64_t size = shard.tail().next.value - 1;
  const auto newest = LargestHead(LogRows(log_), shard.id());
  if (!newest) return std::unexpected(newest.error());
  if (*newest > size)
    return Fail(
        ErrorCode::kStoreCorrupt,
        fmt::format("Expected the log of shard {} to reach position {}, which a signed head "
                    "is over, but found that it ends at {}.",
                    shard.id().value, *newest, size));
  if (refused_) return {};
  const TreeAccess access{
      .source = [&] { return Source(shard.id(), true); },
      .rows = [&] { return std::make_unique<LogRows>(log_); },
      .write = [&](const std::vector<KeyRow>& rows) { return log_.WriteMeta(ChangesOf(rows)); }};
  auto frontier = FollowTree(shard.id(), access);
  if (!frontier) return std::unexpected(std::move(frontier).error());
  shard.tree.Open(shard.id(), *std::move(frontier), *newest, options_.heads);
  return {};
}

Status RocksDbStore::SignHead(ShardId shard) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  ShardLog& log = shards_.Get(shard);
  if (log.damage) return std::unexpected(*log.damage);
  const auto head = log.tree.NextHead();
  if (!head) return {};
  STELE_RETURN_IF_ERROR(log_.WriteMeta(ChangesOf({*head})));
  log.tree.HeadDone(*head);
  return {};
}

RocksDbStore::~RocksDbStore() {
  index_builder_.reset();
  // A clean end, noted so that a missing tail is noticed. What cannot be noted is only not noticed.
  if (opened_ && !refused_)
    for (ShardLog* shard : shards_.All()) {
      if (shard->damage) continue;
      if (shard->tail().next > shard->known_tail.next)
        (void)log_.WriteKnownTail(shard->id(), shard->tail());
      (void)SignHead(shard->id());
    }
  state_.Close();
  log_.Close();
}

Status RocksDbStore::CheckWritable() const {
  if (!refused_) return {};
  std::lock_guard lock(refusal_mutex_);
  return std::unexpected(*refusal_);
}

void RocksDbStore::Refuse(const Error& error) {
  std::lock_guard lock(refusal_mutex_);
  if (refusal_) return;
  refusal_ = Error{ErrorCode::kStoreWriteFailed, error.message};
  refused_ = true;
}

Status RocksDbStore::Write(const SealedBlock& block) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  ShardLog& shard = shards_.Get(block.shard);
  if (shard.damage) return std::unexpected(*shard.damage);
  STELE_RETURN_IF_ERROR(shard.CheckFollows(block));
  TreeWriter::Step step = shard.tree.Prepare(block);
  if (auto written = log_.WriteBlock(block, step.rows); !written) {
    Refuse(written.error());
    return written;
  }
  if (keys_ != nullptr) keys_->payloads().Written(block.keys);
  raw_bytes_ += block.raw_bytes;
  appended_bytes_ += block.value.size();
  const size_t unsorted = shard.index().Add(block.before.next, block.after.next, block.instances);
  shard.Advance(block.after);
  // Last, so that no head is signed on demand over what readers do not see yet.
  shard.tree.Done(std::move(step));
  if (unsorted >= kRunsToTidy || shard.index().records() >= options_.index_chunk_records)
    index_builder_->Wake();
  return {};
}

std::unique_ptr<BlockSource> RocksDbStore::Source(ShardId shard, bool sequential) const {
  ShardLog* log = &shards_.Get(shard);
  return archive_->Source(
      shard, log_.Source(shard, [log] { return log->tail().next; }, sequential), sequential);
}

Result<std::unique_ptr<Cursor>> RocksDbStore::Read(ShardId shard, Position from) const {
  return std::make_unique<LogCursor>(Source(shard, true), shard, from, payload_keys());
}

Result<std::vector<InstanceBlock>> RocksDbStore::FindBlocks(ShardId shard, InstanceId instance,
                                                            Seq from) const {
  std::vector<InstanceBlock> blocks;
  shards_.Get(shard).index().Find(instance, from, &blocks);
  STELE_RETURN_IF_ERROR(state_.FindBlocks(shard, instance, from, &blocks));
  TrimInstanceBlocks(from, &blocks);
  return blocks;
}

Result<std::unique_ptr<Cursor>> RocksDbStore::ReadInstance(ShardId shard, InstanceId instance,
                                                           Seq from) const {
  auto is_cut = archive_->IsCut(shard, instance);
  if (!is_cut) return std::unexpected(std::move(is_cut).error());
  if (*is_cut) return ErasedInstance(shard, instance);
  const auto find = [this, shard, instance](Seq seq) { return FindBlocks(shard, instance, seq); };
  return std::make_unique<InstanceCursor>(Source(shard, false), shard, instance, from, find,
                                          payload_keys());
}

Status RocksDbStore::PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) {
  STELE_RETURN_IF_ERROR(shards_.Get(shard).CheckDurable(snapshot.position, "a snapshot"));
  auto is_cut = archive_->IsCut(shard, instance);
  if (!is_cut) return std::unexpected(std::move(is_cut).error());
  const auto destroyed = KeyDestroyed(shard, instance);
  if (!destroyed) return std::unexpected(destroyed.error());
  if (*is_cut || *destroyed) return {};  // of what is gone nothing is kept
  return state_.PutSnapshot(shard, instance, snapshot);
}

Status RocksDbStore::WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) {
  ShardLog& log = shards_.Get(shard);
  STELE_RETURN_IF_ERROR(CheckWritable());
  STELE_RETURN_IF_ERROR(log.CheckDurable(checkpoint.position, "a checkpoint"));
  const LogTail tail = log.tail();
  STELE_RETURN_IF_ERROR(state_.WriteCheckpoint(shard, checkpoint));
  return log_.WriteKnownTail(shard, tail);
}

Result<std::optional<Snapshot>> RocksDbStore::GetSnapshot(ShardId shard,
                                                          InstanceId instance) const {
  auto is_cut = archive_->IsCut(shard, instance);
  if (!is_cut) return std::unexpected(std::move(is_cut).error());
  const auto destroyed = KeyDestroyed(shard, instance);
  if (!destroyed) return std::unexpected(destroyed.error());
  if (*is_cut || *destroyed) return std::nullopt;
  return state_.GetSnapshot(shard, instance);
}

Result<ChainReport> RocksDbStore::InspectChain(ShardId shard) const {
  const ShardLog& log = shards_.Get(shard);
  // Where the last block cannot be read there is no end to go to.
  if (log.damage && log.tail().next == Position(1)) return std::unexpected(*log.damage);
  const auto before = archive_->View(shard);
  const LogRows rows(log_);
  auto report = InspectBlocks(*Source(shard, true), shard, log.known_tail, &rows);
  if (!report && archive_->View(shard) != before)  // something was cut out meanwhile
    report = InspectBlocks(*Source(shard, true), shard, log.known_tail, &rows);
  if (report && log.damage) return std::unexpected(*log.damage);
  if (report && log_damage_)
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected the log of shard {} to be whole but found damage behind "
                            "position {}, in an entry that cannot be read: {}",
                            shard.value, report->records, log_damage_->message));
  // What is being cut out meanwhile is counted neither way.
  if (report && archive_->View(shard) == before)
    STELE_RETURN_IF_ERROR(CheckCutCount(shard, *before, *report));
  return report;
}

Result<ArchiveReport> RocksDbStore::Archive(ShardId shard, Position to,
                                            const std::stop_token& stop) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  const ShardLog& log = shards_.Get(shard);
  if (log.damage) return std::unexpected(*log.damage);
  const auto hot = log_.Source(shard, [&log] { return log.tail().next; }, true);
  auto report = archive_->Move(shard, to, *hot, stop);
  if (!report && report.error().code == ErrorCode::kStoreWriteFailed) Refuse(report.error());
  return report;
}

Result<CutReport> RocksDbStore::Cut(ShardId shard, const Erasure& erasure,
                                    const std::stop_token& stop) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  if (shards_.Get(shard).damage) return std::unexpected(*shards_.Get(shard).damage);
  ArchiveStore::CutAccess access;
  access.stop = stop;
  access.check = [&](InstanceId instance) {
    return CheckMayBeCut(shard, instance, state_, FindBlocks(shard, instance, Seq()),
                         ArchivedTo(shard));
  };
  access.blocks = [&](InstanceId instance) -> Result<std::vector<Position>> {
    auto blocks = FindBlocks(shard, instance, Seq());
    if (!blocks) return std::unexpected(std::move(blocks).error());
    std::vector<Position> positions;
    for (const InstanceBlock& block : *blocks) positions.push_back(block.block);
    return positions;
  };
  access.forget = [&](const Erasure& gone) { return state_.Forget(shard, gone); };
  auto report = archive_->Cut(shard, erasure, access);
  if (!report && report.error().code == ErrorCode::kStoreWriteFailed) Refuse(report.error());
  return report;
}

Status RocksDbStore::DestroyKeys(ShardId shard, std::span<const InstanceId> instances,
                                 std::span<const Position> registry_records) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  if (keys_ == nullptr) return EventStore::DestroyKeys(shard, instances, registry_records);
  const auto& step = options_.on_archive_step;
  const auto ids = keys_->WithBegun(shard, instances, registry_records);
  if (!ids) return std::unexpected(ids.error());
  if (ids->empty()) return {};
  if (step) step("keys are to be destroyed");
  std::vector<InstanceId> all;
  for (const PayloadKeyId& id : *ids)
    if (id.instance != InstanceId()) all.push_back(id.instance);
  auto destroyed = keys_->Destroy(shard, *ids, step);
  if (destroyed) destroyed = state_.ForgetSnapshots(shard, all);
  if (destroyed) destroyed = state_.Scrub(shard, EnclosingRange(all));
  if (destroyed) destroyed = keys_->NoteDone(shard);
  if (!destroyed && destroyed.error().code == ErrorCode::kStoreWriteFailed)
    Refuse(destroyed.error());
  if (step) step("the snapshots are gone");
  return destroyed;
}

Status RocksDbStore::Scrub(ShardId shard, const InstanceRange& snapshots) {
  STELE_RETURN_IF_ERROR(CheckWritable());
  return state_.Scrub(shard, snapshots);
}

// Whether a block ended there with that hash.
Result<bool> RocksDbStore::HasEnd(ShardId shard, const LogTail& end) const {
  if (end == LogTail()) return true;
  if (end.next > Tail(shard).next) return false;
  BlockReader reader;
  STELE_RETURN_IF_ERROR(
      OpenBlockAt(*Source(shard, false), shard, Position(end.next.value - 1), &reader));
  const BlockHeader& header = reader.header();
  return LogTail{header.first.Plus(header.count), header.hash} == end;
}

Result<BackupReport> RocksDbStore::Backup(const BackupRequest& request) const {
  STELE_RETURN_IF_ERROR(CheckWritable());
  BackupSource source{.log = log_, .archive = *archive_, .data = path_, .has_end = {}, .ends = {}};
  for (const ShardLog* shard : shards_.All()) {
    if (shard->damage) return std::unexpected(*shard->damage);
    if (shard->tail() != LogTail()) source.ends[shard->id()] = shard->tail();
  }
  source.has_end = [this](ShardId shard, const LogTail& end) { return HasEnd(shard, end); };
  return MakeBackup(source, request);
}

StoreStats RocksDbStore::Stats() const {
  StoreStats stats;
  stats.raw_bytes = raw_bytes_;
  stats.appended_bytes = appended_bytes_;
  log_.AddStats(&stats);
  for (ShardId shard : archive_->Shards())
    for (const SegmentInfo& segment : archive_->Segments(shard))
      stats.archive_bytes += segment.file_bytes;
  stats.index_bytes_written = state_.index_bytes_written();
  return stats;
}

}  // namespace

bool HasRocksDbStore(const std::string& path) {
  return LogDb::Exists(path + "/log");
}

Result<std::unique_ptr<EventStore>> OpenRocksDbStore(const std::string& path,
                                                     const RocksDbOptions& options) {
  auto store = std::make_unique<RocksDbStore>();
  STELE_RETURN_IF_ERROR(store->Open(path, options));
  return store;
}

}  // namespace stele::eventstore
