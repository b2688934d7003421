// A shard and its triggers with everything around them, for tests: a loop, a store that can fail,
// tasks that answer or hang, a clock that is driven.
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
#include "engine/triggers/service.h"
#include "eventstore/memory_store.h"

namespace stele::triggers {

// What started: the idempotency key, the definition, the input.
struct Start {
  InstanceId instance;
  std::string key;
  std::string definition;
  std::string input;
};

class TriggerWorld final : public runtime::Observer {
 public:
  // Opens, resumes, and lets the triggers begin.
  TriggerWorld(std::unique_ptr<eventstore::MemoryStore> store, TimeUs now,
               runtime::ShardOptions options = {}, uint64_t note_records = kNoteRecords);
  ~TriggerWorld() override;

  // Steps called so never end.
  std::set<std::string> hanging{"hang"};

  runtime::Shard& shard() { return *shard_; }
  TriggerService& service() { return *service_; }
  eventstore::MemoryStore& store() { return *store_; }
  ManualClock& clock() { return clock_; }
  bool failed() const { return fatal_.has_value(); }

  // A definition of one step (called `step`) with that section `triggers:` (YAML, flow style).
  DefinitionId Register(const std::string& name, const std::string& triggers,
                        const std::string& step = "work");
  // Adds one by hand, from JSON; runs until it is durable.
  TriggerId Add(const std::string& definition, const std::string& trigger);
  Status Change(TriggerId id, model::TriggerState state);
  void Publish(const std::string& name, const std::string& key, const std::string& payload,
               const std::string& message_id = "");
  Result<std::optional<InstanceId>> Fire(TriggerId id, const std::string& key, const Value& input);
  Result<Backfilled> Backfill(TriggerId id, int64_t from_us, int64_t to_us);
  Delivery Deliver(const WebhookRequest& request);
  // Moves the clock, fires what is due, and runs until nothing moves.
  void AdvanceTo(TimeUs now);
  void Advance(int64_t us) { AdvanceTo(clock_.Now().Plus(us)); }
  void RunUntilQuiet();
  // Runs the loop once per call until `done`, or the shard has failed.
  template <class Done>
  void RunUntil(Done done) {
    while (!done() && !failed()) uv_run(&loop_, UV_RUN_ONCE);
  }
  void End(InstanceId instance);  // terminates it
  void Stop();
  // The shard goes, as with kill -9; what is left of the store.
  std::unique_ptr<eventstore::MemoryStore> Crash(size_t kept_puts = 0);

  // All that the log says, in order.
  std::vector<Start> Starts() const;
  std::vector<std::string> Outcomes(TriggerId trigger) const;
  // Keys of firings of the outcomes "start" and "buffer" that have no instance.
  std::vector<std::string> Unstarted() const;

  bool wants_records() const override { return false; }
  void OnFatal(const Error& error) override { fatal_ = error; }

 private:
  class Executor;
  template <class Visit>
  void ForEachEvent(Visit visit) const;

  uv_loop_t loop_;
  std::unique_ptr<eventstore::MemoryStore> store_;
  tasks::TaskRegistry tasks_;
  ManualClock clock_;
  secrets::EnvironmentSecrets secrets_;
  std::unique_ptr<TriggerService> service_;
  std::unique_ptr<runtime::Shard> shard_;
  std::optional<Error> fatal_;
};

}  // namespace stele::triggers
