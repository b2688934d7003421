#include "engine/requests/operators.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/requests/asking.h"

namespace stele::requests {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::string_view kLine = R"(
id: line
name: line
variables: {n: 0}
error_handling: {strategy: park}
steps:
  - {id: a, type: script, retry: {max_attempts: 2, initial_delay: 10s}}
  - {id: b, type: script, depends_on: [a], optional: true}
)";

TEST(Operators, PauseResumeAndTakeSteps) {
  CoreDriver flow(kLine);
  flow.Start();
  EXPECT_EQ(TextOf(Ask(flow, Pause("lunch"))), "");
  EXPECT_TRUE(flow.instance().paused);
  EXPECT_THAT(TextOf(Ask(flow, Pause(""))), HasSubstr("STL0405"));
  flow.Complete("a");
  EXPECT_THAT(flow.Held(), ElementsAre("b"));
  EXPECT_EQ(TextOf(Ask(flow, Resume("one step", 1))), "");
  EXPECT_TRUE(flow.instance().paused);
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
  EXPECT_EQ(TextOf(Ask(flow, Resume("on"))), "");
  EXPECT_FALSE(flow.instance().paused);
}

TEST(Operators, CancelWithAndWithoutCompensation) {
  constexpr std::string_view kSaga = R"(
id: saga
steps:
  - {id: a, type: script, compensation: undo}
  - {id: b, type: script, depends_on: [a]}
  - {id: undo, type: script}
)";
  CoreDriver plain(kSaga);
  plain.Start().Complete("a");
  EXPECT_EQ(TextOf(Ask(plain, Cancel(false, "withdrawn"))), "");
  EXPECT_EQ(plain.Status(), "cancelled");
  CoreDriver undoing(kSaga);
  undoing.Start().Complete("a");
  EXPECT_EQ(TextOf(Ask(undoing, Cancel(true, "withdrawn"))), "");
  EXPECT_EQ(undoing.Status(), "compensating");
  EXPECT_EQ(TextOf(Ask(undoing, Terminate("enough"))), "");
  EXPECT_EQ(undoing.Status(), "terminated");
}

