// What is told about tiering and deletion: docs/retention.md. The calls are EventStore's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ids.h"
#include "eventstore/hash.h"

namespace stele::eventstore {

// A file of the archive with whole blocks of a shard.
struct SegmentInfo {
  std::string file;         // its path
  Position first, last;     // of its records
  TimeUs earliest, latest;  // of its records, those that were cut out included
  uint64_t cut = 0;         // records of it that were cut out
  uint64_t file_bytes = 0;
  uint64_t raw_bytes = 0;  // of its records' frames as they are now, before compression
  Hash hash{};             // of its last block
};

// What one call of EventStore::Archive did.
struct ArchiveReport {
  Position end{1};          // one past the last record of the archive
  uint64_t records = 0;     // that left the hot log
  uint64_t segments = 0;    // that were written, those that grew included
  uint64_t raw_bytes = 0;   // of those segments' frames
  uint64_t file_bytes = 0;  // of those segments
};

// What is to be erased. Notes are the runtime's own, by key.
struct Erasure {
  std::vector<InstanceId> instances;
  std::vector<std::string> notes;
};

// What one call of EventStore::Cut did.
struct CutReport {
  uint64_t instances = 0;  // of which nothing is left, those of a call that was cut off included
  uint64_t records = 0;    // that were cut out
  uint64_t segments = 0;   // that were written anew
};

// What a walk along the whole chain found.
struct ChainReport {
  uint64_t records = 0;   // in all
  uint64_t archived = 0;  // of them in the archive
  uint64_t cut = 0;       // of them with nothing left but their hash
  uint64_t heads = 0;     // signed heads with the roots that the records have
};

}  // namespace stele::eventstore
