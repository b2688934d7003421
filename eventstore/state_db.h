// The database of what can be rebuilt from the log: snapshots, the open set, the checkpoint and the
// index of instances. No write-ahead log. Its families are flushed together, so that what a crash
// leaves is everything up to some moment; the index is ingested as sorted files of its own.
//
// The directory may be deleted while the store is closed: the next start rebuilds the index, and
// the runtime finds no checkpoint and replays from the beginning.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eventstore/event_store.h"
#include "eventstore/file_cipher.h"
#include "eventstore/instance_blocks.h"
#include "eventstore/rocksdb_handle.h"

namespace stele::eventstore {

// Threads: any, except Ingest: one at a time.
class StateDb {
 public:
  // Its files go through the cipher, if there is one; what was written otherwise is removed first.
  Status Open(const std::string& path, std::shared_ptr<const FileCipher> cipher);
  // What is on the disk, if it is whole and written that way, to be read; nothing is changed there.
  Status OpenToRead(const std::string& path, std::shared_ptr<const FileCipher> cipher);
  // Nothing on the disk is read or written: all of it is built in memory, and gone at the end.
  Status OpenInMemory(const std::string& path);
  void Close() { handle_.Close(); }

  Status PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot);
  Result<std::optional<Snapshot>> GetSnapshot(ShardId shard, InstanceId instance) const;
  Status PutOpen(ShardId shard, InstanceId instance, std::string_view summary);
  Status EraseOpen(ShardId shard, InstanceId instance);
  Status PutNote(ShardId shard, std::string_view key, std::string_view value);
  Status EraseNote(ShardId shard, std::string_view key);
  Result<std::optional<std::string>> GetNote(ShardId shard, std::string_view key) const;
  Status ForEachNote(ShardId shard, std::string_view prefix, std::string_view from,
                     const std::function<bool(std::string_view, std::string_view)>& visit) const;
  Status ForEachOpen(ShardId shard,
                     const std::function<void(InstanceId, std::string_view)>& visit) const;
  Status WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint);
  Result<Checkpoint> ReadCheckpoint(ShardId shard) const;
  Result<bool> IsOpen(ShardId shard, InstanceId instance) const;

  // The instances' snapshots and index entries, and the notes, go, durably. Most leave the files
  // too; Scrub sees to the rest.
  Status Forget(ShardId shard, const Erasure& erasure);

  // The instances' snapshots go, durably.
  Status ForgetSnapshots(ShardId shard, std::span<const InstanceId> instances);
  // Of notes, of what is open and of the snapshots of these instances, what was erased before the
  // last checkpoint leaves the files.
  Status Scrub(ShardId shard, const InstanceRange& snapshots);

  // The shards that have one.
  Result<std::vector<ShardId>> CheckpointedShards() const;

  // One past the last position that the index covers.
  Result<Position> IndexedTo(ShardId shard) const;
  // Adds entries, sorted, for the blocks from IndexedTo to `end`, durably. Adding some of them
  // again is harmless.
  Status Ingest(ShardId shard, const std::vector<IndexEntry>& entries, Position end);
  // Appends the blocks that may hold the instance's events from `from` on.
  Status FindBlocks(ShardId shard, InstanceId instance, Seq from,
                    std::vector<InstanceBlock>* blocks) const;

  uint64_t index_bytes_written() const;

 private:
  Status Put(size_t family, const rocksdb::Slice& key, const rocksdb::Slice& value);

  rocksdb::Options Options() const;
  Status OpenFamilies();
  void SetPath(const std::string& path);

  std::shared_ptr<const FileCipher> cipher_;  // these two outlive the database
  std::unique_ptr<rocksdb::Env> memory_;
  RocksDbHandle handle_;
  std::string path_;
  uint64_t next_file_ = 0;
  std::atomic<uint64_t> ingested_bytes_ = 0;
};

}  // namespace stele::eventstore
