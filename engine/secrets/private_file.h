// Files that hold secrets: read only when they are closed to others, written so that a reader or a
// crash finds the old text or the new one, never a part.
//
// Thread: any.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::secrets {

// Overwrites the text where it goes out of scope.
class WipeAtEnd {
 public:
  explicit WipeAtEnd(std::string& text) : text_(text) {}
  ~WipeAtEnd();
  WipeAtEnd(const WipeAtEnd&) = delete;
  WipeAtEnd& operator=(const WipeAtEnd&) = delete;

 private:
  std::string& text_;
};

// The text of a regular file of at most `limit` bytes; nothing when there is none. Errors:
// kSecretExposed when others can read or write it, or its group write it, with the mode; kIo;
// kLimitExceeded.
Result<std::optional<std::string>> ReadPrivateFile(const std::string& path, size_t limit);

// Mode 0600: a temporary file beside it, synced, renamed over it, the directory synced.
// REQUIRES: nobody else writes `path` meanwhile.
Status ReplacePrivateFile(const std::string& path, std::string_view bytes);

// Makes a file of mode 0600 that was not there. kIo when it was.
Status CreatePrivateFile(const std::string& path, std::string_view bytes);

// Held by one process at a time, from Take to the end of the object; waits for the others.
class FileLock {
 public:
  static Result<FileLock> Take(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace stele::secrets
