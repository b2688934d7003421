#include "engine/retention/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/instance_ranges.h"
#include "engine/retention/due.h"
#include "engine/retention/named.h"
#include "engine/retention/tiering.h"
#include "engine/runtime/board.h"
#include "engine/triggers/occurrences.h"
#include "engine/triggers/trigger_table.h"

namespace stele::retention {

namespace {

std::unexpected<Error> Stopping() {
  return Fail(ErrorCode::kShardStopped, "Expected a running engine but found it stopping");
}

}  // namespace

void RetentionService::Start(runtime::Shard* shard, bool runs) {
  shard_ = shard;
  RemoverParts parts{.store = parts_.store,
                     .shard = parts_.shard,
                     .clock = parts_.clock,
                     .projector = parts_.projector,
                     .views = parts_.views,
                     .ask = [this](RemoverParts::Work work) { return Ask(std::move(work)); },
                     .stop = stop_.get_token(),
                     .at_step = parts_.at_step};
  remover_ = std::make_unique<Remover>(std::move(parts));
  if (runs) next_run_ = parts_.clock->Now();
  thread_ = std::thread([this] { Work(); });
}

void RetentionService::Stop() {
  {
    const std::lock_guard lock(sync_->mutex);
    stop_.request_stop();
  }
  sync_->changed.notify_all();
  if (thread_.joinable()) thread_.join();
}

void RetentionService::Tick() {
  {
    const std::lock_guard lock(sync_->mutex);
    if (!next_run_.has_value() || *next_run_ > parts_.clock->Now()) return;
  }
  sync_->changed.notify_all();
}

void RetentionService::Do(Task task) {
  {
    const std::lock_guard lock(sync_->mutex);
    tasks_.push_back(std::move(task));
  }
  sync_->changed.notify_all();
}

void RetentionService::Work() {
  const auto tell = [this](const Status& done) {
    if (!done.has_value() && !stopping() && parts_.problem) parts_.problem(done.error());
  };
  tell(Prepare());
  std::unique_lock lock(sync_->mutex);
  while (!stopping()) {
    if (!tasks_.empty()) {
      const Task task = std::move(tasks_.front());
      tasks_.erase(tasks_.begin());
      lock.unlock();
      task(*this);
      lock.lock();
    } else if (next_run_.has_value() && *next_run_ <= parts_.clock->Now()) {
      next_run_ = TimeUs(parts_.clock->Now().value + parts_.policy.every_us);
      lock.unlock();
      const auto report = Run(/*dry=*/false);
      tell(report.has_value() ? Status() : Status(std::unexpected(report.error())));
      lock.lock();
    } else {
      sync_->changed.wait(lock);
    }
  }
}

Status RetentionService::Prepare() {
  const auto registry = ReadRegistry();
  if (!registry.has_value()) return std::unexpected(registry.error());
  const auto done = remover_->Finish(*registry);
  if (!done.has_value()) return std::unexpected(done.error());
  finished_.instances = done->instances;
  finished_.records = done->records;
  finished_.purged = EnclosingRange(InstancesIn(registry->purge.instances));
  return {};
}

// When it stops, what the loop has not begun is not done, and an answer is not waited for.
Result<Position> RetentionService::Ask(RemoverParts::Work work) {
  struct Question {
    bool begun = false;
    bool over = false;  // `work` has returned, or must not be called any more
    std::optional<Result<Position>> answer;
  };
  const auto question = std::make_shared<Question>();
  const auto set = [sync = sync_, question](auto change) {
    {
      const std::lock_guard lock(sync->mutex);
      change(*question);
    }
    sync->changed.notify_all();
  };
  shard_->Post([shard = shard_, sync = sync_, question, set, &work] {
    {
      const std::lock_guard lock(sync->mutex);
      if (question->over) return;
      question->begun = true;
    }
    work(*shard, [set](const Result<Position>& position) {
      set([&](Question& asked) { asked.answer = position; });
    });
    set([](Question& asked) { asked.over = true; });
  });
  std::unique_lock lock(sync_->mutex);
  sync_->changed.wait(lock, [&] { return question->answer.has_value() || stopping(); });
  if (!question->begun) question->over = true;
  sync_->changed.wait(lock, [&] { return question->over; });
  return question->answer.has_value() ? *question->answer : Result<Position>(Stopping());
}

Result<model::Registry> RetentionService::ReadRegistry() {
  // On the heap: the loop may come to it when nobody waits any more.
  auto copy = std::make_shared<model::Registry>();
  const auto read = Ask([copy](runtime::Shard& shard, const runtime::Shard::Answer& answer) {
    *copy = shard.registry();
    answer(copy->position);
  });
  if (!read.has_value()) return std::unexpected(read.error());
  return std::move(*copy);
}

Status RetentionService::CatchUp() {
  const Position end(parts_.store->NextPosition(parts_.shard).value - 1);
  for (;;) {
    const Status reached = parts_.projector->WaitFor(end, 100'000);
    if (reached.has_value() || reached.error().code != ErrorCode::kTimeout) return reached;
    if (stopping()) return Stopping();
  }
}

Result<RetentionReport> RetentionService::Run(bool dry, const model::KeptAsker& asker) {
  const auto registry = ReadRegistry();
  if (!registry.has_value()) return std::unexpected(registry.error());
  STELE_RETURN_IF_ERROR(CatchUp());
  const TimeUs now = parts_.clock->Now();
  RetentionReport report;
  DueScan due(*registry, parts_.policy, now);
  std::optional<Position> seen;
  while (!stopping()) {
    const auto closed = parts_.projector->Read(projections::kClosedView);
    if (!closed.has_value()) return std::unexpected(closed.error());
    if (!seen.has_value()) seen = closed->position();
    const auto instances = due.Next(*closed, kPortionInstances);
    if (!instances.has_value()) return std::unexpected(instances.error());
    if (instances->empty()) break;
    if (dry) {
      STELE_RETURN_IF_ERROR(CountDefinitions(*instances, *registry, report));
      report.instances += instances->size();
    } else {
      STELE_RETURN_IF_ERROR(PurgePortion(*instances, *registry, *seen, now,
                                         "older than their retention", AskerOr(asker), report));
    }
  }
  if (dry || stopping()) return report;
  const auto archived = Tier(*parts_.store, parts_.shard, parts_.policy, now, stop_.get_token());
  if (!archived.has_value()) return std::unexpected(archived.error());
  report.archived = archived->records;
  return report;
}

Status RetentionService::PurgePortion(const std::vector<InstanceId>& instances,
                                      const model::Registry& registry, Position seen,
                                      TimeUs closed_before, const std::string& reason,
                                      const model::KeptAsker& asker, RetentionReport& report) {
  // Before their rows go.
  STELE_RETURN_IF_ERROR(CountDefinitions(instances, registry, report));
  const auto purged = remover_->Purge(instances, registry, seen, closed_before, reason, asker);
  if (!purged.has_value()) return std::unexpected(purged.error());
  report.records += purged->records;
  std::vector<InstanceId> ends = instances;
  if (report.instances != 0) ends.insert(ends.end(), {report.purged.first, report.purged.last});
  report.purged = EnclosingRange(ends);
  report.instances += purged->instances;
  return {};
}

Status RetentionService::CountDefinitions(const std::vector<InstanceId>& instances,
                                          const model::Registry& registry,
                                          RetentionReport& report) const {
  const auto closed = parts_.projector->Read(projections::kClosedView);
  if (!closed.has_value()) return std::unexpected(closed.error());
  for (const InstanceId id : instances) {
    const auto row = projections::FindClosed(*closed, id);
    if (!row.has_value()) return std::unexpected(row.error());
    const auto* definition = row->has_value() ? registry.Find((*row)->definition) : nullptr;
    if (definition != nullptr) ++report.definitions[definition->name];
  }
  return {};
}

Result<eventstore::ArchiveReport> RetentionService::Archive(Position to) {
  return parts_.store->Archive(parts_.shard, to, stop_.get_token());
}

Status RetentionService::Scrub(const InstanceRange& purged) {
  STELE_RETURN_IF_ERROR(parts_.projector->Compact());
  return parts_.store->Scrub(parts_.shard, purged);
}

Result<RetentionReport> RetentionService::PurgeNamed(const std::vector<InstanceId>& instances,
                                                     const std::string& reason, bool dry,
                                                     const model::KeptAsker& asker) {
  const auto registry = ReadRegistry();
  if (!registry.has_value()) return std::unexpected(registry.error());
  STELE_RETURN_IF_ERROR(CatchUp());
  std::optional<Position> seen;
  std::vector<InstanceId> all;
  {
    const auto closed = parts_.projector->Read(projections::kClosedView);
    if (!closed.has_value()) return std::unexpected(closed.error());
    seen = closed->position();
    const auto tree = TreesOf(*closed, *parts_.store, parts_.shard, instances, Forks::kStay,
                              [](InstanceId) { return false; });
    if (!tree.has_value()) return std::unexpected(tree.error());
    all = *tree;
  }
  RetentionReport report;
  if (dry) {
    STELE_RETURN_IF_ERROR(CountDefinitions(all, *registry, report));
    report.instances = all.size();
    return report;
  }
  for (size_t at = 0; at < all.size() && !stopping(); at += kPortionInstances) {
    std::vector<InstanceId> portion(
        all.begin() + static_cast<ptrdiff_t>(at),
        all.begin() + static_cast<ptrdiff_t>(std::min(all.size(), at + kPortionInstances)));
    std::ranges::sort(portion);
    STELE_RETURN_IF_ERROR(
        PurgePortion(portion, *registry, *seen, TimeUs(), reason, AskerOr(asker), report));
  }
  return report;
}

// A record of the registry holds one message.
Status RetentionService::AddStarted(const std::vector<Position>& messages, ErasureReport& report) {
  std::set<InstanceId> started(report.started.begin(), report.started.end());
  const auto asked = Ask([&](runtime::Shard& shard, const runtime::Shard::Answer& answer) {
    for (const model::RegisteredTrigger& trigger : shard.registry().triggers) {
      if (trigger.kind != triggers::kEventKind) continue;
      for (const Position message : messages) {
        const auto found = shard.board().ByIdempotencyKey(
            runtime::FiringKey(trigger.id, triggers::KeyOfMessage(message, 0)));
        if (!found.has_value()) return answer(std::unexpected(found.error()));
        if (found->has_value() && !shard.registry().IsErased(**found)) started.insert(**found);
      }
    }
    answer(shard.registry().position);
  });
  if (!asked.has_value()) return std::unexpected(asked.error());
  report.started.assign(started.begin(), started.end());
  return {};
}

Result<ErasureReport> RetentionService::Erase(const std::vector<InstanceId>& instances,
                                              const std::string& key, const std::string& reason,
                                              const model::KeptAsker& asker) {
  const auto registry = ReadRegistry();
  if (!registry.has_value()) return std::unexpected(registry.error());
  STELE_RETURN_IF_ERROR(CatchUp());
  std::optional<Position> seen;
  ErasureReport report;
  std::vector<InstanceId>& all = report.instances;
  {
    const auto closed = parts_.projector->Read(projections::kClosedView);
    if (!closed.has_value()) return std::unexpected(closed.error());
    seen = closed->position();
    // What was erased before may be named again.
    const auto tree = TreesOf(*closed, *parts_.store, parts_.shard, instances, Forks::kGo,
                              [&](InstanceId id) { return registry->IsErased(id); });
    if (!tree.has_value()) return std::unexpected(tree.error());
    all = *tree;
  }
  std::ranges::sort(all);
  size_t at = 0;
  do {
    const size_t size = std::min<size_t>(kPortionInstances, all.size() - at);
    const auto portion = std::span(all).subspan(at, size);
    const auto sent = FindSent(*parts_.store, parts_.shard, portion, at == 0 ? key : "");
    if (!sent.has_value()) return std::unexpected(sent.error());
    if (portion.empty() && sent->registry.empty()) break;
    STELE_RETURN_IF_ERROR(remover_->Erase(portion, *sent, *seen, reason, AskerOr(asker)));
    report.sent += sent->registry.size();
    STELE_RETURN_IF_ERROR(AddStarted(sent->registry, report));
    const auto left = FindInClear(*parts_.store, parts_.shard, portion, sent->registry);
    if (!left.has_value()) return std::unexpected(left.error());
    InClear& in_clear = report.in_clear;
    in_clear.instances.insert(in_clear.instances.end(), left->instances.begin(),
                              left->instances.end());
    in_clear.registry.insert(in_clear.registry.end(), left->registry.begin(), left->registry.end());
    at += size;
  } while (at < all.size());
  std::erase_if(report.started, [&](InstanceId id) { return std::ranges::binary_search(all, id); });
  return report;
}

}  // namespace stele::retention
