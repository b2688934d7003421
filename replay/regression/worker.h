// One of the threads that decide: takes batches of records, keeps a report of its own.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "replay/regression/bounded_queue.h"
#include "replay/regression/changed_definition.h"
#include "replay/regression/description.h"
#include "replay/regression/record_batch.h"
#include "replay/regression/report.h"

namespace stele::replay {

class RegressionWorker {
 public:
  // REQUIRES: what the options refer to, and the registry, outlive it, and may be read beside
  // others. `changed` may be null.
  RegressionWorker(const model::Registry& registry,
                   std::shared_ptr<const definition::Definition> changed, RedeciderOptions options);
  ~RegressionWorker();
  RegressionWorker(const RegressionWorker&) = delete;

  // False: it has failed, and takes no more.
  bool Put(RecordBatch batch) { return queue_.Put(std::move(batch)); }
  // Waits until it has decided what it was given. Once.
  Result<RegressionReport> Finish();

 private:
  void Run();
  Status Take(const eventstore::RecordView& record);
  void Count(const eventstore::RecordView& record, const Redecision& decision);
  void NoteAsked(const eventstore::RecordView& record, const Redecision& decision);

  std::unique_ptr<ChangedDefinition> changed_;  // null: each its own
  const bool keeps_ended_;
  Redecider redecider_;
  Describer describer_;
  RegressionReport report_;
  // Of followed instances: the steps that are asked something else.
  std::map<InstanceId, std::set<StepIndex>> asked_;
  InstanceId last_;
  Status status_;
  BoundedQueue<RecordBatch> queue_;
  std::thread thread_;  // the last member: it uses the others
};

}  // namespace stele::replay
