// On to another version of the definition.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::optional<Rejection> MigrateTo(CoreDriver& flow, std::string_view yaml,
                                   std::string_view plan = "") {
  return flow.Do(model::MigrateInstance{flow.AddVersion(yaml), std::string(plan)});
}

constexpr std::string_view kOld = R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a]}
  - {id: c, type: script, depends_on: [b]}
)";

TEST(Migrate, GoesOnWithStepsThatWereAdded) {
  CoreDriver flow(kOld);
  flow.Start().Complete("a").Migrate(R"(
id: flow
steps:
  - {id: before, type: script}
  - {id: a, type: script, depends_on: [before]}
  - {id: b, type: script, depends_on: [a]}
  - {id: between, type: script, depends_on: [b]}
  - {id: c, type: script, depends_on: [between]}
)");
  EXPECT_THAT(flow.Last(), ElementsAre("migrated to 2"));
  EXPECT_EQ(flow.instance().definition, DefinitionId(2));
  flow.Complete("b").Complete("between").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, GoesOnWithoutStepsThatWereRemoved) {
  CoreDriver flow(kOld);
  flow.Start().Complete("a").Migrate(R"(
id: flow
steps: [{id: b, type: script}]
)");
  flow.Complete("b");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, FollowsThePlanWhereNamesHaveChanged) {
  CoreDriver flow(kOld);
  flow.Start().Complete("a", R"({"n":1})");
  flow.Migrate(R"(
id: flow
steps:
  - {id: first, type: script}
  - {id: second, type: script, depends_on: [first]}
  - {id: c, type: script, depends_on: [second], input_mapping: {n: "{{steps.first.output.n}}"}}
)",
               R"({"a":"first","b":"second"})");
  flow.Complete("second");
  EXPECT_EQ(flow.Input("c"), R"({"n":1})");
}

constexpr std::string_view kNested = R"(
workflow:
  id: flow
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: run, type: sub_process, process: inner}
    - id: inner
      type: sub_process
      VARIABLES
      tasks:
        - {id: a, type: script}
        - {id: b, type: script, INPUT}
)";

std::string Nested(std::string_view variables, std::string_view input) {
  std::string text(kNested);
  text.replace(text.find("VARIABLES"), 9, variables);
  return text.replace(text.find("INPUT"), 5, input);
}

TEST(Migrate, GivesNewVariablesOfANestedScopeTheirDefaults) {
  CoreDriver flow(Nested("variables: {kept: 1}", "optional: false"));
  flow.Start().Migrate(
      Nested("variables: {kept: 5, added: [2]}",
             "input_mapping: {kept: '{{variables.kept}}', added: '{{variables.added}}'}"));
  flow.Complete("a");
  EXPECT_EQ(flow.Input("b"), R"({"kept":1,"added":[2]})");
  EXPECT_EQ(flow.Variable("added"), "") << "the root has none";
}

TEST(Migrate, GivesNewVariablesTheirDefaults) {
  CoreDriver flow("id: flow\nvariables: {n: 1}\nsteps: [{id: a, type: script}]\n");
  flow.Start(R"({"n":5})")
      .Migrate("id: flow\nvariables: {n: 2, m: 3}\nsteps: [{id: a, type: script}]\n");
  EXPECT_EQ(flow.Variable("n"), "5");
  EXPECT_EQ(flow.Variable("m"), "3");
}

constexpr std::string_view kLoop = R"(
id: flow
steps:
  - id: each
    type: loop
    times: 2
    steps:
      - {{id: a, type: script}}
      - {{id: b, type: script, depends_on: [a]}}
{}
)";

TEST(Migrate, GoesOnInTheMiddleOfALoop) {
  CoreDriver flow(fmt::format(kLoop, ""));
  flow.Start().Complete("a").Migrate(
      fmt::format(kLoop, "      - {id: c, type: script, depends_on: [b]}"));
  for (const char* step : {"b", "c", "a", "b", "c"}) flow.Complete(step);
  EXPECT_EQ(flow.Status(), "completed");
}

