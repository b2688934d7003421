#include "eventstore/archive_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "eventstore/archive_notes.h"
#include "eventstore/archive_owner.h"
#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kOwnerFile = "OWNER";
constexpr size_t kMaxOwnerBytes = 8192;  // with a path in it

Status CheckNoted(const std::string& directory, const std::set<std::string>& noted) {
  for (const std::string& name : noted) {
    std::error_code ignored;
    if (std::filesystem::exists(directory + "/" + name, ignored)) continue;
    return Fail(ErrorCode::kStoreCorrupt,
                fmt::format("Expected the archive segment {}/{} but found no such file; nothing is "
                            "archived or cut while a segment is missing.",
                            directory, name));
  }
  return {};
}

// `noted` is the file's text.
std::unexpected<Error> NotTheOwner(const std::string& directory, const std::string& noted,
                                   const ArchiveOwner& now) {
  const auto other = ArchiveOwner::Parse(noted);
  if (!other || other->log_name != now.log_name)
    return Fail(ErrorCode::kStoreLocked,
                fmt::format("Expected {} to be the archive of this log, {}, but found that of {}; "
                            "each log needs an archive directory of its own.",
                            directory, now.log_name, other ? other->log_name : noted));
  return Fail(
      ErrorCode::kStoreLocked,
      fmt::format("Expected {0} to be the archive of the log in {1} but found {2}, of "
                  "which this may be a copy. If both are there, give this one an archive directory "
                  "of its own, with copies of the segments and without the file {3}; if the other "
                  "one is no more, delete {0}/{3}.",
                  directory, now.log_path,
                  other->log_path.empty() ? "that of one in an unknown place"
                                          : "that of the one in " + other->log_path,
                  kOwnerFile));
}

}  // namespace

Status ArchiveDirectory::Claim(const std::set<std::string>& noted) const {
  const std::string file = PathOf(std::string(kOwnerFile));
  const auto owner = ReadSmallFile(file, kMaxOwnerBytes);
  if (!owner && owner.error().code != ErrorCode::kStoreNotFound)
    return std::unexpected(owner.error());
  if (!owner) {
    STELE_RETURN_IF_ERROR(CheckNoted(path_, noted));
    STELE_RETURN_IF_ERROR(MakeDirectories(path_));
  }
  const auto now = ArchiveOwner::Of(log_name_, log_path_, path_);
  if (!now) return std::unexpected(now.error());
  if (owner && *owner == now->Text()) return {};
  if (owner && !IsSameOwner(ArchiveOwner::Parse(*owner), *now, path_))
    return NotTheOwner(path_, *owner, *now);
  return ReplaceFile(file, now->Text(), 0600);
}

Status ArchiveDirectory::RemoveStrays(const std::set<std::string>& noted) const {
  const auto owner = ReadSmallFile(PathOf(std::string(kOwnerFile)), kMaxOwnerBytes);
  if (!owner) return {};
  const auto now = ArchiveOwner::Of(log_name_, log_path_, path_);
  if (!now || !IsSameOwner(ArchiveOwner::Parse(*owner), *now, path_)) return {};
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(path_, failed)) {
    const std::string name = entry.path().filename().string();
    const bool is_stray =
        name.ends_with(kAsideSuffix) || (name.ends_with(kSegmentSuffix) && !noted.contains(name));
    if (is_stray) STELE_RETURN_IF_ERROR(Remove(name));
  }
  if (!failed) return {};
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to list {} but found: {}.", path_, failed.message()));
}

Status ArchiveDirectory::Place(const std::string& aside, const std::string& name) const {
  if (rename(PathOf(aside).c_str(), PathOf(name).c_str()) != 0)
    return SystemError(fmt::format("rename {} to {}", PathOf(aside), PathOf(name)));
  return SyncDirectory(path_);
}

Status ArchiveDirectory::Remove(const std::string& name) const {
  if (unlink(PathOf(name).c_str()) == 0 || errno == ENOENT) return {};
  return SystemError("remove " + PathOf(name));
}

}  // namespace stele::eventstore
