#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

constexpr std::string_view kWorld =
    R"({"a": {"null": null, "list": [1], "text": "t", "zero": 0, "no": false}})";

TEST(Undefined, IsNullWhereNullIsAskedAbout) {
  const Case cases[] = {
      {"x is null", "true"},         {"x is not null", "false"},
      {"x == null", "true"},         {"null == x", "true"},
      {"x != null", "false"},        {"x is empty", "true"},
      {"x is not empty", "false"},   {"a.null is null", "true"},
      {"a.text is null", "false"},   {"a.text != null", "true"},
      {"has(x)", "false"},           {"has(a.null)", "true"},
      {"has(a.list[1])", "false"},   {"x ?? 1", "1"},
      {"a.null ?? 1", "1"},          {"a.zero ?? 1", "0"},
      {"x.y.z ?? 'd'", "\"d\""},     {"a.text.y ?? 'd'", "\"d\""},
      {"a.list[7] is null", "true"}, {"a.null.b is null", "true"},
  };
  ExpectAll(cases, TestEnvironment(kWorld));
}

TEST(Undefined, IsFalseAsAConditionInsideAnExpression) {
  const Case cases[] = {
      {"x or true", "true"},   {"x or y", "false"},
      {"true and x", "false"}, {"not x", "true"},
      {"!x", "true"},          {"x ? 1 : 2", "2"},
      {"true or x", "true"},   {"false and x > 1", "false"},
      {"true ? 1 : x", "1"},
  };
  ExpectAll(cases, TestEnvironment(kWorld));
}

TEST(Undefined, IsAnErrorElsewhereWithItsColumn) {
  const Case cases[] = {
      {"x", "STL0203: Expected a value for `x` at column 1 but found nothing of that name"},
      {"1 + a.b.c",
       "STL0203: Expected a value for `a.b.c` at column 5 but found nothing of that name"},
      {"x == 1", "STL0203: Expected a value for `x` at column 1 but found nothing of that name"},
      {"x > 1 or true",
       "STL0203: Expected a value for `x` at column 1 but found nothing of that name"},
      {"true ? x : 1",
       "STL0203: Expected a value for `x` at column 8 but found nothing of that name"},
      {"x ?? y", "STL0203: Expected a value for `y` at column 6 but found nothing of that name"},
      {"size(x)", "STL0203: Expected a value for `x` at column 6 but found nothing of that name"},
      {"[x]", "STL0203: Expected a value for `x` at column 2 but found nothing of that name"},
      {"{k: x}", "STL0203: Expected a value for `x` at column 5 but found nothing of that name"},
      {"a.list[x]", "STL0203: Expected a value for `x` at column 8 but found nothing of that name"},
      {"a.list[a.zero + 1]",
       "STL0203: Expected an element or a member at column 7 but found nothing of that name"},
  };
  ExpectAll(cases, TestEnvironment(kWorld));
}

TEST(Undefined, IsAnErrorAsAWholeCondition) {
  const auto result = Expression::Compile("sucess").value().EvaluateBool(TestEnvironment("{}"));
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, ErrorCode::kExpressionUndefined);
}

}  // namespace
}  // namespace stele::expression
