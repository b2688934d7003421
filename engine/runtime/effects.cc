// What a record asks for outside: attempts that start when it is durable, others that nothing waits
// for any more. And what goes on after a restart.
#include <fmt/format.h>

#include <utility>

#include "base/check.h"
#include "engine/runtime/secret_insertion.h"
#include "engine/runtime/shard.h"

namespace stele::runtime {

namespace {

using model::RunState;

// The run whose attempt the event ends, or takes back before its end; 0: none.
RunId EndsAttemptOf(const model::Event& event) {
  if (const auto* completed = std::get_if<model::AttemptCompleted>(&event)) return completed->run;
  if (const auto* failed = std::get_if<model::AttemptFailed>(&event)) return failed->run;
  if (const auto* stopped = std::get_if<model::AttemptInterrupted>(&event)) return stopped->run;
  if (const auto* started = std::get_if<model::AttemptStarted>(&event)) return started->run;
  if (const auto* failed = std::get_if<model::StepFailed>(&event)) return failed->run;
  if (const auto* failing = std::get_if<model::StepFailing>(&event)) return failing->run;
  if (const auto* cancelled = std::get_if<model::StepCancelled>(&event)) return cancelled->run;
  return RunId();
}

}  // namespace

void Shard::CollectEffects(Live& live) {
  const Position position(next_position_.value - 1);
  const auto start = [&](RunId id) {
    const model::StepRun* run = live.instance.FindRun(id);
    if (run == nullptr || run->state != RunState::kAttempt) return;
    if (live.definition->step(run->step).kind != definition::StepKind::kTask) return;
    if (live.dormant) {
      live.not_begun.insert(id);
      return;
    }
    Hold({.position = position,
          .kind = ReleaseKind::kStart,
          .live = &live,
          .attempt = {.run = run->id, .attempt = run->attempt}});
  };
  const bool ended = model::HasEnded(live.instance.status);
  for (const model::Event& event : events_)
    if (const RunId run = EndsAttemptOf(event); run && !ended) TakeBack(live, run);
  if (ended) TakeBackAll(live);
  for (const model::Event& event : events_) {
    if (const auto* activated = std::get_if<model::StepActivated>(&event)) start(activated->run);
    if (const auto* started = std::get_if<model::AttemptStarted>(&event)) start(started->run);
  }
}

// Nothing waits for what the run had under way before this record.
void Shard::TakeBack(Live& live, RunId run) {
  live.not_begun.erase(run);
  if (scheduler_.queued() > 0) scheduler_.Withdraw(live.instance.id, run);
  const auto outside = live.outside.find(run);
  if (outside == live.outside.end()) return;
  Hold({.position = Position(next_position_.value - 1),
        .kind = ReleaseKind::kCancel,
        .live = &live,
        .attempt = outside->second});
  live.outside.erase(outside);
}

void Shard::TakeBackAll(Live& live) {
  live.not_begun.clear();
  while (!live.outside.empty()) TakeBack(live, live.outside.begin()->first);
  if (scheduler_.queued() > 0)
    scheduler_.Withdraw(live.instance.id, [](const tasks::AttemptKey&) { return true; });
}

const StepTask& Shard::TaskOf(const Live& live, StepIndex index) {
  std::vector<StepTask>& known = step_tasks_[live.instance.definition];
  if (known.empty()) {
    for (const definition::Step& step : live.definition->steps) {
      StepTask& task = known.emplace_back();
      if (step.kind != definition::StepKind::kTask) continue;
      // A step may be stubbed by its id, any by its type.
      task.executor = parts_.tasks->Find(fmt::format("step:{}", step.id));
      if (task.executor == nullptr) task.executor = parts_.tasks->Find(step.task_type);
      // What goes on without the engine only waits here.
      const bool works = task.executor == nullptr || !task.executor->outlives_engine();
      task.course = scheduler_.CourseOf(*live.definition, step, works);
    }
  }
  return known[index.value];
}

std::optional<model::InstanceTrace> Shard::TraceOf(const model::Instance& instance) const {
  return model::TraceOf(instance.id, instance.started, instance.trace_parent, options_.trace_ratio);
}

Result<tasks::TaskRequest> Shard::RequestOf(const Live& live, const model::StepRun& run) const {
  const definition::Step& step = live.definition->step(run.step);
  tasks::TaskRequest request{
      .key = {live.instance.id, run.id, run.attempt},
      .task_type = step.task_type,
      .step_id = step.id,
      .definition = live.definition->name,
      .config = run.config.has_value() ? run.config.value() : step.config.source(),
      .timeout_us = step.timeout_us};
  request.input = run.input.has_value() ? run.input.value() : Value(Object());
  if (const auto trace = TraceOf(live.instance))
    request.trace_parent =
        model::TraceParent(model::TraceOfAttempt(*trace, live.instance.id, run.id, run.attempt));
  for (const model::SecretUse& use : run.secrets)
    STELE_RETURN_IF_ERROR(InsertSecret(request, use, *parts_.secrets));
  return request;
}

void Shard::GoOn(Live& live, model::Asker asker) {
  if (!live.dormant) return;
  const InstanceId id = live.instance.id;
  live.dormant = false;
  if (!resumed_) awake_.insert(id);
  Use(live);
  ArmTimer(live);
  const std::set<RunId> not_begun = std::exchange(live.not_begun, {});
  FollowParent(live, asker);
  // The version that it was migrated to has no limit to wait for.
  if (live.instance.queued && !live.definition->concurrency.has_value())
    inbox_.push_back({id, model::AdmitInstance{}, asker.Keep(), nullptr});
  for (const model::StepRun& run : live.instance.runs) {
    const definition::Step& step = live.definition->step(run.step);
    if (step.kind != definition::StepKind::kTask) continue;
    if (run.state == RunState::kHeld) {
      inbox_.push_back({id, model::RestartAttempt{run.id}, asker.Keep(), nullptr});
    } else if (run.state == RunState::kAttempt) {
      const tasks::TaskExecutor* executor = TaskOf(live, run.step).executor;
      const bool repeats = executor != nullptr && executor->repeats_after_crash();
      if (repeats || not_begun.contains(run.id)) {
        Hold({.position = live.instance.position,
              .kind = ReleaseKind::kStart,
              .live = &live,
              .attempt = {.run = run.id, .attempt = run.attempt}});
      } else {
        inbox_.push_back({id,
                          model::InterruptAttempt{run.id, run.attempt, model::Interruption::kCrash},
                          asker.Keep(), nullptr});
      }
    }
  }
  looked_at_.push_back(id);
  Wake();
}

}  // namespace stele::runtime
