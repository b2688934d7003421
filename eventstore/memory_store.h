// The event store in memory, with faults on order: for tests of what stands above it. It stores the
// same bytes as the store on disk and reads them by the same code; it seals payloads by the same
// code, too, under keys that it makes for itself.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "eventstore/block_source.h"
#include "eventstore/event_store.h"
#include "eventstore/file_cipher.h"
#include "eventstore/gone_nodes.h"
#include "eventstore/master_row.h"
#include "eventstore/payload_keys.h"
#include "eventstore/shard_log.h"
#include "eventstore/tree_rows.h"

namespace stele::eventstore {

enum class WriteFault {
  kNothingWritten,  // fails, and nothing is left
  kTorn,            // fails, and a part of the block's bytes is left
  kWritten,         // fails, yet the block is there after a restart, as when only the sync fails
  kLost,            // answers that it is durable, which a crash proves wrong, with all that follows
};

// Threads: any, as EventStore says.
class MemoryStore final : public EventStore {
 public:
  // Payloads are in clear.
  MemoryStore() = default;
  // Payloads are sealed, each where it finds one.
  explicit MemoryStore(const std::shared_ptr<const PayloadFinder>& payloads);

  // Signs heads of the log's tree from now on. REQUIRES: nothing is being written.
  void SignHeads(HeadSigning signing) { shards_.SignHeads(std::move(signing)); }
  // What the `nth` write from now on (1: the next one) does, over all shards.
  void InjectFault(uint64_t nth, WriteFault fault);
  // From now on, snapshots (and the records of an instance) or notes cannot be read.
  void FailReads(bool snapshots, bool notes);
  // Called at the start of each write with its number, from 1, on the writing thread.
  void OnWrite(std::function<void(uint64_t)> hook);
  // Called with what each WaitForRecords is asked, on the waiting thread. REQUIRES: nobody waits
  // yet.
  void OnWait(std::function<void(Position)> hook) { wait_hook_ = std::move(hook); }
  // The writes that were tried.
  uint64_t writes() const;

  // What a process that starts after a crash at this moment finds. Of what was put after the last
  // checkpoint the first `kept_puts` calls survive.
  std::unique_ptr<MemoryStore> Crash(size_t kept_puts = 0) const;
  // How many calls a crash may take back.
  size_t unflushed_puts() const;

  Status Write(const SealedBlock& block) override;
  LogTail Tail(ShardId shard) const override { return shards_.Get(shard).tail(); }
  Result<std::unique_ptr<Cursor>> Read(ShardId shard, Position from) const override;
  Result<std::unique_ptr<Cursor>> ReadInstance(ShardId shard, InstanceId instance,
                                               Seq from) const override;
  std::unique_ptr<BlockSource> ReadBlocks(ShardId shard) const override;
  bool WaitForRecords(ShardId shard, Position position, int64_t timeout_us,
                      const std::stop_token& stop) const override;
  Status PutSnapshot(ShardId shard, InstanceId instance, const Snapshot& snapshot) override;
  Result<std::optional<Snapshot>> GetSnapshot(ShardId shard, InstanceId instance) const override;
  Status PutNote(ShardId shard, std::string_view key, std::string_view value) override;
  Status EraseNote(ShardId shard, std::string_view key) override;
  Result<std::optional<std::string>> GetNote(ShardId shard, std::string_view key) const override;
  Status ForEachNote(
      ShardId shard, std::string_view prefix, std::string_view from,
      const std::function<bool(std::string_view, std::string_view)>& visit) const override;
  Status PutOpen(ShardId shard, InstanceId instance, std::string_view summary) override;
  Status EraseOpen(ShardId shard, InstanceId instance) override;
  Status ForEachOpen(ShardId shard,
                     const std::function<void(InstanceId, std::string_view)>& visit) const override;
  Status WriteCheckpoint(ShardId shard, const Checkpoint& checkpoint) override;
  Result<Checkpoint> ReadCheckpoint(ShardId shard) const override;
  Result<ChainReport> InspectChain(ShardId shard) const override;
  std::unique_ptr<TreeReader> Tree(ShardId shard) const override {
    return std::make_unique<TreeReader>(shard, MakeSource(shard),
                                        std::make_unique<MapRows>(rows_, &mutex_));
  }
  Status SignHead(ShardId shard) override;
  const NoteVerifier* head_verifier() const override {
    const auto& signer = shards_.signing().signer;
    return signer == nullptr ? nullptr : &signer->verifier();
  }
  // There are no segments: what is archived stays where it is, and may be cut.
  using EventStore::Archive;
  Result<ArchiveReport> Archive(ShardId shard, Position to, const std::stop_token& stop) override;
  Position ArchivedTo(ShardId shard) const override;
  std::vector<SegmentInfo> Segments(ShardId) const override { return {}; }
  using EventStore::Cut;
  Result<CutReport> Cut(ShardId shard, const Erasure& erasure,
                        const std::stop_token& stop) override;
  Result<InstanceId> LastCutInstance(ShardId shard) const override;
  Status DestroyKeys(ShardId shard, std::span<const InstanceId> instances,
                     std::span<const Position> registry_records) override;
  Result<bool> KeyDestroyed(ShardId shard, InstanceId instance) const override;
  PayloadKeys* payload_keys() const override;
  std::shared_ptr<const FileCipher> file_cipher() const override;
  StoreStats Stats() const override;

