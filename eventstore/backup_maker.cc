#include "eventstore/backup_maker.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>

#include "eventstore/backup_database.h"
#include "eventstore/backup_directory.h"

namespace stele::eventstore {
namespace {

void Tell(const BackupRequest& request, std::string_view what) {
  if (request.progress) request.progress(what);
}

Status CheckPlace(const BackupSource& source, const BackupRequest& request) {
  const std::string directory = ResolvedPath(request.directory);
  const std::string data = ResolvedPath(source.data);
  if (!LiesIn(directory, data) && !LiesIn(data, directory)) return {};
  return Fail(ErrorCode::kWrongDirectory,
              fmt::format("Expected a directory for backups apart from the data directory {} but "
                          "found {}.",
                          data, directory));
}

// Two histories in one directory would be taken for one.
Status CheckContinues(const BackupSource& source, const BackupManifest& newest,
                      const std::string& directory) {
  for (const BackedUpShard& shard : newest.shards) {
    const Result<bool> has = source.has_end(shard.shard, shard.end);
    if (!has) return std::unexpected(has.error());
    if (*has) continue;
    return Fail(
        ErrorCode::kWrongDirectory,
        fmt::format("Expected the log that backup {} in {} is of, with the hash {} behind "
                    "position {} of shard {}, but found another one, or one that was restored to a "
                    "moment before; choose another directory.",
                    newest.id, directory, ToHex(shard.end.hash), shard.end.next.value - 1,
                    shard.shard.value));
  }
  return {};
}

bool IsThere(const BackupDirectory& directory, const BackedUpFile& file) {
  std::error_code failed;
  const auto bytes = std::filesystem::file_size(directory.path() + "/" + file.path, failed);
  return !failed && bytes == file.digest.bytes;
}

// Whether the backup is of all that there is now: the log's ends, its segments, the files beside
// it.
bool HoldsAll(const BackupDirectory& directory, const BackupSource& source,
              const BackupRequest& request, const BackupManifest& newest) {
  if (source.log.HasKeys()) return false;
  std::map<ShardId, LogTail> ends;
  for (const BackedUpShard& shard : newest.shards)
    if (shard.end != LogTail()) ends[shard.shard] = shard.end;
  std::map<std::string, FileDigest> beside;
  std::set<std::string> segments, copied;
  for (const BackedUpFile& file : newest.files) {
    if (!IsThere(directory, file)) return false;
    if (file.path.starts_with("archive/")) copied.insert(file.path);
    if (file.path.starts_with("files/")) beside[file.name] = file.digest;
  }
  for (const ShardId shard : source.archive.Shards())
    for (const SegmentInfo& segment : source.archive.Segments(shard))
      segments.insert("archive/" + std::filesystem::path(segment.file).filename().string());
  std::map<std::string, FileDigest> now;
  for (const std::string& name : request.files)
    if (const auto digest = DigestFile(source.data + "/" + name); digest) now[name] = *digest;
  return ends == source.ends && segments == copied && now == beside;
}

// What a backup that was cut off has left.
Status RemoveLeftovers(const BackupDirectory& directory, BackupDatabase& database) {
  for (const uint32_t id : database.Ids())
    if (!directory.Has(id)) STELE_RETURN_IF_ERROR(database.Remove(id));
  return directory.RemoveStrays();
}

// A table that the backup before holds under the same name and with the same size is not read.
Status NoteDatabaseFiles(const BackupDirectory& directory, const BackupDatabase& database,
                         const BackupManifest& newest, BackupReport* report) {
  std::map<std::string, FileDigest> known;
  for (const BackedUpFile& file : newest.files) known[file.path] = file.digest;
  const auto files = database.Files(report->manifest.id);
  if (!files) return std::unexpected(files.error());
  for (const std::string& name : *files) {
    BackedUpFile file{.path = "log/" + name, .digest = {}, .name = {}, .mode = 0};
    const std::string path = directory.path() + "/" + file.path;
    const auto before = known.find(file.path);
    std::error_code failed;
    if (before != known.end() && name.starts_with("shared") &&
        std::filesystem::file_size(path, failed) == before->second.bytes && !failed) {
      file.digest = before->second;
    } else {
      const Result<FileDigest> digest = DigestFile(path);
      if (!digest) return std::unexpected(digest.error());
      file.digest = *digest;
      report->new_bytes += digest->bytes;
    }
    report->manifest.files.push_back(std::move(file));
  }
  return {};
}

void AddKept(const BackupManifest& newest, BackedUpFile file, BackupReport* report) {
  const auto same = [&](const BackedUpFile& known) { return known.path == file.path; };
  if (std::ranges::none_of(newest.files, same)) report->new_bytes += file.digest.bytes;
  report->manifest.files.push_back(std::move(file));
}

Status KeepFiles(const BackupDirectory& directory, const BackupSource& source,
                 const BackupRequest& request, const BackupManifest& newest, BackupReport* report) {
  for (const std::string& name : request.files) {
    std::error_code ignored;
    if (!std::filesystem::exists(source.data + "/" + name, ignored)) continue;
    Result<BackedUpFile> file = directory.Keep(source.data, name);
    if (!file) return std::unexpected(std::move(file).error());
    AddKept(newest, *std::move(file), report);
  }
  return {};
}

// REQUIRES: the archive is held, so that these are the segments that the copied log notes.
Status KeepSegments(const BackupDirectory& directory, const BackupSource& source,
                    const BackupManifest& newest, BackupReport* report) {
  for (const ShardId shard : source.archive.Shards()) {
    for (const SegmentInfo& segment : source.archive.Segments(shard)) {
      Result<BackedUpFile> file = directory.KeepSegment(segment.file, newest);
      if (!file) return std::unexpected(std::move(file).error());
      AddKept(newest, *std::move(file), report);
    }
  }
  return {};
}

// Where the copy ends, read from the copy itself.
Status NoteEnds(const BackupDirectory& directory, const BackupDatabase& database,
                BackupManifest* manifest) {
  const auto whole = database.OpenLog(manifest->id, directory.archive_path());
  if (!whole) return std::unexpected(whole.error());
  const auto shards = (*whole)->Shards();
  if (!shards) return std::unexpected(shards.error());
  for (const ShardId id : *shards) {
    const Result<BackedUpShard> shard = (*whole)->End(id);
    if (!shard) return std::unexpected(shard.error());
    manifest->shards.push_back(*shard);
  }
  return {};
}

Status RemoveOld(BackupDirectory& directory, BackupDatabase& database, uint32_t keep,
                 BackupReport* report) {
  if (keep == 0 || directory.ids().size() <= keep) return {};
  const std::vector<uint32_t> old(directory.ids().begin(), directory.ids().end() - keep);
  STELE_RETURN_IF_ERROR(directory.Forget(old));
  report->removed = old;
  return RemoveLeftovers(directory, database);
}

}  // namespace

Result<BackupReport> MakeBackup(const BackupSource& source, const BackupRequest& request) {
  STELE_RETURN_IF_ERROR(CheckPlace(source, request));
  auto directory = BackupDirectory::OpenToWrite(request.directory);
  if (!directory) return std::unexpected(std::move(directory).error());
  BackupManifest newest;
  if (!directory->ids().empty()) {
    auto manifest = directory->Manifest(directory->ids().back());
    if (!manifest) return std::unexpected(std::move(manifest).error());
    newest = *std::move(manifest);
    STELE_RETURN_IF_ERROR(CheckContinues(source, newest, request.directory));
  }
  auto database =
      BackupDatabase::Open(directory->log_path(), /*write=*/true, directory->UnprovenLists());
  if (!database) return std::unexpected(std::move(database).error());
  STELE_RETURN_IF_ERROR(RemoveLeftovers(*directory, *database));

  BackupReport report;
  report.mended = directory->mended();
  if (request.skip_unchanged && !directory->ids().empty() &&
      HoldsAll(*directory, source, request, newest)) {
    report.manifest = std::move(newest);
    report.unchanged = true;
    STELE_RETURN_IF_ERROR(RemoveOld(*directory, *database, request.keep, &report));
    return report;
  }
  report.manifest.made = request.now;
  // A segment that the copied log notes must still be there when the segments are copied.
  std::unique_lock<std::mutex> held = source.archive.Hold();
  Tell(request, "the log is copied");
  const Result<uint32_t> id = database->Add(source.log);
  if (!id) return std::unexpected(id.error());
  report.manifest.id = *id;
  Tell(request, "the archive is copied");
  STELE_RETURN_IF_ERROR(KeepSegments(*directory, source, newest, &report));
  held.unlock();
  Tell(request, "files beside the log are copied");
  STELE_RETURN_IF_ERROR(KeepFiles(*directory, source, request, newest, &report));
  Tell(request, "what was copied is read");
  STELE_RETURN_IF_ERROR(NoteDatabaseFiles(*directory, *database, newest, &report));
  STELE_RETURN_IF_ERROR(NoteEnds(*directory, *database, &report.manifest));
  Tell(request, "the backup is noted");
  STELE_RETURN_IF_ERROR(directory->Add(report.manifest));
  Tell(request, "old backups are removed");
  STELE_RETURN_IF_ERROR(RemoveOld(*directory, *database, request.keep, &report));
  Tell(request, "the backup is there");
  return report;
}

}  // namespace stele::eventstore
