#include "replay/regression/regression.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "eventstore/for_each_record.h"
#include "replay/history.h"
#include "replay/regression/worker.h"

namespace stele::replay {

namespace {

using eventstore::RecordView;

constexpr uint64_t kProgressRecords = 10'000;

// The workers, and the records that are collected for each.
class Crew {
 public:
  Crew(const model::Registry& registry, const RegressionOptions& options,
       const RedeciderOptions& deciding)
      : batches_(options.jobs) {
    CHECK(options.jobs > 0, "nobody decides");
    for (unsigned i = 0; i < options.jobs; ++i)
      workers_.push_back(std::make_unique<RegressionWorker>(registry, options.changed, deciding));
  }

  size_t size() const { return workers_.size(); }
  // False: a worker has failed. All records of an instance go to one of them.
  bool Give(size_t worker, const RecordView& record) {
    RecordBatch& batch = batches_[worker];
    batch.Add(record);
    if (batch.bytes() < kBatchBytes && batch.size() < kBatchRecords) return true;
    return workers_[worker]->Put(std::exchange(batch, {}));
  }
  Result<RegressionReport> Finish() {
    for (size_t i = 0; i < workers_.size(); ++i)
      if (!batches_[i].empty()) workers_[i]->Put(std::move(batches_[i]));
    RegressionReport all;
    Status status;
    for (const auto& worker : workers_) {
      Result<RegressionReport> report = worker->Finish();
      if (report.has_value()) {
        all.Merge(*std::move(report));
      } else if (status.has_value()) {
        status = std::unexpected(report.error());
      }
    }
    if (!status.has_value()) return std::unexpected(status.error());
    return all;
  }

 private:
  std::vector<std::unique_ptr<RegressionWorker>> workers_;
  std::vector<RecordBatch> batches_;
};

// Instances and those that they call may follow each other by turns: their numbers are mixed
// (Knuth's multiplicative hashing).
size_t ShareOf(InstanceId instance, size_t workers) {
  return ((instance.value * 0x9E3779B97F4A7C15u) >> 32) % workers;
}

RedeciderOptions Deciding(const RegressionOptions& options) {
  return {.follows = [changed = options.changed](
                         InstanceId id, const model::RegisteredDefinition& runs) -> Result<bool> {
    if (changed != nullptr && runs.name != changed->name) return false;
    STELE_RETURN_IF_ERROR(CheckMayBeRead(runs, id));
    return true;
  }};
}

Result<RegressionReport> FinishAfter(const Status& read, Crew& crew) {
  Result<RegressionReport> report = crew.Finish();
  if (!read.has_value()) return std::unexpected(read.error());
  return report;
}

}  // namespace

Result<RegressionReport> ReplayLog(const eventstore::EventStore& store, ShardId shard,
                                   const RegressionOptions& options,
                                   const std::vector<InstanceRange>* instances,
                                   const RegressionProgress& progress) {
  const Result<model::Registry> registry = ReadRegistry(store, shard);
  if (!registry.has_value()) return std::unexpected(registry.error());
  const StoreSource source(store, shard);
  if (instances != nullptr && CountOf(*instances) < kReadOneByOne)
    return ReplayInstances(source, *registry, InstancesIn(*instances), options, progress);

  RedeciderOptions deciding = Deciding(options);
  deciding.source = &source;
  deciding.is_erased = [&](InstanceId id) { return store.KeyDestroyed(shard, id); };
  Crew crew(*registry, options, deciding);
  const uint64_t end = store.NextPosition(shard).value;
  const auto take = [&](const RecordView& record) -> Result<bool> {
    if (progress && record.position.value % kProgressRecords == 0)
      STELE_RETURN_IF_ERROR(progress(record.position.value, end - 1));
    const InstanceId id = record.header.instance;
    if (!id || (instances != nullptr && !Contains(*instances, id))) return true;
    return crew.Give(ShareOf(id, crew.size()), record);
  };
  return FinishAfter(eventstore::ForEachRecord(store.Read(shard, Position(1)), take), crew);
}

Result<RegressionReport> ReplayInstances(const Source& source, const model::Registry& registry,
                                         std::span<const InstanceId> instances,
                                         const RegressionOptions& options,
                                         const RegressionProgress& progress) {
  RedeciderOptions deciding = Deciding(options);
  deciding.keeps_ended = true;
  Crew crew(registry, options, deciding);
  Status read;
  RegressionReport cut;  // instances that are in no log any more
  for (size_t i = 0; i < instances.size() && read.has_value(); ++i) {
    bool goes_on = true;
    const auto take = [&](const RecordView& record) -> Result<bool> {
      goes_on = crew.Give(i % crew.size(), record);
      return goes_on;
    };
    read = eventstore::ForEachRecord(source.Records(instances[i]), take);
    if (!read.has_value() && read.error().code == ErrorCode::kInstanceErased) {
      ++cut.instances;
      ++cut.erased;
      read = Status();
    }
    if (!goes_on) break;
    if (progress && read.has_value()) read = progress(i + 1, instances.size());
  }
  Result<RegressionReport> report = FinishAfter(read, crew);
  if (report.has_value()) report->Merge(std::move(cut));
  return report;
}

}  // namespace stele::replay
