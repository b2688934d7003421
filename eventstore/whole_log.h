// A log with its archive, opened where it lies to be read: in a backup, or as it was just built.
// Its archive's files stay as they are.
//
// Thread: one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/archive.h"
#include "eventstore/backup_manifest.h"
#include "eventstore/block_source.h"
#include "eventstore/log_db.h"

namespace stele::eventstore {

class WholeLog {
 public:
  // `env` is kept until the end.
  static Result<std::unique_ptr<WholeLog>> OpenBackup(const std::string& name,
                                                      std::shared_ptr<rocksdb::Env> env,
                                                      const std::string& archive);
  // The log of a data directory that nobody else has open.
  static Result<std::unique_ptr<WholeLog>> OpenData(const std::string& data);

  LogDb& log() { return log_; }
  const LogDb& log() const { return log_; }
  const ArchiveStore& archive() const { return *archive_; }

  Result<std::vector<ShardId>> Shards() const;
  // Where it ends. The time is that of the last block's last record that was not cut out; none: 0.
  Result<BackedUpShard> End(ShardId shard) const;
  // The blocks before `end`, archived or not. REQUIRES: this outlives it.
  std::unique_ptr<BlockSource> Source(ShardId shard, Position end) const;
  // The chain from its first block to `end`, which must be an end of a block.
  Result<ChainReport> Inspect(ShardId shard, const LogTail& end) const;

 private:
  Status OpenArchive(const std::string& directory);

  std::shared_ptr<rocksdb::Env> env_;  // outlives what follows
  LogDb log_;
  std::unique_ptr<ArchiveStore> archive_;
};

}  // namespace stele::eventstore
