// The log: ordered records in blocks, checksummed and chained by SHA-256. Knows no workflow.
//
// A record is bytes with a header; a block is what one append wrote, atomically and durably. The
// format is described in eventstore/format.h. One writer a shard; readers are any threads.
//
// Nothing above this interface may assume that the log is local (docs/ARCHITECTURE.md).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"

namespace stele::eventstore {

struct RecordHeader {
  InstanceId instance;
  Seq first_seq;  // of the record's events; they are numbered without gaps
  uint32_t event_count = 0;
  TimeUs time;
  Position causation;      // the record that led to this one; 0: none
  std::string_view actor;  // who asked; empty: the engine itself. At most 255 bytes
};

struct RecordView {
  ShardId shard;
  Position position;
  RecordHeader header;
  std::string_view body;  // 8-byte aligned; a Cap'n Proto message of schemas/record.capnp
};

// Records that will become one block. Reused: Clear keeps the memory.
class Batch {
 public:
  // `body` is copied. Its size is a multiple of 8.
  void Add(const RecordHeader& header, std::string_view body);
  void Clear();
  uint32_t count() const { return static_cast<uint32_t>(offsets_.size()); }
  size_t bytes() const { return frames_.size(); }
  std::string_view frames() const { return frames_; }
  std::span<const uint32_t> offsets() const { return offsets_; }

 private:
  std::string frames_;
  std::vector<uint32_t> offsets_;
};

// Reads records forward. The view stays valid until the next call.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // The next record, nothing at the end of what is durable (a later call may find more), or what
  // is wrong with the log and where.
  virtual Result<std::optional<RecordView>> Next() = 0;
};

// What an instance's state was at a record, written by the runtime.
struct Snapshot {
  Seq seq;            // the last event that it reflects
  Position position;  // the record that holds it
  std::string state;
};

// What recovery needs to know: everything at or before `position` is in the snapshots and the open
// set. `state` is the runtime's.
struct Checkpoint {
  Position position;
  std::string state;
};

struct StoreStats {
  uint64_t log_bytes = 0;  // stored in the log family
  uint64_t wal_bytes_written = 0;
  uint64_t flush_bytes_written = 0;
  uint64_t compaction_bytes_written = 0;
};

class EventStore {
 public:
  virtual ~EventStore() = default;

  // Appends the batch as one block and returns when it is durable. kStoreWrongPosition unless
  // `expected` is the position that the next record gets. After kStoreWriteFailed the shard accepts
  // no more appends until the store is opened again.
  // Thread: one at a time for a shard (the committer).
  virtual Status Append(ShardId shard, Position expected, const Batch& batch) = 0;

  // The position that the next record will get. 1 for an empty shard.
  virtual Position NextPosition(ShardId shard) const = 0;

  // From `from` on.
  virtual Result<std::unique_ptr<Cursor>> Read(ShardId shard, Position from) const = 0;

  // An instance's records that hold events from `from` on, in order.
  virtual Result<std::unique_ptr<Cursor>> ReadInstance(ShardId shard, InstanceId instance,
                                                       Seq from) const = 0;

  // Blocks until NextPosition(shard) > `after`, or until `timeout_us` passed; says which.
  virtual bool WaitForRecords(ShardId shard, Position after, int64_t timeout_us) const = 0;

  // Snapshots and the open set live outside the write-ahead log: a crash may take back what came
  // after the last checkpoint, never a part of it.
  virtual Status PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) = 0;
  virtual Result<std::optional<Snapshot>> GetSnapshot(ShardId shard, InstanceId instance) const = 0;
  // The open set: instances that have not ended, each with a few bytes of the runtime's (timers).
  virtual Status PutOpen(ShardId shard, InstanceId instance, std::string_view summary) = 0;
  virtual Status EraseOpen(ShardId shard, InstanceId instance) = 0;
  virtual Status ForEachOpen(
      ShardId shard, const std::function<void(InstanceId, std::string_view)>& visit) const = 0;
  // Makes snapshots and the open set durable, then the checkpoint. REQUIRES: its position is
  // durable.
  virtual Status WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) = 0;
  virtual Result<Checkpoint> ReadCheckpoint(ShardId shard) const = 0;  // position 0: none yet

  // Every checksum and link of the chain, from the first block to the last. The error names the
  // position. Returns the number of records.
  virtual Result<uint64_t> VerifyChain(ShardId shard) const = 0;

  virtual StoreStats Stats() const = 0;
};

}  // namespace stele::eventstore
