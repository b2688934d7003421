// What users' data may not do: documents that are too deep or too large, too many variables.
#include "engine/decide/limits.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// That many arrays in each other, in an object.
std::string Nested(size_t depth) {
  return R"({"x":)" + std::string(depth - 1, '[') + "1" + std::string(depth - 1, ']') + "}";
}

TEST(Depth, OfWhatTheEngineMakesOfAnInputIsReadAgain) {
  for (const size_t depth : {size_t{125}, size_t{126}, kMaxJsonDepth - 1}) {
    CoreDriver flow(R"(
id: flow
steps: [{id: a, type: script, input_mapping: {x: {a: "{{ input }}"}}}]
)");
    flow.Start("{}", Nested(depth));
    const Payload& input = flow.RunOf("a").input;
    EXPECT_EQ(JsonDepth(input.text()), depth + 2);
    EXPECT_NE(input.value().Find("x"), nullptr);
  }
}

TEST(Depth, OfWhatTheEngineMakesOfOutputsIsReadAgain) {
  CoreDriver flow(R"(
id: flow
steps:
  - id: each
    type: loop
    items: "{{ [1] }}"
    steps:
      - id: inner
        type: loop
        items: "{{ [1] }}"
        steps: [{id: a, type: script}, {id: b, type: script}]
  - {id: then, type: script, depends_on: [each], input_mapping: {n: "{{ outputs.count }}"}}
)");
  flow.Start().Complete("a", Nested(kMaxJsonDepth)).Complete("b", Nested(kMaxJsonDepth));
  EXPECT_EQ(flow.Input("then"), R"({"n":1})");
}

TEST(Depth, OfAnAttemptsOutputIsBounded) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start().Complete("a", Nested(kMaxJsonDepth + 1));
  EXPECT_EQ(flow.Failure(), "output_limit");
  CoreDriver fits("id: flow\nsteps: [{id: a, type: script}]\n");
  fits.Start().Complete("a", Nested(kMaxJsonDepth));
  EXPECT_EQ(fits.Status(), "completed");
}

TEST(Depth, OfWhatIsSentIsBounded) {
  const Payload deep = Payload::FromText(Nested(kMaxJsonDepth + 1));
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  EXPECT_EQ(flow.Do(model::StartInstance{.definition = DefinitionId(1), .input = deep})->code,
            ErrorCode::kLimitExceeded);
  flow.Start();
  EXPECT_EQ(flow.Do(model::SendSignal{"s", deep})->code, ErrorCode::kLimitExceeded);
  EXPECT_EQ(flow.Do(model::AssignVariables{ScopeId(), {{"v", deep}}})->code,
            ErrorCode::kLimitExceeded);
}

constexpr std::string_view kManyAtOnce = R"(
id: flow
steps:
  - {id: first, type: script}
  - id: each
    type: loop
    items: "{{ input.items }}"
    max_concurrent: 64
    depends_on: [first]
    steps: [{id: a, type: script, config: {text: "{{ input.doc }}"}}]
)";

std::string Items(size_t doc_bytes) {
  std::string items = "0";
  for (int i = 1; i < 64; ++i) items += ",0";
  return fmt::format(R"({{"items":[{}],"doc":"{}"}})", items, std::string(doc_bytes, 'x'));
}

TEST(Bytes, OfOneCauseAreBounded) {
  CoreDriver flow(kManyAtOnce);
  flow.Start("{}", Items(3u << 20)).Complete("first");
  EXPECT_EQ(flow.Failure(), "limit");
  EXPECT_THAT(flow.instance().failure.message, HasSubstr("bytes from one cause"));
  EXPECT_LT(flow.Log().size(), 100u << 20);
}

TEST(Bytes, BelowTheBoundAreNoFault) {
  CoreDriver flow(kManyAtOnce);
  flow.Start("{}", Items(100'000)).Complete("first");
  EXPECT_EQ(flow.Running().size(), 64u);
}

TEST(Bytes, OfWhatOneStepIsGivenAreBounded) {
  CoreDriver flow(R"(
id: flow
steps: [{id: a, type: script, input_mapping: {x: "{{ input.s }}{{ input.s }}{{ input.s }}"}}]
)");
  // Each character takes six when it is written.
  std::string text;
  for (int i = 0; i < 600'000; ++i) text += "\\u0001";
  flow.Start("{}", fmt::format(R"({{"s":"{}"}})", text));
  EXPECT_EQ(flow.Failure(), "limit");
}

TEST(Bytes, OfAnOutputAreBounded) {
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start().Complete("a", '"' + std::string(decide::kMaxDocumentBytes, 'x') + '"');
  EXPECT_EQ(flow.Failure(), "output_limit");
}

TEST(Variables, OfOneCommandAreBounded) {
  std::vector<model::NamedPayload> variables;
  for (size_t i = 0; i < decide::kMaxVariablesSet; ++i)
    variables.push_back({fmt::format("v{}", i), Payload::FromText("1")});
  CoreDriver flow("id: flow\nsteps: [{id: a, type: script}]\n");
  flow.Start();
  EXPECT_EQ(flow.Do(model::AssignVariables{ScopeId(), variables}), std::nullopt);
  variables.push_back({"more", Payload::FromText("1")});
  EXPECT_EQ(flow.Do(model::AssignVariables{ScopeId(), variables})->code, ErrorCode::kLimitExceeded);
}

TEST(Secret, InAnInputOfAnyNameIsFoundByItsPointer) {
  CoreDriver flow(R"(
id: flow
steps: [{id: a, type: script, input_mapping: {"a/b~c": {d: "{{ secrets.TOKEN }}"}}}]
)");
  flow.Start();
  ASSERT_EQ(flow.RunOf("a").secrets.size(), 1u);
  EXPECT_EQ(flow.RunOf("a").secrets[0].pointer, "input/a~1b~0c/d");
}

}  // namespace
}  // namespace stele::test
