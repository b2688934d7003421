#include "eventstore/log_db.h"

#include <fmt/format.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/sst_partitioner.h>
#include <rocksdb/table.h>

#include <algorithm>
#include <filesystem>

#include "eventstore/block_reader.h"
#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

enum Family : size_t { kDefault, kLog, kMeta };

constexpr uint32_t kDirectoryFormat = 1;
constexpr std::string_view kFormatKey = "format";
constexpr size_t kReadaheadBytes = 2 << 20;
// Of the family of payload keys; a log in clear has none.
const char* const kKeysName = "keys";

std::string TailKey(ShardId shard) {
  const auto key = ShardKey(shard);
  return "tail" + std::string(key.data(), key.size());
}

rocksdb::ColumnFamilyOptions LogFamilyOptions(size_t write_buffer_bytes,
                                              std::shared_ptr<const LogFloors> floors) {
  rocksdb::ColumnFamilyOptions options;
  options.write_buffer_size = write_buffer_bytes;
  options.max_write_buffer_number = 4;
  options.compression = rocksdb::kNoCompression;  // blocks are compressed already
  options.target_file_size_base = 256 << 20;
  options.level0_slowdown_writes_trigger = 40;
  options.level0_stop_writes_trigger = 80;
  // Keys only grow, so that every compaction is a move of a file; nothing is ever pending.
  options.soft_pending_compaction_bytes_limit = 0;
  options.hard_pending_compaction_bytes_limit = 0;
  options.compaction_filter_factory = MakeFloorFilterFactory(std::move(floors));
  // Several shards share the files of level 0; from level 1 on a file is of one shard and moves.
  options.sst_partitioner_factory = rocksdb::NewSstPartitionerFixedPrefixFactory(4);
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.no_block_cache = true;  // a block is read once, or cached where it is decoded
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

std::vector<rocksdb::ColumnFamilyDescriptor> Families(size_t write_buffer_bytes,
                                                      std::shared_ptr<const LogFloors> floors) {
  return {{rocksdb::kDefaultColumnFamilyName, {}},
          {"log", LogFamilyOptions(write_buffer_bytes, std::move(floors))},
          {"meta", {}}};
}

// A row is looked for whenever an instance begins; most are not there.
rocksdb::ColumnFamilyOptions KeyFamilyOptions() {
  rocksdb::ColumnFamilyOptions options;
  options.compression = rocksdb::kNoCompression;  // random bytes
  options.write_buffer_size = 4 << 20;
  // What is destroyed costs a file's rewriting.
  options.target_file_size_base = 4 << 20;
  rocksdb::BlockBasedTableOptions table;
  table.checksum = rocksdb::kXXH3;
  table.format_version = 5;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  options.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  return options;
}

bool HasCurrent(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path + "/CURRENT", ignored);
}

// Tables, or write-ahead files that hold something.
bool HasRecordFiles(const std::string& path) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(path, ignored)) {
    const auto ending = entry.path().extension();
    if (ending == ".sst" || (ending == ".log" && entry.file_size(ignored) > 0)) return true;
  }
  return false;
}

// Before a log is opened.
Status CheckLogFiles(const std::string& path, bool create) {
  STELE_RETURN_IF_ERROR(CheckMayBeRead(path));
  // Opening would make a new database there, and delete the files of the old one.
  if (!HasCurrent(path) && HasRecordFiles(path))
    return Fail(
        ErrorCode::kStoreCorrupt,
        fmt::format("Expected the file CURRENT in {} but found a log's files without it.", path));
  if (!create && !HasCurrent(path))
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected an event store in {} but found none.", path));
  return {};
}

rocksdb::Options LogOptions() {
  rocksdb::Options options = BaseOptions();
  // A torn last entry was never acknowledged and is dropped; anything else that is wrong with the
  // write-ahead log stops the opening. (Point-in-time recovery would drop acknowledged blocks
  // behind the fault without a word; recycled log files would make a fault look like the end.)
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  options.recycle_log_file_num = 0;
  options.avoid_flush_during_recovery = true;
  return options;
}

class LogSource final : public BlockSource {
 public:
  LogSource(const RocksDbHandle& handle, const std::atomic<uint64_t>& floor, ShardId shard,
            std::function<Position()> end, bool sequential)
      : handle_(handle),
        floor_(floor),
        shard_(shard),
        end_(std::move(end)),
        upper_(ShardKey(shard, ~0ull)) {
    upper_slice_ = KeySlice(upper_);
    options_.iterate_upper_bound = &upper_slice_;
    options_.fill_cache = false;
    if (sequential) options_.readahead_size = kReadaheadBytes;
  }

