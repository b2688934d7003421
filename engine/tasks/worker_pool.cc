#include "engine/tasks/worker_pool.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/tasks/worker_pool_parts.h"

namespace stele::tasks {

WorkerPool::WorkerPool(uv_loop_t* loop, const Clock* clock, WorkerPoolOptions options)
    : clock_(clock), options_(std::move(options)), timer_(MakeTimer(loop, this)) {}

WorkerPool::~WorkerPool() = default;

WorkerPool::TypeQueue& WorkerPool::QueueOf(std::string_view type) {
  const auto found = types_.find(type);
  if (found != types_.end()) return *found->second;
  return *types_.emplace(type, std::make_unique<TypeQueue>()).first->second;
}

WorkerId WorkerPool::Join(Joining joining, Worker* worker) {
  last_worker_ = last_worker_.Next();
  auto member = std::make_unique<Member>();
  member->id = last_worker_;
  member->joining = std::move(joining);
  member->joining.name = std::string(Head(member->joining.name, kMaxWorkerTextBytes));
  std::ranges::sort(member->joining.types);
  const auto doubles = std::ranges::unique(member->joining.types);
  member->joining.types.erase(doubles.begin(), doubles.end());
  member->worker = worker;
  member->pace.Set(member->joining.rate);
  for (const std::string& type : member->joining.types) {
    TypeQueue& queue = QueueOf(type);
    ++queue.workers;
    queue.told_waiting = false;
  }
  Member& joined = *workers_.emplace(last_worker_, std::move(member)).first->second;
  Rank(joined, true);
  const WorkerId id = joined.id;
  DispatchAll(id);
  return id;
}

void WorkerPool::SetSlots(WorkerId worker, uint32_t slots) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  found->second->joining.slots = slots;
  Rank(*found->second, false);
  DispatchAll(worker);
}

void WorkerPool::SetRate(WorkerId worker, double rate) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  found->second->joining.rate = rate;
  found->second->pace.Set(rate);
  Rank(*found->second, false);
  DispatchAll(worker);
}

void WorkerPool::Leave(WorkerId worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || found->second->leaving) return;
  found->second->leaving = true;
  for (const std::string& type : found->second->joining.types) --QueueOf(type).workers;
  Rank(*found->second, false);
  LeaveIfIdle(worker);
}

void WorkerPool::LeaveIfIdle(WorkerId worker) {
  const auto found = workers_.find(worker);
  if (found == workers_.end() || !found->second->leaving) return;
  if (!found->second->held.empty() || !found->second->overdue.empty()) return;
  const auto gone = workers_.extract(found);
  gone.mapped()->worker->OnLeft();
}

void WorkerPool::Lose(WorkerId worker, std::string_view reason) {
  const auto found = workers_.find(worker);
  if (found == workers_.end()) return;
  Member& member = *found->second;
  if (!member.leaving)
    for (const std::string& type : member.joining.types) --QueueOf(type).workers;
  member.leaving = true;
  Rank(member, false);
  const auto gone = workers_.extract(found);
  while (!member.held.empty()) {
    Task& task = *leases_.at(*member.held.begin());
    Unlease(task);
    Lost(task, member, reason);
  }
}

void WorkerPool::Rank(Member& member, bool is_its_turn_over) {
  const std::pair before(member.turn, member.id);
  if (is_its_turn_over) member.turn = ++last_turn_;
  bool is_free = member.HasSlot();
  if (member.paced) paced_.erase({std::exchange(member.paced, TimeUs()), member.id});
  if (is_free && member.joining.rate > 0) {
    const TimeUs next = member.pace.Next();
    is_free = next <= clock_->Now();
    if (!is_free) {
      member.paced = next;
      paced_.emplace(next, member.id);
      SetTimer();
    }
  }
  for (const std::string& type : member.joining.types) {
    TypeQueue& queue = QueueOf(type);
    queue.free.erase(before);
    if (is_free) queue.free.emplace(member.turn, member.id);
  }
}

void WorkerPool::Expect(const std::vector<std::string>& types, bool expected) {
  for (const std::string& type : types) {
    size_t& count = QueueOf(type).expected;
    count = expected ? count + 1 : count - 1;
  }
}

bool WorkerPool::HasWorker(std::string_view type) const {
  const auto found = types_.find(type);
  return found != types_.end() && found->second->workers > 0;
}

bool WorkerPool::MayRun(std::string_view type) const {
  const auto found = types_.find(type);
  return found != types_.end() && (found->second->workers > 0 || found->second->expected > 0);
}

// ---- Time, the end, figures ----

void WorkerPool::SetDue(Task& task, int64_t after_us) {
  if (task.due) due_.erase({task.due, task.lease});
  task.due = after_us > 0 ? clock_->Now().Plus(after_us) : TimeUs();
  if (task.due) due_.emplace(task.due, task.lease);
  SetTimer();
}

void WorkerPool::SetTimer() {
  TimeUs next(INT64_MAX);
  if (!due_.empty()) next = std::min(next, due_.begin()->first);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!paced_.empty()) next = std::min(next, paced_.begin()->first);
  if (next == TimeUs(INT64_MAX)) {
    wakes_ = TimeUs();
    uv_timer_stop(timer_.get());
    return;
  }
  if (wakes_ && wakes_ <= next) return;
  wakes_ = next;
  uv_timer_start(
      timer_.get(),
      [](uv_timer_t* timer) {
        auto* pool = static_cast<WorkerPool*>(timer->data);
        pool->wakes_ = TimeUs();
        pool->ElapseTimers();
      },
      ToTimerMs(next.value - clock_->Now().value), 0);
}

void WorkerPool::ElapseTimers() {
  const TimeUs now = clock_->Now();
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    Task& task = *tasks_.at(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    if (task.IsOver()) continue;
    task.timed_out = true;
    StopTask(task, "The timeout has elapsed");
  }
  while (!due_.empty() && due_.begin()->first <= now) {
    const LeaseId lease = due_.begin()->second;
    Task& task = *leases_.at(lease);
    const std::string reason =
        !task.IsOver() ? "it did not renew its lease in time" : "it did not stop in time";
    Member& member = Unlease(task);
    const WorkerId worker = member.id;
    member.overdue.insert(lease);
    Lost(task, member, reason);
    if (workers_.contains(worker)) member.worker->OnLeaseEnded(lease, reason);
  }
  while (!paced_.empty() && paced_.begin()->first <= now) {
    const WorkerId worker = paced_.begin()->second;
    Rank(*workers_.at(worker), false);
    DispatchAll(worker);
  }
  SetTimer();
}

void WorkerPool::Close() {
  closed_ = held_ = true;
  leases_.clear();
  due_.clear();
  deadlines_.clear();
  paced_.clear();
  for (auto& [id, member] : workers_) member->paced = TimeUs();
  SetTimer();
  for (auto& [type, queue] : types_) {
    queue->waiting.clear();
    queue->leased = 0;
  }
  for (auto& [id, member] : workers_) member->held.clear();
  const auto ended = std::exchange(tasks_, {});
  for (const auto& [key, task] : ended)
    for (const auto& stopped : task->stopped) stopped();
}

WorkerFigures WorkerPool::figures() const {
  WorkerFigures figures{.workers = workers_.size(), .handed_out = handed_out_, .lost = lost_};
  for (const auto& [type, queue] : types_) {
    if (queue->workers > 0) figures.workers_by_type[type] = queue->workers;
    if (!queue->waiting.empty()) figures.queued_by_type[type] = queue->waiting.size();
    if (queue->leased > 0) figures.leased_by_type[type] = queue->leased;
  }
  return figures;
}

}  // namespace stele::tasks
