#include "eventstore/durable_files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <utility>

#include "base/check.h"

namespace stele::eventstore {
namespace {

constexpr size_t kPieceBytes = 1u << 20;

class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }
  bool ok() const { return file_ >= 0; }

 private:
  int file_;
};

class Sha256Sum {
 public:
  Sha256Sum() : context_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
    CHECK(context_ != nullptr && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1);
  }
  void Add(std::string_view bytes) {
    CHECK(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  Hash Finish() {
    Hash hash;
    CHECK(EVP_DigestFinal_ex(context_.get(), hash.data(), nullptr) == 1);
    return hash;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context_;
};

// Each piece of a file, in order, until its end or an error.
Status ForEachPiece(int file, const std::string& path,
                    const std::function<Status(std::string_view)>& take) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(kPieceBytes);
  for (;;) {
    const ssize_t count = read(file, buffer.get(), kPieceBytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("read " + path);
    if (count == 0) return {};
    STELE_RETURN_IF_ERROR(take({buffer.get(), static_cast<size_t>(count)}));
  }
}

Status WriteAll(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t count = write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("write " + path);
    bytes.remove_prefix(static_cast<size_t>(count));
  }
  return {};
}

// `write` fills the file beside `path`, which then takes its name.
Status Replace(const std::string& path, uint32_t mode, const std::function<Status(int)>& write) {
  const std::string aside = path + ".new";
  if (unlink(aside.c_str()) != 0 && errno != ENOENT) return SystemError("remove " + aside);
  {
    const Descriptor file(open(aside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.ok()) return SystemError("make " + aside);
    STELE_RETURN_IF_ERROR(write(file.get()));
    if (fchmod(file.get(), mode & 07777) != 0) return SystemError("set the mode of " + aside);
    if (fsync(file.get()) != 0) return SystemError("sync " + aside);
  }
  if (rename(aside.c_str(), path.c_str()) != 0)
    return SystemError(fmt::format("rename {} to {}", aside, path));
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

// Follows no link at the end: what is copied or read lies where its name says.
Result<int> OpenRegular(const std::string& path) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0 && errno == ENOENT)
    return Fail(ErrorCode::kStoreNotFound,
                fmt::format("Expected the file {} but found none.", path));
  if (file < 0) return SystemError("open " + path);
  struct stat status{};
  if (fstat(file, &status) == 0 && S_ISREG(status.st_mode)) return file;
  close(file);
  return Fail(ErrorCode::kIo, fmt::format("Expected {} to be a file but found another kind of "
                                          "entry.",
                                          path));
}

}  // namespace

std::unexpected<Error> SystemError(const std::string& what) {
  const int reason = errno;
  return Fail(ErrorCode::kIo,
              fmt::format("Expected to {} but found: {}.", what, std::strerror(reason)));
}

Result<FileDigest> DigestFile(const std::string& path) {
  const Result<int> opened = OpenRegular(path);
  if (!opened) return std::unexpected(opened.error());
  const Descriptor file(*opened);
  FileDigest digest;
  Sha256Sum sum;
  STELE_RETURN_IF_ERROR(ForEachPiece(file.get(), path, [&](std::string_view piece) -> Status {
    sum.Add(piece);
    digest.bytes += piece.size();
    return {};
  }));
  digest.sha256 = sum.Finish();
  return digest;
}

Result<std::string> ReadSmallFile(const std::string& path, size_t limit) {
  const Result<int> opened = OpenRegular(path);
  if (!opened) return std::unexpected(opened.error());
  const Descriptor file(*opened);
  std::string text;
  STELE_RETURN_IF_ERROR(ForEachPiece(file.get(), path, [&](std::string_view piece) -> Status {
    text.append(piece);
    if (text.size() <= limit) return {};
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} bytes in {} but found more.", limit, path));
  }));
  return text;
}

Status ReplaceFile(const std::string& path, std::string_view text, uint32_t mode) {
  return Replace(path, mode, [&](int file) { return WriteAll(file, path + ".new", text); });
}

Result<FileDigest> CopyWholeFile(const std::string& from, const std::string& to, uint32_t mode) {
  const Result<int> opened = OpenRegular(from);
  if (!opened) return std::unexpected(opened.error());
  const Descriptor source(*opened);
  FileDigest digest;
  Sha256Sum sum;
  const Status copied = Replace(to, mode, [&](int file) {
    return ForEachPiece(source.get(), from, [&](std::string_view piece) -> Status {
      sum.Add(piece);
      digest.bytes += piece.size();
      return WriteAll(file, to + ".new", piece);
    });
  });
  if (!copied) return std::unexpected(copied.error());
  digest.sha256 = sum.Finish();
  return digest;
}

Status CheckMayBeRead(const std::string& directory) {
  std::error_code failed;
  const std::filesystem::directory_iterator first(directory, failed);
  if (failed != std::errc::permission_denied) return {};
  return Fail(ErrorCode::kIo, fmt::format("Expected to read the directory {} but found: {}.",
                                          directory, failed.message()));
}

Status SyncDirectory(const std::string& path) {
  const std::string name = path.empty() ? "." : path;
  const Descriptor directory(open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.ok()) return SystemError("open the directory " + name);
  if (fsync(directory.get()) != 0) return SystemError("sync the directory " + name);
  return {};
}

Status SyncTree(const std::string& path) {
  std::error_code failed;
  for (const auto& entry : std::filesystem::directory_iterator(path, failed)) {
    const std::string name = entry.path().string();
    if (entry.is_directory()) {
      STELE_RETURN_IF_ERROR(SyncTree(name));
      continue;
    }
    const Descriptor file(open(name.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file.ok()) return SystemError("open " + name);
    if (fsync(file.get()) != 0) return SystemError("sync " + name);
  }
  if (failed)
    return Fail(ErrorCode::kIo,
                fmt::format("Expected to list {} but found: {}.", path, failed.message()));
  return SyncDirectory(path);
}

Status MakeDirectories(const std::string& path) {
  if (mkdir(path.c_str(), 0700) != 0) {
    if (errno == EEXIST) return {};
    const std::filesystem::path parent = std::filesystem::path(path).parent_path();
    if (errno != ENOENT || parent.empty()) return SystemError("make the directory " + path);
    STELE_RETURN_IF_ERROR(MakeDirectories(parent.string()));
    if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
      return SystemError("make the directory " + path);
  }
  return SyncDirectory(std::filesystem::path(path).parent_path().string());
}

Result<FileLock> FileLock::Take(const std::string& path, Way way) {
  int file = -1;
  if (way == Way::kAlone) file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 && (way == Way::kShared || errno == EISDIR))
    file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0 && way == Way::kShared && errno == ENOENT) {
    file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0 && errno != ENOENT) return FileLock(-1);
  }
  if (file < 0) return SystemError("open " + path);
  FileLock lock(file);
  const bool taken = flock(file, (way == Way::kAlone ? LOCK_EX : LOCK_SH) | LOCK_NB) == 0;
  if (!taken && errno != EWOULDBLOCK) return SystemError("lock " + path);
  // The file may have been removed by who held the lock before.
  struct stat held{}, named{};
  if (taken && fstat(file, &held) == 0 && stat(path.c_str(), &named) == 0 &&
      held.st_ino == named.st_ino && held.st_dev == named.st_dev)
    return lock;
  return Fail(ErrorCode::kStoreLocked,
              fmt::format("Expected to be the only user of {} but found that somebody else works "
                          "with it; wait until it has ended.",
                          std::filesystem::path(path).parent_path().string()));
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}
FileLock::~FileLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace stele::eventstore
