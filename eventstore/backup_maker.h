// Makes a backup of an open log (EventStore::Backup).
#pragma once

#include <functional>
#include <map>
#include <string>

#include "base/error.h"
#include "eventstore/archive.h"
#include "eventstore/backup.h"
#include "eventstore/log_db.h"

namespace stele::eventstore {

struct BackupSource {
  const LogDb& log;
  const ArchiveStore& archive;
  std::string data;  // the data directory
  // Whether the log has, or had, this end.
  std::function<Result<bool>(ShardId, const LogTail&)> has_end;
  std::map<ShardId, LogTail> ends;  // those that have records
};

// kWrongDirectory when the directory lies in the data directory or holds backups of another log;
// kBackupDamaged when its newest backup cannot be read. Whatever happens, the earlier backups stay
// as they were; `keep` counts when the new one is there. Thread: any, while the log is written.
Result<BackupReport> MakeBackup(const BackupSource& source, const BackupRequest& request);

}  // namespace stele::eventstore
