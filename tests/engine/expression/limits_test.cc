#include "engine/expression/limits.h"

#include <string>

#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

std::string Repeated(std::string_view part, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += part;
  return out;
}

ErrorCode CompileCode(const std::string& text) {
  const auto compiled = Expression::Compile(text);
  return compiled ? ErrorCode{0} : compiled.error().code;
}

TEST(Limits, DeepNestingOfEveryKindIsRefused) {
  for (const std::string_view open : {"(", "[", "{a:", "{{", "${", "!", "not ", "- ", "a[", "size(",
                                      "1 ? ", "1 ? 2 : ", "1 ?? ", "a.contains("})
    EXPECT_EQ(CompileCode(Repeated(open, 2000)), ErrorCode::kExpressionLimit) << open;
}

TEST(Limits, NestingUpToTheLimitWorks) {
  const size_t depth = kMaxNesting - 1;
  EXPECT_EQ(Evaluated(Repeated("(", depth) + "1" + Repeated(")", depth)), "1");
  EXPECT_EQ(CompileCode(Repeated("(", depth + 1) + "1" + Repeated(")", depth + 1)),
            ErrorCode::kExpressionLimit);
}

TEST(Limits, LongChainsOfConditionsAreNotDeep) {
  EXPECT_EQ(Evaluated("false" + Repeated(" or false", 1000) + " or true"), "true");
}

TEST(Limits, ChainsOfResultsAreLimited) {
  EXPECT_EQ(Evaluated("1" + Repeated("+1", kMaxTreeDepth - 1)), std::to_string(kMaxTreeDepth));
  EXPECT_EQ(CompileCode("1" + Repeated("+1", kMaxTreeDepth)), ErrorCode::kExpressionLimit);
  EXPECT_EQ(CompileCode("[a]" + Repeated("[a]", kMaxTreeDepth)), ErrorCode::kExpressionLimit);
}

TEST(Limits, LengthAndNodesAreLimited) {
  EXPECT_EQ(Evaluated("1" + std::string(kMaxExpressionBytes - 1, ' ')), "1");
  EXPECT_EQ(CompileCode("1" + std::string(kMaxExpressionBytes, ' ')), ErrorCode::kExpressionLimit);
  EXPECT_EQ(CompileCode("[" + Repeated("1,", kMaxNodes) + "1]"), ErrorCode::kExpressionLimit);
}

TEST(Limits, PatternsAreLimited) {
  EXPECT_EQ(CompileCode("a matches '" + std::string(kMaxPatternBytes + 1, 'x') + "'"),
            ErrorCode::kExpressionLimit);
  EXPECT_EQ(CompileCode("[" + Repeated("a matches 'x',", kMaxPatterns) + "a matches 'x']"),
            ErrorCode::kExpressionLimit);
  EXPECT_EQ(CompileCode("a matches '((x{100}){100}){100}'"), ErrorCode::kExpressionSyntax);
}

TEST(Limits, WhatAnEvaluationMakesIsLimited) {
  const TestEnvironment environment("{\"s\": \"" + std::string(1 << 20, 'x') + "\"}");
  EXPECT_EQ(Evaluated("size(s" + Repeated("+s", 7) + ")", environment), std::to_string(8 << 20));
  EXPECT_THAT(Evaluated("size(s" + Repeated("+s", 20) + ")", environment),
              testing::StartsWith("STL0204: Expected at most 16777216 bytes of results at column"));
  EXPECT_THAT(Evaluated("[s" + Repeated(",s", 20) + "]", environment),
              testing::StartsWith("STL0204"));
  EXPECT_THAT(Evaluated("{k: s" + Repeated(", k: s", 20) + "}", environment),
              testing::StartsWith("STL0204"));
}

TEST(Limits, ResultsAreNoDeeperThanJsonMayBe) {
  const std::string deep =
      Repeated("[", kMaxJsonDepth - 2) + "1" + Repeated("]", kMaxJsonDepth - 2);
  const TestEnvironment environment("{\"d\": " + deep + "}");
  EXPECT_THAT(Evaluated("[[d]]", environment), testing::StartsWith("["));
  EXPECT_THAT(Evaluated("[[[d]]]", environment), testing::StartsWith("STL0204"));
  const Template rendered = Template::Compile(Value(Array{Array{Array{Value("{{d}}")}}})).value();
  EXPECT_EQ(rendered.Render(environment).error().code, ErrorCode::kExpressionLimit);
}

TEST(Limits, TemplatesInAStringAreLimited) {
  const auto compiled = Template::Compile(Value(Repeated("{{a}}", kMaxTemplateParts + 1)));
  EXPECT_EQ(compiled.error().code, ErrorCode::kExpressionLimit);
}

TEST(Limits, AttemptsThatAreNoTemplatesAreBounded) {
  // Each `${` reads on to the end of what an expression may be before it turns out to be none.
  const std::string attempt = "${[" + Repeated("1,", 2000);
  const auto compiled = Template::Compile(Value(Repeated("${a " + attempt, 3)));
  EXPECT_TRUE(compiled);
  const auto nested = Template::Compile(Value(Repeated("${[", 1 << 16)));
  EXPECT_EQ(nested.error().code, ErrorCode::kExpressionLimit);
}

TEST(Limits, RenderedBytesAreLimited) {
  const TestEnvironment environment("{\"s\": \"" + std::string(1 << 20, 'x') + "\"}");
  const auto rendered = Template::Compile(Value(Repeated("{{s}}", 70))).value().Render(environment);
  EXPECT_EQ(rendered.error().code, ErrorCode::kExpressionLimit);
  Array many(70, Value("{{s}}"));
  EXPECT_EQ(Template::Compile(Value(std::move(many))).value().Render(environment).error().code,
            ErrorCode::kExpressionLimit);
}

TEST(Limits, HostileSearchesAreLinear) {
  // A quadratic search or a backtracking match would not end within the test's time limit.
  const std::string text(4 << 20, 'a');
  const TestEnvironment environment("{\"s\": \"" + text + "\", \"p\": \"" +
                                    std::string(2 << 20, 'a') + "b\"}");
  EXPECT_EQ(Evaluated("s contains p", environment), "false");
  EXPECT_EQ(Evaluated("s matches '^(a+)+$b'", environment), "false");
}

}  // namespace
}  // namespace stele::expression
