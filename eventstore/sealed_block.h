// A block that is ready to be written: numbered, linked to the one before it, compressed.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eventstore/hash.h"
#include "eventstore/log_tree.h"

namespace stele::eventstore {

// Where a shard's log ends.
struct LogTail {
  Position next{1};  // the position of the next record
  Hash hash{};       // of the last block; zero while there is none
  bool operator==(const LogTail&) const = default;
};

// An instance and the first of its events in a record.
struct InstanceSeq {
  InstanceId instance;
  Seq first_seq;
  auto operator<=>(const InstanceSeq&) const = default;
};

// What is stored of a payload key, wrapped (payload_keys.h).
struct KeyRow {
  std::string name;
  std::string value;
};

struct SealedBlock {
  ShardId shard;
  LogTail before;  // before.next is the position of the block's first record
  LogTail after;
  BlockCover cover;                    // of the tree over all records
  TimeUs last_time;                    // of the last record
  size_t raw_bytes = 0;                // of the frames
  std::string value;                   // what is stored
  std::vector<InstanceSeq> instances;  // one a record, in their order
  std::vector<KeyRow> keys;            // written with it: those that its payloads are the first of
};

}  // namespace stele::eventstore
