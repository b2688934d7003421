// A data directory is built of records that come from elsewhere, block by block: it is there whole,
// with its chain verified, or not at all (restore_place.h).
//
// Thread: one at a time.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "eventstore/event_store.h"
#include "eventstore/rocksdb_store.h"

namespace stele::eventstore {

class LogImport {
 public:
  // kWrongDirectory unless the target is missing or an empty directory; kStoreLocked while another
  // one is at work there.
  static Result<std::unique_ptr<LogImport>> Begin(const std::string& target);
  virtual ~LogImport() = default;

  // Where files may be put that belong beside the log, until it has its name.
  virtual std::string directory() const = 0;
  // Of the options, the master key and what finds payloads: with them they are sealed. Once, before
  // what follows.
  virtual Status Open(ShardId shard, const RocksDbOptions& options) = 0;
  // Adds the batch as one block. Where the log ends then.
  virtual Result<LogTail> Add(const Batch& batch) = 0;
  // Checks what is there as the next start finds it, and gives it its name, durably. Once.
  virtual Result<ChainReport> Finish() = 0;
};

}  // namespace stele::eventstore
