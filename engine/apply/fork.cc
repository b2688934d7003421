// An instance that begins as another one was.
#include "engine/apply/apply.h"
#include "engine/model/snapshot.h"

namespace stele::apply {

namespace {

// What the origin has under way or has called is not the fork's.
void LetGo(model::StepRun& run) {
  run.child = InstanceId();
  if (run.state != model::RunState::kAttempt) return;
  run.state = model::RunState::kHeld;
  run.deadline = TimeUs();
  ++run.uncounted;
}

}  // namespace

// It is as in a pause until an event of the same record says that it goes on.
void On(Instance& instance, const model::InstanceForked& event, const RecordContext& record) {
  CHECK(instance.status == model::Status::kNone, "instance {} starts twice", instance.id.value);
  CHECK(event.state.has_value(), "instance {} is forked from nothing", instance.id.value);
  const InstanceId id = instance.id;
  instance = model::CopyOf(*event.state);
  instance.id = id;
  instance.seq = Seq();
  instance.started = record.time;
  instance.deadline = event.deadline;
  instance.paused = true;
  instance.queued = event.queued;
  instance.linked = false;
  instance.parent_instance = InstanceId();
  instance.parent_run = RunId();
  instance.business_key = event.business_key;
  instance.idempotency_key = event.idempotency_key;
  instance.trace_parent = event.trace_parent;
  instance.origin = event.origin;
  instance.origin_seq = event.origin_seq;
  instance.ends_origin = event.ends_origin;
  for (model::StepRun& run : instance.runs) LetGo(run);
}

}  // namespace stele::apply
