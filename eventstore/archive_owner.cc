#include "eventstore/archive_owner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <charconv>
#include <filesystem>

#include "eventstore/durable_files.h"

namespace stele::eventstore {
namespace {

struct Found {
  DirectoryMark mark;
  std::string device;
};

Result<Found> Look(const std::string& path) {
  struct statx about{};
  if (statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &about) != 0)
    return SystemError("look at " + path);
  Found found;
  found.mark.inode = about.stx_ino;
  if ((about.stx_mask & STATX_BTIME) != 0)
    found.mark.birth_ns =
        static_cast<uint64_t>(about.stx_btime.tv_sec) * 1'000'000'000 + about.stx_btime.tv_nsec;
  found.device = fmt::format("{}:{}", about.stx_dev_major, about.stx_dev_minor);
  return found;
}

std::string_view TakeLine(std::string_view* text) {
  const size_t end = text->find('\n');
  const std::string_view line = text->substr(0, end);
  text->remove_prefix(end == std::string_view::npos ? text->size() : end + 1);
  return line;
}

bool ParseMark(std::string_view line, DirectoryMark* mark) {
  const char* const end = line.data() + line.size();
  const auto inode = std::from_chars(line.data(), end, mark->inode);
  if (inode.ec != std::errc() || inode.ptr == end || *inode.ptr != ' ') return false;
  const auto birth = std::from_chars(inode.ptr + 1, end, mark->birth_ns);
  return birth.ec == std::errc() && birth.ptr == end;
}

// Seen from the directories themselves, whatever links lead there; on the log's disk.
bool LiesWithin(const std::string& archive, const ArchiveOwner& owner) {
  std::error_code failed;
  const auto canonical = std::filesystem::canonical(archive, failed).string();
  if (failed) return false;
  const auto data = std::filesystem::path(owner.log_path).parent_path().string();
  const auto found = Look(archive);
  return canonical.starts_with(data + "/") && found && found->device == owner.log_device;
}

}  // namespace

Result<ArchiveOwner> ArchiveOwner::Of(std::string log_name, const std::string& log_path,
                                      const std::string& archive_path) {
  const auto log = Look(log_path);
  if (!log) return std::unexpected(log.error());
  const auto archive = Look(archive_path);
  if (!archive) return std::unexpected(archive.error());
  std::error_code failed;
  const auto path = std::filesystem::canonical(log_path, failed);
  if (failed)
    return Fail(ErrorCode::kIo,
                fmt::format("Expected to follow {} but found: {}.", log_path, failed.message()));
  return ArchiveOwner{std::move(log_name), log->mark, log->device, archive->mark, path.string()};
}

std::optional<ArchiveOwner> ArchiveOwner::Parse(std::string_view text) {
  ArchiveOwner owner;
  owner.log_name = TakeLine(&text);
  if (text.empty()) return owner;  // as older builds wrote it
  if (!ParseMark(TakeLine(&text), &owner.log)) return std::nullopt;
  owner.log_device = TakeLine(&text);
  if (!ParseMark(TakeLine(&text), &owner.archive)) return std::nullopt;
  owner.log_path = text;
  return owner;
}

std::string ArchiveOwner::Text() const {
  return fmt::format("{}\n{} {}\n{}\n{} {}\n{}", log_name, log.inode, log.birth_ns, log_device,
                     archive.inode, archive.birth_ns, log_path);
}

bool IsSameOwner(const std::optional<ArchiveOwner>& noted, const ArchiveOwner& now,
                 const std::string& archive_path) {
  if (!noted || noted->log_name != now.log_name) return false;
  // The same number on another disk may be another directory, unless it is where it was.
  const bool is_same_log = noted->log == now.log &&
                           (noted->log_device == now.log_device || noted->log_path == now.log_path);
  return is_same_log || (noted->archive != now.archive && LiesWithin(archive_path, now));
}

}  // namespace stele::eventstore
