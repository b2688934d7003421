// Retention of a running engine: a thread of its own that, every so often by the engine's clock,
// archives what the policy says and purges what is due, portion by portion. It decides nothing on
// the loop but the record of each portion, and gives way between two of them when it is to stop.
//
// Owns: its thread. Threads: any, where not said otherwise.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "engine/retention/in_clear.h"
#include "engine/retention/policy.h"
#include "engine/retention/remover.h"
#include "engine/runtime/shard.h"
#include "eventstore/event_store.h"
#include "projections/projector.h"

namespace stele::retention {

// What one run did, or would do.
struct RetentionReport {
  uint64_t archived = 0;  // records that left the hot log
  uint64_t instances = 0;
  uint64_t records = 0;                         // that were cut out
  InstanceRange purged;                         // from the lowest number to the highest
  std::map<std::string, uint64_t> definitions;  // instances by the name of their definition
};

struct ErasureReport {
  std::vector<InstanceId> instances;
  uint64_t sent = 0;  // messages and firings of the registry
  InClear in_clear;   // of both: payloads from before encryption was turned on, which stay
  // That messages which were erased had started, and that keep their inputs: none of `instances`.
  std::vector<InstanceId> started;
};

struct RetentionParts {
  eventstore::EventStore* store = nullptr;
  ShardId shard;
  projections::Projector* projector = nullptr;  // follows the log
  std::vector<projections::MakeView> views;     // that it has
  const Clock* clock = nullptr;
  RetentionPolicy policy;
  model::KeptAsker asker;
  // Told why a run ended early; the next one tries again. On the service's thread.
  std::function<void(const Error&)> problem;
  // RemoverParts::at_step.
  std::function<Status(std::string_view step)> at_step;
};

class RetentionService {
 public:
  // What somebody asks of it: done on its thread, between two runs.
  using Task = std::function<void(RetentionService&)>;

  // REQUIRES: the parts outlive it.
  explicit RetentionService(RetentionParts parts) : parts_(std::move(parts)) {}
  ~RetentionService() { Stop(); }
  RetentionService(const RetentionService&) = delete;
  RetentionService& operator=(const RetentionService&) = delete;

  // Begins with what an earlier process left undone. `runs`: goes on with a run whenever one is
  // due; otherwise only with tasks. REQUIRES: the shard is stopped after Stop.
  void Start(runtime::Shard* shard, bool runs);
  // Waits for the step that is under way: of a long one, such as a cut, a part, a segment or so.
  void Stop();
  // Looks at the clock: wakes the thread when a run is due.
  void Tick();
  // Wakes the thread for it. Not done when the service stops before.
  void Do(Task task);

  // On its thread: the steps that tasks are made of. `asker`: without an actor, the service's own.
  Result<RetentionReport> Run(bool dry, const model::KeptAsker& asker = {});
  Result<eventstore::ArchiveReport> Archive(Position to);
  // Each with all that it called, and what was sent to them. `key`: messages with that correlation
  // key go, too; empty: none.
  Result<ErasureReport> Erase(const std::vector<InstanceId>& instances, const std::string& key,
                              const std::string& reason, const model::KeptAsker& asker = {});
  // What was purged leaves the files of views and of the state at once, too. Waits for compactions.
  Status Scrub(const InstanceRange& purged);
  // Of named instances, whatever the policy says. Each with all that it called.
  Result<RetentionReport> PurgeNamed(const std::vector<InstanceId>& instances,
                                     const std::string& reason, bool dry,
                                     const model::KeptAsker& asker = {});
  // What an earlier process had begun to purge and this one has finished.
  const RetentionReport& finished() const { return finished_; }
  // The registry as of now, and the views as of now or later.
  Result<model::Registry> ReadRegistry();
  Status CatchUp();
  // Asked for when the service stops: for tasks that take long.
  std::stop_token stop() const { return stop_.get_token(); }

  const RetentionPolicy& policy() const { return parts_.policy; }
  projections::Projector& projector() const { return *parts_.projector; }

 private:
  const model::KeptAsker& AskerOr(const model::KeptAsker& asker) const {
    return asker.actor.empty() ? parts_.asker : asker;
  }
  bool stopping() const { return stop_.stop_requested(); }
  void Work();
  Status Prepare();
  Result<Position> Ask(RemoverParts::Work work);
  Status PurgePortion(const std::vector<InstanceId>& instances, const model::Registry& registry,
                      Position seen, TimeUs closed_before, const std::string& reason,
                      const model::KeptAsker& asker, RetentionReport& report);
  Status CountDefinitions(const std::vector<InstanceId>& instances, const model::Registry& registry,
                          RetentionReport& report) const;
  Status AddStarted(const std::vector<Position>& messages, ErasureReport& report);

  const RetentionParts parts_;
  runtime::Shard* shard_ = nullptr;
  std::unique_ptr<Remover> remover_;
  RetentionReport finished_;
  std::stop_source stop_;
  // Lives as long as an answer of the shard that is under way.
  struct Sync {
    std::mutex mutex;  // of the service's members that follow, too
    std::condition_variable changed;
  };
  std::shared_ptr<Sync> sync_ = std::make_shared<Sync>();
  std::vector<Task> tasks_;
  std::optional<TimeUs> next_run_;  // nothing: only tasks
  std::thread thread_;
};

}  // namespace stele::retention
