// What is durable, handed on: notices to plugins, and word to subscriptions that there is more to
// read. Both have threads of their own.
//
// Thread: the loop's, but for what is marked.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "engine/embed/own_threads.h"
#include "engine/embed/plugin_host.h"
#include "engine/embed/subscription.h"
#include "engine/runtime/shard.h"
#include "stele/engine.h"

namespace stele::embed {

class Feed final : public runtime::Observer {
 public:
  Feed(size_t backlog, OwnThreads& own, Problem problem, std::function<void()> fatal)
      : backlog_(backlog), own_(own), problem_(std::move(problem)), fatal_(std::move(fatal)) {}
  ~Feed() override;
  // REQUIRES: before the loop runs; both outlive what is told.
  void Attach(const eventstore::EventStore* store, const runtime::Shard* shard) {
    store_ = store;
    shard_ = shard;
  }

  void AddPlugin(std::unique_ptr<Plugin> plugin);
  // From position `from` on; of 0, all. Gives the number that ends it.
  uint64_t Subscribe(InstanceId instance, Position from, std::function<void(const Event&)> receive);
  // There may be more to read for everybody.
  void WakeAll();
  // Thread: any. False: there is none of that number. `waits`: for a call that runs.
  bool Unsubscribe(uint64_t subscription, bool waits);
  // Thread: any. From now on subscribers are told no more than their backlog.
  void Bound();
  // Ends the threads when all have been told what they are still to be told. Thread: any but
  // theirs, when the loop has ended.
  void End();

  // For plugins once there is one, for ever: what is known of an instance must have no gaps.
  bool wants_records() const override { return has_plugins_ || has_subscriptions_; }
  void OnRecord(InstanceId instance, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override { known_.erase(instance.id); }
  void OnFatal(const stele::Error& error) override;

 private:
  // What the names of an instance's steps need.
  struct Known {
    std::shared_ptr<const definition::Definition> definition;
    std::map<RunId, StepIndex> steps;  // of runs that have not ended
    void Follow(const model::Event& event, const model::Registry& registry);
  };

  Known* KnownOf(InstanceId instance, std::span<const model::Event> events,
                 const model::RecordContext& record);
  void Wake(InstanceId instance);
  void TellPlugins(InstanceId instance, const model::Event& event,
                   const model::RecordContext& record, const Known& known);

  const size_t backlog_;
  OwnThreads& own_;
  const Problem problem_;
  const std::function<void()> fatal_;
  const eventstore::EventStore* store_ = nullptr;
  const runtime::Shard* shard_ = nullptr;
  std::vector<std::unique_ptr<PluginHost>> plugins_;
  bool has_plugins_ = false;
  std::map<InstanceId, Known> known_;
  std::mutex mutex_;  // guards what follows
  std::map<uint64_t, std::shared_ptr<Subscription>> subscriptions_;
  std::vector<std::shared_ptr<Subscription>> leaving_;  // their threads may still run
  uint64_t last_subscription_ = 0;
  std::atomic<bool> has_subscriptions_ = false;
};

}  // namespace stele::embed
