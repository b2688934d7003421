// Group commit: takes batches from a shard's loop, seals them into blocks and writes them, so that
// the loop never waits for a disk.
//
// Two workers: while one writes a block, the other seals the next, and what comes after it
// accumulates. Who has sealed a block writes it if nobody is writing, and goes on with what others
// sealed meanwhile; so a single record passes one thread, and under load no block waits for a
// thread to wake up. A block takes at most half of what is on its way, so that sealing and writing
// overlap whatever the disk's speed; with little on its way a block takes all of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/error.h"
#include "eventstore/doubling_counts.h"
#include "eventstore/event_store.h"
#include "eventstore/sealed_block.h"

namespace stele::eventstore {

class Committer {
 public:
  // Called from a worker, one call at a time, in the order of the log: the last durable position;
  // or the error that stopped the committer, once and last. Must not block.
  using Durable = std::function<void(const Result<Position>&)>;

  // The shard's only writer. REQUIRES: the store outlives the committer.
  Committer(EventStore& store, ShardId shard, Durable on_durable);
  ~Committer();  // Stop
  Committer(const Committer&) = delete;
  Committer& operator=(const Committer&) = delete;

  // Takes the batch's records and leaves it empty (with memory to use again). Never waits for the
  // disk; the caller bounds what is on its way. Returns the position of the first record. After an
  // error or Stop nothing is written any more. Thread: one at a time.
  Position Submit(Batch& batch);

  // Writes what was submitted, tells, ends the workers. Thread: any but a worker.
  void Stop();

  // Of the blocks that were written: how many records they have, and how many bytes as they are
  // stored. Thread: any.
  DoublingCounts::Reading block_records() const { return block_records_.Read(); }
  DoublingCounts::Reading block_bytes() const { return block_bytes_.Read(); }

 private:
  void Work();
  // Waits for work and takes it; false when there will be none.
  bool TakePending(Batch* batch);
  bool TakeRecords(uint32_t from, Batch* batch, std::unique_lock<std::mutex> lock);
  uint32_t Waiting() const;
  bool PendingIsEnough() const;
  // Queues the block, lets the next one be sealed, and writes what is queued unless another worker
  // does.
  void WriteInOrder(std::unique_ptr<SealedBlock> block, std::unique_lock<std::mutex> seal);
  bool WriteOne(const SealedBlock& block);
  void Fail(const Error& error);
  std::unique_ptr<SealedBlock> TakeSpareBlock();

  EventStore& store_;
  const ShardId shard_;
  const Durable on_durable_;

  // Held while a batch is taken and sealed, so that blocks are queued in their order.
  std::mutex seal_mutex_;
  LogTail sealed_;  // the end of what was sealed
  Batch taken_;     // from `pending_`; the last `left_` of it wait

  std::mutex mutex_;              // of what follows
  std::condition_variable work_;  // for a worker that waits for records
  Batch pending_;
  uint32_t left_ = 0;
  Position next_;           // of the next record that is submitted
  uint32_t in_flight_ = 0;  // records that were taken and are not durable yet
  // Sealed, to be written; null: the next could not be sealed, for seal_error_.
  std::deque<std::unique_ptr<SealedBlock>> ready_;
  std::optional<Error> seal_error_;
  std::vector<std::unique_ptr<SealedBlock>> spare_;  // written; their memory is used again
  bool writing_ = false;
  bool stopping_ = false;
  bool failed_ = false;

  // Who writes a block counts it, one at a time.
  DoublingCounts block_records_;
  DoublingCounts block_bytes_;

  std::thread workers_[2];
};

}  // namespace stele::eventstore
