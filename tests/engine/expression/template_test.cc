#include "tests/engine/expression/environment.h"

namespace stele::expression {
namespace {

constexpr std::string_view kWorld = R"({"n": 1, "d": 2.0, "s": "text", "null": null,
                                        "list": [1, "a"], "object": {"k": true}, "x": 6, "y": 3})";

Template Compiled(std::string_view json) {
  return Template::Compile(ParseJson(json).value()).value();
}

std::string RenderedText(const Value& value) {
  const auto compiled = Template::Compile(value);
  if (!compiled) return compiled.error().ToString();
  const auto rendered = compiled->Render(TestEnvironment(kWorld));
  return rendered ? ToJson(rendered->value) : rendered.error().ToString();
}

TEST(Template, KeepsTheTypeOfAWholeTemplate) {
  const Case cases[] = {
      {"{{n}}", "1"},
      {"{{ d }}", "2.0"},
      {"${s}", "\"text\""},
      {"{{null}}", "null"},
      {"${list}", "[1,\"a\"]"},
      {"{{object}}", "{\"k\":true}"},
      {"{{n == 1}}", "true"},
      {"{{ {a: {b: n}} }}", "{\"a\":{\"b\":1}}"},
      {"{{ {a: {b: n}}}}", "{\"a\":{\"b\":1}}"},
      {"{{'}}'}}", "\"}}\""},
  };
  for (const Case& each : cases) EXPECT_EQ(RenderedText(Value(each.text)), each.expected);
}

TEST(Template, JoinsWhatIsAmidText) {
  const Case cases[] = {
      {"a {{n}} b ${s}!", "\"a 1 b text!\""},
      {" {{n}}", "\" 1\""},
      {"{{n}}{{n}}", "\"11\""},
      {"{{list}} {{object}} {{d}}", R"("[1,\"a\"] {\"k\":true} 2.0")"},
      {"数据 {{s}}。", "\"数据 text。\""},
      {"a } b }} c { $ d", "\"a } b }} c { $ d\""},
  };
  for (const Case& each : cases) EXPECT_EQ(RenderedText(Value(each.text)), each.expected);
}

TEST(Template, LeavesEscapedMarksAsText) {
  const Case cases[] = {
      {"$${n}", "\"${n}\""},
      {"\\{{n}}", "\"{{n}}\""},
      {"a $${n} ${n} \\{{n}} {{n}}", "\"a ${n} 1 {{n}} 1\""},
      {"$$${n}", "\"$${n}\""},
      {"a\\b $x $$", R"("a\\b $x $$")"},
  };
  for (const Case& each : cases) EXPECT_EQ(RenderedText(Value(each.text)), each.expected);
}

TEST(Template, LeavesShellExpansionsThatAreNoExpressions) {
  for (const std::string_view text :
       {"${x:-1}", "${#a[@]}", "${arr[@]}", "${x##*/}", "${x%.*}", "${x//a/b}", "${x^^}", "${}",
        "${x", "${1x}", "${@}", "${x:0:2}", "${\"unclosed"}) {
    const Template compiled = Template::Compile(Value(text)).value();
    EXPECT_FALSE(compiled.is_dynamic()) << text;
    EXPECT_EQ(compiled.source(), Value(text));
  }
  EXPECT_EQ(RenderedText(Value("${arr[@]} ${n} ${x:-{{n}}} ${x/y}")), "\"${arr[@]} 1 ${x:-1} 2\"");
}

TEST(Template, IsStaticWithoutTemplates) {
  const Template compiled = Compiled(R"({"a": [1, "b", {"{{n}}": null}]})");
  EXPECT_FALSE(compiled.is_dynamic());
  EXPECT_EQ(compiled.Render(TestEnvironment("{}")).value().value, compiled.source());
  EXPECT_FALSE(Template().is_dynamic());
  EXPECT_EQ(Template().source(), Value(Object()));
}

TEST(Template, KeepsItsSourceAsItWasWritten) {
  const Template compiled = Compiled(R"({"a": "$${n} {{n}}"})");
  EXPECT_EQ(ToJson(compiled.source()), R"({"a":"$${n} {{n}}"})");
  // An escape alone changes the text, so it is rendered too.
  EXPECT_TRUE(Compiled(R"("$${n}")").is_dynamic());
}

TEST(Template, RendersStringsAnywhereButInKeys) {
  EXPECT_EQ(RenderedText(
                ParseJson(R"({"z": 1, "a": ["x", "{{n}}", {"{{n}}": "${s}-"}], "b": "{{list}}"})")
                    .value()),
            R"({"z":1,"a":["x",1,{"{{n}}":"text-"}],"b":[1,"a"]})");
}

TEST(Template, FaultsNameColumnAndPlace) {
  EXPECT_EQ(RenderedText(Value("a {{ 1 + }}")),
            "STL0201: Expected a value at column 10 but found `}` (a literal `{{` is written "
            "`\\{{`)");
  EXPECT_EQ(RenderedText(ParseJson(R"({"a/b": ["{{.Names}}"]})").value()),
            "STL0201: Expected a value at column 3 but found `.` (a literal `{{` is written "
            "`\\{{`) in /a~1b/0");
  EXPECT_EQ(RenderedText(ParseJson(R"({"k": "a {{missing.name}}"})").value()),
            "STL0203: Expected a value for `missing.name` at column 5 but found nothing of that "
            "name in /k");
  EXPECT_EQ(RenderedText(Value("{{missing}}")),
            "STL0203: Expected a value for `missing` at column 3 but found nothing of that name");
  EXPECT_EQ(RenderedText(Value("a {{null}}")),
            "STL0202: Expected a value to put into the text at column 5 but found null");
}

TEST(Template, CollectsSecretsByPlaceInOrderOfInsertion) {
  const Rendered rendered = Compiled(R"({"b": "{{secrets.one}}-{{n}}-${secrets.two}",
                   "a": {"x~/y": ["", "{{ secrets['th-ree'] }}"]},
                   "c": "{{secrets.four}}{{secrets.five}}"})")
                                .Render(TestEnvironment(kWorld))
                                .value();
  EXPECT_EQ(ToJson(rendered.value), R"({"b":"-1-","a":{"x~/y":["",""]},"c":""})");
  EXPECT_EQ(rendered.secrets, (std::vector<SecretUse>{{"/a/x~0~1y/1", 0, "th-ree"},
                                                      {"/b", 3, "two"},
                                                      {"/b", 0, "one"},
                                                      {"/c", 0, "five"},
                                                      {"/c", 0, "four"}}));
}

