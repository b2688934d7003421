#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

TEST(Parser, BindsOperatorsByPrecedence) {
  const Case cases[] = {
      {"1 + 2 * 3", "7"},
      {"(1 + 2) * 3", "9"},
      {"10 - 3 - 2", "5"},
      {"20 / 5 / 2", "2"},
      {"2 * 3 % 4", "2"},
      {"-2 + 3", "1"},
      {"- (2 + 3) * 2", "-10"},
      {"1 + 1 == 2", "true"},
      {"true or false and false", "true"},
      {"(true or false) and false", "false"},
      {"false and true or true", "true"},
      {"not false and false", "false"},
      {"not (false and false)", "true"},
      {"not 1 == 2", "true"},
      {"not not true", "true"},
      {"!true == false", "true"},
      {"!!0", "false"},
      {"null ?? 5 > 3", "true"},
      {"null ?? 1 + 1", "2"},
      {"null ?? null ?? 3", "3"},
      {"true ? 1 : false ? 2 : 3", "1"},
      {"false ? 1 : false ? 2 : 3", "3"},
      {"true ? false ? 1 : 2 : 3", "2"},
      {"1 < 2 ? 'a' + 'b' : 'c'", "\"ab\""},
      {"1 == 1 && 2 == 2 || 3 == 4", "true"},
      {"'a' in ['a', 'b'] and 'c' not in ['a']", "true"},
      {"'abc' not contains 'x'", "true"},
      {"1 is not null and '' is empty", "true"},
  };
  ExpectAll(cases);
}

TEST(Parser, ReadsLiterals) {
  const Case cases[] = {
      {"9223372036854775807", "9223372036854775807"},
      {"-9223372036854775808", "-9223372036854775808"},
      {"1.5", "1.5"},
      {"2e3", "2000.0"},
      {"1E-2", "0.01"},
      {"'it\\'s'", "\"it's\""},
      {"\"say \\\"a\\\"\"", R"("say \"a\"")"},
      {R"('\n\t\\\/é\ud83d\ude00')", "\"\\n\\t\\\\/é😀\""},
      {"'数据'", "\"数据\""},
      {"null", "null"},
      {"[]", "[]"},
      {"[1, 'a', [true]]", R"([1,"a",[true]])"},
      {"{}", "{}"},
      {"{a: 1, 'b-c': {d: [2]}}", R"({"a":1,"b-c":{"d":[2]}})"},
      {"{a: 1, a: 1 + 1}", R"({"a":2})"},
      {"{{ {a: {b: 1}} }}.a.b", "1"},
      {" \t\r\n1 ", "1"},
  };
  ExpectAll(cases);
}

TEST(Parser, ReadsNamesMembersAndIndices) {
  const TestEnvironment environment(R"({
    "变量": {"键": 1}, "a": {"b-c": 2, "and": 3, "rows": [{"x": 4}, 5], "0": 6, "contains": 7},
    "i": 1, "k": "rows", "contains": 8, "empty": 9, "_x1": 10})");
  const Case cases[] = {
      {"变量.键", "1"},       {"a['b-c']", "2"},           {"a.and", "3"},
      {"a.rows[0].x", "4"},   {"a.rows[i]", "5"},          {"a[k][i]", "5"},
      {"a[0]", "6"},          {"a[i - 1]", "6"},           {"a.contains", "7"},
      {"contains", "8"},      {"empty is empty", "false"}, {"_x1", "10"},
      {"{{a}}.rows[1]", "5"}, {"${a.rows}[{{i}}]", "5"},   {"{{a.rows}}[0]['x']", "4"},
      {"[1, i][1]", "1"},     {"{z: i}.z", "1"},           {"[10, 20][1]", "20"},
      {"a.rows.length", "2"}, {"k.length", "4"},           {"a.rows['1']", "5"},
  };
  ExpectAll(cases, environment);
}

