// Ways that part and meet: conditions, choices, joins, skipped steps.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"
#include "tests/support/workflows.h"

namespace stele::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(Condition, TakesTheBranchThatHoldsAndJoinsTheDeadOne) {
  CoreDriver deploy(kDeploy);
  deploy.Start(R"({"target":"production"})").Complete("build");
  EXPECT_THAT(deploy.Last(),
              ElementsAre("build: attempt 1 completed", "build: completed", "staging: skipped",
                          "production: activated", "report: dead token"));
  deploy.Complete("production");
  EXPECT_THAT(deploy.Running(), ElementsAre("report"));
  deploy.Complete("report");
  EXPECT_EQ(deploy.Status(), "completed");
}

TEST(Condition, SkipsEverythingBehindBranchesOfWhichNoneHolds) {
  CoreDriver deploy(kDeploy);
  deploy.Start(R"({"target":"nowhere"})").Complete("build");
  EXPECT_THAT(deploy.Told(": skipped"), ElementsAre("staging", "production", "report"));
  EXPECT_EQ(deploy.Status(), "completed");
}

TEST(Condition, ThatCannotBeEvaluatedFailsTheStep) {
  CoreDriver deploy(R"(
id: deploy
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], condition: "steps.a.output.size > 3"}
)");
  deploy.Start().Complete("a", R"({"size":"large"})");
  EXPECT_EQ(deploy.Status(), "failed");
  EXPECT_EQ(deploy.Failure(), "expression");
}

constexpr std::string_view kJoin = R"(
id: join
steps:
  - {{id: a, type: script}}
  - {{id: b, type: script}}
  - {{id: c, type: script, condition: "variables.c"}}
  - {{id: meet, type: script, depends_on: [a, b, c], join: {}}}
)";

TEST(AnyJoin, StartsAtTheFirstLiveTokenAndAbsorbsTheRest) {
  CoreDriver join(fmt::format(kJoin, "any"));
  join.Start(R"({"c":false})");
  EXPECT_THAT(join.Running(), ElementsAre("a", "b"));
  join.Complete("b");
  EXPECT_THAT(join.Running(), ElementsAre("a", "meet"));
  join.Complete("meet");
  EXPECT_EQ(join.Status(), "running");
  join.Complete("a");
  EXPECT_EQ(join.Status(), "completed");
  EXPECT_EQ(join.Count("meet: activated"), 1u);
}

TEST(CountJoin, StartsAtTheNthLiveToken) {
  CoreDriver join(fmt::format(kJoin, "2"));
  join.Start(R"({"c":true})").Complete("c");
  EXPECT_THAT(join.Running(), ElementsAre("a", "b"));
  join.Complete("a");
  EXPECT_THAT(join.Running(), ElementsAre("b", "meet"));
  join.Complete("b").Complete("meet");
  EXPECT_EQ(join.Status(), "completed");
  EXPECT_EQ(join.Count("meet: activated"), 1u);
}

TEST(CountJoin, IsSkippedWhenTooFewTokensAreLive) {
  CoreDriver join(fmt::format(kJoin, "3"));
  join.Start(R"({"c":false})").Complete("a").Complete("b");
  EXPECT_THAT(join.Told(": skipped"), ElementsAre("c", "meet"));
  EXPECT_EQ(join.Status(), "completed");
}

constexpr std::string_view kChoice = R"(
workflow:
  id: choice
  processes:
    - id: main
      type: conditional
      tasks:
        - {{id: which, type: exclusive}}
        - {{id: small, type: script}}
        - {{id: large, type: script}}
        - {{id: other, type: script}}
      transitions:
        - {{from: which, to: small, condition: "variables.n < 10"}}
        - {{from: which, to: large, condition: "variables.n < 100"}}
        - {{from: which, to: other, condition: "{}"}}
)";

