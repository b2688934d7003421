// Triggers behind a purge or an erasure: an engine that opens what is left comes to what the one
// before it had come to, and fires neither anew nor less.
#include <filesystem>

#include "base/json.h"
#include "tests/engine/retention/triggered_engine.h"
#include "tests/eventstore/records.h"

namespace stele::retention {
namespace {

using eventstore::TempDir;

constexpr const char* kWork = "id: work\nsteps: [{id: a, type: script}]\n";
constexpr const char* kWaiting =
    "id: waiting\n"
    "steps: [{id: w, type: message, config: {action: wait, name: go, key: all}}]\n";

constexpr const char* kStaying =
    "id: staying\n"
    "steps: [{id: w, type: message, config: {action: wait, name: go, key: none}}]\n";

// Counts none of itself.
std::string Alarm(const std::string& condition, const std::string& more = "") {
  return "id: alarm\nsteps: [{id: a, type: script}]\n"
         "triggers: [{type: condition, name: c, " +
         more + "condition: '" + condition +
         "', input: {done: '{{ definitions.work.completed }}'}}]\n";
}

// Where the fold begins again when the engine is opened.
struct Case {
  const char* name;
  uint64_t note_records;
  bool rebuilds;  // state/ is gone
};
void PrintTo(const Case& given, std::ostream* out) {
  *out << given.name;
}

class PurgedTriggers : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<TriggeredEngine> Open(bool with_triggers = true) {
    return std::make_unique<TriggeredEngine>(
        directory_.path(),
        TriggeredOptions{.note_records = GetParam().note_records, .triggers = with_triggers});
  }
  std::unique_ptr<TriggeredEngine> OpenAgain() {
    if (GetParam().rebuilds) std::filesystem::remove_all(directory_.path() + "/state");
    return Open();
  }
  TempDir directory_;
};

TEST_P(PurgedTriggers, CountWhatIsGone) {
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed >= 5"));
  const DefinitionId work = engine->Register(kWork);
  const DefinitionId waiting = engine->Register(kWaiting);
  std::vector<InstanceId> gone;
  for (int i = 0; i < 3; ++i) gone.push_back(engine->Start(work));
  // They begin before the checkpoint and end behind it.
  for (int i = 0; i < 2; ++i) gone.push_back(engine->Start(waiting));
  engine->WriteCheckpoint();
  engine->Start(work);
  engine->Publish("go", "all", "{}");
  engine->Publish("go", "all", "{}");
  engine->Start(engine->Register(kStaying));
  const std::string counts = engine->AllCounts();
  ASSERT_EQ(*engine->Counts("waiting").Find("completed"), Value(2)) << counts;
  engine->Purge(gone);
  EXPECT_EQ(engine->AllCounts(), counts);

  engine.reset();
  engine = OpenAgain();
  EXPECT_EQ(engine->AllCounts(), counts);
  EXPECT_EQ(engine->CountFirings(), 0u);
  engine->Start(work);
  EXPECT_EQ(engine->CountFirings(), 1u) << "it is the fifth";
}

TEST_P(PurgedTriggers, DoNotFireAnewForWhatHeldBefore) {
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed >= 2"));
  const DefinitionId work = engine->Register(kWork);
  std::vector<InstanceId> gone;
  for (int i = 0; i < 3; ++i) gone.push_back(engine->Start(work));
  ASSERT_EQ(engine->CountFirings(), 1u);
  engine->WriteCheckpoint();
  engine->Purge(gone);

  engine.reset();
  engine = OpenAgain();
  for (int i = 0; i < 3; ++i) engine->Start(work);
  EXPECT_EQ(engine->CountFirings(), 1u) << engine->AllCounts();
  EXPECT_EQ(*engine->Counts("work").Find("completed"), Value(6));
}

TEST_P(PurgedTriggers, CountWhatWentBySeveralPurges) {
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed >= 6"));
  const DefinitionId work = engine->Register(kWork);
  for (int i = 0; i < 2; ++i) {
    const InstanceId first = engine->Start(work);
    engine->WriteCheckpoint();
    engine->Purge({first, engine->Start(work)});
    engine.reset();
    engine = OpenAgain();
  }
  // One of which an earlier purge has said all that there is to say.
  const InstanceId old = engine->Start(work);
  const InstanceId young = engine->Start(work);
  EXPECT_EQ(engine->CountFirings(), 1u);
  engine->Purge({young});
  engine->Purge({old});

  engine.reset();
  engine = OpenAgain();
  EXPECT_EQ(*engine->Counts("work").Find("completed"), Value(6));
  EXPECT_EQ(*engine->Counts("work").Find("running"), Value(0));
  EXPECT_EQ(engine->CountFirings(), 1u);
}

TEST_P(PurgedTriggers, CountWhatWentInSeveralPortions) {
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed >= 2500"));
  const DefinitionId work = engine->Register(kWork);
  std::vector<InstanceId> gone = engine->StartMany(work, 1'100);
  engine->WriteCheckpoint();
  for (const InstanceId id : engine->StartMany(work, 1'400)) gone.push_back(id);
  ASSERT_EQ(*engine->Counts("work").Find("completed"), Value(2'500));
  engine->Purge(gone);
  size_t purges = 0;
  engine->ForEachEvent([&](const auto&, const model::Event& event) {
    purges += std::holds_alternative<model::InstancesPurged>(event) ? 1 : 0;
  });
  ASSERT_EQ(purges, 3u);

  engine.reset();
  engine = OpenAgain();
  EXPECT_EQ(*engine->Counts("work").Find("completed"), Value(2'500));
  EXPECT_EQ(*engine->Counts("work").Find("running"), Value(0));
  EXPECT_EQ(engine->CountFirings(), 1u);
}

TEST_P(PurgedTriggers, HaveHeldSinceWhatIsGone) {
  constexpr int64_t kMinuteUs = 60'000'000;
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed > 1", "for: 5m, "));
  const DefinitionId work = engine->Register(kWork);
  const InstanceId first = engine->Start(work);
  engine->WriteCheckpoint();
  engine->Purge({first, engine->Start(work)});
  engine.reset();
  engine = OpenAgain();
  engine->Start(work);
  engine->Advance(4 * kMinuteUs);
  EXPECT_EQ(engine->CountFirings(), 0u);
  engine->Advance(kMinuteUs);
  EXPECT_EQ(engine->CountFirings(), 1u);
}

TEST_P(PurgedTriggers, FireWhatWasDueWhenNobodyWatched) {
  auto engine = Open();
  engine->Register(Alarm("definitions.work.completed > 1 && definitions.work.completed < 4"));
  const DefinitionId work = engine->Register(kWork);
  engine.reset();
  // What a condition that holds no more had come to is due all the same.
  engine = Open(/*with_triggers=*/false);
  std::vector<InstanceId> gone;
  for (int i = 0; i < 5; ++i) gone.push_back(engine->Start(work));
  engine->Purge(gone);
  ASSERT_EQ(engine->CountFirings(), 0u);

  engine.reset();
  engine = OpenAgain();
  EXPECT_EQ(*engine->Counts("work").Find("completed"), Value(5));
  EXPECT_EQ(engine->CountFirings(), 1u);
  std::string input;
  engine->ForEachEvent([&](const auto&, const model::Event& event) {
    if (const auto* fired = std::get_if<model::TriggerFired>(&event)) input = fired->payload.text();
  });
  EXPECT_EQ(input, R"({"done":2})") << "as it was when it began to hold";
  engine.reset();
  engine = OpenAgain();
  EXPECT_EQ(engine->CountFirings(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Starts, PurgedTriggers,
                         testing::Values(Case{"from every record's note", 1, false},
                                         Case{"from a note in the middle", 7, false},
                                         Case{"from the log alone", 1'000'000, false},
                                         Case{"from a log whose state is gone", 1, true}));

class ErasedMessages : public testing::Test {
 protected:
  std::unique_ptr<TriggeredEngine> Open() {
    return std::make_unique<TriggeredEngine>(
        directory_.path(), TriggeredOptions{.note_records = 1'000'000, .sealed = true});
  }
  // By the number of the definition, from 1.
  std::vector<InstanceId> StartedOf(const TriggeredEngine& engine, uint32_t definition) {
    std::vector<InstanceId> started;
    engine.ForEachEvent([&](const eventstore::RecordView& record, const model::Event& event) {
      const auto* start = std::get_if<model::InstanceStarted>(&event);
      if (start != nullptr && start->definition == DefinitionId(definition))
        started.push_back(record.header.instance);
    });
    return started;
  }
  std::string InputOf(const TriggeredEngine& engine, InstanceId instance) {
    std::string input;
    engine.ForEachEvent([&](const eventstore::RecordView& record, const model::Event& event) {
      const auto* start = std::get_if<model::InstanceStarted>(&event);
      if (start != nullptr && record.header.instance == instance) input = start->input.text();
    });
    return input;
  }
  TempDir directory_;
};

std::string Starting(const std::string& name, const std::string& more) {
  return "id: " + name + "\nsteps: [{id: a, type: script}]\ntriggers: [{type: event, name: e, " +
         "event: order" + more + "}]\n";
}

TEST_F(ErasedMessages, GoWithTheInstanceThatTheyStarted) {
  auto engine = Open();
  engine->Register(Starting("first", ""));
  const Position kept = engine->Publish("order", "", R"({"of":"somebody else"})");
  const Position gone = engine->Publish("order", "of nobody", R"({"of":"the subject"})");
  const auto started = StartedOf(*engine, 1);
  ASSERT_EQ(started.size(), 2u);
  const ErasureReport report = engine->Erase({started[1]});
  EXPECT_EQ(report.sent, 2u) << "the message and the firing";
  const auto erased = engine->Erased();
  EXPECT_NE(std::ranges::find(erased, gone), erased.end());
  EXPECT_EQ(std::ranges::find(erased, kept), erased.end());
  EXPECT_EQ(InputOf(*engine, started[0]), R"({"of":"somebody else"})");
  EXPECT_EQ(InputOf(*engine, started[1]), "");
}

TEST_F(ErasedMessages, LeaveTheInputsOfOthersThatTheyStarted) {
  auto engine = Open();
  engine->Register(Starting("first", ""));
  engine->Register(Starting("second", ""));
  const Position gone = engine->Publish("order", "", R"({"of":"both"})");
  const auto first = StartedOf(*engine, 1);
  const auto second = StartedOf(*engine, 2);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_EQ(second.size(), 1u);
  engine->Erase(first);
  const auto erased = engine->Erased();
  EXPECT_NE(std::ranges::find(erased, gone), erased.end());
  EXPECT_EQ(InputOf(*engine, first[0]), "");
  EXPECT_EQ(InputOf(*engine, second[0]), R"({"of":"both"})");
}

TEST_F(ErasedMessages, AreNotTakenForOthersByWhoReadsThemAgain) {
  auto engine = Open();
  engine->Register(Starting("first", ", conditions: ['payload.of == \"x\"']"));
  // It holds for what is left of a message.
  engine->Register(Starting("second", ", conditions: ['payload == null']"));
  engine->Publish("order", "", R"({"of":"x"})");
  const auto first = StartedOf(*engine, 1);
  ASSERT_EQ(first.size(), 1u);
  ASSERT_TRUE(StartedOf(*engine, 2).empty());
  engine->Erase(first);
  ASSERT_EQ(engine->CountFirings(), 1u);
  engine.reset();
  engine = Open();
  EXPECT_EQ(engine->CountFirings(), 1u);
  EXPECT_TRUE(StartedOf(*engine, 2).empty());
}

TEST_F(ErasedMessages, AreNotThoseWhosePlaceAKeyOfAnotherKindNames) {
  auto engine = Open();
  engine->Register(
      "id: hook\nsteps: [{id: a, type: script}]\n"
      "triggers: [{type: api, name: a}]\n");
  const Position kept = engine->Publish("order", "", R"({"of":"somebody else"})");
  const TriggerId by_api(1);
  model::StartInstance start{.definition = DefinitionId(1)};
  start.idempotency_key = runtime::FiringKey(by_api, std::to_string(kept.value) + "-0");
  const InstanceId id = engine->shard().Start(std::move(start), "tester", nullptr);
  engine->RunUntilQuiet();
  EXPECT_EQ(engine->Erase({id}).sent, 0u);
  const auto erased = engine->Erased();
  EXPECT_EQ(std::ranges::find(erased, kept), erased.end());
}

}  // namespace
}  // namespace stele::retention
