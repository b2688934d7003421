// The directory of one attempt: what it may write without asking, gone when the attempt is over.
//
//   <root>/stele-XXXXXX/work/outputs   where the script runs; the file of its outputs
//   <root>/stele-XXXXXX/tmp            its TMPDIR
//   <root>/stele-XXXXXX/…              what the engine hands to it
#pragma once

#include <sys/types.h>
#include <uv.h>

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::tasks {

class ScratchDirectory {
 public:
  static Result<ScratchDirectory> Create(const std::string& root);
  ScratchDirectory(ScratchDirectory&& other) noexcept : path_(std::move(other.path_)) {
    other.path_.clear();
  }
  ScratchDirectory& operator=(ScratchDirectory&&) = delete;
  // Removes it at once when RemoveOnPool was not called.
  ~ScratchDirectory();

  std::string work() const { return path_ + "/work"; }
  std::string temporary() const { return path_ + "/tmp"; }
  std::string outputs_file() const { return path_ + "/work/outputs"; }

  // Readable and executable by the owner alone. The path of the new file.
  Result<std::string> Write(std::string_view name, std::string_view text) const;

  // Makes another user the owner of what is in it by now. REQUIRES: this process is root.
  Status GiveTo(uid_t user, gid_t group) const;

  // Removes it on libuv's pool, however much is in it, then calls `removed` on the loop.
  void RemoveOnPool(uv_loop_t* loop, std::function<void()> removed);

 private:
  explicit ScratchDirectory(std::string path) : path_(std::move(path)) {}
  std::string path_;  // empty: nothing to remove
};

// The text of a regular file, not of a link to one. Errors: kIo; kLimitExceeded beyond `limit`
// bytes. A missing file is an empty text.
Result<std::string> ReadSmallFile(const std::string& path, size_t limit);

}  // namespace stele::tasks
