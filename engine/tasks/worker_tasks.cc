// The tasks of a pool: queued, handed out, answered, lost.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/timeout.h"
#include "engine/tasks/worker_pool_parts.h"

namespace stele::tasks {

class WorkerExecutor final : public TaskExecutor {
 public:
  WorkerExecutor(std::shared_ptr<WorkerPool> pool, WorkerPool::Rules rules)
      : pool_(std::move(pool)), rules_(std::move(rules)) {}

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override {
    if (const auto faults = FaultsOf(request.config, true); !faults.empty()) {
      std::string message = Redactor(request.secrets).Text(JoinFaults(faults));
      return done(
          {std::unexpected(TaskFailure{"config", std::move(message), false, {}}), TaskLog()});
    }
    if (rules_.timeout_us)
      request.timeout_us = ShorterTimeout(request.timeout_us, rules_.timeout_us(request.config));
    pool_->Start(std::move(request), std::move(done));
  }
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override {
    pool_->Cancel(key, std::move(stopped));
  }
  bool repeats_after_crash() const override { return true; }
  bool outlives_engine() const override { return true; }
  std::vector<std::string> CheckConfig(const Value& config) const override {
    return FaultsOf(config, false);
  }

 private:
  std::vector<std::string> FaultsOf(const Value& config, bool rendered) const {
    return rules_.check ? rules_.check(config, rendered) : std::vector<std::string>();
  }

  std::shared_ptr<WorkerPool> pool_;
  WorkerPool::Rules rules_;
};

std::unique_ptr<TaskExecutor> WorkerPool::MakeExecutor(std::shared_ptr<WorkerPool> pool,
                                                       Rules rules) {
  return std::make_unique<WorkerExecutor>(std::move(pool), std::move(rules));
}

bool WorkerPool::Serves(const TaskExecutor* executor) {
  return dynamic_cast<const WorkerExecutor*>(executor) != nullptr;
}

// ---- Tasks ----

void WorkerPool::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  if (closed_) return;
  CHECK(!tasks_.contains(request.key), "attempt {} runs already", request.key.ToString());
  const int64_t timeout_us = request.timeout_us;
  auto made = std::make_unique<Task>(std::move(request), std::move(done), options_.max_log_bytes);
  Task& task = *made;
  tasks_.emplace(task.key, std::move(made));
  if (timeout_us > 0) {
    task.deadline = clock_->Now().Plus(timeout_us);
    deadlines_.emplace(task.deadline, task.key);
    SetTimer();
  }
  task.order = ++last_order_;
  TypeQueue& queue = QueueOf(task.type);
  queue.waiting.emplace(task.order, &task);
  Dispatch(queue);
  TellWaiting(queue);
}

void WorkerPool::TellWaiting(TypeQueue& queue) {
  const bool waits = !queue.waiting.empty() && queue.workers == 0 && queue.expected == 0;
  if (!waits || std::exchange(queue.told_waiting, true)) return;
  if (options_.on_waiting) options_.on_waiting(queue.waiting.begin()->second->type);
}

void WorkerPool::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  const auto found = tasks_.find(key);
  if (found == tasks_.end()) return stopped();
  Task& task = *found->second;
  const bool was_over = task.IsOver();
  task.stopped.push_back(std::move(stopped));
  if (!was_over) StopTask(task, "Nobody waits for the task any more");
}

void WorkerPool::StopTask(Task& task, std::string_view reason) {
  if (!task.lease) return FinishStopped(task);
  SetDue(task, options_.cancel_grace_us);
  task.member->worker->OnCancel(task.lease, reason);
}

void WorkerPool::FinishStopped(Task& task) {
  TaskResult result;
  result.outcome = std::unexpected(
      TaskFailure{"timeout", "Expected an answer within the timeout but found none", true, {}});
  task.log.Append(task.log_redactor.Finish());
  result.log = {task.log.ToString(), task.log.truncated()};
  Finish(task, std::move(result));
}

void WorkerPool::Dispatch(TypeQueue& queue) {
  // A worker may answer at once, and a new task come from that: the loop outside sees it.
  if (held_ || std::exchange(queue.dispatching, true)) return;
  while (!queue.waiting.empty() && !queue.free.empty())
    HandOut(*queue.waiting.begin()->second, *workers_.at(queue.free.begin()->second));
  queue.dispatching = false;
}

