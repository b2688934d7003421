// Where the flow goes from a step: branches, cases, defaults, joins.

#include <gtest/gtest.h>

#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kTargets =
    "- {id: a, type: script}\n- {id: b, type: script}\n- {id: c, type: script}\n";

std::string Steps(std::string_view steps) {
  return "name: n\nsteps:\n" + std::string(steps) + std::string(kTargets);
}

std::string Ways(std::string_view steps) {
  const std::string shape = Shape(*LoadYaml(Steps(steps)));
  return shape.substr(0, shape.find('\n') + 1) + shape.substr(shape.find("c script\n") + 9);
}

TEST(Choice, OfBranchesTakesTheFirstThatHolds) {
  const std::string expected =
      "g exclusive first\n"
      "g -> a if ${amount > 1000}\ng -> b if input.x\ng -> c default\n";
  EXPECT_EQ(Ways("- {id: g, type: exclusive, branches: [{when: '${amount > 1000}', next: a},\n"
                 "   {if: input.x, then: b}], default: c}\n"),
            expected);
  EXPECT_EQ(Ways("- {id: g, type: exclusive_gateway, config: {conditions: [\n"
                 "   {expression: '${amount > 1000}', next: a}, {expression: input.x, to: b},\n"
                 "   {default: true, next: c}]}}\n"),
            expected);
}

TEST(Choice, OfAnInclusiveGatewayTakesEveryBranchThatHolds) {
  EXPECT_EQ(Ways("- {id: g, type: inclusive, branches: [{when: input.x, next: a},\n"
                 "   {when: input.y, next: b}], default: c}\n"),
            "g inclusive\ng -> a if input.x\ng -> b if input.y\ng -> c default\n");
}

TEST(Choice, OfASwitchComparesOneValue) {
  const std::string expected =
      "g exclusive first\ng -> a if (input.kind) == \"gold\"\n"
      "g -> b if (input.kind) == \"it's\"\ng -> c default\n";
  EXPECT_EQ(Ways("- {id: g, type: switch, value: input.kind, default: c,\n"
                 "   cases: {gold: a, \"it's\": b}}\n"),
            expected);
  EXPECT_EQ(Ways("- {id: g, type: switch, config: {value: input.kind, default: c,\n"
                 "   cases: [{case: gold, next: a}, {equals: \"it's\", next: b}]}}\n"),
            expected);
  EXPECT_EQ(Ways("- {id: g, type: switch, value: input.n, cases: [{case: 1, next: [a, b]}]}\n"),
            "g exclusive first\ng -> a if (input.n) == 1\ng -> b if (input.n) == 1\n");
}

