// A shard with everything around it, for tests: a loop, a store that can fail, tasks that are
// functions, a clock that is driven, and a ledger of what was done outside, which survives crashes.
#pragma once

#include <gtest/gtest.h>
#include <uv.h>

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "engine/runtime/shard.h"
#include "engine/tasks/function_executor.h"
#include "eventstore/memory_store.h"

namespace stele::runtime {

// What was done outside: an attempt of a step.
struct Deed {
  std::string step;
  uint32_t attempt = 1;
  std::string key;
};

class World final : public Observer {
 public:
  explicit World(std::unique_ptr<eventstore::MemoryStore> store, ShardOptions options = {});
  ~World() override;

  // Tasks of type "script" answer {"step": …, "attempt": …}; those whose step is in `failing` fail
  // that many times.
  std::map<std::string, uint32_t> failing;
  // Attempts of these steps never answer.
  std::set<std::string> hanging;
  // Attempts of these steps answer when Finish says so.
  std::set<std::string> held;
  // The next attempt of a held step that is still outside, the oldest first. False: there is none.
  bool Finish(const std::string& step);
  // Those that are outside, in the order in which they began: their keys.
  std::vector<std::string> outside(const std::string& step) const;
  // Attempts that were cancelled.
  std::vector<std::string> cancelled;
  bool repeats_after_crash = true;
  std::vector<Deed>* ledger = nullptr;

  void Open();
  Shard& shard() { return *shard_; }
  eventstore::MemoryStore& store() { return *store_; }
  ManualClock& clock() { return clock_; }

  DefinitionId Register(const std::string& yaml);
  // Starts an instance and runs the loop until the start is answered.
  Result<Position> Start(DefinitionId definition, InstanceId* id = nullptr);
  Result<Position> Start(model::StartInstance start, InstanceId* id = nullptr,
                         StartOptions options = {});
  // Of what the instance is now.
  model::ForkInstance ForkOf(InstanceId origin);
  Result<Position> Fork(model::ForkInstance fork, InstanceId* id = nullptr,
                        StartOptions options = {});
  Result<Position> Publish(const std::string& name, const std::string& key,
                           const std::string& payload, const std::string& id = "",
                           TimeUs expires = TimeUs());
  // The instance as it is now.
  const model::Instance& At(InstanceId instance);
  // Runs the loop until `holds` or the shard has failed or nothing moves any more. True: it holds.
  bool RunUntil(const std::function<bool()>& holds);
  // Lets the clock go on, and what is due then happen.
  void Advance(int64_t us);
  Result<Position> Ask(InstanceId instance, model::Command command);
  // Runs the loop until `instance` has ended or the shard has failed. False: failed.
  bool RunUntilEnded(InstanceId instance);
  // Runs the loop until nothing moves any more.
  void RunUntilQuiet();
  void Stop();
  // The shard goes, as with kill -9; what is left of the store.
  std::unique_ptr<eventstore::MemoryStore> Crash(size_t kept_puts = 0);

  bool ended(InstanceId instance) const { return ended_.contains(instance); }
  // The state in which an instance ended.
  const std::string& end_state(InstanceId instance) const { return ended_.at(instance); }
  const std::optional<Error>& fatal() const { return fatal_; }
  const std::vector<std::string>& records() const { return records_; }

 private:
  bool wants_records() const override { return true; }
  void OnRecord(InstanceId id, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override;
  void OnFatal(const Error& error) override;
  class Executor;
  struct Waiting {
    std::string step;
    tasks::AttemptKey key;
    std::function<void(tasks::TaskResult)> done;
  };
  tasks::TaskResult Do(const tasks::TaskRequest& request);

  uv_loop_t loop_;
  std::unique_ptr<eventstore::MemoryStore> store_;
  ShardOptions options_;
  tasks::TaskRegistry tasks_;
  ManualClock clock_{TimeUs(1'700'000'000'000'000)};
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<Shard> shard_;
  std::vector<Waiting> waiting_;
  std::map<InstanceId, std::string> ended_;
  std::vector<std::string> records_;
  std::optional<Error> fatal_;
};

// What matters of how an instance ended: its status, its output, its variables, its steps.
std::string EndState(const model::Instance& instance);

}  // namespace stele::runtime
