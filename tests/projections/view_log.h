// A log for tests of views, in memory: definitions, instances that a test drives by commands, a
// time that it sets. And a view that was built from it.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/definition/canonical.h"
#include "engine/model/codec.h"
#include "eventstore/memory_store.h"
#include "projections/feed.h"
#include "projections/view_store.h"
#include "tests/eventstore/records.h"
#include "tests/support/definitions.h"

namespace stele::projections {

class ViewLog {
 public:
  static constexpr ShardId kShard{0};
  // A day's first moment.
  static constexpr int64_t kBegin = 19'675 * int64_t{86'400'000'000};

  // From YAML, under its name, in its next version.
  DefinitionId Define(std::string_view yaml) {
    const auto definition = test::Load(yaml);
    const auto* latest = registry_.Latest(definition->name);
    const DefinitionId id(static_cast<uint32_t>(registry_.definitions.size() + 1));
    Register(model::DefinitionRegistered{id, definition->name,
                                         latest == nullptr ? 1 : latest->version + 1,
                                         definition::WriteCanonical(*definition), "", ""});
    return id;
  }
  // An event of the registry.
  void Register(const model::Event& event) {
    apply::Apply(registry_, event, {store.NextPosition(kShard), now_});
    Append(InstanceId(), registry_.seq, {event});
  }

  InstanceId Start(DefinitionId definition, model::StartInstance start = {}) {
    start.definition = definition;
    const InstanceId id(instances_.size() + 1);
    instances_[id].id = id;
    instances_[id].definition = definition;
    Do(id, start);
    return id;
  }
  void Do(InstanceId id, const model::Command& command, std::string_view actor = "test") {
    const auto rejection = Try(id, command, actor);
    ASSERT_FALSE(rejection.has_value()) << rejection->message;
  }
  // A command that is refused leaves everything as it is.
  std::optional<Rejection> Try(InstanceId id, const model::Command& command,
                               std::string_view actor = "test") {
    model::Instance& instance = instances_[id];
    std::vector<model::Event> events;
    const auto* migrate = std::get_if<model::MigrateInstance>(&command);
    const decide::Context context{
        *registry_.Find(instance.definition)->definition,
        {store.NextPosition(kShard), now_},
        migrate == nullptr ? nullptr : registry_.Find(migrate->definition)->definition.get()};
    auto rejection = decider_.Decide(instance, command, context, events);
    if (!rejection.has_value())
      Append(id, Seq(instance.seq.value - events.size() + 1), events, actor);
    return rejection;
  }
  void Complete(InstanceId id, std::string_view step, std::string log = "") {
    const model::StepRun& run = RunOf(id, step);
    Do(id, model::CompleteAttempt{.run = run.id, .attempt = run.attempt, .log = std::move(log)});
  }
  void Fail(InstanceId id, std::string_view step, const std::string& kind = "boom",
            bool retryable = true, std::string log = "") {
    const model::StepRun& run = RunOf(id, step);
    Do(id, model::FailAttempt{.run = run.id,
                              .attempt = run.attempt,
                              .kind = kind,
                              .message = kind + " happened",
                              .retryable = retryable,
                              .log = std::move(log)});
  }
  // Lets the time of its next timer come, and the timer elapse.
  void Elapse(InstanceId id) {
    const model::Timer timer = model::NextTimer(instances_[id]);
    ASSERT_TRUE(timer.at);
    now_ = std::max(now_, timer.at);
    Do(id, model::ElapseTimer{timer.kind, timer.run, timer.attempt});
  }
  void Wait(int64_t microseconds) { now_ = now_.Plus(microseconds); }
  void SetTime(TimeUs now) { now_ = now; }

  // Its oldest open run.
  const model::StepRun& RunOf(InstanceId id, std::string_view step) {
    const model::Instance& instance = instances_[id];
    const auto& definition = *registry_.Find(instance.definition)->definition;
    for (const model::StepRun& run : instance.runs)
      if (definition.step(run.step).id == step) return run;
    ADD_FAILURE() << "instance " << id.value << " has no open run of " << step;
    std::abort();
  }
  const model::Instance& instance(InstanceId id) { return instances_[id]; }
  const model::Registry& registry() const { return registry_; }
  TimeUs now() const { return now_; }

  eventstore::MemoryStore store;

 private:
  void Append(InstanceId instance, Seq first, const std::vector<model::Event>& events,
              std::string_view actor = "test") {
    eventstore::Batch batch;
    batch.Add({.instance = instance,
               .first_seq = first,
               .event_count = static_cast<uint32_t>(events.size()),
               .time = now_,
               .actor = std::string(actor)},
              encoder_.Encode(events));
    ASSERT_TRUE(store.Append(kShard, store.NextPosition(kShard), batch).has_value());
  }

  model::Registry registry_;
  std::map<InstanceId, model::Instance> instances_;
  decide::Decider decider_;
  model::RecordEncoder encoder_;
  TimeUs now_{kBegin};
};

// A view built from a log in batches of so many records.
class BuiltView {
 public:
  template <class ViewClass>
  static std::unique_ptr<BuiltView> Of(const ViewLog& log, uint64_t batch = 8192) {
    auto built = std::make_unique<BuiltView>();
    auto store = ViewStore::Open(built->directory_.path());
    if (!store.has_value()) std::abort();
    built->store_ = *std::move(store);
    built->generation_ = *built->store_->Create("view", 1);
    Feed feed(log.store, ViewLog::kShard, *built->store_, Position());
    feed.Add(std::make_unique<ViewClass>(), built->generation_);
    for (;;) {
      const auto records = feed.Step(batch);
      EXPECT_TRUE(records.has_value()) << records.error().message;
      if (!records.has_value() || *records == 0) return built;
    }
  }

  ViewReader Read() const { return ViewReader(generation_); }
  std::map<std::string, std::string> Rows() const {
    std::map<std::string, std::string> rows;
    const ViewReader reader = Read();
    KeyCursor keys = reader.Keys("");
    for (; keys.valid(); keys.Next()) rows.emplace(keys.key(), keys.value());
    EXPECT_TRUE(keys.status().has_value());
    return rows;
  }

 private:
  eventstore::TempDir directory_;
  std::unique_ptr<ViewStore> store_;
  std::shared_ptr<Generation> generation_;
};

// Whatever the batches, every key has the same value.
template <class ViewClass>
void ExpectTheSameInAllBatches(const ViewLog& log, size_t least_keys) {
  const auto all = BuiltView::Of<ViewClass>(log)->Rows();
  EXPECT_GE(all.size(), least_keys);
  for (const uint64_t batch : {1, 2, 7}) {
    const auto cut = BuiltView::Of<ViewClass>(log, batch)->Rows();
    EXPECT_EQ(cut.size(), all.size()) << "batches of " << batch;
    for (const auto& [key, value] : all) {
      const auto found = cut.find(key);
      ASSERT_NE(found, cut.end()) << testing::PrintToString(key) << " in batches of " << batch;
      EXPECT_EQ(found->second, value) << testing::PrintToString(key) << " in batches of " << batch;
    }
  }
}

}  // namespace stele::projections
