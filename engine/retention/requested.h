// What somebody asks of retention: instances by number and by subject, what is archived up to
// where. The program asks so of a data directory, and a server for its clients.
//
// Thread: the service's, where not said otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/retention/service.h"

namespace stele::retention {

// With all that they called.
struct Requested {
  std::vector<InstanceId> instances;
  std::string subject;  // and those with this business key, or with the tag `subject:` KEY
  std::string reason;
  model::KeptAsker asker;  // no actor: the service's own
  bool empty() const { return instances.empty() && subject.empty(); }
};

// Purges these, or what is due when nobody is named; nothing of it stays in the files of views.
// `dry`: says what would go. kUnknownInstance: none has the subject.
Result<RetentionReport> Retain(RetentionService& service, const Requested& requested, bool dry);

// Destroys the keys of these, and of all messages whose correlation key is the subject.
// kUnknownInstance: there is nothing of that subject; kUnsupported: the log is not encrypted.
Result<ErasureReport> Erase(RetentionService& service, const Requested& requested);

// What is to leave the hot log: all, without either of the two.
struct ArchiveRange {
  std::optional<TimeUs> before;        // what was recorded before
  std::optional<uint64_t> keep_bytes;  // what does not fit into so many
};
// One past the last record of it. Thread: any, none that must not wait for a disk.
Result<Position> EndOf(const eventstore::EventStore& store, ShardId shard,
                       const ArchiveRange& range);

}  // namespace stele::retention
