// What an export makes of a record. The walks (log_walk.h, instance_walk.h) bring the records, a
// format makes text of them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/model/registry.h"
#include "eventstore/hash.h"
#include "eventstore/record.h"
#include "eventstore/record_tree.h"

namespace stele::replay {

struct ExportedRecord {
  // With its payloads opened, or blanked.
  eventstore::RecordView record;
  // What its instance runs, with its texts; null: it is of the registry, or that is not known.
  const model::RegisteredDefinition* definition = nullptr;
  bool was_sealed = false;
  // Of a walk along the chain: its leaf, and of a block's last record the block's hash.
  const eventstore::Hash* leaf = nullptr;
  const eventstore::Hash* block = nullptr;
};

// Records that were cut out and are known by one node of their block's tree.
struct PurgedRecords {
  Position first;
  eventstore::TreeNode node;
  const eventstore::Hash* block = nullptr;
};

// Used by one thread at a time; a walk has one for each of its threads.
class RecordFormat {
 public:
  virtual ~RecordFormat() = default;
  // Appends what the record is. How many events of it were written.
  virtual Result<uint64_t> Write(const ExportedRecord& record, std::string& out) = 0;
  // A record that is not asked for, in front of one that is.
  virtual Status Skip(const ExportedRecord& record) { return {}; }
  virtual void WritePurged(const PurgedRecords& purged, std::string& out) {}
};

// What an export amounts to.
struct ExportCounts {
  uint64_t records = 0;
  uint64_t events = 0;
  uint64_t purged = 0;  // records that were cut out
};

// Text is collected up to here before it is written.
inline constexpr size_t kPieceBytes = 256u << 10;

// Takes what is written, in order. An error ends the export.
using WriteText = std::function<Status(std::string_view text)>;

}  // namespace stele::replay
