#include "eventstore/backup_database.h"

#include <fmt/format.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

std::unexpected<Error> BackupError(const rocksdb::Status& status, const std::string& what) {
  const bool damaged = status.IsCorruption() || status.IsNotFound();
  return Fail(damaged ? ErrorCode::kBackupDamaged : ErrorCode::kIo,
              fmt::format("Expected to {} but found: {}.", what, status.ToString()));
}

// The file system without some files, which are damaged to who opens them. The backup engine
// believes a list that it can read, and RocksDB as Debian builds it ends the process when two lists
// contradict each other.
class WithoutFiles final : public rocksdb::FileSystemWrapper {
 public:
  explicit WithoutFiles(std::set<std::string> paths)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), paths_(std::move(paths)) {}
  const char* Name() const override { return "WithoutFiles"; }
  rocksdb::IOStatus NewSequentialFile(const std::string& path, const rocksdb::FileOptions& options,
                                      std::unique_ptr<rocksdb::FSSequentialFile>* file,
                                      rocksdb::IODebugContext* context) override {
    if (paths_.contains(std::filesystem::path(path).lexically_normal().string()))
      return rocksdb::IOStatus::Corruption("not the list that was written");
    return FileSystemWrapper::NewSequentialFile(path, options, file, context);
  }

 private:
  const std::set<std::string> paths_;
};

std::unique_ptr<rocksdb::Env> EnvWithout(const std::string& path,
                                         const std::vector<uint32_t>& unproven) {
  std::set<std::string> lists;
  for (const uint32_t id : unproven)
    lists.insert(
        std::filesystem::path(fmt::format("{}/meta/{}", path, id)).lexically_normal().string());
  return rocksdb::NewCompositeEnv(std::make_shared<WithoutFiles>(std::move(lists)));
}

// Tables have names that are never used again, so that a name and a size tell a copy that is there.
rocksdb::BackupEngineOptions Options(const std::string& path, rocksdb::Env* env) {
  rocksdb::BackupEngineOptions options(path);
  options.backup_env = env;
  options.share_table_files = true;
  options.share_files_with_checksum = true;
  options.sync = true;
  options.backup_log_files = true;
  return options;
}

// Of the disk that the log is on. A flush that fails stops the log.
constexpr uint64_t kRoomToFlushBytes = 256u << 20;

bool HasRoomToFlush(const LogDb& log) {
  std::error_code failed;
  const auto space = std::filesystem::space(log.database().GetName(), failed);
  return !failed && space.available >= kRoomToFlushBytes;
}

}  // namespace

Result<BackupDatabase> BackupDatabase::Open(const std::string& path, bool write,
                                            const std::vector<uint32_t>& unproven) {
  BackupDatabase database;
  database.path_ = path;
  database.env_ = EnvWithout(path, unproven);
  const rocksdb::BackupEngineOptions options = Options(path, database.env_.get());
  if (write) {
    STELE_RETURN_IF_ERROR(MakeDirectories(path));
    rocksdb::BackupEngine* engine = nullptr;
    const auto status = rocksdb::BackupEngine::Open(options, rocksdb::Env::Default(), &engine);
    if (!status.ok()) return BackupError(status, "open the backups in " + path);
    database.engine_.reset(engine);
  } else {
    rocksdb::BackupEngineReadOnly* engine = nullptr;
    const auto status =
        rocksdb::BackupEngineReadOnly::Open(options, rocksdb::Env::Default(), &engine);
    if (!status.ok()) return BackupError(status, "open the backups in " + path);
    database.readable_.reset(engine);
  }
  return database;
}

const rocksdb::BackupEngineReadOnlyBase& BackupDatabase::reader() const {
  if (engine_ != nullptr) return *engine_;
  return *readable_;
}

std::vector<uint32_t> BackupDatabase::Ids() const {
  std::vector<uint32_t> ids;
  std::vector<rocksdb::BackupInfo> infos;
  reader().GetBackupInfo(&infos);
  for (const rocksdb::BackupInfo& info : infos) ids.push_back(info.backup_id);
  std::vector<rocksdb::BackupID> damaged;
  reader().GetCorruptedBackups(&damaged);
  ids.insert(ids.end(), damaged.begin(), damaged.end());
  std::ranges::sort(ids);
  return ids;
}

Result<uint32_t> BackupDatabase::Add(const LogDb& log) {
  rocksdb::CreateBackupOptions options;
  // Tables are shared between backups, write-ahead files are copied anew each time.
  options.flush_before_backup = HasRoomToFlush(log);
  rocksdb::BackupID id = 0;
  const auto status = engine_->CreateNewBackup(options, &log.database(), &id);
  if (!status.ok()) return BackupError(status, "copy the log to " + path_);
  // What lies between the directory and its entries' names.
  for (const char* directory : {"/meta", "/private", "/shared_checksum", ""})
    STELE_RETURN_IF_ERROR(SyncDirectory(path_ + directory));
  STELE_RETURN_IF_ERROR(SyncDirectory(fmt::format("{}/private/{}", path_, id)));
  return id;
}

Status BackupDatabase::Remove(uint32_t id) {
  const auto status = engine_->DeleteBackup(id);
  if (!status.ok() && !status.IsNotFound())
    return BackupError(status, fmt::format("remove backup {} from {}", id, path_));
  return {};
}

Result<rocksdb::BackupInfo> BackupDatabase::Info(uint32_t id) const {
  rocksdb::BackupInfo info;
  const auto status = reader().GetBackupInfo(id, &info, /*include_file_details=*/true);
  if (status.ok()) return info;
  return BackupError(status, fmt::format("find backup {} in {}", id, path_));
}

Result<std::vector<std::string>> BackupDatabase::Files(uint32_t id) const {
  const auto info = Info(id);
  if (!info) return std::unexpected(info.error());
  std::vector<std::string> files = {fmt::format("meta/{}", id)};
  for (const auto& file : info->file_details) files.push_back(file.relative_filename);
  return files;
}

Result<std::unique_ptr<WholeLog>> BackupDatabase::OpenLog(uint32_t id,
                                                          const std::string& archive) const {
  const auto info = Info(id);
  if (!info) return std::unexpected(info.error());
  return WholeLog::OpenBackup(info->name_for_open, info->env_for_open, archive);
}

Status BackupDatabase::Restore(uint32_t id, const std::string& directory) const {
  const auto status = reader().RestoreDBFromBackup(id, directory, directory);
  if (!status.ok())
    return BackupError(status, fmt::format("restore backup {} of {} to {}", id, path_, directory));
  return {};
}

}  // namespace stele::eventstore
