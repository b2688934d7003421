// Group commit: takes batches from a shard's loop, seals them into blocks and writes them, so that
// the loop never waits for a disk.
//
// Two workers take turns: while one block is written, the next is sealed and what comes after it
// accumulates. A block takes at most half of what is on its way, so that neither worker starves the
// other, whatever the disk's speed; with little on its way a block takes all of it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "base/error.h"
#include "eventstore/event_store.h"

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

 private:
  void Work();
  // Waits for work and takes it; false when there will be none.
  bool TakePending(Batch* batch);
  bool PendingIsEnough() const;
  void Fail(const Error& error);

  EventStore& store_;
  const ShardId shard_;
  const Durable on_durable_;

  // Sealing is in the order of taking: who holds it owns sealed_.
  std::mutex seal_mutex_;
  LogTail sealed_;  // the end of what was sealed

  std::mutex mutex_;
  std::condition_variable work_;  // for a worker that waits for records
  std::condition_variable turn_;  // for a worker that waits to write
  Batch pending_;
  Position next_;           // of the next record that is submitted
  uint32_t in_flight_ = 0;  // records that were taken and are not durable yet
  uint64_t taken_ = 0;      // blocks
  uint64_t written_ = 0;    // blocks
  bool stopping_ = false;
  bool failed_ = false;

  std::thread workers_[2];
};

}  // namespace stele::eventstore