TEST(Parser, NamesTheColumnOfTheFault) {
  const Case cases[] = {
      {"", "STL0201: Expected a value at column 1 but found the end"},
      {"   ", "STL0201: Expected a value at column 4 but found the end"},
      {"1 +", "STL0201: Expected a value at column 4 but found the end"},
      {"a b", "STL0201: Expected an operator or the end at column 3 but found `b`"},
      {"a = 1", "STL0201: Expected `==` to compare at column 3 but found `=`"},
      {"a & b", "STL0201: Expected `and`, `or`, `&&` or `||` at column 3 but found `&`"},
      {"(1", "STL0201: Expected an operator or `)` at column 3 but found the end"},
      {"[1, 2", "STL0201: Expected `,` or `]` at column 6 but found the end"},
      {"a[1", "STL0201: Expected an operator or `]` at column 4 but found the end"},
      {"a.", "STL0201: Expected a name behind `.` at column 3 but found the end"},
      {"a.1", "STL0201: Expected a name behind `.` at column 3 but found `1`"},
      {"{{a}", "STL0201: Expected an operator or `}}` at column 4 but found `}`"},
      {"{{}}", "STL0201: Expected a value at column 3 but found `}`"},
      {"${a", "STL0201: Expected an operator or `}` at column 4 but found the end"},
      {"{a 1}", "STL0201: Expected `:` behind the key at column 4 but found `1`"},
      {"{1: 2}", "STL0201: Expected a key (a name or a string) at column 2 but found `1`"},
      {"a ? b", "STL0201: Expected `:` and the other value at column 6 but found the end"},
      {"a is b", "STL0201: Expected `null`, `empty` or `not` at column 6 but found `b`"},
      {"a is not b", "STL0201: Expected `null` or `empty` at column 10 but found `b`"},
      {"1 < 2 < 3",
       "STL0201: Expected `and`, `or` or parentheses between comparisons at column 7 but found "
       "`<`"},
      {"1 + not a", "STL0201: Expected a value at column 5 but found `not`"},
      {"'abc", "STL0201: Expected a closing quote for the string at column 1 but found `'abc`"},
      {"'abc\\", "STL0201: Expected a closing quote for the string at column 1 but found `'abc\\`"},
      {"9223372036854775808",
       "STL0201: Expected an integer within 64 bits at column 1 but found `9223372036854775808`"},
      {"1e999", "STL0201: Expected a number within 64 bits at column 1 but found `1e999`"},
      {"12ab", "STL0201: Expected a number to end before a name at column 1 but found `12a`"},
      {"size()", "STL0201: Expected 1 value(s) for size at column 5 but found 0"},
      {"'a'.contains()", "STL0201: Expected 1 value(s) for contains at column 13 but found 0"},
      {"has(1, 2)", "STL0201: Expected 1 value(s) for has at column 4 but found 2"},
      {"a[-1]", "STL0202: Expected an index of at least 0 at column 3 but found -1"},
      {"a == \"b\xff\"", "STL0201: Expected UTF-8 at column 8 but found `\\xff`"},
      {"\xff", "STL0201: Expected UTF-8 at column 1 but found `\\xff`"},
      {"变量 == “x”",
       "STL0201: Expected a value or an operator (quotes, brackets and spaces in ASCII) at column "
       "11 but found `“`"},
  };
  for (const Case& each : cases) EXPECT_EQ(CompileFault(each.text), each.expected) << each.text;
}

TEST(Parser, NamesTheColumnOfAnUnknownFunctionEscapeOrPattern) {
  EXPECT_THAT(CompileFault("1 + foo(2)"), testing::HasSubstr("at column 5 but found `foo`"));
  EXPECT_THAT(CompileFault("a.foo(2)"), testing::HasSubstr("at column 3 but found `foo`"));
  EXPECT_THAT(CompileFault(R"(a matches '\d')"),
              testing::HasSubstr("at column 12 but found `\\d`"));
  EXPECT_THAT(CompileFault(R"('\ud83d')"), testing::HasSubstr("at column 2 but found `\\u`"));
  EXPECT_THAT(CompileFault("a matches '('"), testing::HasSubstr("at column 11 but found a fault"));
}

TEST(Parser, RefusesSecrets) {
  EXPECT_EQ(CompileFault("1 == secrets.token"),
            "STL0201: Expected a secret to stand alone as `{{ secrets.name }}` in a template at "
            "column 6 but found `secrets.token` in an expression");
  EXPECT_NE(CompileFault("size(secrets) > 0"), "");
  EXPECT_EQ(CompileFault("input.secrets == 1"), "");
}

TEST(Parser, ListsReferencesWithTheirColumns) {
  const Expression expression =
      Expression::Compile("steps.a.output.rows[0]['b-c'] > {{input.data[loop.index].x}}").value();
  ASSERT_EQ(expression.references().size(), 3u);
  EXPECT_EQ(expression.references()[0].path,
            (std::vector<std::string>{"steps", "a", "output", "rows", "0", "b-c"}));
  EXPECT_EQ(expression.references()[0].column, 1u);
  EXPECT_EQ(expression.references()[1].path, (std::vector<std::string>{"input", "data"}));
  EXPECT_EQ(expression.references()[1].column, 35u);
  EXPECT_EQ(expression.references()[2].path, (std::vector<std::string>{"loop", "index"}));
  EXPECT_EQ(expression.references()[2].column, 46u);
}

TEST(Parser, KeepsTheText) {
  EXPECT_EQ(Expression::Compile(" a  == 1 ").value().text(), " a  == 1 ");
}

}  // namespace
}  // namespace stele::expression
