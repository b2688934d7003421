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

TEST(Sequence, FindsWhatIsInTheBodyOfAnAnswer) {
  CoreDriver call(R"(
id: call
steps:
  - id: get
    type: script
    output_mapping:
      body: "{{response.data}}"
      id: "{{response.data.id}}"
      short: "{{response.id}}"
      status: "{{response.status}}"
  - {id: next, type: script, depends_on: [get], input_mapping: {id: "{{get.data.id}}"}}
)");
  call.Start().Complete("get", R"({"status":200,"body":{"id":7,"status":"ok"}})");
  EXPECT_EQ(call.Variable("body"), R"({"id":7,"status":"ok"})");
  EXPECT_EQ(call.Variable("id"), "7");
  EXPECT_EQ(call.Variable("short"), "7") << "a member that the answer itself lacks";
  EXPECT_EQ(call.Variable("status"), "200") << "the answer's own comes first";
  EXPECT_EQ(call.Input("next"), R"({"id":7})");
}

TEST(Sequence, FindsABodysOwnData) {
  CoreDriver call(R"(
id: call
steps:
  - {id: get, type: script, output_mapping: {rows: "{{response.data}}"}}
)");
  call.Start().Complete("get", R"({"status":200,"body":{"data":[1,2],"page":1}})");
  EXPECT_EQ(call.Variable("rows"), "[1,2]");
}

TEST(Sequence, FindsWhatAStepKeptUnderItsName) {
  CoreDriver call(R"(
id: call
steps:
  - {id: get, type: script, output_mapping: {kept: "{{response.deep.value}}"}}
  - id: next
    type: script
    depends_on: [get]
    input_mapping: {kept: "{{get.kept}}", own: "{{get.deep.value}}"}
)");
  call.Start().Complete("get", R"({"deep":{"value":3}})");
  EXPECT_EQ(call.Input("next"), R"({"kept":3,"own":3})");
}

TEST(Start, RefusesAnInputThatTheSchemaDoesNot) {
  CoreDriver order(R"(
id: order
input_schema: {type: object, required: [id], properties: {id: {type: integer}, who: {type: string}}}
steps: [{id: a, type: script}]
)");
  const auto start = [&](std::string_view input) {
    model::StartInstance command{.definition = DefinitionId(1)};
    if (!input.empty()) command.input = Payload::FromText(input);
    return order.Do(command);
  };
  EXPECT_EQ(start("")->code, ErrorCode::kInvalidInput) << "none is an empty object";
  const auto refused = start(R"({"id":"x","who":5})");
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, ErrorCode::kInvalidInput);
  for (const char* word : {"id", "who"})
    EXPECT_NE(refused->message.find(word), std::string::npos) << refused->message;
  EXPECT_EQ(start(R"({"id":5})"), std::nullopt);
}

TEST(Start, HasItsDefinitionsPriorityUnlessItIsGivenOne) {
  constexpr std::string_view kUrgent = "id: urgent\npriority: 7\nsteps: [{id: a, type: script}]\n";
  CoreDriver usual(kUrgent);
  usual.Start();
  EXPECT_EQ(usual.instance().priority, 7);
  CoreDriver given(kUrgent);
  ASSERT_EQ(given.Do(model::StartInstance{.definition = DefinitionId(1), .priority = -2}),
            std::nullopt);
  EXPECT_EQ(given.instance().priority, -2);
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
