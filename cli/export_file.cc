#include "cli/export_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <utility>

#include "eventstore/durable_files.h"

namespace stele::cli {

namespace {

std::string PartOf(const std::string& name) {
  return name + ".part";
}

}  // namespace

Result<std::unique_ptr<ExportFile>> ExportFile::Open(const std::string& name) {
  if (name.empty()) return std::unique_ptr<ExportFile>(new ExportFile(name, STDOUT_FILENO));
  struct stat there{};
  if (lstat(name.c_str(), &there) == 0)
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected no file {} but found one; nothing was changed", name));
  // Nothing that is there is written into: another export's file, one that others can read, a link.
  const int fd = open(PartOf(name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST)
    return Fail(ErrorCode::kWrongDirectory,
                fmt::format("Expected no file {} but found one, of an export that is under way or "
                            "was cut off; nothing was changed",
                            PartOf(name)));
  if (fd < 0) return eventstore::SystemError("write " + PartOf(name));
  return std::unique_ptr<ExportFile>(new ExportFile(name, fd));
}

ExportFile::~ExportFile() {
  if (name_.empty() || fd_ < 0) return;
  close(fd_);
  unlink(PartOf(name_).c_str());
}

Status ExportFile::Write(std::string_view text) {
  bytes_ += text.size();
  while (!text.empty()) {
    const ssize_t written = write(fd_, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0)
      return eventstore::SystemError("write " +
                                     (name_.empty() ? "to standard output" : PartOf(name_)));
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Status ExportFile::Finish() {
  if (name_.empty()) return {};
  if (fsync(fd_) != 0) return eventstore::SystemError("sync " + PartOf(name_));
  if (close(std::exchange(fd_, -1)) != 0) return eventstore::SystemError("close " + PartOf(name_));
  // Unlike a renaming, a link refuses to take the place of what has come meanwhile.
  if (link(PartOf(name_).c_str(), name_.c_str()) != 0)
    return eventstore::SystemError(fmt::format("name {} {}", PartOf(name_), name_));
  unlink(PartOf(name_).c_str());
  const auto directory = std::filesystem::absolute(name_).parent_path();
  return eventstore::SyncDirectory(directory.string());
}

}  // namespace stele::cli
