// The directory that backups are kept in (docs/backup.md), as files:
//
//   LOCK            held by who changes the directory, shared by who reads it
//   backups.json    the ids of the backups that there are: what is not in it is not there
//   manifests/ID.json
//   files/SHA256    copies of files that lie beside the log
//   archive/        copies of the archive's segments, by their names
//   log/            the log's database, in the form of RocksDB's backups (backup_database.h)
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "eventstore/backup_manifest.h"
#include "eventstore/durable_files.h"

namespace stele::eventstore {

class BackupDirectory {
 public:
  // kStoreNotFound when the directory holds no backups; kStoreLocked while somebody else uses it;
  // kBackupDamaged when backups.json is; with `list` false that is not read, and ids() is empty.
  static Result<BackupDirectory> OpenToRead(const std::string& given, bool list = true);
  // The same for who reads the list and manifests alone, which are replaced as a whole: beside
  // whoever changes the directory.
  static Result<BackupDirectory> OpenToList(const std::string& given);
  // Makes it when it is missing or empty. kWrongDirectory when it holds something else.
  static Result<BackupDirectory> OpenToWrite(const std::string& given);

  // Makes backups.json anew of the manifests when it is missing or damaged, for who reads:
  // OpenToWrite does so itself. What was wrong with it; empty: nothing, or it cannot be mended now.
  static std::string MendList(const std::string& given);
  // The same of OpenToWrite.
  const std::string& mended() const { return mended_; }

  // Absolute: RocksDB opens a backup in place by such a one alone.
  const std::string& path() const { return path_; }
  std::string log_path() const { return path_ + "/log"; }
  std::string archive_path() const { return path_ + "/archive"; }
  // Ascending.
  const std::vector<uint32_t>& ids() const { return ids_; }
  bool Has(uint32_t id) const;

  // kStoreNotFound when there is no such backup, kBackupDamaged when its manifest is missing though
  // it should be there, or damaged.
  Result<BackupManifest> Manifest(uint32_t id) const;
  // Whether every file is there as the manifest says: kBackupDamaged names the first that is not.
  // Files in `known` are not looked at again; those that were are added to it.
  Status CheckFiles(const BackupManifest& manifest, std::vector<BackedUpFile>* known) const;

  // RocksDB's own lists of files (log/meta/ID), by id, that are not what their backup's manifest
  // says, or that have none.
  std::vector<uint32_t> UnprovenLists() const;

  // From then on the backup is there. REQUIRES: its files are, durably.
  Status Add(const BackupManifest& manifest);
  // From then on the backups are not there; what only they need may be removed.
  Status Forget(const std::vector<uint32_t>& ids);
  // Removes manifests of backups that are not there, and files that none of them needs.
  Status RemoveStrays() const;
  // A copy of a file of the data directory; nothing is copied that is there already.
  Result<BackedUpFile> Keep(const std::string& data, const std::string& name) const;
  // A copy of a segment, whose name stands for its bytes. `newest` tells of copies that are there.
  Result<BackedUpFile> KeepSegment(const std::string& path, const BackupManifest& newest) const;

 private:
  BackupDirectory(std::string path, std::optional<FileLock> lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string ManifestPath(uint32_t id) const;
  Status ReadList();
  Status ReadOrMendList();
  Status WriteList(const std::vector<uint32_t>& ids);

  std::string path_;
  std::optional<FileLock> lock_;
  std::vector<uint32_t> ids_;
  std::string mended_;
};

// Absolute, links followed as far as there is something.
std::string ResolvedPath(const std::string& path);
// Whether `path` is `directory` or lies in it. REQUIRES: both are resolved.
bool LiesIn(const std::string& path, const std::string& directory);

}  // namespace stele::eventstore