TEST(Exclusive, TakesTheFirstBranchThatHolds) {
  CoreDriver choice(fmt::format(kChoice, "default"));
  choice.Start(R"({"n":5})");
  EXPECT_THAT(choice.Running(), ElementsAre("small"));
}

TEST(Exclusive, TakesTheDefaultWhenNoneHolds) {
  CoreDriver choice(fmt::format(kChoice, "default"));
  choice.Start(R"({"n":500})");
  EXPECT_THAT(choice.Running(), ElementsAre("other"));
  EXPECT_THAT(choice.Told(": skipped"), ElementsAre("small", "large"));
}

TEST(Exclusive, FailsWhenNoBranchHoldsAndThereIsNoDefault) {
  CoreDriver choice(fmt::format(kChoice, "variables.n < 1000"));
  choice.Start(R"({"n":5000})");
  EXPECT_EQ(choice.Status(), "failed");
  EXPECT_EQ(choice.Failure(), "no_branch");
}

TEST(Exclusive, ChoosesBetweenThenAndElse) {
  CoreDriver choice(R"(
id: choice
steps:
  - {id: check, type: condition, condition: "variables.ok", then: yes_, else: no_}
  - {id: yes_, type: script}
  - {id: no_, type: script}
)");
  choice.Start(R"({"ok":false})");
  EXPECT_THAT(choice.Running(), ElementsAre("no_"));
}

TEST(Skip, PassesDeadTokensOnToTheJoin) {
  CoreDriver skip(R"(
id: skip
steps:
  - {id: a, type: script}
  - {id: b, type: script, depends_on: [a], condition: "variables.run_b"}
  - {id: c, type: script, depends_on: [b]}
  - {id: d, type: script, depends_on: [a]}
  - {id: e, type: script, depends_on: [c, d]}
)");
  skip.Start(R"({"run_b":false})").Complete("a").Complete("d");
  EXPECT_THAT(skip.Told(": skipped"), ElementsAre("b", "c"));
  EXPECT_THAT(skip.Running(), ElementsAre("e"));
}

// A loop made of transitions: `poll` until it says that it is ready.
constexpr std::string_view kPoll = R"(
workflow:
  id: poll
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: begin, type: script}
        - {id: poll, type: script}
        - {id: work, type: script}
        - {id: side, type: script}
        - {id: meet, type: script}
      transitions:
        - {from: begin, to: poll}
        - {from: begin, to: side}
        - {from: poll, to: work, condition: "not outputs.ready"}
        - {from: work, to: poll}
        - {from: poll, to: meet, condition: "outputs.ready"}
        - {from: side, to: meet}
)";

TEST(BackEdge, RunsAgainUntilTheExitIsTaken) {
  CoreDriver poll(kPoll);
  poll.Start().Complete("begin").Complete("side");
  for (int i = 0; i < 3; ++i) {
    poll.Complete("poll", R"({"ready":false})");
    EXPECT_THAT(poll.Running(), ElementsAre("work")) << "the join must not have started";
    poll.Complete("work");
  }
  EXPECT_THAT(poll.Events(), Contains("poll -> meet: held"));
  poll.Complete("poll", R"({"ready":true})");
  EXPECT_THAT(poll.Running(), ElementsAre("meet"));
  EXPECT_EQ(poll.Count("meet: live token"), 2u);
  EXPECT_EQ(poll.Count("meet: dead token"), 0u);
  poll.Complete("meet");
  EXPECT_EQ(poll.Status(), "completed");
}

