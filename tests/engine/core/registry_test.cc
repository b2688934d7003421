// The registry's events: stored, read again and applied.
#include <gtest/gtest.h>

#include "engine/apply/apply.h"
#include "engine/definition/canonical.h"
#include "engine/model/codec.h"
#include "tests/support/definitions.h"

namespace stele::test {
namespace {

// What the events make of a registry when they come out of the log.
model::Registry From(const std::vector<model::Event>& events) {
  model::RecordEncoder encoder;
  const auto decoded = model::Decode(encoder.Encode(events));
  EXPECT_TRUE(decoded.has_value());
  model::Registry registry;
  for (const model::Event& event : *decoded)
    apply::Apply(registry, event, {Position(7), TimeUs(1'000)});
  return registry;
}

model::DefinitionRegistered Registered(uint32_t id, uint32_t version) {
  const auto definition = Load("id: flow\nsteps: [{id: a, type: script}]\n");
  return {DefinitionId(id), "flow",    version, definition::WriteCanonical(*definition),
          "source",         "flow.yml"};
}

TEST(Registry, KnowsVersionsAndWhichOneStarts) {
  const model::Registry registry =
      From({Registered(1, 1), Registered(2, 2),
            model::DefinitionStateChanged{DefinitionId(2), "retired", "a mistake"}});
  EXPECT_EQ(registry.Latest("flow")->id, DefinitionId(2));
  EXPECT_EQ(registry.Latest("flow")->reason, "a mistake");
  EXPECT_EQ(registry.Startable("flow")->id, DefinitionId(1));
  EXPECT_EQ(registry.Version("flow", 2)->state, model::DefinitionState::kRetired);
  EXPECT_EQ(registry.Find(DefinitionId(3)), nullptr);
  EXPECT_EQ(registry.seq, Seq(3));
  EXPECT_EQ(registry.position, Position(7));
}

TEST(Registry, RemembersTheLatestFiringOfATrigger) {
  const model::Registry registry =
      From({model::TriggerRegistered{TriggerId(1), "flow", "schedule", "{}"},
            model::TriggerFired{TriggerId(1), TimeUs(50), "started 1", "k", {}},
            model::TriggerFired{TriggerId(1), TimeUs(40), "missed", "k", {}},
            model::TriggerStateChanged{TriggerId(1), "paused", "enough"}});
  const model::RegisteredTrigger& trigger = *registry.Find(TriggerId(1));
  EXPECT_EQ(trigger.last_time, TimeUs(50));
  EXPECT_EQ(trigger.last_outcome, "missed");
  EXPECT_EQ(trigger.fired, 2u);
  EXPECT_EQ(trigger.state, model::TriggerState::kPaused);
}

TEST(Registry, KeepsSettingsUntilTheyAreTakenAway) {
  const model::Registry registry =
      From({model::SettingChanged{"a", "1"}, model::SettingChanged{"b", "2"},
            model::SettingChanged{"a", "3"}, model::SettingChanged{"b", ""}});
  EXPECT_EQ(registry.settings.size(), 1u);
  EXPECT_EQ(registry.settings.at("a"), "3");
}

}  // namespace
}  // namespace stele::test
