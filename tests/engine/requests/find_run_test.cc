#include "engine/requests/find_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/requests/asking.h"

namespace stele::requests {
namespace {

using testing::HasSubstr;

constexpr std::string_view kLoop = R"(
id: flow
variables: {n: 0}
steps:
  - id: each
    type: loop
    items: [10, 20]
    max_concurrent: 2
    steps:
      - {id: check, type: manual}
  - {id: last, type: script, depends_on: [each]}
)";

class FindRun : public testing::Test {
 protected:
  FindRun() : flow_(kLoop) { flow_.Start(); }
  Result<RunId> Find(const std::string& word) {
    return FindOpenRun(flow_.instance(), flow_.definition(), word);
  }
  std::string Refusal(const std::string& word) {
    const Result<RunId> run = Find(word);
    return run.has_value() ? "" : run.error().ToString();
  }
  RunId Check(size_t index) const {
    std::vector<RunId> runs;
    for (const model::StepRun& run : flow_.instance().runs)
      if (flow_.definition().step(run.step).id == "check") runs.push_back(run.id);
    return runs.at(index);
  }

  CoreDriver flow_;
};

TEST_F(FindRun, TakesAnIdThatHasOneOpenRun) {
  EXPECT_EQ(*Find("each"), flow_.Run("each"));
}

TEST_F(FindRun, TakesALabelANumberAndBoth) {
  EXPECT_EQ(*Find("check[0]"), Check(0));
  EXPECT_EQ(*Find("check[1]"), Check(1));
  const std::string number = "#" + std::to_string(Check(1).value);
  EXPECT_EQ(*Find(number), Check(1));
  EXPECT_EQ(*Find("check" + number), Check(1));
}

TEST_F(FindRun, IsRefusedWhenSeveralAreMeantAndListsThem) {
  EXPECT_THAT(Refusal("check"), HasSubstr("STL0405: Expected one run but \"check\" has 2"));
  EXPECT_THAT(Refusal("check"), HasSubstr("(check[1])"));
}

TEST_F(FindRun, IsRefusedWhenNoStepIsCalledSo) {
  EXPECT_EQ(Refusal("chekc"),
            "STL0403: Expected one of the steps each, last, check but found \"chekc\"");
  EXPECT_THAT(Refusal(""), HasSubstr("STL0403"));
  EXPECT_THAT(Refusal("chekc#1"), HasSubstr("found \"chekc\""));
}

TEST_F(FindRun, IsRefusedWhenNoNumberStandsBehindTheMark) {
  for (const char* word : {"check#", "check#0", "check#1x", "#-1", "#99999999999"})
    EXPECT_THAT(Refusal(word), HasSubstr("STL0701: Expected the number of a run behind \"#\""));
}

TEST_F(FindRun, IsRefusedWhenTheRunIsNotOneOfThatStep) {
  const std::string word = "each#" + std::to_string(Check(0).value);
  EXPECT_THAT(Refusal(word), HasSubstr("STL0405"));
  EXPECT_THAT(Refusal(word), HasSubstr("found no open run"));
}

TEST_F(FindRun, IsRefusedWhenNoneFitsAndSaysWhereTheyAre) {
  const Result<RunId> run = FindOpenRun(flow_.instance(), flow_.definition(), "each", "parked",
                                        [](const model::StepRun&) { return false; });
  ASSERT_FALSE(run.has_value());
  EXPECT_EQ(run.error().code, ErrorCode::kWrongState);
  EXPECT_THAT(run.error().message, HasSubstr("to be parked but found #"));
  EXPECT_THAT(run.error().message, HasSubstr("is at children"));
}

TEST_F(FindRun, IsRefusedWhenTheInstanceHasEnded) {
  flow_.Terminate();
  EXPECT_EQ(Refusal("each"), "STL0402: Expected instance 1 to be open but it has terminated");
}

TEST(FindRunOfMarkedStep, TakesAnIdThatHoldsTheMark) {
  CoreDriver flow("id: f\nsteps:\n  - {id: 'part#2', type: manual}\n");
  flow.Start();
  const Result<RunId> run = FindOpenRun(flow.instance(), flow.definition(), "part#2");
  ASSERT_TRUE(run.has_value()) << run.error().ToString();
  EXPECT_EQ(*run, flow.Run("part#2"));
}

TEST_F(FindRun, NamesTheScopeThatARunIsIn) {
  const auto scope = [&](const std::string& word) {
    return FindScope(flow_.instance(), flow_.definition(), word);
  };
  EXPECT_EQ(*scope(""), ScopeId());
  EXPECT_EQ(*scope("each"), ScopeId());
  EXPECT_EQ(*scope("check[1]"), flow_.instance().FindRun(Check(1))->scope);
  EXPECT_NE(*scope("check[1]"), *scope("check[0]"));
  EXPECT_EQ(scope("nothing").error().code, ErrorCode::kUnknownRun);
}

}  // namespace
}  // namespace stele::requests
