// Files that are there whole or not at all, whatever happens: written aside, synced, renamed, the
// directory synced. Used for what lies beside a database: manifests, copies of files.
//
// Thread: any; one at a time for a path. Errors: kIo with the path and the system's reason.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "eventstore/sha256.h"

namespace stele::eventstore {

// kIo: "Expected to <what> but found: <the reason in errno>."
std::unexpected<Error> SystemError(const std::string& what);

struct FileDigest {
  uint64_t bytes = 0;
  Hash sha256{};
  bool operator==(const FileDigest&) const = default;
};
Result<FileDigest> DigestFile(const std::string& path);

// A regular file of at most `limit` bytes. kStoreNotFound when there is none.
Result<std::string> ReadSmallFile(const std::string& path, size_t limit);

// The text under the name, instead of what was there; beside it "<path>.new" for a while.
Status ReplaceFile(const std::string& path, std::string_view text, uint32_t mode);

// A copy of a regular file that stays as it is or is replaced by renaming; `to` as ReplaceFile
// makes it. What was copied.
Result<FileDigest> CopyWholeFile(const std::string& from, const std::string& to, uint32_t mode);

// kIo when the directory is there, but may not be read: what is not seen in it is not missing.
Status CheckMayBeRead(const std::string& directory);

// The names in a directory become durable.
Status SyncDirectory(const std::string& path);
// Every file below the directory, and every directory.
Status SyncTree(const std::string& path);

// Makes the directories of the path that are not there, mode 0700, durably.
Status MakeDirectories(const std::string& path);

// Held until the end of the object, against others in this process too.
class FileLock {
 public:
  enum class Way { kShared, kAlone };
  // Does not wait: kStoreLocked when it is held. `path` is a file, made when it is missing, or a
  // directory. One that is missing where nothing can be made has no holder: kShared locks nothing.
  static Result<FileLock> Take(const std::string& path, Way way);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace stele::eventstore