TEST(BackEdge, ReleasesTheDeadExitWhenTheLoopEndsOtherwise) {
  CoreDriver poll(R"(
workflow:
  id: poll
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: poll, type: script}
        - {id: good, type: script}
        - {id: bad, type: script}
        - {id: meet, type: script}
      transitions:
        - {from: poll, to: poll, condition: "outputs.again"}
        - {from: poll, to: good, condition: "outputs.ok"}
        - {from: poll, to: bad, condition: "outputs.broken"}
        - {from: [good, bad], to: meet}
)");
  poll.Start().Complete("poll", R"({"again":true,"ok":false,"broken":false})");
  EXPECT_THAT(poll.Running(), ElementsAre("poll"));
  EXPECT_THAT(poll.Told(": skipped"), IsEmpty());
  poll.Complete("poll", R"({"again":false,"ok":true,"broken":false})");
  EXPECT_THAT(poll.Running(), ElementsAre("good"));
  EXPECT_THAT(poll.Told(": skipped"), ElementsAre("bad"));
  poll.Complete("good").Complete("meet");
  EXPECT_EQ(poll.Status(), "completed");
}

TEST(BackEdge, LoopsInEachOtherKeepTheOuterExitUntilBothEnd) {
  CoreDriver nested(R"(
workflow:
  id: nested
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: outer, type: script}
        - {id: inner, type: script}
        - {id: last, type: script}
        - {id: after, type: script}
      transitions:
        - {from: outer, to: inner, condition: "not outputs.stop"}
        - {from: outer, to: after, condition: "outputs.stop"}
        - {from: inner, to: inner, condition: "outputs.again"}
        - {from: inner, to: last, condition: "not outputs.again"}
        - {from: last, to: outer}
)");
  nested.Start();
  for (int i = 0; i < 2; ++i) {
    nested.Complete("outer", R"({"stop":false})");
    nested.Complete("inner", R"({"again":true})").Complete("inner", R"({"again":false})");
    nested.Complete("last");
    EXPECT_THAT(nested.Running(), ElementsAre("outer"));
    EXPECT_EQ(nested.Count("after: skipped"), 0u);
  }
  nested.Complete("outer", R"({"stop":true})");
  EXPECT_THAT(nested.Running(), ElementsAre("after"));
  nested.Complete("after");
  EXPECT_EQ(nested.Status(), "completed");
}

// The inner loop's dead exit completes a join that sets the outer loop going again.
TEST(BackEdge, TheExitOfAnInnerLoopIsReleasedBeforeThatOfTheOuter) {
  CoreDriver nested(R"(
workflow:
  id: nested
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: outer, type: script}
        - {id: inner, type: script}
        - {id: meet, type: script}
        - {id: after, type: script}
      transitions:
        - {from: outer, to: [inner, meet], condition: "not outputs.stop"}
        - {from: outer, to: after, condition: "outputs.stop"}
        - {from: inner, to: inner, condition: "outputs.again"}
        - {from: inner, to: meet, condition: "outputs.go"}
        - {from: meet, to: outer}
)");
  nested.Start().Complete("outer", R"({"stop":false})");
  nested.Complete("inner", R"({"again":false,"go":false})");
  EXPECT_THAT(nested.Running(), ElementsAre("meet"));
  EXPECT_EQ(nested.Count("after: skipped"), 0u);
  nested.Complete("meet").Complete("outer", R"({"stop":true})").Complete("after");
  EXPECT_EQ(nested.Status(), "completed");
  EXPECT_EQ(nested.Count("after: skipped"), 0u);
}

TEST(BackEdge, ACycleThatNeverWaitsIsStopped) {
  CoreDriver cycle(R"(
workflow:
  id: cycle
  processes:
    - id: main
      type: conditional
      tasks:
        - {id: a, type: exclusive}
        - {id: b, type: script}
      transitions:
        - {from: a, to: a, condition: "variables.n == 1"}
        - {from: a, to: b, condition: default}
)");
  cycle.Start(R"({"n":1})");
  EXPECT_EQ(cycle.Status(), "failed");
  EXPECT_EQ(cycle.Failure(), "limit");
  EXPECT_EQ(cycle.instance().failure.message,
            "Expected at most 100000 events from one cause but found more: too many steps that "
            "never wait, the last of which was \"a\"");
}

}  // namespace
}  // namespace stele::test
