#include "eventstore/backup.h"

#include <fmt/format.h>

#include "eventstore/backup_database.h"
#include "eventstore/backup_directory.h"

namespace stele::eventstore {
namespace {

Result<VerifiedBackup> VerifyChains(const BackupDatabase& database, const std::string& archive,
                                    BackupManifest manifest) {
  auto whole = database.OpenLog(manifest.id, archive);
  if (!whole) return std::unexpected(std::move(whole).error());
  VerifiedBackup verified{std::move(manifest), 0};
  for (const BackedUpShard& shard : verified.manifest.shards) {
    const auto report = (*whole)->Inspect(shard.shard, shard.end);
    if (!report)
      return Fail(report.error().code,
                  fmt::format("backup {}: {}", verified.manifest.id, report.error().message));
    verified.records += report->records;
  }
  return verified;
}

}  // namespace

std::string MendBackupList(const std::string& directory) {
  return BackupDirectory::MendList(directory);
}

Result<std::vector<uint32_t>> BackupIds(const std::string& directory) {
  const auto opened = BackupDirectory::OpenToList(directory);
  if (!opened) return std::unexpected(opened.error());
  return opened->ids();
}

Result<BackupManifest> ReadBackup(const std::string& directory, uint32_t id) {
  const auto opened = BackupDirectory::OpenToList(directory);
  if (!opened) return std::unexpected(opened.error());
  auto manifest = opened->Manifest(id);
  if (manifest || manifest.error().code != ErrorCode::kBackupDamaged) return manifest;
  // It may have been removed since the list was read.
  const auto now = BackupDirectory::OpenToList(directory);
  return !now || now->Has(id) ? std::move(manifest) : now->Manifest(id);
}

Result<std::vector<BackupManifest>> ListBackups(const std::string& directory) {
  const auto opened = BackupDirectory::OpenToRead(directory);
  if (!opened) return std::unexpected(opened.error());
  std::vector<BackupManifest> manifests;
  for (const uint32_t id : opened->ids()) {
    auto manifest = opened->Manifest(id);
    if (!manifest) return std::unexpected(std::move(manifest).error());
    manifests.push_back(*std::move(manifest));
  }
  return manifests;
}

Result<std::vector<VerifiedBackup>> VerifyBackups(const std::string& directory,
                                                  std::optional<uint32_t> id) {
  const auto opened = BackupDirectory::OpenToRead(directory);
  if (!opened) return std::unexpected(opened.error());
  std::vector<VerifiedBackup> verified;
  std::vector<BackedUpFile> known;
  std::optional<BackupDatabase> database;
  for (const uint32_t each : id.has_value() ? std::vector{*id} : opened->ids()) {
    auto manifest = opened->Manifest(each);
    if (!manifest) return std::unexpected(std::move(manifest).error());
    STELE_RETURN_IF_ERROR(opened->CheckFiles(*manifest, &known));
    if (!database.has_value()) {
      auto made =
          BackupDatabase::Open(opened->log_path(), /*write=*/false, opened->UnprovenLists());
      if (!made) return std::unexpected(std::move(made).error());
      database = *std::move(made);
    }
    auto one = VerifyChains(*database, opened->archive_path(), *std::move(manifest));
    if (!one) return std::unexpected(std::move(one).error());
    verified.push_back(*std::move(one));
  }
  return verified;
}

}  // namespace stele::eventstore