void WorkerPool::DispatchAll(WorkerId worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  const std::vector<std::string> types = found->second->joining.types;
  while (!held_) {
    TypeQueue* oldest = nullptr;
    for (const std::string& type : types) {
      TypeQueue& queue = QueueOf(type);
      if (queue.dispatching || queue.waiting.empty() || queue.free.empty()) continue;
      if (oldest == nullptr || queue.waiting.begin()->first < oldest->waiting.begin()->first)
        oldest = &queue;
    }
    if (oldest == nullptr) return;
    oldest->dispatching = true;
    HandOut(*oldest->waiting.begin()->second, *workers_.at(oldest->free.begin()->second));
    oldest->dispatching = false;
  }
}

void WorkerPool::HandOut(Task& task, Member& member) {
  TypeQueue& queue = QueueOf(task.type);
  queue.waiting.erase(task.order);
  ++queue.leased;
  ++handed_out_;
  last_lease_ = last_lease_.Next();
  task.lease = last_lease_;
  task.member = &member;
  task.detail.clear();
  leases_.emplace(task.lease, &task);
  member.held.insert(task.lease);
  member.pace.Count(clock_->Now());
  Rank(member, true);
  SetDue(task, member.LeaseUs());
  // What is over already is ended by the runtime in a moment.
  const int64_t left_us =
      task.deadline ? std::max<int64_t>(task.deadline.value - clock_->Now().value, 1) : 0;
  member.worker->OnTask({task.lease, task.key, task.type, task.definition, task.step, task.config,
                         task.input, task.secrets, task.trace_parent, left_us,
                         member.joining.lease_us});
}

WorkerPool::Member& WorkerPool::Unlease(Task& task) {
  Member& member = *task.member;
  SetDue(task, 0);
  leases_.erase(task.lease);
  member.held.erase(task.lease);
  --QueueOf(task.type).leased;
  task.lease = LeaseId();
  task.member = nullptr;
  return member;
}

void WorkerPool::Finish(Task& task, TaskResult result) {
  WorkerId worker;
  if (task.lease) {
    Member& member = Unlease(task);
    worker = member.id;
    Rank(member, false);
  } else {
    QueueOf(task.type).waiting.erase(task.order);
  }
  if (task.deadline) deadlines_.erase({task.deadline, task.key});
  const auto ended = tasks_.extract(task.key);
  if (task.stopped.empty()) {
    task.done(std::move(result));
  } else {
    for (const auto& stopped : task.stopped) stopped();
  }
  DispatchAll(worker);
  LeaveIfIdle(worker);
}

void WorkerPool::Lost(Task& task, const Member& member, std::string_view reason) {
  ++lost_;
  if (task.IsOver()) return FinishStopped(task);
  const std::string sentence =
      fmt::format("worker \"{}\" was lost: {}", member.joining.name, reason);
  task.log.Append(task.log_redactor.Push(sentence + "\n"));
  TypeQueue& queue = QueueOf(task.type);
  if (++task.losses < options_.max_losses) {
    queue.waiting.emplace(task.order, &task);
    Dispatch(queue);
    return TellWaiting(queue);
  }
  Object details{{"worker", member.joining.name}, {"losses", static_cast<int64_t>(task.losses)}};
  if (!task.detail.empty()) details.Set("detail", task.detail);
  Answer(
      task,
      std::unexpected(TaskFailure{
          "worker_lost",
          fmt::format("Expected an answer but the {} of {} workers that had it, \"{}\", was "
                      "lost: {}",
                      task.losses == 1 ? "only" : "last", task.losses, member.joining.name, reason),
          true, Payload::FromValue(details)}),
      "", member.joining.name);
}

// ---- What workers say ----

