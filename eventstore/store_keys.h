// What a store on disk has of keys while it is open: made when encryption is turned on, unwrapped
// by the master key, destroyed for good.
//
// Owned by the store. Threads: any, after Open.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/file_cipher.h"
#include "eventstore/log_db.h"
#include "eventstore/master_row.h"
#include "eventstore/payload_keys.h"
#include "eventstore/rocksdb_store.h"

namespace stele::eventstore {

class StoreKeys {
 public:
  // Of an open log; null when its payloads are in clear, or when it is opened without its key.
  // With a master key, a log in clear gets keys unless it is damaged. kMasterKey when the key is
  // missing or another one. REQUIRES: the log outlives it.
  static Result<std::unique_ptr<StoreKeys>> Open(LogDb& log, const std::string& path,
                                                 const RocksDbOptions& options, bool writable);

  PayloadKeys& payloads() { return payloads_; }
  const std::shared_ptr<const FileCipher>& files() const { return files_; }

  // What is to be destroyed: these, and what a call that was cut off had begun with.
  Result<std::vector<PayloadKeyId>> WithBegun(ShardId shard, std::span<const InstanceId> instances,
                                              std::span<const Position> registry_records) const;
  // The keys are gone, from memory and from every file, when it returns; what has none is passed
  // over. May be repeated. Is noted as begun together with the first thing that it does. `step`, if
  // any, is told what was done on the disk.
  Status Destroy(ShardId shard, const std::vector<PayloadKeyId>& ids,
                 const std::function<void(std::string_view)>& step);
  // All that goes with the keys is gone, too.
  Status NoteDone(ShardId shard);
  Result<bool> IsDestroyed(ShardId shard, InstanceId instance) const;

 private:
  StoreKeys(LogDb& log, const LogKeys& keys, std::shared_ptr<const PayloadFinder> finder);

  LogDb& log_;
  PayloadKeys payloads_;
  std::shared_ptr<const FileCipher> files_;
};

// Of a log that nobody has open.
struct EncryptionState {
  bool sealed = false;  // it has keys: what is recorded is sealed
  std::string master;   // the id of the master key; empty: none
  uint64_t keys = 0;    // of payloads, those that were destroyed not counted
  uint64_t destroyed = 0;
};
Result<EncryptionState> ReadEncryptionState(const std::string& path);

// From now on `next` opens the log of the data directory, and `current` no longer does. Writes one
// row, whatever the log holds; cut off, one of the two keys opens it. kMasterKey when `current` is
// not the log's, kUnsupported for a log in clear, kStoreLocked while somebody has it open.
Status RotateMasterKey(const std::string& path, const CipherKey& current, const CipherKey& next);

}  // namespace stele::eventstore
