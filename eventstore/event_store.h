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
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/instance_ranges.h"
#include "eventstore/record.h"
#include "eventstore/retention.h"
#include "eventstore/sealed_block.h"
#include "eventstore/tree_reader.h"

namespace stele::eventstore {

// Reads records forward; what was cut out is passed over. The view stays valid until the next call.
// Used by one thread at a time; REQUIRES: the store outlives it.
class Cursor {
 public:
  virtual ~Cursor() = default;
  // The next record, nothing at the end of what is durable (a later call may find more), or what
  // is wrong with the log and where.
  virtual Result<std::optional<RecordView>> Next() = 0;
  // How far the cursor has come: what lies at or before it was given, is not asked for, or was cut
  // out. Who reads on from the next position misses nothing.
  virtual Position Passed() const = 0;
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

// Bytes since the store was opened, where not said otherwise.
struct StoreStats {
  uint64_t log_bytes = 0;       // that the hot log holds, of any age
  uint64_t archive_bytes = 0;   // that the archive's segments hold, of any age
  uint64_t raw_bytes = 0;       // of record frames that were appended
  uint64_t appended_bytes = 0;  // of the blocks that hold them
  uint64_t wal_bytes_written = 0;
  uint64_t flush_bytes_written = 0;
  uint64_t compaction_bytes_written = 0;
  uint64_t index_bytes_written = 0;  // by_instance, with its compactions
};

class BlockSource;
class NoteVerifier;
class PayloadKeys;
class FileCipher;
struct BackupRequest;
struct BackupReport;

class EventStore {
 public:
  virtual ~EventStore() = default;

  // Writes the block and returns when it is durable. kStoreWrongPosition unless it was sealed
  // behind Tail(shard). After kStoreWriteFailed the store accepts no more writes until it is opened
  // again; the block that failed may be there then, or not, never a part of it. Thread: one at a
  // time for a shard.
  virtual Status Write(const SealedBlock& block) = 0;

  // Seals the batch as one block and writes it. kStoreWrongPosition unless `expected` is the
  // position that the next record gets. The committer seals a block while the one before it is
  // written; this is the simple way.
  // Thread: one at a time for a shard.
  Status Append(ShardId shard, Position expected, const Batch& batch);

  // Where the durable log ends.
  virtual LogTail Tail(ShardId shard) const = 0;
  // The position that the next record will get. 1 for an empty shard.
  Position NextPosition(ShardId shard) const { return Tail(shard).next; }

  // From `from` on.
  virtual Result<std::unique_ptr<Cursor>> Read(ShardId shard, Position from) const = 0;

  // An instance's records that hold events from `from` on, in order. kInstanceErased when it was
  // cut out.
  virtual Result<std::unique_ptr<Cursor>> ReadInstance(ShardId shard, InstanceId instance,
                                                       Seq from) const = 0;

  // The stored blocks, archived or not, for who copies or exports the log as it is: their payloads
  // are sealed, and payload_keys() opens them. Used by one thread at a time; REQUIRES: the store
  // outlives it.
  virtual std::unique_ptr<BlockSource> ReadBlocks(ShardId shard) const = 0;

  // Blocks until the record at `position` is durable, until `timeout_us` passed, or until it is to
  // stop; whether it is durable.
  virtual bool WaitForRecords(ShardId shard, Position position, int64_t timeout_us,
                              const std::stop_token& stop) const = 0;

  // Snapshots and the open set live outside the write-ahead log: a crash may take back what was put
  // after the last checkpoint, all of it or the later part of it, in the order of the calls. What
  // comes back may be later than the checkpoint: recovery repeats records that a snapshot already
  // reflects (Snapshot::position tells) and puts and erases the same open entries again.
  // Of an instance that was cut out no snapshot is kept.
  // PutSnapshot and WriteCheckpoint answer kStoreWrongPosition unless the position is durable, and
  // open entries must wait for that too: a crash could otherwise leave them ahead of the log.
  // Threads: any. Putting never waits for a disk unless the store falls far behind.
  virtual Status PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) = 0;
  virtual Result<std::optional<Snapshot>> GetSnapshot(ShardId shard, InstanceId instance) const = 0;
  // The open set: instances that have not ended, each with a few bytes of the runtime's (timers).
  virtual Status PutOpen(ShardId shard, InstanceId instance, std::string_view summary) = 0;
  virtual Status EraseOpen(ShardId shard, InstanceId instance) = 0;
  virtual Status ForEachOpen(
      ShardId shard, const std::function<void(InstanceId, std::string_view)>& visit) const = 0;
  // Notes: small facts that the runtime derives from the log and looks up by key, in the order of
  // their bytes. They live as the open set does.
  virtual Status PutNote(ShardId shard, std::string_view key, std::string_view value) = 0;
  virtual Status EraseNote(ShardId shard, std::string_view key) = 0;
  virtual Result<std::optional<std::string>> GetNote(ShardId shard, std::string_view key) const = 0;
  // Those whose key begins with `prefix` and is not before `from`, until `visit` says false.
  virtual Status ForEachNote(
      ShardId shard, std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
  // Makes snapshots, the open set, notes and the checkpoint durable, as one. Waits for the disk:
  // some milliseconds, more when much was put; puts of other threads go on meanwhile.
  virtual Status WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) = 0;
  virtual Result<Checkpoint> ReadCheckpoint(ShardId shard) const = 0;  // position 0: none yet