constexpr std::string_view kJoin = R"(
id: flow
steps:
  - {{id: a, type: script}}
  - {{id: b, type: script}}
{}
  - {{id: meet, type: script, depends_on: [{}]}}
)";

TEST(Migrate, KeepsATokenThatWaitsAtAJoin) {
  CoreDriver flow(fmt::format(kJoin, "", "a, b"));
  flow.Start().Complete("a").Migrate(fmt::format(kJoin, "", "b, a"));
  flow.Complete("b").Complete("meet");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, IsRefusedWhenAJoinWouldWaitForEver) {
  CoreDriver flow(fmt::format(kJoin, "", "a, b"));
  flow.Start().Complete("a");
  const auto rejection =
      MigrateTo(flow, fmt::format(kJoin, "  - {id: new, type: script}", "a, b, new"));
  ASSERT_TRUE(rejection.has_value());
  EXPECT_EQ(rejection->code, ErrorCode::kCannotMigrate);
  EXPECT_THAT(rejection->message, HasSubstr("none can come from \"new\""));
}

// What a back edge brings belongs to the next round: this one's join still waits.
TEST(Migrate, IsRefusedWhenAJoinInALoopWouldWaitForTheNextRound) {
  constexpr std::string_view kRounds = R"(
workflow:
  id: flow
  processes:
    - id: main
      type: conditional
      tasks:
        - {{id: head, type: script}}
        - {{id: x, type: script}}
        - {{id: meet, type: script}}
{}
      transitions:
        - {{from: head, to: x}}
        - {{from: x, to: meet}}
        - {{from: meet, to: head, condition: "outputs.again == true"}}
{}
)";
  CoreDriver flow(fmt::format(kRounds, "", ""));
  flow.Start().Complete("head");
  const auto rejection = MigrateTo(
      flow, fmt::format(kRounds, "        - {id: new, type: script}",
                        "        - {from: head, to: new}\n        - {from: new, to: meet}"));
  ASSERT_TRUE(rejection.has_value());
  EXPECT_THAT(rejection->message, HasSubstr("none can come from \"new\""));
}

TEST(Migrate, NamesAllReasonsAtOnce) {
  CoreDriver flow(R"(
id: flow
steps:
  - {id: a, type: script, compensation: undo_a}
  - {id: b, type: script, depends_on: [a]}
  - {id: c, type: script, depends_on: [a]}
  - {id: undo_a, type: script}
)");
  flow.Start().Complete("a");
  const auto rejection = MigrateTo(flow, R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: delay, duration: 1s, depends_on: [a]}
)",
                                   R"({"gone":"a"})");
  ASSERT_TRUE(rejection.has_value());
  for (const char* reason : {"but found \"gone\"", "a compensation for \"a\"",
                             "Expected \"b\" to be of type script", "a place for \"c\""})
    EXPECT_THAT(rejection->message, HasSubstr(reason));
}

TEST(Migrate, IsRefusedWhenTwoStepsWouldBecomeOne) {
  CoreDriver flow(kOld);
  flow.Start().Complete("a");
  const auto rejection = MigrateTo(flow, kOld, R"({"a":"b"})");
  ASSERT_TRUE(rejection.has_value());
  EXPECT_THAT(rejection->message, HasSubstr("which \"a\" becomes"));
}

TEST(Migrate, IsRefusedForAPlanThatIsNone) {
  CoreDriver flow(kOld);
  flow.Start();
  EXPECT_EQ(MigrateTo(flow, kOld, "[1]")->code, ErrorCode::kCannotMigrate);
  EXPECT_EQ(MigrateTo(flow, kOld, R"({"a":"nowhere"})")->code, ErrorCode::kCannotMigrate);
  EXPECT_EQ(MigrateTo(flow, kOld, R"({"a":null})")->code, ErrorCode::kCannotMigrate);
}

