// Finding a version, and loading a text with all its faults.
#include "engine/requests/definitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/tasks/function_executor.h"

namespace stele::requests {
namespace {

using model::DefinitionState;
using testing::ElementsAre;
using testing::HasSubstr;

model::Registry Registered(const std::vector<std::pair<std::string, DefinitionState>>& all) {
  model::Registry registry;
  std::map<std::string, uint32_t> versions;
  for (const auto& [name, state] : all) {
    model::RegisteredDefinition one;
    one.id = DefinitionId(static_cast<uint32_t>(registry.definitions.size() + 1));
    one.name = name;
    one.version = ++versions[name];
    one.state = state;
    registry.definitions.push_back(std::move(one));
  }
  return registry;
}

TEST(FindDefinition, GivesTheNewestThatMayStartOrTheNewestOrTheOneThatIsNamed) {
  const model::Registry registry =
      Registered({{"order", DefinitionState::kActive}, {"order", DefinitionState::kDraft}});
  EXPECT_EQ((*FindDefinition(registry, "order", 0, true))->version, 1u);
  EXPECT_EQ((*FindDefinition(registry, "order", 0, false))->version, 2u);
  EXPECT_EQ((*FindDefinition(registry, "order", 2, true))->version, 2u);
}

TEST(FindDefinition, GivesTheNewestWhenNoneMayStart) {
  const model::Registry registry = Registered({{"order", DefinitionState::kPaused}});
  EXPECT_EQ((*FindDefinition(registry, "order", 0, true))->state, DefinitionState::kPaused);
}

TEST(FindDefinition, IsRefusedWithWhatThereIs) {
  const auto refusal = [](const model::Registry& registry, const std::string& name,
                          uint32_t version) {
    const auto found = FindDefinition(registry, name, version, true);
    return found.has_value() ? "" : found.error().ToString();
  };
  const model::Registry registry = Registered({{"order", DefinitionState::kActive}});
  EXPECT_THAT(refusal(registry, "ordre", 0), HasSubstr("did you mean \"order\"?"));
  EXPECT_EQ(refusal(registry, "invoice", 0),
            "STL0407: Expected the name of a registered definition but found \"invoice\"; "
            "registered: order");
  EXPECT_EQ(refusal(registry, "order", 7),
            "STL0407: Expected one of the versions 1 to 1 of \"order\" but found 7");
  EXPECT_THAT(refusal({}, "order", 0), HasSubstr("none is registered"));
  // Those that somebody may not see have no name.
  EXPECT_THAT(refusal(Registered({{"", DefinitionState::kActive}}), "a", 0),
              HasSubstr("none is registered"));
  EXPECT_THAT(refusal(Registered({{"", DefinitionState::kActive}, {"b", DefinitionState::kActive}}),
                      "invoice", 0),
              HasSubstr("; registered: b"));
  std::vector<std::pair<std::string, DefinitionState>> many;
  for (int i = 0; i < 10; ++i)
    many.emplace_back("workflow_" + std::string(1, static_cast<char>('a' + i)),
                      DefinitionState::kActive);
  EXPECT_THAT(refusal(Registered(many), "x", 0), HasSubstr("workflow_h and 2 more"));
}

// Refuses every configuration but {}.
class Picky final : public tasks::TaskExecutor {
 public:
  void Start(tasks::TaskRequest, std::function<void(tasks::TaskResult)>) override {}
  void Cancel(const tasks::AttemptKey&, std::function<void()> stopped) override { stopped(); }
  std::vector<std::string> CheckConfig(const Value& config) const override {
    if (config.is_object() && config.as_object().empty()) return {};
    return {"Expected an empty configuration but found members"};
  }
};

class LoadWorkflow : public testing::Test {
 protected:
  LoadWorkflow() {
    tasks_.Register("script", std::make_unique<tasks::FunctionExecutor>(
                                  tasks::Always(Payload::FromText("{}"))));
    tasks_.Register("picky", std::make_unique<Picky>());
  }
  definition::LoadResult Load(std::string_view text) {
    return requests::Load(text, definition::Syntax::kYaml, "file", {tasks_, types_, stubbed_},
                          nullptr);
  }
  std::vector<std::string> Faults(std::string_view text) {
    std::vector<std::string> told;
    const auto loaded = Load(text);
    if (!loaded.has_value())
      for (const definition::Fault& fault : loaded.error())
        told.push_back(definition::FormatFault("f", fault));
    return told;
  }
  static std::string Step(const std::string& step) {
    return "version: '1.0'\nsteps:\n  - {id: a, " + step + "}\n";
  }

