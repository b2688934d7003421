// Backups of a data directory: incremental, made while the log is written, each complete in itself.
// docs/backup.md says what they hold and how a directory of them looks.
//
// EventStore::Backup makes one; here is what reads them. restore.h makes a data directory of one.
//
// Thread: any. A directory of backups has one writer or many readers at a time: kStoreLocked.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/backup_manifest.h"

namespace stele::eventstore {

// Told what is done next: "the log is copied". From the thread that called.
using BackupProgress = std::function<void(std::string_view what)>;

struct BackupRequest {
  std::string directory;           // made when it is missing or empty
  TimeUs now;                      // noted
  std::vector<std::string> files;  // of the data directory, besides the log; those that are there
  uint32_t keep = 0;               // remove all but so many of the newest; 0: none
  // When the newest backup holds all that there is now none is made: the report is of that one. Of
  // a log whose payloads are sealed one is always made, for keys come and go without a record.
  bool skip_unchanged = false;
  BackupProgress progress;  // may be empty
};

struct BackupReport {
  BackupManifest manifest;
  uint64_t new_bytes = 0;         // that no earlier backup held
  std::vector<uint32_t> removed;  // older backups
  bool unchanged = false;         // none was made
  std::string mended;             // what was wrong with the list of backups; empty: nothing
};

// The list of backups is made anew of their manifests when it is missing or damaged. What was
// wrong; empty: nothing, or it cannot be mended (the directory cannot be written, or somebody works
// with it).
std::string MendBackupList(const std::string& directory);

// Those that are there, oldest first.
Result<std::vector<uint32_t>> BackupIds(const std::string& directory);
// kBackupDamaged when its manifest cannot be read.
Result<BackupManifest> ReadBackup(const std::string& directory, uint32_t id);
// All of them; kBackupDamaged when one of them cannot be read.
Result<std::vector<BackupManifest>> ListBackups(const std::string& directory);

struct VerifiedBackup {
  BackupManifest manifest;
  uint64_t records = 0;
};

// Every byte of every file, and the chain of each log from its first block to the end that was
// noted. `id`: that backup alone. kBackupDamaged names the file; kStoreCorrupt the position.
Result<std::vector<VerifiedBackup>> VerifyBackups(const std::string& directory,
                                                  std::optional<uint32_t> id = std::nullopt);

}  // namespace stele::eventstore