  Result<std::optional<StoredBlock>> Find(Position position) override {
    const auto key = ShardKey(shard_, position.value);
    iterator_.reset(handle_.db().NewIterator(options_, handle_.family(kLog)));
    iterator_->SeekForPrev(KeySlice(key));
    return Current();
  }

  Result<std::optional<StoredBlock>> After(Position position) override {
    const uint64_t floor = floor_;
    if (floor > 0) position = std::max(position, Position(floor - 1));
    const auto key = ShardKey(shard_, position.value);
    if (iterator_ != nullptr && iterator_->Valid() && iterator_->key() == KeySlice(key))
      iterator_->Next();
    else
      Seek(position);
    // The iterator sees what was there when it was made.
    if (!iterator_->Valid() && iterator_->status().ok()) Seek(position);
    return Current();
  }

  Position End() const override { return end_(); }

 private:
  void Seek(Position position) {
    const auto key = ShardKey(shard_, position.value + 1);
    iterator_.reset(handle_.db().NewIterator(options_, handle_.family(kLog)));
    iterator_->Seek(KeySlice(key));
  }

  Result<std::optional<StoredBlock>> Current() {
    if (!iterator_->status().ok())
      return RocksError(iterator_->status(), fmt::format("read the log of shard {}", shard_.value));
    if (!iterator_->Valid()) return std::nullopt;
    const std::string_view key = View(iterator_->key());
    if (key.size() != 12)
      return Fail(
          ErrorCode::kStoreCorrupt,
          fmt::format("Expected keys of 12 bytes in the log but found one of {}.", key.size()));
    if (LoadBig<uint32_t>(key.data()) != shard_.value) return std::nullopt;
    const Position first(LoadBig<uint64_t>(key.data() + 4));
    if (first.value < floor_) return std::nullopt;
    return StoredBlock{first, View(iterator_->value())};
  }

  const RocksDbHandle& handle_;
  const std::atomic<uint64_t>& floor_;
  ShardId shard_;
  std::function<Position()> end_;
  std::array<char, 12> upper_;
  rocksdb::Slice upper_slice_;
  rocksdb::ReadOptions options_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

}  // namespace

std::vector<rocksdb::ColumnFamilyDescriptor> LogDb::FamiliesOf(const rocksdb::Options& options,
                                                               const std::string& path,
                                                               size_t write_buffer_bytes) const {
  auto families = Families(write_buffer_bytes, floors_);
  std::vector<std::string> names;
  const auto listed = rocksdb::DB::ListColumnFamilies(options, path, &names);
  // One that cannot be listed is new, or its opening says what is wrong with it.
  if (listed.ok() && std::ranges::find(names, kKeysName) != names.end())
    families.emplace_back(kKeysName, KeyFamilyOptions());
  return families;
}

Status LogDb::MakeKeys() {
  return HasKeys() ? Status() : handle_.AddFamily({kKeysName, KeyFamilyOptions()});
}

bool LogDb::Exists(const std::string& path) {
  return HasCurrent(path) || HasRecordFiles(path) || !CheckMayBeRead(path);
}

void LogDb::Close() {
  handle_.Close();
  lock_ = ReadingLock();
}

Status LogDb::Open(const std::string& path, size_t write_buffer_bytes, bool create,
                   std::optional<Error>* damage) {
  STELE_RETURN_IF_ERROR(CheckLogFiles(path, create));
  rocksdb::Options options = LogOptions();
  options.max_total_wal_size = 3 * write_buffer_bytes;
  const auto families = FamiliesOf(options, path, write_buffer_bytes);
  const Status opened = handle_.Open(options, path, families);
  if (!opened && opened.error().code == ErrorCode::kStoreCorrupt && damage != nullptr) {
    // What lies between readable entries shows as a gap in the chain.
    *damage = opened.error();
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    STELE_RETURN_IF_ERROR(handle_.OpenReadOnly(options, path, families));
  } else if (!opened) {
    return opened;
  }
  return CheckFormat(damage == nullptr || !damage->has_value());
}