  tasks::TaskRegistry tasks_;
  runtime::CustomTypes types_;
  std::set<std::string> stubbed_;
};

TEST_F(LoadWorkflow, GivesTheDefinitionUnderTheNameOfItsFile) {
  const auto loaded = Load(Step("type: script, config: {script: x}"));
  ASSERT_TRUE(loaded.has_value()) << loaded.error().front().message;
  EXPECT_EQ((*loaded)->name, "file");
}

TEST_F(LoadWorkflow, TellsATypeThatNothingRunsUnlessItIsStubbed) {
  const std::string text = Step("type: 'custom:nobody'");
  EXPECT_THAT(Faults(text), ElementsAre(HasSubstr("f:3:10: STL0107")));
  stubbed_ = {"nobody"};
  EXPECT_THAT(Faults(text), testing::IsEmpty());
  stubbed_ = {"a"};
  EXPECT_THAT(Faults(text), testing::IsEmpty());
}

TEST_F(LoadWorkflow, TellsWhatAnExecutorHasAgainstAConfigurationUnlessItIsStubbed) {
  const std::string text = Step("type: 'custom:picky', config: {x: 1}");
  EXPECT_THAT(Faults(text), ElementsAre(HasSubstr("Step \"a\": Expected an empty configuration")));
  stubbed_ = {"a"};
  EXPECT_THAT(Faults(text), testing::IsEmpty());
}

TEST_F(LoadWorkflow, HoldsARegisteredTypeToItsSchemaBeforeItHasAnExecutor) {
  model::Registry registry;
  registry.settings["type/compile"] =
      R"({"schema": {"type": "object", "required": ["target"]}, "worker": true})";
  types_ = runtime::CustomTypes(registry);
  EXPECT_THAT(Faults(Step("type: 'custom:compile', config: {target: x}")), testing::IsEmpty());
  EXPECT_THAT(Faults(Step("type: 'custom:compile', config: {goal: x}")),
              ElementsAre(HasSubstr("target")));
}

TEST_F(LoadWorkflow, TellsEveryFaultByPlaceAndEachPlaceOnce) {
  const std::vector<std::string> faults = Faults(R"(version: '1.0'
triggers:
  - {type: schedule, name: t, config: {cron: '99 * * * *'}}
steps:
  - {id: a, type: 'custom:nobody'}
  - {id: b, type: script, config: {script: x}, depends_on: [zzz]}
)");
  ASSERT_EQ(faults.size(), 3u) << testing::PrintToString(faults);
  EXPECT_THAT(faults[0], HasSubstr("f:3:"));
  EXPECT_THAT(faults[1], HasSubstr("f:5:"));
  EXPECT_THAT(faults[2], HasSubstr("f:6:"));
}

TEST_F(LoadWorkflow, TellsTheFaultsOfTriggersOfADefinitionThatIsGoodOtherwise) {
  EXPECT_THAT(Faults(Step("type: script, config: {script: x}") +
                     "triggers:\n  - {type: schedule, name: t, config: {cron: '99 * * * *'}}\n"),
              ElementsAre(HasSubstr("f:5:")));
}

TEST_F(LoadWorkflow, TellsAFaultOfATriggerOnce) {
  for (const char* trigger : {"{type: nothing}", "{type: 7}", "{name: x}"})
    EXPECT_EQ(Faults(Step("type: script, config: {script: x}") + "triggers:\n  - " + trigger + "\n")
                  .size(),
              1u)
        << trigger;
}

}  // namespace
}  // namespace stele::requests
