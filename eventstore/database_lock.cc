#include "eventstore/database_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <utility>

#include "eventstore/durable_files.h"

namespace stele::eventstore {

namespace {

// The name of a process's program, not its arguments, which may be anybody's; empty: it may not be
// seen.
std::string NameOf(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/comm", process));
  std::string name;
  std::getline(file, name);
  return name;
}

struct flock WholeFile(short kind) {
  struct flock lock{};
  lock.l_type = kind;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

std::string HolderOf(const std::string& lock_file) {
  const int file = open(lock_file.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return "another process";
  struct flock lock = WholeFile(F_WRLCK);
  const bool asked = fcntl(file, F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK && lock.l_pid > 0;
  close(file);
  if (!asked) return "another process";
  const std::string name = NameOf(lock.l_pid);
  return fmt::format("process {}{}", lock.l_pid, name.empty() ? "" : fmt::format(" ({})", name));
}

Result<ReadingLock> ReadingLock::Take(const std::string& database) {
  const std::string path = database + "/LOCK";
  ReadingLock taken;
  taken.file_ = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (taken.file_ < 0 && errno == ENOENT) return taken;
  if (taken.file_ < 0) return SystemError("open " + path);
  const struct flock lock = WholeFile(F_RDLCK);
  if (fcntl(taken.file_, F_SETLK, &lock) == 0) return taken;
  if (errno != EACCES && errno != EAGAIN) return SystemError("lock " + path);
  return Fail(
      ErrorCode::kStoreLocked,
      fmt::format("Expected nobody to write to {} but found that {} has it open; wait until "
                  "it has ended, stop it, or choose another directory",
                  database, HolderOf(path)));
}

ReadingLock::ReadingLock(ReadingLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
ReadingLock& ReadingLock::operator=(ReadingLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}
ReadingLock::~ReadingLock() {
  if (file_ >= 0) close(file_);
}

}  // namespace stele::eventstore
