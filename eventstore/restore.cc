#include "eventstore/restore.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "base/check.h"
#include "eventstore/backup_database.h"
#include "eventstore/backup_directory.h"
#include "eventstore/log_cut.h"
#include "eventstore/log_moments.h"
#include "eventstore/restore_place.h"

namespace stele::eventstore {
namespace {

constexpr size_t kWriteBufferBytes = 32u << 20;

void Tell(const RestoreRequest& request, std::string_view what) {
  if (request.progress) request.progress(what);
}

std::unexpected<Error> NoSuchMoment(uint32_t backup, const std::string& expected,
                                    const std::string& found) {
  return Fail(ErrorCode::kNoSuchMoment,
              fmt::format("Expected {} of backup {} but found {}.", expected, backup, found));
}

Result<std::vector<LogCut>> CutsAtPosition(const BackupManifest& manifest, Position position) {
  std::vector<BackedUpShard> shards = manifest.shards;
  std::erase_if(shards, [](const BackedUpShard& shard) { return shard.end.next == Position(1); });
  if (shards.size() != 1)
    return NoSuchMoment(manifest.id,
                        shards.empty() ? "a log with records"
                                       : "a time, for there are several shards with positions",
                        fmt::format("position {}", position.value));
  const Position end = shards.front().end.next;
  if (position >= Position(1) && position < end)
    return std::vector{LogCut{shards[0].shard, position}};
  return NoSuchMoment(manifest.id, fmt::format("one of the positions 1 to {}", end.value - 1),
                      fmt::format("{}", position.value));
}

Result<std::vector<LogCut>> CutsAtTime(const BackupManifest& manifest, const WholeLog& log,
                                       TimeUs time) {
  if (time > manifest.made)
    return NoSuchMoment(manifest.id,
                        "a time at or before " + TimeText(manifest.made) + ", the making",
                        TimeText(time));
  std::vector<LogCut> cuts;
  std::optional<TimeUs> earliest;
  bool any = false;
  for (const BackedUpShard& shard : manifest.shards) {
    const auto source = log.Source(shard.shard, shard.end.next);
    const Result<Moment> moment = FindMoment(*source, shard.shard, shard.end.next, time);
    if (!moment) return std::unexpected(moment.error());
    cuts.push_back({shard.shard, moment->last.value_or(Position(0))});
    any |= moment->last.has_value();
    if (moment->earliest.has_value())
      earliest = std::min(earliest.value_or(*moment->earliest), *moment->earliest);
  }
  if (any) return cuts;
  return NoSuchMoment(manifest.id,
                      earliest.has_value()
                          ? "a time at or after " + TimeText(*earliest) + ", the first record's,"
                          : "a log with records",
                      TimeText(time));
}

// Where the log is to be cut; nothing: it stays whole.
Result<std::optional<std::vector<LogCut>>> FindCuts(const RestoreRequest& request,
                                                    const BackupManifest& manifest,
                                                    const BackupDirectory& directory,
                                                    const BackupDatabase& database) {
  CHECK(!request.to_position || !request.to_time);
  if (!request.to_position && !request.to_time) return std::nullopt;
  const auto log = database.OpenLog(manifest.id, directory.archive_path());
  if (!log) return std::unexpected(log.error());
  auto cuts = request.to_position ? CutsAtPosition(manifest, *request.to_position)
                                  : CutsAtTime(manifest, **log, *request.to_time);
  if (!cuts) return std::unexpected(std::move(cuts).error());
  for (const LogCut& cut : *cuts) STELE_RETURN_IF_ERROR(CheckCut(**log, cut));
  return *std::move(cuts);
}

// Adds the names of the files that are needed beside it, of those in the archive.
Status BuildLog(const BackupManifest& manifest, const BackupDirectory& directory,
                const BackupDatabase& database, const std::vector<LogCut>& cuts,
                const std::string& path, std::set<std::string>* segments) {
  const auto from = database.OpenLog(manifest.id, directory.archive_path());
  if (!from) return std::unexpected(from.error());
  LogDb log;
  STELE_RETURN_IF_ERROR(log.Open(path, kWriteBufferBytes, /*create=*/true, nullptr));
  return CopyLogUpTo(**from, cuts, &log, segments);
}

// `segments`: of the archive these alone.
Status CopyFiles(const BackupManifest& manifest, const std::string& directory,
                 const std::optional<std::set<std::string>>& segments, const std::string& data) {
  for (const BackedUpFile& file : manifest.files) {
    if (file.name.empty()) continue;
    const std::filesystem::path to(data + "/" + file.name);
    const bool archived = file.name.starts_with("archive/");
    if (archived && segments.has_value() && !segments->contains(to.filename().string())) continue;
    STELE_RETURN_IF_ERROR(MakeDirectories(to.parent_path().string()));
    const auto copied = CopyWholeFile(directory + "/" + file.path, to.string(), file.mode);
    if (!copied) return std::unexpected(copied.error());
    if (*copied != file.digest)
      return Fail(ErrorCode::kBackupDamaged,
                  fmt::format("Expected {}/{} to stay as it was but found that it changed.",
                              directory, file.path));
  }
  return {};
}

// As the next start finds it. Notes the end, so that a part that goes missing later is noticed.
Status VerifyLog(const BackupManifest& manifest, bool whole, const std::string& data,
                 RestoreReport* report) {
  const auto log = WholeLog::OpenData(data);
  if (!log) return std::unexpected(log.error());
  for (const BackedUpShard& backed_up : manifest.shards) {
    const Result<BackedUpShard> shard = (*log)->End(backed_up.shard);
    if (!shard) return std::unexpected(shard.error());
    const auto chain = (*log)->Inspect(shard->shard, whole ? backed_up.end : shard->end);
    if (!chain) return std::unexpected(chain.error());
    report->records += chain->records;
    STELE_RETURN_IF_ERROR((*log)->log().WriteKnownTail(shard->shard, shard->end));
    report->shards.push_back(*shard);
  }
  return {};
}

Result<BackupManifest> Choose(const BackupDirectory& directory, std::optional<uint32_t> id) {
  if (id.has_value()) return directory.Manifest(*id);
  if (!directory.ids().empty()) return directory.Manifest(directory.ids().back());
  return Fail(
      ErrorCode::kStoreNotFound,
      fmt::format("Expected a backup that was completed in {} but found none.", directory.path()));
}

}  // namespace

Result<RestoreReport> Restore(const RestoreRequest& request) {
  STELE_RETURN_IF_ERROR(CheckRestorePlace(request.target, request.directory));
  // One that is named can be restored although the list of all is damaged.
  const auto directory =
      BackupDirectory::OpenToRead(request.directory, /*list=*/!request.backup.has_value());
  if (!directory) return std::unexpected(directory.error());
  const auto manifest = Choose(*directory, request.backup);
  if (!manifest) return std::unexpected(manifest.error());
  Tell(request, "the backup is checked");
  std::vector<BackedUpFile> known;
  STELE_RETURN_IF_ERROR(directory->CheckFiles(*manifest, &known));
  const auto database =
      BackupDatabase::Open(directory->log_path(), /*write=*/false, directory->UnprovenLists());
  if (!database) return std::unexpected(database.error());
  const auto cuts = FindCuts(request, *manifest, *directory, *database);
  if (!cuts) return std::unexpected(cuts.error());

  auto place = RestorePlace::Take(request.target);
  if (!place) return std::unexpected(std::move(place).error());
  Tell(request, "the log is restored");
  const std::string log = place->data() + "/log";
  std::optional<std::set<std::string>> segments;
  if (cuts->has_value())
    STELE_RETURN_IF_ERROR(
        BuildLog(*manifest, *directory, *database, **cuts, log, &segments.emplace()));
  else
    STELE_RETURN_IF_ERROR(database->Restore(manifest->id, log));
  Tell(request, "files beside the log are restored");
  STELE_RETURN_IF_ERROR(CopyFiles(*manifest, directory->path(), segments, place->data()));
  Tell(request, "what was restored is verified");
  RestoreReport report{.backup = manifest->id, .shards = {}, .records = 0};
  STELE_RETURN_IF_ERROR(VerifyLog(*manifest, !cuts->has_value(), place->data(), &report));
  Tell(request, "what was restored gets its name");
  STELE_RETURN_IF_ERROR(place->Finish());
  Tell(request, "what was restored is there");
  return report;
}

}  // namespace stele::eventstore
