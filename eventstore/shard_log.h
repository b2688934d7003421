// What a store knows about one shard while it is open: where its log ends, who waits for more, its
// newest blocks' index.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/sealed_block.h"
#include "eventstore/tail_index.h"
#include "eventstore/tree_writer.h"

namespace stele::eventstore {

// Threads: any.
class ShardLog {
 public:
  ShardLog(ShardId id, const HeadSigning& signing) : id_(id) { tree.Open(id, {}, 0, signing); }

  ShardId id() const { return id_; }
  LogTail tail() const;
  // The block is durable: moves the tail and wakes who waits. The block is in the index first.
  void Advance(const LogTail& tail);
  // Blocks until the record at `position` is durable, the time is over or it is to stop; whether it
  // is durable.
  bool WaitFor(Position position, int64_t timeout_us, const std::stop_token& stop) const;
  // kStoreWrongPosition unless the block was sealed behind the tail.
  Status CheckFollows(const SealedBlock& block) const;
  // kStoreWrongPosition unless the position is durable. `what` begins the sentence.
  Status CheckDurable(Position position, const char* what) const;

  TailIndex& index() { return index_; }
  const TailIndex& index() const { return index_; }

  // Why nothing may be written: set while the store is opened, by its thread.
  std::optional<Error> damage;
  LogTail known_tail;  // an end that the log must have had
  TreeWriter tree;     // over what is durable

 private:
  const ShardId id_;
  mutable std::mutex mutex_;
  mutable std::condition_variable_any moved_;
  LogTail tail_;
  TailIndex index_;
};

// The shards of a store; one that is asked for and unknown is empty. Shards are never removed.
class ShardLogs {
 public:
  // REQUIRES: nothing is being written.
  void SignHeads(HeadSigning signing);
  const HeadSigning& signing() const { return signing_; }
  ShardLog& Get(ShardId shard) const;
  std::vector<ShardLog*> All() const;

 private:
  mutable std::mutex mutex_;
  mutable std::map<ShardId, std::unique_ptr<ShardLog>> shards_;
  HeadSigning signing_;
};

}  // namespace stele::eventstore
