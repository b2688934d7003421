// The directory of an archive's files. It belongs to one log, which its file OWNER tells
// (archive_owner.h), so that a copy of the log never removes or replaces the original's segments.
//
// Used by one thread at a time. Errors: kIo with the path and the system's reason.
#pragma once

#include <set>
#include <string>

#include "base/error.h"

namespace stele::eventstore {

class ArchiveDirectory {
 public:
  // The log's name and its directory.
  ArchiveDirectory(std::string path, std::string log_name, std::string log_path)
      : path_(std::move(path)), log_name_(std::move(log_name)), log_path_(std::move(log_path)) {}

  const std::string& path() const { return path_; }
  std::string PathOf(const std::string& name) const { return path_ + "/" + name; }

  // Makes sure that the directory is there and belongs to the log. A directory without an owner is
  // taken if the `noted` files are all in it. kStoreCorrupt when files are missing, kStoreLocked
  // when it is another log's, or that of the log of which this is a copy.
  Status Claim(const std::set<std::string>& noted) const;
  // Removes segments that are not noted, and files that were being written. Nothing when the
  // directory is not there, or not the log's beyond doubt.
  Status RemoveStrays(const std::set<std::string>& noted) const;
  // The file aside gets its name, durably.
  Status Place(const std::string& aside, const std::string& name) const;
  Status Remove(const std::string& name) const;

 private:
  std::string path_;
  std::string log_name_;
  std::string log_path_;
};

}  // namespace stele::eventstore
