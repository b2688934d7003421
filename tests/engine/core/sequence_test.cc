// Steps one after another and side by side, in both notations.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;

TEST(Sequence, RunsOneTaskAfterAnother) {
  CoreDriver order(R"(
workflow:
  id: order
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: reserve, type: script}
        - {id: charge, type: script}
        - {id: ship, type: script}
)");
  order.Start();
  EXPECT_THAT(order.Last(), ElementsAre("started", "reserve: activated"));
  order.Complete("reserve");
  EXPECT_THAT(order.Last(), ElementsAre("reserve: attempt 1 completed", "reserve: completed",
                                        "charge: activated"));
  order.Complete("charge").Complete("ship", R"({"tracking":7})");
  EXPECT_EQ(order.Status(), "completed");
  EXPECT_EQ(order.Output(), R"({"tracking":7})");
}

TEST(Sequence, HandsEachStepWhatTheOnesBeforeItMade) {
  CoreDriver order(R"(
id: order
variables: {currency: EUR}
steps:
  - {id: price, type: script, output_mapping: {amount: "{{response.total}}"}}
  - id: charge
    type: script
    depends_on: [price]
    input_mapping:
      amount: "{{variables.amount}}"
      currency: "{{variables.currency}}"
      customer: "{{input.customer}}"
      lines: "{{steps.price.output.lines}}"
      before: "{{outputs.total}}"
outputs: {paid: "{{steps.charge.output.paid}}"}
)");
  order.Start("{}", R"({"customer":"Ann"})").Complete("price", R"({"total":12,"lines":[1,2]})");
  EXPECT_EQ(order.Variable("amount"), "12");
  EXPECT_EQ(order.Input("charge"),
            R"({"amount":12,"currency":"EUR","customer":"Ann","lines":[1,2],"before":12})");
  order.Complete("charge", R"({"paid":true})");
  EXPECT_EQ(order.Output(), R"({"paid":true})");
}

TEST(Parallel, StartsEveryBranchAndJoinsThemAll) {
  CoreDriver build(R"(
workflow:
  id: build
  processes:
    - id: main
      type: sequential
      tasks:
        - {id: checkout, type: script}
        - {id: test, type: script}
        - {id: lint, type: script}
        - {id: docs, type: script}
        - {id: publish, type: script}
      transitions:
        - {from: checkout, to: [test, lint, docs]}
        - {from: [test, lint, docs], to: publish, condition: all_completed}
)");
  build.Start().Complete("checkout");
  EXPECT_THAT(build.Running(), ElementsAre("test", "lint", "docs"));
  build.Complete("docs").Complete("test");
  EXPECT_THAT(build.Last(),
              ElementsAre("test: attempt 1 completed", "test: completed", "publish: live token"));
  build.Complete("lint");
  EXPECT_THAT(build.Running(), ElementsAre("publish"));
  build.Complete("publish");
  EXPECT_EQ(build.Status(), "completed");
}

TEST(Parallel, RunsTheTasksOfAParallelProcessAtOnce) {
  CoreDriver fetch(R"(
workflow:
  id: fetch
  processes:
    - id: main
      type: parallel
      tasks:
        - {id: left, type: script}
        - {id: right, type: script}
)");
  fetch.Start();
  EXPECT_THAT(fetch.Running(), ElementsAre("left", "right"));
  fetch.Complete("right", R"({"b":2})").Complete("left", R"({"a":1})");
  EXPECT_EQ(fetch.Status(), "completed");
  EXPECT_EQ(fetch.Output(), R"({"left":{"a":1},"right":{"b":2}})");
}

TEST(Parallel, DependsOnWaitsForAll) {
  CoreDriver fan(R"(
id: fan
steps:
  - {id: a, type: script}
  - {id: b, type: script}
  - {id: c, type: script, depends_on: [a, b]}
)");
  fan.Start().Complete("b");
  EXPECT_THAT(fan.Running(), ElementsAre("a"));
  fan.Complete("a");
  EXPECT_THAT(fan.Running(), ElementsAre("c"));
  fan.Complete("c");
  EXPECT_EQ(fan.Status(), "completed");
}

TEST(Start, IsRefusedWithoutARequiredVariable) {
  CoreDriver order(R"(
id: order
variables: {customer: {type: string, required: true}}
steps: [{id: a, type: script}]
)");
  EXPECT_EQ(order.Do(model::StartInstance{.definition = DefinitionId(1)})->code,
            ErrorCode::kInvalidInput);
  EXPECT_EQ(order
                .Do(model::StartInstance{.definition = DefinitionId(1),
                                         .variables = {{"customer", Payload::FromText("7")}}})
                ->code,
            ErrorCode::kInvalidInput);
  order.Start(R"({"customer":"Ann"})");
  EXPECT_THAT(order.Running(), ElementsAre("a"));
}

}  // namespace
}  // namespace stele::test
