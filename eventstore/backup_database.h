// The copies of a log's database in a directory of backups: RocksDB's backup engine, which copies
// each table once, however many backups hold it. Ids are those of the backups.
//
// Thread: one at a time. Included by the .cc files of this folder alone.
#pragma once

#include <rocksdb/utilities/backup_engine.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "eventstore/log_db.h"
#include "eventstore/whole_log.h"

namespace stele::eventstore {

class BackupDatabase {
 public:
  // A directory that is there stays as it is with `write` false. The backups whose lists of files
  // are `unproven` (BackupDirectory::UnprovenLists) count as damaged, whatever the lists say.
  // kBackupDamaged, kIo.
  static Result<BackupDatabase> Open(const std::string& path, bool write,
                                     const std::vector<uint32_t>& unproven);

  // Those that are there, damaged ones too. REQUIRES: open to write.
  std::vector<uint32_t> Ids() const;
  // Copies what is not there yet, durably; the database may be written meanwhile. The new id.
  Result<uint32_t> Add(const LogDb& log);
  Status Remove(uint32_t id);

  // The files of a backup, below the directory. kBackupDamaged when it is not there or damaged.
  Result<std::vector<std::string>> Files(uint32_t id) const;
  // In place, nothing is copied. `archive` has the segments.
  Result<std::unique_ptr<WholeLog>> OpenLog(uint32_t id, const std::string& archive) const;
  // A database in `directory` that is as it was backed up.
  Status Restore(uint32_t id, const std::string& directory) const;

 private:
  Result<rocksdb::BackupInfo> Info(uint32_t id) const;
  const rocksdb::BackupEngineReadOnlyBase& reader() const;

  std::string path_;
  std::unique_ptr<rocksdb::Env> env_;                        // outlives what follows
  std::unique_ptr<rocksdb::BackupEngine> engine_;            // one of the two
  std::unique_ptr<rocksdb::BackupEngineReadOnly> readable_;  // is there
};

}  // namespace stele::eventstore