TEST(Choice, IsKnownAmongTheTasksOfAProcess) {
  const auto definition = LoadYaml(
      "workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
      "    - {id: g, type: exclusive, inputs: {branches: [{when: input.x, next: a}], default: b}}\n"
      "    - {id: a, type: script}\n    - {id: b, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "g exclusive first\na script\nb script\ng -> a if input.x\ng -> b default\n");
}

TEST(Choice, IsChecked) {
  EXPECT_EQ(
      FaultsOf(Steps("- {id: g, type: exclusive, branches: [{when: input.x}, {next: a}]}\n"
                     "- {id: h, type: switch, cases: {x: a}}\n"
                     "- {id: i, type: switch, value: input.x, cases: [{case: [1], next: b}]}\n"
                     "- {id: j, type: exclusive, branches: []}\n"
                     "- {id: k, type: exclusive, config: {braches: [{when: input.x, to: a}]}}\n"
                     "- {id: l, type: exclusive, default: nowhere}\n")),
      (Lines{
          "3:39 STL0102 Expected `next` in a branch but found none",
          "3:56 STL0102 Expected a `condition` or `default: true` in branch 2 of \"g\" but found "
          "neither",
          "4:32 STL0102 Expected `value` beside the `cases` of \"h\" but found none",
          "5:56 STL0102 Expected a text, a number, true or false as a case but found a list",
          "6:38 STL0102 Expected a list of branches but found an empty one",
          "7:37 STL0108 Expected \"branches\" as a key of a choice's configuration but found "
          "\"braches\"",
          "8:37 STL0104 Expected the id of a step but found \"nowhere\", which is none"}));
}

TEST(Next, MayHaveConditions) {
  EXPECT_EQ(
      Ways("- {id: g, type: script, next: [{to: a, when: outputs.ok}, {to: b, default: true},\n"
           "   c]}\n"),
      "g script first\ng -> a if outputs.ok\ng -> b default\ng -> c\n");
}

TEST(Join, IsAWordACountOrBoth) {
  for (const char* join : {"2", "{type: n_of_m, count: 2}", "{count: 2}"}) {
    const auto definition = LoadYaml(
        Steps("- {id: j, type: script, depends_on: [a, b, c], join: " + std::string(join) + "}\n"));
    EXPECT_EQ(definition->FindStep("j")->join, Join::kNOfM) << join;
    EXPECT_EQ(definition->FindStep("j")->join_count, 2u) << join;
  }
  EXPECT_EQ(LoadYaml(Steps("- {id: j, type: script, depends_on: [a, b], join: {type: any}}\n"))
                ->FindStep("j")
                ->join,
            Join::kAny);
  EXPECT_EQ(
      FaultsOf(Steps("- {id: j, type: script, depends_on: [a, b], join: {type: n_of_m}}\n"
                     "- {id: k, type: script, depends_on: [a, b], join: {type: any, count: 1}}\n"
                     "- {id: m, type: script, depends_on: [a, b], join: some}\n")),
      (Lines{"3:51 STL0102 Expected `count` in a join of type \"n_of_m\" but found none",
             "4:70 STL0102 Expected `count` in a join of type \"n_of_m\" alone but found it in "
             "another",
             "5:51 STL0102 Expected `join` to be \"all\", \"any\" or a count from 1 but found "
             "\"some\""}));
  EXPECT_EQ(FaultsOf(Steps("- {id: l, type: script, depends_on: [a, b], join: {count: 3}}\n")),
            Lines{"3:59 STL0102 Expected a join of \"l\" to wait for at most its 2 transitions but "
                  "found 3"});
}

TEST(Condition, SkipsAStep) {
  const auto definition =
      LoadYaml(Steps("- {id: g, type: script, depends_on: a, skip_if_false: true,\n"
                     "   condition: \"previous_task_result.status == 'approved'\"}\n"));
  ASSERT_TRUE(definition->FindStep("g")->condition);
  EXPECT_EQ(FaultsOf(Steps("- {id: g, type: script, when: input.x, skip_if_false: false}\n")),
            Lines{"3:55 STL0102 Expected `skip_if_false` to be true, as a step whose condition is "
                  "false is skipped, but found false"});
}

std::string Parentheses(size_t count) {
  return std::string(count, '(') + "false" + std::string(count, ')');
}

// What cannot be said as one expression is refused; it is never left out.
TEST(Choice, AConditionThatCannotBeJoinedIsRefused) {
  const std::string deep = Parentheses(63);
  EXPECT_TRUE(FaultsOf(Steps("- {id: g, type: script, when: \"" + deep + "\"}\n")).empty());
  for (const std::string& steps :
       {"- {id: g, type: script, when: \"" + deep + "\", condition: \"true\"}\n",
        "- {id: g, type: condition, condition: \"" + deep + "\", then: [a, b], else: c}\n",
        "- {id: g, type: condition, when: \"" + deep + "\", condition: \"true\"}\n"}) {
    const Lines faults = FaultsOf(Steps(steps));
    ASSERT_EQ(faults.size(), 1u) << steps;
    EXPECT_TRUE(faults[0].contains("Expected conditions that can be joined to")) << faults[0];
  }
}

TEST(Choice, AFalseWayWhoseConditionCannotBeTurnedRoundIsRefused) {
  const auto load = [](const std::string& condition) {
    return FaultsOf("name: w\nnodes:\n- {id: c, node_type: CONDITION, config: {condition: \"" +
                    condition +
                    "\"}}\n- {id: a, node_type: SCRIPT}\n- {id: b, node_type: SCRIPT}\n"
                    "- {id: d, node_type: SCRIPT}\nconnections:\n"
                    "- {from: c, to: a, connection_type: CONDITIONAL_TRUE}\n"
                    "- {from: c, to: b, connection_type: CONDITIONAL_FALSE}\n"
                    "- {from: c, to: d, connection_type: CONDITIONAL_FALSE}\n");
  };
  EXPECT_EQ(load(Parentheses(3)), Lines{});
  const Lines faults = load(Parentheses(63));
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].contains("Expected conditions that can be joined to")) << faults[0];
}

TEST(Choice, TheIdOfAnEventIsNoLongerThanAnExpression) {
  const auto load = [](size_t bytes) {
    return FaultsOf(
        Steps("- {id: g, type: event_race, config: {events: [{id: " + std::string(bytes, 'x') +
              ", signal: s, next: a}, {id: y, after: 1s, next: b}]}}\n"));
  };
  EXPECT_EQ(load(100), Lines{});
  const Lines faults = load(20'000);
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].contains("Expected an expression of at most 16384 bytes")) << faults[0];
}

}  // namespace
}  // namespace stele::definition::testing