Status LogDb::OpenToRead(const std::string& path, std::optional<Error>* damage) {
  STELE_RETURN_IF_ERROR(CheckLogFiles(path, /*create=*/false));
  auto lock = ReadingLock::Take(path);
  if (!lock) return std::unexpected(std::move(lock).error());
  lock_ = *std::move(lock);
  rocksdb::Options options = LogOptions();
  const auto families = FamiliesOf(options, path, rocksdb::Options().write_buffer_size);
  // With records in its files a list of families that cannot be read is damage: opening names it.
  if (!HasRecordFiles(path) && !HasFamilies(options, path, families))
    return Fail(
        ErrorCode::kStoreNotFound,
        fmt::format("Expected an event store in {} but found one that a crash left while it "
                    "was made: nothing is recorded there. Whoever opens it to write makes "
                    "the rest.",
                    path));
  const Status opened = handle_.OpenReadOnly(options, path, families);
  if (!opened && opened.error().code == ErrorCode::kStoreCorrupt && damage != nullptr) {
    *damage = opened.error();
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
    STELE_RETURN_IF_ERROR(handle_.OpenReadOnly(options, path, families));
  } else if (!opened) {
    return opened;
  }
  return CheckFormat(/*note_when_missing=*/false);
}

Status LogDb::OpenCopy(const std::string& name, rocksdb::Env* env) {
  rocksdb::Options options = BaseOptions();
  options.env = env;
  options.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  STELE_RETURN_IF_ERROR(handle_.OpenReadOnly(
      options, name, FamiliesOf(options, name, rocksdb::Options().write_buffer_size)));
  return CheckFormat(/*note_when_missing=*/false);
}

Status LogDb::CheckFormat(bool note_when_missing) {
  std::string value;
  auto found =
      GetValue(handle_, kMeta, rocksdb::Slice(kFormatKey.data(), kFormatKey.size()), &value);
  if (!found) return std::unexpected(std::move(found).error());
  char current[sizeof kDirectoryFormat];
  StoreLittle(kDirectoryFormat, current);
  const std::string_view expected(current, sizeof current);
  if (!*found) {
    if (!note_when_missing) return {};
    rocksdb::WriteOptions options;
    options.sync = true;
    const auto status = handle_.db().Put(options, handle_.family(kMeta),
                                         rocksdb::Slice(kFormatKey.data(), kFormatKey.size()),
                                         rocksdb::Slice(expected.data(), expected.size()));
    if (!status.ok()) return RocksError(status, "note the format of " + handle_.db().GetName());
    return {};
  }
  if (value == expected) return {};
  return Fail(ErrorCode::kStoreUnknownFormat,
              fmt::format("Expected directory format {} in {} but found {}.", kDirectoryFormat,
                          handle_.db().GetName(),
                          value.size() == 4 ? fmt::format("{}", LoadLittle<uint32_t>(value.data()))
                                            : fmt::format("{} bytes", value.size())));
}

Status LogDb::WriteBlock(const SealedBlock& block, const std::vector<KeyRow>& rows) {
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto key = ShardKey(block.shard, block.before.next.value);
  rocksdb::Status status;
  if (block.keys.empty() && rows.empty()) {
    status =
        handle_.db().Put(options, handle_.family(kLog), KeySlice(key), rocksdb::Slice(block.value));
  } else {
    // As one: no sealed payload without its key, and no second sync.
    rocksdb::WriteBatch batch(block.value.size() + 128 * (block.keys.size() + rows.size()));
    status = batch.Put(handle_.family(kLog), KeySlice(key), rocksdb::Slice(block.value));
    for (const KeyRow& row : block.keys)
      if (status.ok()) status = batch.Put(handle_.family(kKeysFamily), row.name, row.value);
    for (const KeyRow& row : rows)
      if (status.ok()) status = batch.Put(handle_.family(kMeta), row.name, row.value);
    if (status.ok()) status = handle_.db().Write(options, &batch);
  }
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to write positions {} to {} of shard {} to {} but found: {}.",
                          block.before.next.value, block.after.next.value - 1, block.shard.value,
                          handle_.db().GetName(), status.ToString()));
}

Status LogDb::ImportBlock(ShardId shard, Position first, std::string_view bytes) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto key = ShardKey(shard, first.value);
  const auto status = handle_.db().Put(options, handle_.family(kLog), KeySlice(key),
                                       rocksdb::Slice(bytes.data(), bytes.size()));
  if (status.ok()) return {};
  return RocksError(status, fmt::format("write position {} of shard {} to {}", first.value,
                                        shard.value, handle_.db().GetName()));
}

