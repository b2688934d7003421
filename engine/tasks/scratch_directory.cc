#include "engine/tasks/scratch_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

namespace stele::tasks {
namespace {

struct Removal {
  uv_work_t work;
  std::string path;
  std::function<void()> removed;
};

void RemoveTree(const std::string& path) {
  std::error_code ignored;
  std::filesystem::remove_all(path, ignored);
}

Error IoError(std::string_view what, const std::string& path) {
  return Error{ErrorCode::kIo,
               fmt::format("Expected to {} {} but found: {}", what, path, std::strerror(errno))};
}

Status WriteFile(const std::string& path, std::string_view text, mode_t mode) {
  int file = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) return std::unexpected(IoError("create", path));
  while (!text.empty()) {
    ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      Error error = IoError("write", path);
      close(file);
      return std::unexpected(std::move(error));
    }
    text.remove_prefix(static_cast<size_t>(written));
  }
  close(file);
  return {};
}

}  // namespace

Result<ScratchDirectory> ScratchDirectory::Create(const std::string& root) {
  std::string path = root + "/stele-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return std::unexpected(IoError("make a directory in", root));
  ScratchDirectory scratch(std::move(path));
  for (const std::string& directory : {scratch.work(), scratch.temporary()}) {
    if (mkdir(directory.c_str(), 0700) != 0) return std::unexpected(IoError("make", directory));
  }
  STELE_RETURN_IF_ERROR(WriteFile(scratch.outputs_file(), "", 0600));
  return scratch;
}

ScratchDirectory::~ScratchDirectory() {
  if (!path_.empty()) RemoveTree(path_);
}

Result<std::string> ScratchDirectory::Write(std::string_view name, std::string_view text) const {
  std::string path = fmt::format("{}/{}", path_, name);
  STELE_RETURN_IF_ERROR(WriteFile(path, text, 0700));
  return path;
}

Status ScratchDirectory::GiveTo(uid_t user, gid_t group) const {
  // The directory itself stays ours, so that nothing in it can be exchanged; it can be entered.
  if (chmod(path_.c_str(), 0711) != 0) return std::unexpected(IoError("open", path_));
  std::vector<std::string> given = {outputs_file()};
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error))
    given.push_back(entry.path().string());
  for (const std::string& path : given) {
    if (lchown(path.c_str(), user, group) != 0) return std::unexpected(IoError("give away", path));
  }
  return {};
}

void ScratchDirectory::RemoveOnPool(uv_loop_t* loop, std::function<void()> removed) {
  auto* removal = new Removal{{}, std::exchange(path_, {}), std::move(removed)};
  removal->work.data = removal;
  uv_queue_work(
      loop, &removal->work,
      [](uv_work_t* work) { RemoveTree(static_cast<Removal*>(work->data)->path); },
      [](uv_work_t* work, int) {
        std::unique_ptr<Removal> finished(static_cast<Removal*>(work->data));
        finished->removed();
      });
}

Result<std::string> ReadSmallFile(const std::string& path, size_t limit) {
  // Not blocking: a FIFO put in its place must not stop the loop. A link must not lead to what the
  // script itself may not read.
  int file = open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);
  if (file < 0 && errno == ENOENT) return std::string();
  if (file < 0) return std::unexpected(IoError("open", path));
  std::string text;
  struct stat info{};
  if (fstat(file, &info) != 0 || !S_ISREG(info.st_mode)) {
    close(file);
    return Fail(ErrorCode::kIo, fmt::format("Expected {} to be a regular file", path));
  }
  char buffer[16384];
  ssize_t count = 0;
  while (text.size() <= limit && (count = read(file, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  close(file);
  if (text.size() > limit) {
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("Expected at most {} bytes in {} but found more", limit,
                            std::filesystem::path(path).filename().string()));
  }
  return text;
}

}  // namespace stele::tasks
