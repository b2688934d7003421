#include "eventstore/state_db.h"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

#include <filesystem>

namespace stele::eventstore {
namespace {

enum Family : size_t { kMarks, kSnapshots, kOpen, kCheckpoint, kByInstance, kNotes };

// The first byte of a snapshot and of a checkpoint.
constexpr char kValueVersion = 1;

rocksdb::ColumnFamilyOptions FamilyOptions(rocksdb::CompressionType compression) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = 32 << 20;
  options.max_write_buffer_number = 4;
  options.compression = compression;
  options.compression_opts.level = 1;
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 80;
  options.periodic_compaction_seconds = kRewriteSeconds;
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.block_size = 16 << 10;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

rocksdb::ColumnFamilyOptions IndexFamilyOptions() {
  rocksdb::ColumnFamilyOptions options = FamilyOptions(rocksdb::kZSTD);
  // A new chunk overlaps little of what is there: small files keep a compaction to that little.
  options.target_file_size_base = 4 << 20;
  options.level0_file_num_compaction_trigger = 8;
  options.periodic_compaction_seconds = 0;  // numbers, and as many as there are records
  return options;
}

rocksdb::ColumnFamilyOptions NoteFamilyOptions() {
  rocksdb::ColumnFamilyOptions options = FamilyOptions(rocksdb::kZSTD);
  // A note for each instance that waits: buffers must not outweigh what waits.
  options.write_buffer_size = 8 << 20;
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families() {
  return {{rocksdb::kDefaultColumnFamilyName, FamilyOptions(rocksdb::kNoCompression)},
          {"snapshots", FamilyOptions(rocksdb::kZSTD)},
          {"open", FamilyOptions(rocksdb::kZSTD)},
          {"checkpoint", FamilyOptions(rocksdb::kNoCompression)},
          {"by_instance", IndexFamilyOptions()},
          {"notes", NoteFamilyOptions()}};
}

std::unexpected<Error> WriteError(const rocksdb::Status& status, std::string_view what) {
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to {} but found: {}.", what, status.ToString()));
}

std::unexpected<Error> BadValue(std::string_view what, ShardId shard) {
  return Fail(ErrorCode::kStoreCorrupt,
              fmt::format("Expected {} of shard {} in a known form but found other bytes; stop the "
                          "engine and delete the directory \"state\" to rebuild it from the log.",
                          what, shard.value));
}

}  // namespace

rocksdb::Options StateDb::Options() const {
  rocksdb::Options options = BaseOptions();
  options.atomic_flush = true;
  if (cipher_ != nullptr) options.env = cipher_->env();
  if (memory_ != nullptr) options.env = memory_.get();
  return options;
}

Status StateDb::Open(const std::string& path, std::shared_ptr<const FileCipher> cipher) {
  SetPath(path);
  cipher_ = std::move(cipher);
  // Nobody else has it open: who has the log has this.
  STELE_RETURN_IF_ERROR(RemoveUnlessWrittenBy(cipher_.get(), path));
  // Files of an ingestion that a crash interrupted.
  std::error_code ignored;
  std::filesystem::create_directories(path, ignored);
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored))
    if (entry.path().extension() == ".ingest") std::filesystem::remove(entry.path(), ignored);
  return OpenFamilies();
}

Status StateDb::OpenToRead(const std::string& path, std::shared_ptr<const FileCipher> cipher) {
  std::error_code ignored;
  if (!std::filesystem::exists(path + "/CURRENT", ignored) || !IsWrittenBy(cipher.get(), path))
    return OpenInMemory(path);
  cipher_ = std::move(cipher);
  if (!HasFamilies(Options(), path, Families())) {
    cipher_ = nullptr;
    return OpenInMemory(path);
  }
  SetPath(path);
  return handle_.OpenReadOnly(Options(), path_, Families());
}

void StateDb::SetPath(const std::string& path) {
  path_ = path;
  handle_.SetAdvice(fmt::format(
      "Everything in {} can be rebuilt from the log beside it: delete it, and try again.", path));
}

Status StateDb::OpenInMemory(const std::string& path) {
  SetPath(path);
  memory_.reset(rocksdb::NewMemEnv(rocksdb::Env::Default()));
  return OpenFamilies();
}

Status StateDb::OpenFamilies() {
  return handle_.Open(Options(), path_, Families());
}

Status StateDb::Put(size_t family, const rocksdb::Slice& key, const rocksdb::Slice& value) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status = handle_.db().Put(options, handle_.family(family), key, value);
  return status.ok() ? Status() : WriteError(status, "write to " + path_);
}

Status StateDb::PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) {
  std::string value(1 + 8 + 8, kValueVersion);
  StoreLittle(snapshot.seq.value, value.data() + 1);
  StoreLittle(snapshot.position.value, value.data() + 9);
  value += snapshot.state;
  return Put(kSnapshots, KeySlice(ShardKey(shard, instance.value)), value);
}

