#include "eventstore/rocksdb_handle.h"

#include <fmt/format.h>
#include <rocksdb/env.h>

#include <algorithm>
#include <cstdarg>
#include <memory>

#include "eventstore/limits.h"

namespace stele::eventstore {

namespace {

// RocksDB's own log file stays away: what went wrong is in what its calls return, and the library
// aborts when a line of the log finds the disk full.
class NoLog final : public rocksdb::Logger {
 public:
  NoLog() : rocksdb::Logger(rocksdb::HEADER_LEVEL) {}
  using rocksdb::Logger::Logv;
  void Logv(const char*, va_list) override {}
};

}  // namespace

bool IsLocked(const rocksdb::Status& status) {
  if (!status.IsIOError()) return false;
  const std::string said = status.ToString();
  return said.find("While lock file") != std::string::npos ||
         said.find("lock hold by current process") != std::string::npos;
}

std::unexpected<Error> RocksError(const rocksdb::Status& status, std::string_view what) {
  const ErrorCode code = status.IsCorruption() ? ErrorCode::kStoreCorrupt : ErrorCode::kIo;
  return Fail(code, fmt::format("Expected to {} but found: {}.", what, status.ToString()));
}

rocksdb::CompactRangeOptions EveryFile() {
  rocksdb::CompactRangeOptions options;
  options.bottommost_level_compaction = rocksdb::BottommostLevelCompaction::kForceOptimized;
  return options;
}

bool HasFamilies(const rocksdb::Options& options, const std::string& path,
                 const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  std::vector<std::string> names;
  // One that cannot be listed says at its opening what is wrong with it.
  if (!rocksdb::DB::ListColumnFamilies(options, path, &names).ok()) return true;
  return std::ranges::all_of(families, [&](const rocksdb::ColumnFamilyDescriptor& family) {
    return std::ranges::find(names, family.name) != names.end();
  });
}

rocksdb::Options BaseOptions() {
  rocksdb::Options options;
  options.create_if_missing = true;
  options.create_missing_column_families = true;
  options.paranoid_checks = true;
  options.max_background_jobs = 2;
  options.max_open_files = 512;
  options.skip_stats_update_on_db_open = true;
  // Tables are opened by the thread that opens the database: where there is no memory for another
  // one the library would end the process.
  options.max_file_opening_threads = 1;
  options.info_log = std::make_shared<NoLog>();
  options.stats_dump_period_sec = 0;
  options.stats_persist_period_sec = 0;
  options.max_manifest_file_size = 4 << 20;
  options.manifest_preallocation_size = 64 << 10;
  // Dirty pages leave steadily instead of all at once when a file is closed.
  options.bytes_per_sync = 1 << 20;
  return options;
}

Status RocksDbHandle::Open(const rocksdb::Options& options, const std::string& path,
                           const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  rocksdb::Options counted = options;
  counted.statistics = rocksdb::CreateDBStatistics();
  counted.statistics->set_stats_level(rocksdb::StatsLevel::kExceptHistogramOrTimers);
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status = rocksdb::DB::Open(counted, path, families, &families_, &db);
  if (status.ok()) {
    db_.reset(db);
    return {};
  }
  if (IsLocked(status))
    return Fail(
        ErrorCode::kStoreLocked,
        fmt::format("Expected to be the only user of {} but found that {} has it open; wait "
                    "until it has ended, stop it, or choose another directory",
                    path,
                    status.ToString().find("current process") != std::string::npos
                        ? "this process"
                        : HolderOf(path + "/LOCK")));
  return ErrorOf(status, "open the database " + path);
}

std::unexpected<Error> RocksDbHandle::ErrorOf(const rocksdb::Status& status,
                                              std::string_view what) const {
  std::unexpected<Error> error = RocksError(status, what);
  if (error.error().code == ErrorCode::kStoreCorrupt && !advice_.empty())
    error.error().message += " " + advice_;
  return error;
}

uint64_t RocksDbHandle::Counted(uint32_t ticker) const {
  const auto statistics = db_->GetDBOptions().statistics;
  return statistics == nullptr ? 0 : statistics->getTickerCount(ticker);
}

Status RocksDbHandle::OpenReadOnly(const rocksdb::Options& options, const std::string& path,
                                   const std::vector<rocksdb::ColumnFamilyDescriptor>& families) {
  rocksdb::DB* db = nullptr;
  const rocksdb::Status status =
      rocksdb::DB::OpenForReadOnly(options, path, families, &families_, &db);
  if (!status.ok()) return ErrorOf(status, "open the database " + path + " for reading");
  db_.reset(db);
  return {};
}

Status RocksDbHandle::AddFamily(const rocksdb::ColumnFamilyDescriptor& family) {
  rocksdb::ColumnFamilyHandle* handle = nullptr;
  const auto status = db_->CreateColumnFamily(family.options, family.name, &handle);
  if (!status.ok())
    return RocksError(status, "add the family " + family.name + " to " + db_->GetName());
  families_.push_back(handle);
  return {};
}

void RocksDbHandle::Close() {
  if (db_ == nullptr) return;
  for (rocksdb::ColumnFamilyHandle* family : families_) db_->DestroyColumnFamilyHandle(family);
  families_.clear();
  db_->Close().PermitUncheckedError();
  db_.reset();
}

Result<bool> GetValue(const RocksDbHandle& handle, size_t family, const rocksdb::Slice& key,
                      std::string* value) {
  const rocksdb::Status status = handle.db().Get({}, handle.family(family), key, value);
  if (status.ok()) return true;
  if (status.IsNotFound()) return false;
  return handle.ErrorOf(status, "read a key of " + handle.db().GetName());
}

}  // namespace stele::eventstore