Status LogDb::Flush() {
  const auto status = handle_.db().Flush({}, handle_.family(kLog));
  if (status.ok()) return {};
  return RocksError(status, "write the tables of " + handle_.db().GetName());
}

Result<std::vector<ShardId>> LogDb::Shards() const {
  std::vector<ShardId> shards;
  std::unique_ptr<rocksdb::Iterator> log(handle_.db().NewIterator({}, handle_.family(kLog)));
  for (log->SeekToFirst(); log->Valid();) {
    const uint32_t shard = LoadBig<uint32_t>(log->key().data());
    shards.push_back(ShardId(shard));
    if (shard == UINT32_MAX) break;
    log->Seek(KeySlice(ShardKey(ShardId(shard + 1))));
  }
  if (!log->status().ok()) return RocksError(log->status(), "list the shards of the log");
  std::unique_ptr<rocksdb::Iterator> meta(handle_.db().NewIterator({}, handle_.family(kMeta)));
  for (meta->Seek("tail"); meta->Valid() && meta->key().starts_with("tail"); meta->Next()) {
    if (meta->key().size() != 8) continue;
    const ShardId shard(LoadBig<uint32_t>(meta->key().data() + 4));
    if (std::find(shards.begin(), shards.end(), shard) == shards.end()) shards.push_back(shard);
  }
  if (!meta->status().ok()) return RocksError(meta->status(), "list the shards of the log");
  return shards;
}

Result<LogTail> LogDb::ReadTail(ShardId shard) const {
  const auto source = Source(shard, nullptr, false);
  auto last = source->Find(Position(UINT64_MAX - 1));
  if (!last) return std::unexpected(std::move(last).error());
  if (!*last) return LogTail{};
  BlockReader reader;
  STELE_RETURN_IF_ERROR(reader.Open((*last)->bytes, shard, (*last)->first));
  return LogTail{(*last)->first.Plus(reader.header().count), reader.header().hash};
}

Result<LogTail> LogDb::ReadKnownTail(ShardId shard) const {
  std::string value;
  auto found = GetValue(handle_, kMeta, TailKey(shard), &value);
  if (!found) return std::unexpected(std::move(found).error());
  LogTail tail;
  if (!*found) return tail;
  if (value.size() != 8 + tail.hash.size())
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected {} bytes for the known end of shard {} but found {}.",
                            8 + tail.hash.size(), shard.value, value.size()));
  tail.next = Position(LoadLittle<uint64_t>(value.data()));
  std::memcpy(tail.hash.data(), value.data() + 8, tail.hash.size());
  return tail;
}

Status LogDb::WriteKnownTail(ShardId shard, const LogTail& tail) {
  std::string value(8, '\0');
  StoreLittle(tail.next.value, value.data());
  value.append(reinterpret_cast<const char*>(tail.hash.data()), tail.hash.size());
  rocksdb::WriteOptions options;
  options.sync = true;
  const auto status = handle_.db().Put(options, handle_.family(kMeta), TailKey(shard), value);
  if (status.ok()) return {};
  return Fail(ErrorCode::kStoreWriteFailed,
              fmt::format("Expected to note the end of shard {} in {} but found: {}.", shard.value,
                          handle_.db().GetName(), status.ToString()));
}

std::unique_ptr<BlockSource> LogDb::Source(ShardId shard, std::function<Position()> end,
                                           bool sequential) const {
  return std::make_unique<LogSource>(handle_, floors_->Of(shard), shard, std::move(end),
                                     sequential);
}

void LogDb::AddStats(StoreStats* stats) const {
  uint64_t tables = 0, memory = 0;
  handle_.db().GetIntProperty(handle_.family(kLog), "rocksdb.live-sst-files-size", &tables);
  handle_.db().GetIntProperty(handle_.family(kLog), "rocksdb.cur-size-all-mem-tables", &memory);
  stats->log_bytes = tables + memory;
  stats->wal_bytes_written = handle_.Counted(rocksdb::WAL_FILE_BYTES);
  stats->flush_bytes_written = handle_.Counted(rocksdb::FLUSH_WRITE_BYTES);
  stats->compaction_bytes_written = handle_.Counted(rocksdb::COMPACT_WRITE_BYTES);
}

}  // namespace stele::eventstore
