// The event store on RocksDB: `log/` and `archive/` hold the truth, `state/` what can be rebuilt
// from it (docs/log-format.md). One process at a time; a second one gets kStoreLocked.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/payload_spans.h"
#include "eventstore/aead.h"
#include "eventstore/event_store.h"
#include "eventstore/limits.h"
#include "eventstore/tree_writer.h"

namespace stele::eventstore {

struct RocksDbOptions {
  // kStoreNotFound instead of a new store.
  bool create_if_missing = true;
  // Opens what is there to read it, beside others that do so, and changes nothing on the disk: it
  // may be full, or not to be written at all. Every write is refused.
  // REQUIRES: this process does not have it open to write.
  bool read_only = false;
  // Opens a log whose end is damaged or missing, to read what is left: every write is refused with
  // the reason, VerifyChain returns it.
  bool open_damaged = false;
  // Of the log's memory table; three times that is the most that a start has to read again.
  size_t write_buffer_bytes = 32u << 20;
  // Where archived segments are; empty: `archive` in the store's directory. May be another disk.
  std::string archive_directory;
  // Where a segment ends.
  uint64_t archive_segment_bytes = kTargetSegmentBytes;
  // Opens the log's keys. With it the payloads of what is recorded are sealed from now on, and the
  // log cannot be opened without it any more (docs/encryption.md).
  std::optional<CipherKey> master_key;
  // Signs heads of the log's tree.
  HeadSigning heads;
  // Finds what is sealed. REQUIRES: not null when there is a master key.
  std::shared_ptr<const PayloadFinder> payloads;
  // Opens a sealed log without its key, to verify its chain: nothing can be written, a cursor that
  // comes to a sealed record says kMasterKey, and what is derived from the log is neither read nor
  // written. Of no effect for a log in clear.
  bool without_key = false;
  // For tests: told before and after everything that Archive, Cut and DestroyKeys change on the
  // disk.
  std::function<void(std::string_view)> on_archive_step;
  // How many records are collected before they go into the index on disk.
  size_t index_chunk_records = kIndexChunkRecords;
};

// Whether there is a store in the directory. The beginnings of one whose making was cut off are
// none: opening makes it.
bool HasRocksDbStore(const std::string& path);

Result<std::unique_ptr<EventStore>> OpenRocksDbStore(const std::string& path,
                                                     const RocksDbOptions& options = {});

}  // namespace stele::eventstore
