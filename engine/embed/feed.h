// What is durable, handed on: to subscribers on the loop, to plugins on their threads.
//
// Thread: the loop's.
#pragma once

#include <map>
#include <memory>
#include <vector>

#include "engine/embed/plugin_host.h"
#include "engine/runtime/shard.h"
#include "stele/engine.h"

namespace stele::embed {

class Feed final : public runtime::Observer {
 public:
  Feed(size_t plugin_backlog, Problem problem, std::function<void()> fatal)
      : plugin_backlog_(plugin_backlog), problem_(std::move(problem)), fatal_(std::move(fatal)) {}
  // REQUIRES: before the loop runs; both outlive what is told.
  void Attach(const eventstore::EventStore* store, const runtime::Shard* shard) {
    store_ = store;
    shard_ = shard;
  }

  void AddPlugin(std::unique_ptr<Plugin> plugin);
  // Ends their threads when they have been told everything. Thread: any, when the loop has ended.
  void EndPlugins() { plugins_.clear(); }
  uint64_t Subscribe(InstanceId instance, bool all, std::function<void(const Event&)> receive);
  // False: there is none of that number.
  bool Unsubscribe(uint64_t subscription);

  // Once somebody has asked, for ever: what is known of an instance must have no gaps.
  bool wants_records() const override { return wanted_; }
  void OnRecord(InstanceId instance, std::span<const model::Event> events,
                const model::RecordContext& record) override;
  void OnEnded(const model::Instance& instance) override { known_.erase(instance.id); }
  void OnFatal(const stele::Error& error) override;

 private:
  struct Subscriber {
    InstanceId instance;
    bool all = false;
    std::function<void(const Event&)> receive;  // null: it has left
  };
  // What the names of an instance's steps need.
  struct Known {
    std::shared_ptr<const definition::Definition> definition;
    std::map<RunId, StepIndex> steps;  // of runs that have not ended
    void Follow(const model::Event& event, const model::Registry& registry);
  };

  Known* KnownOf(InstanceId instance, std::span<const model::Event> events,
                 const model::RecordContext& record);
  void Publish(InstanceId instance, const model::Event& event, const model::RecordContext& record,
               uint32_t ordinal, const Known* known);
  void TellPlugins(InstanceId instance, const model::Event& event,
                   const model::RecordContext& record, const Known& known);

  const size_t plugin_backlog_;
  const Problem problem_;
  const std::function<void()> fatal_;
  const eventstore::EventStore* store_ = nullptr;
  const runtime::Shard* shard_ = nullptr;
  std::vector<std::unique_ptr<PluginHost>> plugins_;
  std::map<uint64_t, std::shared_ptr<Subscriber>> subscribers_;
  uint64_t last_subscription_ = 0;
  bool wanted_ = false;
  std::map<InstanceId, Known> known_;
};

}  // namespace stele::embed