 private:
  using Blocks = std::map<Position, std::shared_ptr<const std::string>>;
  using InstanceKey = std::pair<ShardId, InstanceId>;
  struct State {
    std::map<InstanceKey, Snapshot> snapshots;
    std::map<InstanceKey, std::string> open;
    std::map<ShardId, std::map<std::string, std::string>> notes;
    std::map<ShardId, Checkpoint> checkpoints;
    std::map<ShardId, LogTail> known_tails;
  };
  using StateChange = std::function<void(State&)>;
  using KeyRows = std::map<std::string, std::string>;  // payload_keys.h
  struct Sealing {
    LogKeys log_keys;
    std::shared_ptr<const PayloadFinder> finder;
    std::unique_ptr<PayloadKeys> keys;
    std::shared_ptr<const FileCipher> files;
  };
  class Source;

  void SealWith(const LogKeys& log_keys, const std::shared_ptr<const PayloadFinder>& finder);
  // Readers see the rows; a restart finds them, too, unless the disk loses what is written.
  void StoreRows(const std::vector<KeyRow>& rows, bool to_readers, bool to_disk);
  void StoreKeyRows(const std::vector<KeyRow>& rows, KeyRows* stored);  // REQUIRES: mutex_
  bool IsDestroyed(ShardId shard, InstanceId instance) const;           // REQUIRES: mutex_
  void Put(StateChange change);
  Status CheckMayBeCut(ShardId shard, InstanceId instance) const;  // REQUIRES: mutex_
  Result<uint64_t> CutBlocks(Blocks& blocks, ShardId shard, const Erasure& erasure,
                             std::vector<CutLeaf>* leaves);
  void Restore(ShardId shard, const Blocks& disk);
  std::unique_ptr<BlockSource> MakeSource(ShardId shard) const;

  mutable std::mutex mutex_;          // of everything below but shards_
  std::map<ShardId, Blocks> blocks_;  // what readers see
  std::map<ShardId, Blocks> disk_;    // what a restart finds
  MapRows::Map rows_;                 // both, of the tree
  MapRows::Map disk_rows_;
  KeyRows key_rows_;  // both, of the payloads' keys
  KeyRows disk_key_rows_;
  std::map<ShardId, Position> archived_;  // one past the last archived record
  std::set<InstanceKey> cut_;
  std::optional<Error> refusal_;
  bool sync_lies_ = false;
  bool fails_snapshots_ = false;
  bool fails_notes_ = false;
  std::map<uint64_t, WriteFault> faults_;  // by number of the write
  std::function<void(uint64_t)> hook_;
  std::function<void(Position)> wait_hook_;
  uint64_t writes_ = 0;
  State state_;
  State flushed_;                       // as of the last checkpoint
  std::vector<StateChange> unflushed_;  // since then
  StoreStats stats_;
  ShardLogs shards_;
  std::unique_ptr<Sealing> sealing_;  // null: payloads are in clear
};

}  // namespace stele::eventstore
