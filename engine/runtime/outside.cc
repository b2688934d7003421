// Attempts: begun when the scheduler lets them, ended when nothing waits for them any more or when
// their time is over, and what comes back turned into commands.
#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"
#include "engine/model/worker_actor.h"
#include "engine/runtime/shard.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/failure_bounds.h"

namespace stele::runtime {

using model::RunState;

namespace {

// The attempt as it was given to an executor, or null when nobody waits for it any more.
Outside* FindOutside(Live& live, RunId run, uint32_t attempt) {
  const auto found = live.outside.find(run);
  const bool is_it = found != live.outside.end() && found->second.attempt == attempt;
  return is_it ? &found->second : nullptr;
}

tasks::TaskResult Failure(std::string kind, std::string message, bool retryable) {
  tasks::TaskResult result;
  result.outcome =
      std::unexpected(tasks::TaskFailure{std::move(kind), std::move(message), retryable, {}});
  return result;
}

model::Command CommandOf(RunId run, uint32_t attempt, tasks::TaskResult result) {
  if (result.outcome.has_value())
    return model::CompleteAttempt{run, attempt, *std::move(result.outcome),
                                  std::move(result.log.text), result.log.truncated};
  tasks::TaskFailure& failure = result.outcome.error();
  return model::FailAttempt{run,
                            attempt,
                            std::move(failure.kind),
                            std::move(failure.message),
                            failure.retryable,
                            std::move(failure.details),
                            std::move(result.log.text),
                            result.log.truncated};
}

}  // namespace

void Shard::StartAttempt(Live& live, const Outside& attempt) {
  const InstanceId id = live.instance.id;
  const model::StepRun* run = live.instance.FindRun(attempt.run);
  // What was decided since may have taken the attempt back.
  if (run == nullptr || run->state != RunState::kAttempt || run->attempt != attempt.attempt) return;
  const StepTask& task = TaskOf(live, run->step);
  if (FindOutside(live, attempt.run, attempt.attempt) != nullptr) return;
  if (draining_) {
    // What goes on without the engine is started again as it is.
    if (task.executor != nullptr && task.executor->outlives_engine()) return;
    inbox_.push_back(
        {id,
         model::InterruptAttempt{attempt.run, attempt.attempt, model::Interruption::kShutdown},
         {},
         nullptr});
    return Wake();
  }
  if (scheduler_.BeginsAtOnce(*task.course)) return Begin(live, *run, task);
  scheduler_.Enqueue(*task.course, {id, run->id, run->attempt}, live.instance.priority,
                     run->concurrency_key);
  BeginQueued();
}

// The scheduler has counted it.
void Shard::Begin(Live& live, const model::StepRun& run, const StepTask& task) {
  const InstanceId id = live.instance.id;
  Outside outside{run.id, run.attempt, task.executor, task.course, TimeUs()};
  const definition::Step& step = live.definition->step(run.step);
  const auto fail = [&](std::string kind, std::string message) {
    outside.executor = nullptr;
    live.outside.insert_or_assign(outside.run, outside);
    AttemptEnded(id, outside.run, outside.attempt,
                 Failure(std::move(kind), std::move(message), false));
  };
  if (task.executor == nullptr)
    return fail("unavailable",
                fmt::format("Expected an executor for \"{}\" but found none", step.task_type));
  Result<tasks::TaskRequest> request = RequestOf(live, run);
  if (!request.has_value()) return fail("config", request.error().message);
  if (step.timeout_us > 0) {
    // What goes on without the engine does not keep the time itself.
    const int64_t grace = task.executor->outlives_engine() ? 0 : options_.timeout_grace_us;
    outside.deadline = ReadClock().Plus(step.timeout_us + grace);
    deadlines_.emplace(outside.deadline, request->key);
  }
  live.outside.insert_or_assign(outside.run, outside);
  task.executor->Start(*std::move(request), [this, id, key = outside.run,
                                             attempt = outside.attempt](tasks::TaskResult result) {
    AttemptEnded(id, key, attempt, std::move(result));
  });
}

void Shard::BeginQueued() {
  if (beginning_queued_ || draining_ || failed_ || scheduler_.queued() == 0) return;
  beginning_queued_ = true;
  const TimeUs now = ReadClock();
  while (const std::optional<tasks::AttemptKey> next = scheduler_.Next(now)) {
    // It may have left memory while it waited. What took its attempt back took it from the queue.
    const Result<Live*> found = Load(next->instance);
    if (!found.has_value()) {
      Failed(found.error());
      break;
    }
    Live& live = **found;
    Use(live);
    const model::StepRun* run = live.instance.FindRun(next->run);
    CHECK(run != nullptr && run->state == RunState::kAttempt && run->attempt == next->attempt,
          "attempt {} waited but is not under way", next->ToString());
    looked_at_.push_back(next->instance);
    Begin(live, *run, TaskOf(live, run->step));
  }
  beginning_queued_ = false;
  Wake();
}

void Shard::Uncount(InstanceId instance, const Outside& attempt) {
  const tasks::AttemptKey key{instance, attempt.run, attempt.attempt};
  if (attempt.deadline) deadlines_.erase({attempt.deadline, key});
  if (attempt.course == nullptr) return;
  scheduler_.Ended(*attempt.course, key);
  BeginQueued();
}

void Shard::AttemptEnded(InstanceId id, RunId run, uint32_t attempt, tasks::TaskResult result) {
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  Live& live = *found->second;
  const Outside* outside = FindOutside(live, run, attempt);
  // Nobody waits for it any more; cancelling it uncounts it.
  if (outside == nullptr) return;
  const Outside ended = *outside;
  live.outside.erase(run);
  ++live.results;
  model::KeptAsker asker{model::WorkerActor(result.worker), {}};
  if (result.outcome.has_value() && result.outcome->text().size() > options_.max_output_bytes)
    result = Failure("output_limit",
                     fmt::format("Expected an output of at most {} bytes but found {} "
                                 "(max_output_bytes)",
                                 options_.max_output_bytes, result.outcome->text().size()),
                     false);
  if (!result.outcome.has_value())
    tasks::BoundFailure(result.outcome.error(), options_.max_output_bytes);
  if (result.log.text.size() > options_.max_log_bytes)
    result.log = {tasks::KeepEnds(result.log.text, options_.max_log_bytes), true};
  inbox_.push_back(
      {id, CommandOf(run, attempt, std::move(result)), std::move(asker), nullptr, true});
  Wake();
  Uncount(id, ended);
}

void Shard::CancelOutside(const Outside& attempt, InstanceId instance,
                          std::function<void()> stopped) {
  ++cancelling_;
  // After a failed write the shard may go before the attempt is over.
  const auto uncount = [this, alive = std::weak_ptr(alive_), attempt, instance,
                        stopped = std::move(stopped)] {
    if (alive.expired()) return;
    --cancelling_;
    Uncount(instance, attempt);
    stopped();
    if (stopping_) Wake();
  };
  if (attempt.executor == nullptr) return uncount();
  attempt.executor->Cancel({instance, attempt.run, attempt.attempt}, uncount);
}

void Shard::ElapseDeadlines(TimeUs now) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const tasks::AttemptKey key = deadlines_.begin()->second;
    deadlines_.erase(deadlines_.begin());
    const auto found = live_.find(key.instance);
    if (found == live_.end()) continue;
    const Outside* outside = FindOutside(*found->second, key.run, key.attempt);
    if (outside == nullptr) continue;
    // Its next attempt must not begin before nothing of this one runs any more.
    ++cancelling_;
    outside->executor->Cancel(key, [this, alive = std::weak_ptr(alive_), key] {
      if (alive.expired()) return;
      --cancelling_;
      if (stopping_) Wake();
      AttemptEnded(key.instance, key.run, key.attempt,
                   Failure("timeout", "The step's timeout has elapsed", true));
    });
  }
}

// An orderly stop: what waits begins after the next start, and nobody counts it as an attempt.
void Shard::StopQueued() {
  for (const tasks::AttemptKey& attempt : scheduler_.TakeAll()) {
    const Result<Live*> live = Load(attempt.instance);
    if (!live.has_value()) return Failed(live.error());
    looked_at_.push_back(attempt.instance);
    StartAttempt(**live, {attempt.run, attempt.attempt, nullptr, nullptr, TimeUs()});
  }
}

TimeUs Shard::NextOutsideMoment() const {
  const TimeUs rate = scheduler_.queued() == 0 ? TimeUs() : scheduler_.NextMoment();
  const TimeUs deadline = deadlines_.empty() ? TimeUs() : deadlines_.begin()->first;
  if (!rate || !deadline) return rate ? rate : deadline;
  return std::min(rate, deadline);
}

}  // namespace stele::runtime
