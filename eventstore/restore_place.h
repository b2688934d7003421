// Where a data directory is built until it gets its name, so that it is there whole or not at all:
//
//   TARGET.restoring/RESTORING   says that the directory is one of these, and is locked
//   TARGET.restoring/data        becomes TARGET
#pragma once

#include <string>

#include "base/error.h"
#include "eventstore/durable_files.h"

namespace stele::eventstore {

// kWrongDirectory unless the target is missing or an empty directory, and apart from the backups,
// if there are any.
Status CheckRestorePlace(const std::string& target, const std::string& backups = {});

class RestorePlace {
 public:
  // Removes what an earlier one has left. kStoreLocked while another one is at work,
  // kWrongDirectory when something else has the name.
  static Result<RestorePlace> Take(const std::string& target);
  RestorePlace(RestorePlace&& other) noexcept;
  // Removes what was built, unless it has its name.
  ~RestorePlace();

  // An empty directory.
  std::string data() const { return aside_ + "/data"; }
  // Durably. kWrongDirectory when the target is not empty any more. Once. REQUIRES: nothing in
  // data() is open.
  Status Finish();

 private:
  RestorePlace(std::string target, std::string aside, FileLock lock)
      : target_(std::move(target)), aside_(std::move(aside)), lock_(std::move(lock)) {}

  std::string target_;
  std::string aside_;  // empty when moved from
  FileLock lock_;
};

}  // namespace stele::eventstore
