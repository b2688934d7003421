// Makes a data directory of a backup, as it was or up to a moment (docs/backup.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/backup.h"

namespace stele::eventstore {

struct RestoreRequest {
  std::string directory;           // of the backups
  std::string target;              // the new data directory: missing or empty
  std::optional<uint32_t> backup;  // the newest without it
  // At most one of the two. A position is one of the only shard that has records.
  std::optional<Position> to_position;  // the last record that is kept
  std::optional<TimeUs> to_time;        // the last record at or before it is the last that is kept
  BackupProgress progress;              // may be empty
};

struct RestoreReport {
  uint32_t backup = 0;
  std::vector<BackedUpShard> shards;  // as restored
  uint64_t records = 0;               // that were verified
};

// It is there whole or not at all: it is built in "<target>.restoring", verified, synced and
// renamed. What an earlier restoration has left there is removed first.
//
// kWrongDirectory when the target is not empty or lies among the backups, kNoSuchMoment when the
// backup holds no such position or time, kBackupDamaged, kStoreNotFound, kStoreLocked; then nothing
// has changed. Thread: any.
Result<RestoreReport> Restore(const RestoreRequest& request);

}  // namespace stele::eventstore
