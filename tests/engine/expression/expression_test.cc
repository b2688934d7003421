#include "engine/expression/expression.h"

#include <fmt/format.h>

#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

// One value of each kind, and what each operator makes of each pair.
constexpr std::string_view kKinds[] = {"null", "true", "1", "1.5", "'s'", "[1]", "{k: 1}"};

std::string Fault(std::string_view expression) {
  const auto result = Expression::Compile(expression).value().Evaluate(TestEnvironment("{}"));
  return result ? "" : std::string(ErrorCodeName(result.error().code));
}

TEST(Operators, OrderOnlyNumbersWithNumbersAndStringsWithStrings) {
  for (const std::string_view op : {"<", "<=", ">", ">="}) {
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      for (size_t j = 0; j < std::size(kKinds); ++j) {
        const bool numbers = (i == 2 || i == 3) && (j == 2 || j == 3);
        const bool strings = i == 4 && j == 4;
        const std::string text = fmt::format("{} {} {}", kKinds[i], op, kKinds[j]);
        EXPECT_EQ(Fault(text), numbers || strings ? "" : "ExpressionType") << text;
      }
    }
  }
}

TEST(Operators, CompareEveryKindForEquality) {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    for (size_t j = 0; j < std::size(kKinds); ++j) {
      const std::string pair = fmt::format("({}) == ({})", kKinds[i], kKinds[j]);
      EXPECT_EQ(Evaluated(pair), i == j ? "true" : "false") << pair;
    }
  }
}

TEST(Operators, CalculateOnlyWithNumbers) {
  for (const std::string_view op : {"+", "-", "*", "/", "%"}) {
    for (size_t i = 0; i < std::size(kKinds); ++i) {
      for (size_t j = 0; j < std::size(kKinds); ++j) {
        const bool numbers = (i == 2 || i == 3) && (j == 2 || j == 3);
        const bool join = op == "+" && i == 4 && j == 4;
        const std::string text = fmt::format("{} {} {}", kKinds[i], op, kKinds[j]);
        EXPECT_EQ(Fault(text), numbers || join ? "" : "ExpressionType") << text;
      }
    }
  }
}

TEST(Operators, LookOnlyIntoListsObjectsAndStrings) {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    for (size_t j = 0; j < std::size(kKinds); ++j) {
      const bool fits = j == 5 || ((j == 4 || j == 6) && i == 4);
      const std::string in = fmt::format("{} in {}", kKinds[i], kKinds[j]);
      const std::string contains = fmt::format("{} contains {}", kKinds[j], kKinds[i]);
      EXPECT_EQ(Fault(in), fits ? "" : "ExpressionType") << in;
      EXPECT_EQ(Fault(contains), fits ? "" : "ExpressionType") << contains;
    }
  }
}

TEST(Operators, TextFunctionsTakeOnlyStrings) {
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    const std::string_view kind = kKinds[i];
    for (const std::string_view function : {"lower", "upper", "trim"})
      EXPECT_EQ(Fault(fmt::format("{}({})", function, kind)), i == 4 ? "" : "ExpressionType");
    for (const std::string_view op : {"startsWith", "endsWith", "matches"}) {
      EXPECT_EQ(Fault(fmt::format("{} {} 's'", kind, op)), i == 4 ? "" : "ExpressionType");
      EXPECT_EQ(Fault(fmt::format("'s' {} {}", op, kind)), i == 4 ? "" : "ExpressionType");
    }
    EXPECT_EQ(Fault(fmt::format("size({})", kind)), i >= 4 ? "" : "ExpressionType");
    EXPECT_EQ(Fault(fmt::format("-({})", kind)), i == 2 || i == 3 ? "" : "ExpressionType");
  }
}

