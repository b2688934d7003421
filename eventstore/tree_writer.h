// What a store keeps of a shard's tree (log_tree.h) while it appends: which rows go with the next
// block, and when a head is signed.
//
// A head is signed with the block that makes so many records since the last one, or so much time by
// the records' own clock, and when the store is closed. The signature is over what is durable with
// the row that holds it.
//
// Threads: Prepare and Done as EventStore::Write, the others any.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "eventstore/limits.h"
#include "eventstore/log_tree.h"
#include "eventstore/note_key.h"
#include "eventstore/sealed_block.h"
#include "eventstore/tree_rows.h"

namespace stele::eventstore {

// Who signs heads, and how often.
struct HeadSigning {
  std::shared_ptr<const NoteSigner> signer;  // null: nobody
  uint64_t records = kRecordsBetweenHeads;
  int64_t time_us = kTimeBetweenHeadsUs;
};

class TreeWriter {
 public:
  // `newest`: the size of the largest head that there is.
  void Open(ShardId shard, LogFrontier frontier, uint64_t newest, HeadSigning signing);

  void SignWith(HeadSigning signing);

  struct Step {
    std::vector<KeyRow> rows;  // to be written with the block
    LogFrontier after;
    bool head = false;
    TimeUs time;
  };
  // REQUIRES: the block is the next one.
  Step Prepare(const SealedBlock& block) const;
  // The block and the rows are durable.
  void Done(Step step);

  // A head of what is durable, as a row that is to be written; nothing when nobody signs, the log
  // is empty or its newest head is over as many records.
  std::optional<KeyRow> NextHead() const;
  // It is durable.
  void HeadDone(const KeyRow& row);

 private:
  KeyRow HeadOf(const LogFrontier& frontier) const;
  bool IsDue(uint64_t size, TimeUs time) const;

  mutable std::mutex mutex_;
  ShardId shard_;
  HeadSigning signing_;
  LogFrontier frontier_;
  uint64_t newest_ = 0;                // the size of the newest head
  std::optional<TimeUs> newest_time_;  // when it was, by the records; none: not known
};

}  // namespace stele::eventstore
