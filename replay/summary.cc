#include "replay/summary.h"

#include <map>

#include "engine/model/codec.h"

namespace stele::replay {

namespace {

struct Counter {
  InstanceSummary& summary;
  TimeUs time;

  void operator()(const model::InstanceStarted& event) const {
    summary.definition = event.definition;
    summary.status = model::Status::kRunning;
    summary.started = time;
    summary.paused = event.paused;
    summary.queued = event.queued;
    summary.priority = event.priority;
    summary.business_key = event.business_key;
    summary.tags = event.tags;
    summary.parent = event.parent_instance;
  }
  void operator()(const model::InstancePaused&) const { summary.paused = true; }
  void operator()(const model::InstanceResumed& event) const {
    if (event.steps == 0) summary.paused = false;
  }
  void operator()(const model::InstanceAdmitted&) const { summary.queued = false; }
  void operator()(const model::InstanceMigrated& event) const {
    summary.definition = event.definition;
  }
  void operator()(const model::InstanceRetryRequested& event) const {
    summary.status = model::Status::kRunning;
    summary.ended = TimeUs();
    summary.queued = event.queued;
  }
  void operator()(const model::InstanceCompleted&) const { End(model::Status::kCompleted); }
  void operator()(const model::InstanceFailed&) const { End(model::Status::kFailed); }
  void operator()(const model::InstanceCancelled&) const { End(model::Status::kCancelled); }
  void operator()(const model::InstanceTerminated&) const { End(model::Status::kTerminated); }
  void operator()(const model::StepCompleted&) const { ++summary.steps_completed; }
  void operator()(const model::CompensationStarted& event) const {
    if (event.scope == ScopeId()) summary.status = model::Status::kCompensating;
  }
  template <class Other>
  void operator()(const Other&) const {}

 private:
  void End(model::Status status) const {
    summary.status = status;
    summary.ended = time;
    summary.paused = summary.queued = false;
  }
};

}  // namespace

Result<std::vector<InstanceSummary>> ListInstances(const eventstore::EventStore& store,
                                                   ShardId shard) {
  auto cursor = store.Read(shard, Position(1));
  if (!cursor.has_value()) return std::unexpected(cursor.error());
  std::map<InstanceId, InstanceSummary> found;
  for (;;) {
    Result<std::optional<eventstore::RecordView>> record = (*cursor)->Next();
    if (!record.has_value()) return std::unexpected(record.error());
    if (!record->has_value()) break;
    const InstanceId id = (*record)->header.instance;
    if (!id) continue;
    InstanceSummary& summary = found[id];
    summary.id = id;
    const Counter counter{summary, (*record)->header.time};
    STELE_RETURN_IF_ERROR(model::DecodeEach(
        (*record)->body, [&](const model::Event& event) { std::visit(counter, event); }));
  }
  std::vector<InstanceSummary> summaries;
  for (const auto& [id, summary] : found) summaries.push_back(summary);
  return summaries;
}

}  // namespace stele::replay