TEST(Operators, GiveTheirResults) {
  const Case cases[] = {
      {"'a' < 'b'", "true"},
      {"'Z' < 'a'", "true"},
      {"'a' < 'ab'", "true"},
      {"'é' > 'z'", "true"},
      {"1 < 1.5", "true"},
      {"2 >= 2.0", "true"},
      {"1 == 1.0", "true"},
      {"1 == '1'", "false"},
      {"1 != '1'", "true"},
      {"[1, 2.0] == [1.0, 2]", "true"},
      {"{a: 1, b: 2} == {b: 2, a: 1}", "true"},
      {"{a: 1} == {a: 1, b: 2}", "false"},
      {"{a: 1} == {b: 1}", "false"},
      {"[1] == [1, 2]", "false"},
      {"2 in [1, 2.0]", "true"},
      {"'b' in 'abc'", "true"},
      {"'' in 'abc'", "true"},
      {"'k' in {k: null}", "true"},
      {"'v' in {k: 'v'}", "false"},
      {"['a', 'b'] contains 'b'", "true"},
      {"'abc' contains 'd'", "false"},
      {"'abc'.contains('bc')", "true"},
      {"contains('abc', 'bc')", "true"},
      {"'abc' startsWith 'ab'", "true"},
      {"'abc'.startsWith('b')", "false"},
      {"endsWith('abc', 'bc')", "true"},
      {"'abc'.endsWith('b')", "false"},
      {"'order-17' matches '^order-[0-9]+$'", "true"},
      {"'order-x'.matches('[0-9]')", "false"},
      {"matches('xay', 'a')", "true"},
      {"'数据' matches '^..$'", "true"},
      {"'aXb' matches 'a' + '[A-Z]'", "true"},
      {"size('数据')", "2"},
      {"[1, 2].size()", "2"},
      {"length({a: 1})", "1"},
      {"'abc'.length()", "3"},
      {"lower('ÄBc')", "\"Äbc\""},
      {"'aBc'.upper()", "\"ABC\""},
      {"trim(' \t\na b ')", "\"a b\""},
      {"'  '.trim()", "\"\""},
      {"[] is empty", "true"},
      {"{} is empty", "true"},
      {"'' is empty", "true"},
      {"0 is empty", "false"},
      {"false is empty", "false"},
      {"[0] is not empty", "true"},
      {"0 is null", "false"},
      {"'a' + 'b' + 'c'", "\"abc\""},
      {"1 or 0", "true"},
      {"'' or []", "false"},
      {"1 and 'x'", "true"},
  };
  ExpectAll(cases);
}

TEST(Operators, NameTheColumnOfTheWrongKind) {
  const Case cases[] = {
      {"1 + 'a'", "STL0202: Expected a number at column 5 but found string"},
      {"'a' + 1", "STL0202: Expected a string at column 7 but found integer"},
      {"null + 1", "STL0202: Expected a number or a string at column 1 but found null"},
      {"2 > 'a'", "STL0202: Expected a number at column 5 but found string"},
      {"true < 2", "STL0202: Expected a number or a string at column 1 but found boolean"},
      {"1 in 2", "STL0202: Expected a list, an object or a string at column 6 but found integer"},
      {"1 in 'abc'", "STL0202: Expected a string at column 1 but found integer"},
      {"lower(1)", "STL0202: Expected a string at column 7 but found integer"},
      {"'a' matches ('(' + 'b')",
       "STL0202: Expected a regular expression at column 18 but found a malformed one"},
      {"[1][1 - 2]", "STL0202: Expected an index of at least 0 at column 7 but found -1"},
      {"[1][1.0]",
       "STL0202: Expected an integer or a string as the index at column 5 but found number"},
  };
  ExpectAll(cases);
}

TEST(EvaluateBool, KnowsWhatIsFalse) {
  const TestEnvironment environment("{}");
  for (const std::string_view text : {"null", "false", "0", "0.0", "-0.0", "''", "[]", "{}"})
    EXPECT_EQ(Expression::Compile(text).value().EvaluateBool(environment), false) << text;
  for (const std::string_view text : {"true", "-1", "0.5", "'false'", "[0]", "{a: null}"})
    EXPECT_EQ(Expression::Compile(text).value().EvaluateBool(environment), true) << text;
}

TEST(Evaluate, HandsTheWholePathToTheEnvironment) {
  class Deep final : public Environment {
   public:
    Found Lookup(std::span<const std::string> path) const override {
      if (path.size() < 2 || path[0] != "steps" || path[1] != "a") return {};
      return {&value_, 2};
    }

   private:
    Value value_ = ParseJson(R"({"output": [3]})").value();
  };
  EXPECT_EQ(Evaluated("steps.a.output[0]", Deep()), "3");
  EXPECT_EQ(Evaluated("steps.b.output[0] is null", Deep()), "true");
}

TEST(Evaluate, ComparesIntegersBeyondDoublesExactly) {
  const TestEnvironment environment(R"({"big": 9007199254740993, "double": 9007199254740992.0,
                                        "max": 9223372036854775807, "above": 9.3e18})");
  const Case cases[] = {
      {"big == double", "false"}, {"big > double", "true"}, {"double < big", "true"},
      {"max < above", "true"},    {"above > max", "true"},  {"-above < max", "true"},
      {"max == above", "false"},  {"1.5 > 1", "true"},      {"-1 > -1.5", "true"},
  };
  ExpectAll(cases, environment);
}

}  // namespace
}  // namespace stele::expression