Result<std::optional<Snapshot>> StateDb::GetSnapshot(ShardId shard, InstanceId instance) const {
  std::string value;
  auto found = GetValue(handle_, kSnapshots, KeySlice(ShardKey(shard, instance.value)), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return std::nullopt;
  if (value.size() < 17 || value[0] != kValueVersion)
    return BadValue(fmt::format("the snapshot of instance {}", instance.value), shard);
  return Snapshot{Seq(LoadLittle<uint64_t>(value.data() + 1)),
                  Position(LoadLittle<uint64_t>(value.data() + 9)), value.substr(17)};
}

Status StateDb::PutOpen(ShardId shard, InstanceId instance, std::string_view summary) {
  return Put(kOpen, KeySlice(ShardKey(shard, instance.value)),
             rocksdb::Slice(summary.data(), summary.size()));
}

Status StateDb::EraseOpen(ShardId shard, InstanceId instance) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status = handle_.db().Delete(options, handle_.family(kOpen),
                                          KeySlice(ShardKey(shard, instance.value)));
  return status.ok() ? Status() : WriteError(status, "write to " + path_);
}

Result<bool> StateDb::IsOpen(ShardId shard, InstanceId instance) const {
  std::string ignored;
  return GetValue(handle_, kOpen, KeySlice(ShardKey(shard, instance.value)), &ignored);
}

Status StateDb::ForEachOpen(ShardId shard,
                            const std::function<void(InstanceId, std::string_view)>& visit) const {
  std::unique_ptr<rocksdb::Iterator> entry(handle_.db().NewIterator({}, handle_.family(kOpen)));
  for (entry->Seek(KeySlice(ShardKey(shard))); entry->Valid(); entry->Next()) {
    const std::string_view key = View(entry->key());
    if (LoadBig<uint32_t>(key.data()) != shard.value) break;
    visit(InstanceId(LoadBig<uint64_t>(key.data() + 4)), View(entry->value()));
  }
  if (!entry->status().ok()) return handle_.ErrorOf(entry->status(), "read the open set");
  return {};
}

namespace {

std::string NoteKey(ShardId shard, std::string_view key) {
  const auto whole = ShardKey(shard);
  return std::string(View(KeySlice(whole))).append(key);
}

}  // namespace

Status StateDb::PutNote(ShardId shard, std::string_view key, std::string_view value) {
  return Put(kNotes, NoteKey(shard, key), rocksdb::Slice(value.data(), value.size()));
}

Status StateDb::EraseNote(ShardId shard, std::string_view key) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status = handle_.db().Delete(options, handle_.family(kNotes), NoteKey(shard, key));
  return status.ok() ? Status() : WriteError(status, "write to " + path_);
}

Result<std::optional<std::string>> StateDb::GetNote(ShardId shard, std::string_view key) const {
  std::string value;
  auto found = GetValue(handle_, kNotes, NoteKey(shard, key), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return std::nullopt;
  return value;
}

Status StateDb::ForEachNote(
    ShardId shard, std::string_view prefix, std::string_view from,
    const std::function<bool(std::string_view, std::string_view)>& visit) const {
  const std::string whole = NoteKey(shard, prefix);
  const size_t skip = whole.size() - prefix.size();
  std::unique_ptr<rocksdb::Iterator> note(handle_.db().NewIterator({}, handle_.family(kNotes)));
  for (note->Seek(std::max(whole, NoteKey(shard, from))); note->Valid(); note->Next()) {
    const std::string_view key = View(note->key());
    if (!key.starts_with(whole) || !visit(key.substr(skip), View(note->value()))) break;
  }
  if (!note->status().ok()) return handle_.ErrorOf(note->status(), "read the notes");
  return {};
}

Status StateDb::WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) {
  std::string value(1 + 8, kValueVersion);
  StoreLittle(checkpoint.position.value, value.data() + 1);
  value += checkpoint.state;
  STELE_RETURN_IF_ERROR(Put(kCheckpoint, KeySlice(ShardKey(shard)), value));
  const auto status = handle_.db().Flush({}, {handle_.family(kSnapshots), handle_.family(kOpen),
                                              handle_.family(kCheckpoint), handle_.family(kNotes)});
  return status.ok() ? Status() : WriteError(status, "flush " + path_);
}

Result<Checkpoint> StateDb::ReadCheckpoint(ShardId shard) const {
  std::string value;
  auto found = GetValue(handle_, kCheckpoint, KeySlice(ShardKey(shard)), &value);
  if (!found) return std::unexpected(std::move(found).error());
  if (!*found) return Checkpoint{};
  if (value.size() < 9 || value[0] != kValueVersion) return BadValue("the checkpoint", shard);
  return Checkpoint{Position(LoadLittle<uint64_t>(value.data() + 1)), value.substr(9)};
}

Result<std::vector<ShardId>> StateDb::CheckpointedShards() const {
  std::vector<ShardId> shards;
  std::unique_ptr<rocksdb::Iterator> it(handle_.db().NewIterator({}, handle_.family(kCheckpoint)));
  for (it->SeekToFirst(); it->Valid(); it->Next())
    if (it->key().size() == 4) shards.push_back(ShardId(LoadBig<uint32_t>(it->key().data())));
  if (!it->status().ok()) return handle_.ErrorOf(it->status(), "list the shards of the state");
  return shards;
}

}  // namespace stele::eventstore