TEST(Operators, RetryWhatHasFailed) {
  CoreDriver flow("id: f\nsteps:\n  - {id: a, type: script}\n");
  flow.Start();
  EXPECT_THAT(TextOf(Ask(flow, Retry(""))), HasSubstr("STL04"));
  flow.Fail("a", "boom");
  ASSERT_EQ(flow.Status(), "failed");
  EXPECT_EQ(TextOf(Ask(flow, Retry("mended"))), "");
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(Operators, RetryAStepThatWaitsForItsNextAttemptOrIsParked) {
  CoreDriver flow(kLine);
  flow.Start();
  EXPECT_THAT(TextOf(Ask(flow, RetryStep("a", ""))),
              HasSubstr("to be waiting for a retry or an operator but found #1 is at attempt"));
  flow.Fail("a");
  ASSERT_THAT(flow.In(model::RunState::kBackoff), ElementsAre("a"));
  EXPECT_GT(flow.NextTimerInMs(), 0);
  EXPECT_EQ(TextOf(Ask(flow, RetryStep("a", "now"))), "");
  EXPECT_EQ(flow.NextTimerInMs(), 0);
  flow.Elapse();
  flow.Fail("a");
  ASSERT_THAT(flow.Parked(), ElementsAre("a"));
  EXPECT_EQ(TextOf(Ask(flow, RetryStep("a", "again"))), "");
  flow.Elapse();
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
}

TEST(Operators, SkipAStepThatIsOptional) {
  CoreDriver flow(kLine);
  flow.Start();
  EXPECT_NE(TextOf(Ask(flow, SkipStep("a", ""))), "");
  EXPECT_THAT(TextOf(Ask(flow, SkipStep("b", ""))), HasSubstr("found no open run"));
  flow.Complete("a");
  EXPECT_EQ(TextOf(Ask(flow, SkipStep("b", "not needed"))), "");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Operators, RollBackFromWhereverItIsOrFromARun) {
  CoreDriver flow(kLine);
  flow.Start().Complete("a");
  EXPECT_EQ(TextOf(Ask(flow, RollBack("", "a", "wrong"))), "");
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  flow.Complete("a");
  const auto back = RollBack("b", "a", "wrong")(flow.instance(), flow.definition());
  ASSERT_TRUE(back.has_value()) << back.error().ToString();
  EXPECT_EQ(std::get<model::RollBack>(*back).from_run, flow.Run("b"));
  EXPECT_FALSE(flow.Do(*back).has_value());
  EXPECT_THAT(flow.Running(), ElementsAre("a"));
  EXPECT_THAT(TextOf(Ask(flow, RollBack("", "c", ""))),
              HasSubstr("STL0403: Expected a step of \"line\" to go back to but found \"c\""));
  EXPECT_THAT(TextOf(Ask(flow, RollBack("c", "a", ""))), HasSubstr("STL0403"));
}

TEST(Operators, ResolveAParkedStepByAWord) {
  CoreDriver flow(kLine);
  flow.Start();
  EXPECT_THAT(TextOf(Ask(flow, Resolve("a", "retry", ""))),
              HasSubstr("to be waiting for an operator but found"));
  flow.Fail("a", "boom", false);
  ASSERT_THAT(flow.Parked(), ElementsAre("a"));
  EXPECT_THAT(TextOf(Ask(flow, Resolve("a", "forget", ""))),
              HasSubstr("STL0701: Expected retry, skip or fail but found \"forget\""));
  EXPECT_EQ(TextOf(Ask(flow, Resolve("a", "retry", "it is up again"))), "");
  flow.Elapse().Fail("a", "boom", false);
  EXPECT_EQ(TextOf(Ask(flow, Resolve("a", "skip", "done by hand"))), "");
  EXPECT_THAT(flow.Running(), ElementsAre("b"));
  flow.Fail("b", "boom", false);
  EXPECT_EQ(TextOf(Ask(flow, Resolve("b", "fail", "no use"))), "");
  EXPECT_THAT(flow.Running(), IsEmpty());
  EXPECT_THAT(flow.Parked(), IsEmpty());
}

TEST(Operators, AssignVariablesOfTheInstanceOrOfAScope) {
  CoreDriver flow(R"(
id: f
variables: {n: 0}
steps:
  - id: each
    type: loop
    items: [1]
    steps:
      - {id: check, type: manual}
)");
  flow.Start();
  const std::vector<model::NamedPayload> five{{"n", Payload::FromText("5")}};
  EXPECT_EQ(TextOf(Ask(flow, AssignVariables(five))), "");
  EXPECT_EQ(flow.Variable("n"), "5");
  const auto inside = AssignVariables(five, "check")(flow.instance(), flow.definition());
  ASSERT_TRUE(inside.has_value()) << inside.error().ToString();
  EXPECT_EQ(std::get<model::AssignVariables>(*inside).scope, flow.RunOf("check").scope);
  EXPECT_THAT(TextOf(Ask(flow, AssignVariables(five, "nothing"))), HasSubstr("STL0403"));
}

TEST(Operators, SendASignalWithItsPayload) {
  CoreDriver flow(R"(
id: f
variables: {n: 0}
steps:
  - {id: w, type: signal, config: {name: go}, output_mapping: {n: response.n}}
)");
  flow.Start();
  EXPECT_EQ(TextOf(Ask(flow, Signal("go", Payload::FromText(R"({"n":4})")))), "");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Variable("n"), "4");
}

TEST(Operators, MigrateToAVersionOfItsOwnDefinition) {
  CoreDriver flow(kLine);
  flow.Start();
  const std::string next = std::string(kLine) + "  - {id: c, type: script, depends_on: [b]}\n";
  const DefinitionId second = flow.AddVersion(next);
  model::Registry registry;
  for (const DefinitionId id : {DefinitionId(1), second}) {
    model::RegisteredDefinition registered;
    registered.id = id;
    registered.name = flow.definition().name;
    registered.version = id.value;
    registry.definitions.push_back(std::move(registered));
  }
  EXPECT_THAT(TextOf(Ask(flow, Migrate(registry, 3, ""))),
              HasSubstr("Expected one of the versions 1 to 2 of \"line\" but found 3"));
  EXPECT_EQ(TextOf(Ask(flow, Migrate(registry, 2, ""))), "");
  EXPECT_EQ(flow.instance().definition, second);
  EXPECT_NE(flow.definition().FindStep("c"), nullptr);
}

}  // namespace
}  // namespace stele::requests
