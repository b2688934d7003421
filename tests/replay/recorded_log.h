// A log for tests, written by the decider into a store in memory: one definition of two tasks, and
// instances that a test drives.
#pragma once

#include <gtest/gtest.h>

#include "engine/apply/apply.h"
#include "engine/decide/decide.h"
#include "engine/definition/canonical.h"
#include "engine/model/asker.h"
#include "engine/model/codec.h"
#include "eventstore/memory_store.h"

namespace stele::replay {

class RecordedLog {
 public:
  static constexpr ShardId kShard{0};

  RecordedLog() {
    const auto loaded = definition::Load(
        "name: two\n"
        "steps:\n"
        "  - {id: a, type: script, config: {script: x}, retry_policy: {max_attempts: 2}}\n"
        "  - {id: b, type: script, config: {script: x}, depends_on: [a]}\n",
        definition::Syntax::kYaml, "two");
    EXPECT_TRUE(loaded.has_value()) << loaded.error().front().message;
    definition_ = *loaded;
    Append(InstanceId(), Seq(1),
           {model::DefinitionRegistered{DefinitionId(1), "two", 1,
                                        definition::WriteCanonical(*definition_), "", "two.yml"}});
  }

  // Decides the command, and appends what it leads to.
  void Decide(model::Instance& instance, const model::Command& command) {
    std::vector<model::Event> events;
    const decide::Context context{*definition_, {store.NextPosition(kShard), NextTime()}};
    const auto rejection = decider_.Decide(instance, command, context, events);
    ASSERT_FALSE(rejection.has_value()) << rejection->message;
    Append(instance.id, Seq(instance.seq.value - events.size() + 1), events);
  }

  // Appends any events, whether they make sense or not.
  void Append(InstanceId instance, Seq first, const std::vector<model::Event>& events) {
    eventstore::Batch batch;
    batch.Add({.instance = instance,
               .first_seq = first,
               .event_count = static_cast<uint32_t>(events.size()),
               .time = NextTime(),
               .actor = asker.actor,
               .source = asker.source},
              encoder_.Encode(events));
    ASSERT_TRUE(store.Append(kShard, store.NextPosition(kShard), batch).has_value());
  }

  model::Instance Start(uint64_t id) {
    model::Instance instance;
    instance.id = InstanceId(id);
    Decide(instance, model::StartInstance{.definition = DefinitionId(1)});
    return instance;
  }

  eventstore::MemoryStore store;
  model::KeptAsker asker{.actor = "test", .source = {}};  // of what comes next

 private:
  TimeUs NextTime() const { return TimeUs(int64_t(store.NextPosition(kShard).value) * 1000); }

  std::shared_ptr<const definition::Definition> definition_;
  decide::Decider decider_;
  model::RecordEncoder encoder_;
};

inline model::CompleteAttempt Complete(uint32_t run) {
  return {.run = RunId(run), .output = Payload::FromText("{\"ok\":true}"), .log = "printed"};
}

}  // namespace stele::replay