TEST(Template, RefusesSecretsInsideExpressions) {
  for (const std::string_view text :
       {"{{ 'x' + secrets.a }}", "${secrets.a == 'x'}", "{{secrets}}", "{{secrets.a.b}}",
        "{{secrets[n]}}", "{{secrets.a.length()}}", "{{has(secrets.a)}}", "{{[secrets.a]}}"}) {
    const auto compiled = Template::Compile(Value(text));
    ASSERT_FALSE(compiled) << text;
    EXPECT_THAT(compiled.error().message, testing::HasSubstr("a secret to stand alone")) << text;
  }
}

TEST(Template, SecretsAreNeverLookedUp) {
  const TestEnvironment environment(R"({"secrets": {"a": "hidden"}})");
  const Rendered rendered = Compiled(R"("{{secrets.a}}")").Render(environment).value();
  EXPECT_EQ(rendered.value, Value(""));
}

TEST(Template, ListsReferencesOfAllItsStrings) {
  const Template compiled = Compiled(R"({"a": "x {{n.k}} {{secrets.s}}", "b": ["${list[n]}"]})");
  ASSERT_EQ(compiled.references().size(), 4u);
  EXPECT_EQ(compiled.references()[0].path, (std::vector<std::string>{"n", "k"}));
  EXPECT_EQ(compiled.references()[0].column, 5u);
  EXPECT_EQ(compiled.references()[1].path, (std::vector<std::string>{"secrets", "s"}));
  EXPECT_EQ(compiled.references()[2].path, (std::vector<std::string>{"list"}));
  EXPECT_EQ(compiled.references()[3].path, (std::vector<std::string>{"n"}));
  EXPECT_EQ(compiled.references()[3].column, 8u);
}

}  // namespace
}  // namespace stele::expression
