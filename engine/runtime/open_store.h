// Opens the store of a data directory as engines do: what a record's payloads are is known here,
// and where the master key is, is told.
//
// Thread: any.
#pragma once

#include <memory>
#include <string>

#include "base/error.h"
#include "engine/secrets/key_source.h"
#include "eventstore/rocksdb_store.h"

namespace stele::runtime {

// With a source, what is recorded is sealed from now on (docs/encryption.md). Without one, and with
// options that do not open it without its key, a sealed log is kMasterKey.
Result<std::unique_ptr<eventstore::EventStore>> OpenStore(const std::string& data,
                                                          eventstore::RocksDbOptions options,
                                                          const secrets::KeySource& key);

// Where the key is that signs heads of the log, and how often that is done.
struct AuditSource {
  secrets::KeySource key;  // empty: no heads are signed
  uint64_t records = eventstore::kRecordsBetweenHeads;
  int64_t time_us = eventstore::kTimeBetweenHeadsUs;
};
// kAuditKey, and what secrets::ReadKeyText says.
Result<eventstore::HeadSigning> ReadHeadSigning(const AuditSource& source);

// The key as the store takes it. REQUIRES: the source is not empty.
Result<eventstore::CipherKey> ReadMasterKey(const secrets::KeySource& source);

}  // namespace stele::runtime