Result<WorkerPool::Task*> WorkerPool::Held(WorkerId worker, LeaseId lease, bool answers) {
  if (closed_)
    return Fail(ErrorCode::kStaleAttempt, "The engine is stopping: the task comes again");
  const auto member = workers_.find(worker);
  if (member == workers_.end())
    return Fail(ErrorCode::kStaleAttempt,
                "Expected a worker that has joined but found one that has left or was lost");
  if (const auto found = leases_.find(lease);
      found != leases_.end() && found->second->member == member->second.get()) {
    member->second->heard = true;
    return found->second;
  }
  const std::string sentence = fmt::format(
      "Expected a lease of worker \"{}\" but found {}, which has ended or was never its "
      "own",
      member->second->joining.name, lease.value);
  if (answers && member->second->overdue.erase(lease) > 0) {
    Rank(*member->second, false);
    DispatchAll(worker);
    LeaveIfIdle(worker);
  }
  return Fail(ErrorCode::kStaleAttempt, sentence);
}

Status WorkerPool::Heartbeat(WorkerId worker, LeaseId lease, std::string_view detail) {
  const Result<Task*> held = Held(worker, lease, false);
  if (!held.has_value()) return std::unexpected(held.error());
  Task& task = **held;
  if (task.IsOver())
    return Fail(ErrorCode::kStaleAttempt,
                "Expected a task that is waited for but found one that was cancelled");
  if (!detail.empty())
    task.detail = std::string(Head(task.redactor.Text(detail), kMaxWorkerTextBytes));
  SetDue(task, task.member->joining.lease_us);
  return {};
}

Status WorkerPool::Log(WorkerId worker, LeaseId lease, std::string_view text) {
  const Result<Task*> held = Held(worker, lease, false);
  if (!held.has_value()) return std::unexpected(held.error());
  (*held)->log.Append((*held)->log_redactor.Push(text));
  return {};
}

Status WorkerPool::Complete(WorkerId worker, LeaseId lease, Value output, std::string_view log) {
  const Result<Task*> held = Held(worker, lease, true);
  if (!held.has_value()) return std::unexpected(held.error());
  if (output.is_object()) {
    Answer(**held, std::move(output), log, NameOf(worker));
  } else {
    Answer(**held,
           std::unexpected(TaskFailure{"outputs",
                                       fmt::format("Expected an object as the output but found {}",
                                                   KindName(output.kind())),
                                       false,
                                       {}}),
           log, NameOf(worker));
  }
  return {};
}

Status WorkerPool::FailTask(WorkerId worker, LeaseId lease, TaskFailure failure,
                            std::string_view log) {
  const Result<Task*> held = Held(worker, lease, true);
  if (!held.has_value()) return std::unexpected(held.error());
  if (failure.kind.empty()) failure.kind = "worker";
  Answer(**held, std::unexpected(std::move(failure)), log, NameOf(worker));
  return {};
}

Status WorkerPool::Return(WorkerId worker, LeaseId lease) {
  const Result<Task*> held = Held(worker, lease, true);
  if (!held.has_value()) return std::unexpected(held.error());
  Task& task = **held;
  if (task.IsOver()) {
    FinishStopped(task);
    return {};
  }
  Rank(Unlease(task), false);
  TypeQueue& queue = QueueOf(task.type);
  queue.waiting.emplace(task.order, &task);
  Dispatch(queue);
  TellWaiting(queue);
  DispatchAll(worker);
  LeaveIfIdle(worker);
  return {};
}

const std::string& WorkerPool::NameOf(WorkerId worker) const {
  return workers_.at(worker)->joining.name;
}

void WorkerPool::Answer(Task& task, std::expected<Value, TaskFailure> outcome, std::string_view log,
                        const std::string& worker) {
  if (task.IsOver()) return FinishStopped(task);
  task.log.Append(task.log_redactor.Push(log));
  task.log.Append(task.log_redactor.Finish());
  TaskResult result;
  result.log = {task.log.ToString(), task.log.truncated()};
  result.worker = worker;
  if (outcome.has_value()) {
    result.outcome = Payload::FromValue(task.redactor.Redact(*std::move(outcome)));
  } else {
    TaskFailure& failure = outcome.error();
    failure.kind = task.redactor.Text(failure.kind);
    failure.message = task.redactor.Text(failure.message);
    if (failure.details.has_value())
      failure.details = Payload::FromValue(task.redactor.Redact(failure.details.value()));
    result.outcome = std::unexpected(std::move(failure));
  }
  Finish(task, std::move(result));
}

}  // namespace stele::tasks
