#include "eventstore/archive_directory.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "eventstore/archive_notes.h"
#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

constexpr std::string_view kOwnerFile = "OWNER";
constexpr size_t kMaxOwnerBytes = 4096;

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

}  // namespace

Status ArchiveDirectory::Claim(const std::set<std::string>& noted) const {
  const std::string file = PathOf(std::string(kOwnerFile));
  const auto owner = ReadSmallFile(file, kMaxOwnerBytes);
  if (owner && *owner == owner_) return {};
  if (owner)
    return Fail(ErrorCode::kStoreLocked,
                fmt::format("Expected {} to be the archive of this log, {}, but found that of {}; "
                            "each log needs an archive directory of its own.",
                            path_, owner_, *owner));
  if (owner.error().code != ErrorCode::kStoreNotFound) return std::unexpected(owner.error());
  STELE_RETURN_IF_ERROR(CheckNoted(path_, noted));
  STELE_RETURN_IF_ERROR(MakeDirectories(path_));
  return ReplaceFile(file, owner_, 0600);
}

Status ArchiveDirectory::RemoveStrays(const std::set<std::string>& noted) const {
  const auto owner = ReadSmallFile(PathOf(std::string(kOwnerFile)), kMaxOwnerBytes);
  if (!owner || *owner != owner_) return {};
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
