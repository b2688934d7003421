// What a backup is, as a file of JSON that says when it was damaged: its last member, `sha256`, is
// the SHA-256 of all bytes before it. docs/backup.md describes the members.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/value.h"
#include "eventstore/durable_files.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

inline constexpr int64_t kBackupFormat = 1;
// Of a manifest: some hundred thousand files.
inline constexpr size_t kMaxManifestBytes = 64u << 20;

struct BackedUpShard {
  ShardId shard;
  LogTail end;       // behind the last record, and the hash of the last block
  TimeUs last_time;  // of the last record
  bool operator==(const BackedUpShard&) const = default;
};

struct BackedUpFile {
  std::string path;  // below the backup's directory
  FileDigest digest;
  std::string name;   // below the data directory; empty: it belongs to the database of the log
  uint32_t mode = 0;  // of one with a name
  bool operator==(const BackedUpFile&) const = default;
};

struct BackupManifest {
  uint32_t id = 0;
  TimeUs made;
  std::vector<BackedUpShard> shards;
  std::vector<BackedUpFile> files;
  bool operator==(const BackupManifest&) const = default;

  uint64_t bytes() const;  // of its files
};

// `document` as text, with the hash behind its members.
std::string SealJson(const Object& document);
// kBackupDamaged when the text of the file `path` is not what SealJson wrote.
Result<Value> OpenSealedJson(std::string_view text, const std::string& path);

std::string EncodeManifest(const BackupManifest& manifest);
// kBackupDamaged, kStoreUnknownFormat for one of a newer build.
Result<BackupManifest> DecodeManifest(std::string_view text, const std::string& path);

}  // namespace stele::eventstore