  // Every checksum and link of the chain, from the first block to the last, archived or not, and
  // that the log is as long as it was known to be (docs/log-format.md). The error names the
  // position.
  virtual Result<ChainReport> InspectChain(ShardId shard) const = 0;
  // The same. The number of records, those that were cut out included.
  Result<uint64_t> VerifyChain(ShardId shard) const;

  // The Merkle tree over the shard's records as they are now, and its signed heads. REQUIRES: the
  // store outlives it. Threads: any, each its own.
  virtual std::unique_ptr<TreeReader> Tree(ShardId shard) const = 0;
  // Signs a head over what is durable now unless the newest one is over it, durably. Nothing is
  // done where nobody signs. Thread: any.
  virtual Status SignHead(ShardId shard) = 0;
  // Whether there is somebody who signs; null: nobody.
  virtual const NoteVerifier* head_verifier() const = 0;

  // Moves the whole blocks that lie before `to` out of the hot log into the archive, where they are
  // read as before, and gives the space back. What was moved before an error stays moved. Appends
  // and readers go on meanwhile.
  // When it is to stop it ends behind the segment that is under way, as if `to` were there.
  // Thread: any; waits for another Archive or Cut. Reads and compresses all that it moves.
  virtual Result<ArchiveReport> Archive(ShardId shard, Position to,
                                        const std::stop_token& stop) = 0;
  Result<ArchiveReport> Archive(ShardId shard, Position to) { return Archive(shard, to, {}); }
  // One past the last record of the archive; 1: nothing is archived.
  virtual Position ArchivedTo(ShardId shard) const = 0;
  // The archive's files, in the order of their positions.
  virtual std::vector<SegmentInfo> Segments(ShardId shard) const = 0;
  // Erases instances for good: each of their records leaves its place in the log and its hash, and
  // nothing else; their snapshots and index entries go, and the notes that are named. From the
  // first durable write on, which covers all of them, readers pass over them and ReadInstance says
  // kInstanceErased. A call that was cut off is finished by the next one, which may name none. An
  // instance that is gone already is passed over.
  // Nothing is done when one of them is the registry (zero) or open (kWrongState), unknown
  // (kUnknownInstance), or has records that are not archived yet (kStoreWrongPosition).
  // When it is to stop it is cut off behind the segment that is under way (kShardStopped).
  // REQUIRES: nothing more is appended for them. Threads: as Archive.
  virtual Result<CutReport> Cut(ShardId shard, const Erasure& erasure,
                                const std::stop_token& stop) = 0;
  Result<CutReport> Cut(ShardId shard, const Erasure& erasure) { return Cut(shard, erasure, {}); }
  // The highest number of an instance that was cut out, which must not be given again; 0: none was.
  virtual Result<InstanceId> LastCutInstance(ShardId shard) const = 0;

  // Destroys the keys of the instances' payloads, and those of single records of the registry,
  // whose payloads have a key each. Durable when it returns, and gone from every file of the
  // directory: readers find absent values in the payloads' places from then on and say so
  // (RecordView::erased), the chain stays as it is. Snapshots of the instances go too, and none is
  // kept any more. What has no payload, or no key any more, is passed over, so that a call that was
  // cut off is simply repeated. Waits for compactions.
  // kUnsupported when the log's payloads are not sealed; kWrongState for instance 0, the registry.
  // Payloads from before encryption was turned on are not sealed: they stay.
  // REQUIRES: the instances have ended and nothing is on its way for them. Threads: any.
  virtual Status DestroyKeys(ShardId shard, std::span<const InstanceId> instances,
                             std::span<const Position> registry_records);
  Status DestroyKeys(ShardId shard, std::span<const InstanceId> instances) {
    return DestroyKeys(shard, instances, {});
  }
  // What was erased before the last checkpoint of notes, of what is open and of the snapshots of
  // these instances is in no file any more. Waits for compactions, which come in a day otherwise.
  // Threads: any.
  virtual Status Scrub(ShardId, const InstanceRange&) { return {}; }
  // Whether the instance's key was destroyed. What is recorded for it afterwards keeps no payload.
  virtual Result<bool> KeyDestroyed(ShardId shard, InstanceId instance) const;
  // Of a store whose payloads are sealed; otherwise null. Lives as long as the store.
  virtual PayloadKeys* payload_keys() const { return nullptr; }
  // Encrypts the files of what is derived from the log; null when they are to be in clear.
  virtual std::shared_ptr<const FileCipher> file_cipher() const { return nullptr; }

  // Adds a backup to a directory of them (eventstore/backup.h) while appends go on: what was
  // durable when it was called is in it. Threads: any. kUnsupported for a store without a disk.
  virtual Result<BackupReport> Backup(const BackupRequest& request) const;

  virtual StoreStats Stats() const = 0;
};

}  // namespace stele::eventstore