TEST(Migrate, IsRefusedForAnotherDefinitionAndForNone) {
  CoreDriver flow(kOld);
  flow.Start();
  EXPECT_EQ(MigrateTo(flow, "id: other\nsteps: [{id: a, type: script}]\n")->code,
            ErrorCode::kCannotMigrate);
  EXPECT_EQ(flow.Do(model::MigrateInstance{DefinitionId(99)})->code, ErrorCode::kUnknownDefinition);
}

TEST(Migrate, KeepsWhatAPauseHolds) {
  CoreDriver flow(kOld);
  flow.Start().Pause().Complete("a", R"({"n":1})").Migrate(R"(
id: flow
steps:
  - {id: x, type: script}
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], input_mapping: {n: "{{outputs.n}}"}}
)");
  EXPECT_THAT(flow.Held(), ElementsAre("b"));
  flow.Resume();
  EXPECT_EQ(flow.Input("b"), R"({"n":1})");
}

TEST(Migrate, KeepsPeopleAndMessagesWaiting) {
  constexpr std::string_view kWaiting = R"(
id: flow
steps:
  - {{id: {}, type: script, when: "false"}}
  - {{id: ask, type: approval, config: {{assignees: ann}}}}
  - {{id: paid, type: message, config: {{name: paid}}}}
)";
  CoreDriver flow(fmt::format(kWaiting, "x"));
  flow.Start().Migrate(fmt::format(kWaiting, "y"));
  flow.Approve("ask", "ann").Correlate("paid", "paid");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, UndoesWithTheNewCompensation) {
  constexpr std::string_view kSaga = R"(
id: flow
steps:
  - {{id: a, type: script, compensation: {0}}}
  - {{id: b, type: script, depends_on: [a]}}
  - {{id: {0}, type: script}}
)";
  CoreDriver flow(fmt::format(kSaga, "undo_old"));
  flow.Start().Complete("a").Migrate(fmt::format(kSaga, "undo_new")).Cancel(/*compensate=*/true);
  EXPECT_THAT(flow.Running(), ElementsAre("undo_new"));
}

constexpr std::string_view kMeeting = R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: meet, type: script, depends_on: [a, b]}
  - {id: c, type: script, depends_on: [meet]}
)";

TEST(Migrate, GoesOnWithAStepBehindAJoinThatRuns) {
  CoreDriver flow(kMeeting);
  flow.Start().Complete("a").Complete("b").Migrate(kMeeting);
  flow.Complete("meet").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, GoesOnWithAStepBehindAJoinThatIsHeld) {
  CoreDriver flow(kMeeting);
  flow.Start().Pause().Complete("a").Complete("b").Migrate(kMeeting);
  flow.Resume().Complete("meet").Complete("c");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(Migrate, IsRefusedWhenTheNextJoinWaitsForWhatIsOver) {
  CoreDriver flow(kMeeting);
  flow.Start().Complete("a").Complete("b");
  const std::optional<Rejection> rejection = MigrateTo(flow, R"(
id: flow
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: meet, type: script, depends_on: [a, b]}
  - {id: c, type: script, depends_on: [meet, b]}
)");
  ASSERT_TRUE(rejection.has_value());
  EXPECT_THAT(rejection->message, HasSubstr("none can come from \"b\" any more"));
}

TEST(Migrate, AsksNothingOfTokensInScopesThatAreOver) {
  CoreDriver flow(R"(
id: flow
steps:
  - id: each
    type: loop
    items: "{{ [1, 2] }}"
    break_on_error: false
    steps:
      - {id: x, type: script, compensation: undo}
      - {id: y, type: script}
      - {id: m, type: script, depends_on: [x, y]}
      - {id: undo, type: script}
)");
  flow.Start().Complete("x").Fail("y");
  EXPECT_EQ(MigrateTo(flow, R"(
id: flow
steps:
  - id: each
    type: loop
    items: "{{ [1, 2] }}"
    break_on_error: false
    steps:
      - {id: x, type: script, compensation: undo}
      - {id: y, type: script}
      - {id: undo, type: script}
)"),
            std::nullopt);
}

}  // namespace
}  // namespace stele::test
