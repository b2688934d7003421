// Whose an archive's directory is: the file OWNER in it. It names the log's database and says where
// the log lay. The name alone does not do: a copy of the data directory has it too, and could
// remove the original's segments. So OWNER also has what tells one directory from another, of the
// log and of the archive.
//
// Text, in lines: the database's name; inode and birth (ns) of the log's directory; its device;
// inode and birth of the archive's directory; the log's path, which is the rest.
//
// Threads: any.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::eventstore {

// What a directory keeps when it is moved within a file system and when the machine starts anew,
// and no copy of it has. The birth is 0 where the file system does not know it.
struct DirectoryMark {
  uint64_t inode = 0;
  uint64_t birth_ns = 0;
  bool operator==(const DirectoryMark&) const = default;
};

struct ArchiveOwner {
  std::string log_name;
  DirectoryMark log;
  std::string log_device;  // may be another one after a start of the machine
  DirectoryMark archive;
  std::string log_path;

  // As it is now; both directories are there. kIo with the path and the system's reason.
  static Result<ArchiveOwner> Of(std::string log_name, const std::string& log_path,
                                 const std::string& archive_path);
  // Nothing for a text of another form. Older builds wrote the name alone.
  static std::optional<ArchiveOwner> Parse(std::string_view text);
  std::string Text() const;
  bool operator==(const ArchiveOwner&) const = default;
};

// Whether `now` is who wrote `noted`: the same log, moved perhaps, or with an archive that was
// moved; or one that was copied together with the archive within it. False when in doubt.
bool IsSameOwner(const std::optional<ArchiveOwner>& noted, const ArchiveOwner& now,
                 const std::string& archive_path);

}  // namespace stele::eventstore
