// Regression replay: recorded causes decided again by this build, or with a changed definition, and
// what follows compared with what is recorded. What a team runs before it deploys either.
//
// One thread reads, `jobs` others decide, each the instances whose numbers leave its remainder. The
// memory is that of the instances which are open at once, and of a bounded number of records on
// their way. An instance is looked at up to where it first parts from its history.
//
// Thread: one at a time. Errors: those of the log; kReplayMismatch, the log lacks records;
// kForbidden, an instance runs a definition that may not be read.
#pragma once

#include <functional>
#include <memory>
#include <span>

#include "base/instance_ranges.h"
#include "replay/redecide.h"
#include "replay/regression/report.h"

namespace stele::replay {

// Records that are on their way to one thread at most, in batches of about so many bytes.
inline constexpr size_t kQueuedBatches = 8;
inline constexpr size_t kBatchBytes = 128u << 10;
inline constexpr size_t kBatchRecords = 512;
// Fewer instances are read one by one, more of them by going through the whole log.
inline constexpr size_t kReadOneByOne = 1'000;

struct RegressionOptions {
  // Decides the instances of the definition of its name, and no others; null: each instance with
  // its own.
  std::shared_ptr<const definition::Definition> changed = nullptr;
  unsigned jobs = 1;  // threads that decide; not 0
};

// Told now and then how far it is: of the log's records, or of the instances. An error ends it.
using RegressionProgress = std::function<Status(uint64_t done, uint64_t all)>;

// A log from its begin to its end; with `instances`, in order, those alone.
Result<RegressionReport> ReplayLog(const eventstore::EventStore& store, ShardId shard,
                                   const RegressionOptions& options,
                                   const std::vector<InstanceRange>* instances = nullptr,
                                   const RegressionProgress& progress = nullptr);

// Instances, one after another, from whoever has their records. `source` is asked by the caller's
// thread alone.
Result<RegressionReport> ReplayInstances(const Source& source, const model::Registry& registry,
                                         std::span<const InstanceId> instances,
                                         const RegressionOptions& options,
                                         const RegressionProgress& progress = nullptr);

}  // namespace stele::replay
