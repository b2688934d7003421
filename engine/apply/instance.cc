// An instance's life: started, ended.
#include "engine/apply/apply.h"

namespace stele::apply {

namespace {

void End(Instance& instance, model::Status status, const RecordContext& record) {
  CHECK(instance.runs.empty(), "instance {} ends with {} open runs", instance.id.value,
        instance.runs.size());
  instance.status = status;
  instance.ended = record.time;
  instance.paused = instance.queued = false;
  // A failed instance may be retried, within what is left of its deadline, and then undone.
  if (status == model::Status::kFailed) return;
  instance.deadline = TimeUs();
  instance.signals.clear();
  instance.scopes.resize(1);
  model::Scope& root = instance.scopes[0];
  root.undo.clear();
  root.held.clear();
  root.held_steps.clear();
}

}  // namespace

void On(Instance& instance, const model::InstanceStarted& event, const RecordContext& record) {
  CHECK(instance.status == model::Status::kNone, "instance {} starts twice", instance.id.value);
  instance.status = model::Status::kRunning;
  instance.definition = event.definition;
  instance.priority = event.priority;
  instance.started = record.time;
  instance.deadline = event.deadline;
  instance.parent_instance = event.parent_instance;
  instance.parent_run = event.parent_run;
  instance.linked = event.linked;
  instance.paused = event.paused;
  instance.queued = event.queued;
  instance.concurrency_key = event.concurrency_key;
  instance.trace_parent = event.trace_parent;
  instance.input = event.input;
  instance.business_key = event.business_key;
  instance.idempotency_key = event.idempotency_key;
  instance.tags = event.tags;
  model::Scope root;
  root.variables = event.variables;
  instance.scopes.push_back(std::move(root));
}

void On(Instance& instance, const model::InstanceCompleted& event, const RecordContext& record) {
  End(instance, model::Status::kCompleted, record);
  instance.output = event.output;
}

void On(Instance& instance, const model::InstanceFailed& event, const RecordContext& record) {
  End(instance, model::Status::kFailed, record);
  instance.failure = {event.kind, event.message, event.run};
  instance.compensated = event.compensated;
}

void On(Instance& instance, const model::InstanceCancelRequested&, const RecordContext&) {
  instance.queued = false;
}

void On(Instance& instance, const model::InstanceCancelled& event, const RecordContext& record) {
  End(instance, model::Status::kCancelled, record);
  instance.compensated = event.compensated;
}

void On(Instance& instance, const model::InstanceTerminated&, const RecordContext& record) {
  // Nothing is wound up in order: every run ends with the instance.
  instance.runs.clear();
  for (model::Scope& scope : instance.scopes) scope.active = 0;
  End(instance, model::Status::kTerminated, record);
}

}  // namespace stele::apply
