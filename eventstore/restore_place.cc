#include "eventstore/restore_place.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "eventstore/backup_directory.h"
#include "eventstore/log_db.h"

namespace stele::eventstore {
namespace {

namespace fs = std::filesystem;

std::string Marker(const std::string& aside) {
  return aside + "/RESTORING";
}

bool Exists(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

bool IsEmptyDirectory(const std::string& path) {
  std::error_code failed;
  return fs::is_directory(path, failed) && fs::is_empty(path, failed) && !failed;
}

Status RemoveAll(const std::string& path) {
  std::error_code failed;
  fs::remove_all(path, failed);
  if (!failed) return {};
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to remove {} but found: {}.", path, failed.message()));
}

// A directory cannot be renamed onto a place where another disk begins.
bool IsMountPoint(const std::string& path) {
  struct stat itself{}, parent{};
  return stat(path.c_str(), &itself) == 0 && stat((path + "/..").c_str(), &parent) == 0 &&
         itself.st_dev != parent.st_dev;
}

}  // namespace

Status CheckRestorePlace(const std::string& target, const std::string& backups) {
  const std::string resolved = ResolvedPath(target);
  if (Exists(resolved) && !IsEmptyDirectory(resolved))
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected {} to be missing or an empty directory but found something "
                            "there; nothing was changed.",
                            target));
  if (!backups.empty() && LiesIn(resolved, ResolvedPath(backups)))
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected a data directory apart from the backups in {} but found {}.",
                            backups, target));
  for (fs::path above = fs::path(resolved).parent_path(); above != above.root_path();
       above = above.parent_path())
    if (LogDb::Exists(above.string() + "/log"))
      return Fail(ErrorCode::kWrongDirectory,
                  fmt::format("Expected a directory apart from the data directory {} but found {}.",
                              above.string(), target));
  if (IsMountPoint(resolved))
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected a directory that can be renamed but found that a disk is "
                            "mounted at {}; name a directory below it.",
                            target));
  return {};
}

Result<RestorePlace> RestorePlace::Take(const std::string& target) {
  const std::string resolved = ResolvedPath(target);
  const std::string aside = resolved + ".restoring";
  const bool foreign = Exists(aside) && !Exists(Marker(aside)) && !IsEmptyDirectory(aside);
  if (foreign)
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected {} to be missing, or left by an earlier restoration, but "
                            "found something else; nothing was changed.",
                            aside));
  STELE_RETURN_IF_ERROR(MakeDirectories(aside));
  auto lock = FileLock::Take(Marker(aside), FileLock::Way::kAlone);
  if (!lock) return std::unexpected(std::move(lock).error());
  RestorePlace place(resolved, aside, *std::move(lock));
  STELE_RETURN_IF_ERROR(RemoveAll(place.data()));
  STELE_RETURN_IF_ERROR(MakeDirectories(place.data()));
  return place;
}

RestorePlace::RestorePlace(RestorePlace&& other) noexcept
    : target_(std::move(other.target_)),
      aside_(std::exchange(other.aside_, {})),
      lock_(std::move(other.lock_)) {}

RestorePlace::~RestorePlace() {
  if (aside_.empty()) return;
  // Once its data have their name nothing but the marker is left.
  std::error_code ignored;
  fs::remove_all(data(), ignored);
  fs::remove(Marker(aside_), ignored);
  fs::remove(aside_, ignored);
}

Status RestorePlace::Finish() {
  STELE_RETURN_IF_ERROR(SyncTree(data()));
  if (rename(data().c_str(), target_.c_str()) != 0) {
    if (errno == ENOTEMPTY || errno == EEXIST || errno == ENOTDIR)
      return Fail(ErrorCode::kWrongDirectory,
                  fmt::format("Expected {} to stay empty but found something there; nothing was "
                              "changed.",
                              target_));
    return SystemError(fmt::format("rename {} to {}", data(), target_));
  }
  return SyncDirectory(fs::path(target_).parent_path().string());
}

}  // namespace stele::eventstore
