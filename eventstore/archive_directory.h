// The directory of an archive's files. It belongs to one log: a file OWNER with the name of its
// database stands in it, so that a copy of the log never removes or replaces the original's
// segments.
//
// Used by one thread at a time. Errors: kIo with the path and the system's reason.
#pragma once

#include <set>
#include <string>

#include "base/error.h"

namespace stele::eventstore {

class ArchiveDirectory {
 public:
  // `owner` is the log's name.
  ArchiveDirectory(std::string path, std::string owner)
      : path_(std::move(path)), owner_(std::move(owner)) {}

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

  // Makes sure that the directory is there and belongs to the log. A directory without an owner is
  // taken if the `noted` files are all in it. kStoreCorrupt when files are missing, kStoreLocked
  // when it is another log's.
  Status Claim(const std::set<std::string>& noted) const;
  // Removes segments that are not noted, and files that were being written. Nothing when the
  // directory is not there or not the log's.
  Status RemoveStrays(const std::set<std::string>& noted) const;
  // The file aside gets its name, durably.
  Status Place(const std::string& aside, const std::string& name) const;
  Status Remove(const std::string& name) const;

 private:
  std::string path_;
  std::string owner_;
};

}  // namespace stele::eventstore
