#include "engine/secrets/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace stele::secrets {

namespace {

constexpr mode_t kPrivate = S_IRUSR | S_IWUSR;
constexpr mode_t kExposed = S_IROTH | S_IWOTH | S_IWGRP;

class OpenFile {
 public:
  explicit OpenFile(int file) : file_(file) {}
  ~OpenFile() {
    if (file_ >= 0) close(file_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

std::unexpected<Error> IoFailure(std::string_view what, const std::string& path) {
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to {} {} but found: {}", what, path, std::strerror(errno)));
}

Status WriteNew(const std::string& path, std::string_view bytes) {
  const OpenFile file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kPrivate));
  if (file.get() < 0) return IoFailure("create", path);
  while (!bytes.empty()) {
    const ssize_t written = write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return IoFailure("write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  if (fsync(file.get()) != 0) return IoFailure("sync", path);
  return {};
}

Status SyncDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  const OpenFile file(open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0 || fsync(file.get()) != 0) return IoFailure("sync", directory);
  return {};
}

}  // namespace

WipeAtEnd::~WipeAtEnd() {
  sodium_memzero(text_.data(), text_.size());
}

Result<std::optional<std::string>> ReadPrivateFile(const std::string& path, size_t limit) {
  // Not blocking: a FIFO must not stop the loop.
  const OpenFile file(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 && (errno == ENOENT || errno == ENOTDIR)) return std::nullopt;
  if (file.get() < 0) return IoFailure("open", path);
  struct stat info{};
  if (fstat(file.get(), &info) != 0) return IoFailure("look at", path);
  if (!S_ISREG(info.st_mode))
    return Fail(ErrorCode::kIo, fmt::format("Expected {} to be a regular file", path));
  if ((info.st_mode & kExposed) != 0)
    return Fail(ErrorCode::kSecretExposed,
                fmt::format("Expected {} to be closed to others, as with mode 0600, but found mode "
                            "{:04o}",
                            path, info.st_mode & 07777));
  if (static_cast<uint64_t>(info.st_size) > limit)
    return Fail(
        ErrorCode::kLimitExceeded,
        fmt::format("Expected at most {} bytes in {} but found {}", limit, path, info.st_size));
  // Room for all of it: growing would leave copies behind.
  std::string text(limit < static_cast<size_t>(info.st_size) ? limit : info.st_size, '\0');
  size_t size = 0;
  while (size < text.size()) {
    const ssize_t count = read(file.get(), text.data() + size, text.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return IoFailure("read", path);
    if (count == 0) break;
    size += static_cast<size_t>(count);
  }
  text.resize(size);
  return text;
}

Status ReplacePrivateFile(const std::string& path, std::string_view bytes) {
  const std::string next = path + ".new";
  unlink(next.c_str());  // what a crash left
  Status done = WriteNew(next, bytes);
  if (done.has_value() && std::rename(next.c_str(), path.c_str()) != 0)
    done = IoFailure("replace", path);
  if (done.has_value()) return SyncDirectoryOf(path);
  unlink(next.c_str());
  return done;
}

Status CreatePrivateFile(const std::string& path, std::string_view bytes) {
  STELE_RETURN_IF_ERROR(WriteNew(path, bytes));
  return SyncDirectoryOf(path);
}

Result<FileLock> FileLock::Take(const std::string& path) {
  const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, kPrivate);
  if (file < 0) return IoFailure("open", path);
  FileLock lock(file);
  while (flock(file, LOCK_EX) != 0) {
    if (errno != EINTR) return IoFailure("lock", path);
  }
  return lock;
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace stele::secrets
