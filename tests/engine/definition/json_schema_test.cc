#include "engine/definition/json_schema.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

Lines Messages(const std::vector<SchemaFault>& faults) {
  Lines lines;
  for (const SchemaFault& fault : faults) lines.push_back(fault.message);
  return lines;
}

Value Json(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value) << text;
  return value.value_or(Value());
}

JsonSchema Compiled(std::string_view schema) {
  auto compiled = JsonSchema::Compile(Json(schema));
  if (compiled) return *std::move(compiled);
  ADD_FAILURE() << schema << ": " << compiled.error()[0].message;
  return *JsonSchema::Compile(Value(true));
}

Lines Faults(std::string_view schema, std::string_view value) {
  return Messages(Compiled(schema).Validate(Json(value)));
}

Lines CompileFaults(std::string_view schema) {
  const auto compiled = JsonSchema::Compile(Json(schema));
  Lines lines;
  if (compiled) return lines;
  for (const SchemaFault& fault : compiled.error())
    lines.push_back(fault.pointer + ": " + fault.message);
  return lines;
}

bool Fits(std::string_view schema, std::string_view value) {
  return Compiled(schema).Validate(Json(value)).empty();
}

TEST(JsonSchema, TellsEveryFaultWithItsPlace) {
  EXPECT_EQ(
      Faults(R"({"type":"object","required":["name","age"],"additionalProperties":false,
                 "properties":{"name":{"type":"string","minLength":2},"age":{"type":"integer",
                 "minimum":0},"tags":{"type":"array","items":{"type":"string"},"maxItems":2},
                 "kind":{"enum":["a","b"]}}})",
             R"({"name":"x","tags":["a",1,"b"],"kind":"c","nam":1,"a/b":2})"),
      (Lines{"Expected a member \"age\" but found none",
             "Expected at least 2 characters at /name but found 1",
             "Expected at most 2 elements at /tags but found 3",
             "Expected a string at /tags/1 but found 1",
             "Expected one of \"a\", \"b\" at /kind but found \"c\"",
             "Expected a member \"name\" but found \"nam\"",
             "Expected no member but \"name\", \"age\", \"tags\" and \"kind\" but found \"a/b\""}));
}

TEST(JsonSchema, KnowsTheTypes) {
  EXPECT_TRUE(Fits(R"({"type":"integer"})", "3.0"));
  EXPECT_FALSE(Fits(R"({"type":"integer"})", "3.5"));
  EXPECT_TRUE(Fits(R"({"type":"number"})", "3"));
  EXPECT_TRUE(Fits(R"({"type":["null","string"]})", "null"));
  EXPECT_EQ(Faults(R"({"type":["null","array"]})", "{}"),
            Lines{"Expected null or a list but found an empty object"});
  EXPECT_TRUE(Fits("true", "1"));
  EXPECT_EQ(Faults("false", "1"), Lines{"Expected nothing but found 1"});
}

TEST(JsonSchema, ComparesNumbersExactly) {
  EXPECT_TRUE(Fits(R"({"maximum":9007199254740993})", "9007199254740993"));
  EXPECT_FALSE(Fits(R"({"maximum":9007199254740992})", "9007199254740993"));
  EXPECT_EQ(Faults(R"({"exclusiveMinimum":0,"exclusiveMaximum":1.5})", "1.5"),
            Lines{"Expected a number below 1.5 but found 1.5"});
  EXPECT_FALSE(Fits(R"({"exclusiveMinimum":0})", "0"));
  EXPECT_TRUE(Fits(R"({"multipleOf":0.1})", "0.3"));
  EXPECT_FALSE(Fits(R"({"multipleOf":3})", "10"));
}

TEST(JsonSchema, MatchesPatternsWithoutBacktracking) {
  EXPECT_TRUE(Fits(R"({"pattern":"^a+$"})", R"("aaa")"));
  const auto evil = Compiled(R"({"pattern":"^(a+)+$"})");
  EXPECT_EQ(evil.Validate(Value(std::string(200'000, 'a') + "b")).size(), 1u);
  EXPECT_EQ(
      CompileFaults(R"x({"properties":{"x":{"pattern":"(?=a)"}}})x").at(0).substr(0, 84),
      "/properties/x/pattern: Expected a regular expression as RE2 knows it but found \"(?=a");
  EXPECT_TRUE(Fits(R"({"maxLength":2})", R"("数据")"));
}

TEST(JsonSchema, KnowsLists) {
  EXPECT_EQ(
      Faults(R"({"prefixItems":[{"type":"string"}],"items":{"type":"integer"}})", R"([1,2,"x"])"),
      (Lines{"Expected a string at /0 but found 1",
             "Expected an integer at /2 but found "
             "\"x\""}));
  EXPECT_FALSE(Fits(R"({"items":[{}],"additionalItems":false})", "[1,2]"));
  EXPECT_TRUE(Fits(R"({"items":[{}]})", "[1,2]"));
  EXPECT_EQ(Faults(R"({"uniqueItems":true})", R"([{"a":1,"b":2},3,{"b":2,"a":1.0}])"),
            Lines{"Expected elements that differ but found the same at 0 and 2"});
  EXPECT_EQ(Faults(R"({"contains":{"type":"string"},"maxContains":1})", R"(["a","b"])"),
            Lines{"Expected at most 1 element that fit `contains` but found 2"});
  EXPECT_FALSE(Fits(R"({"contains":{"type":"string"}})", "[1]"));
  EXPECT_TRUE(Fits(R"({"contains":{"type":"string"},"minContains":0})", "[1]"));
}

TEST(JsonSchema, KnowsObjects) {
  EXPECT_TRUE(
      Fits(R"({"patternProperties":{"^x-":{}},"additionalProperties":false})", R"({"x-a":1})"));
  EXPECT_FALSE(Fits(R"({"additionalProperties":{"type":"string"}})", R"({"a":1})"));
  EXPECT_FALSE(Fits(R"({"propertyNames":{"maxLength":2}})", R"({"abc":1})"));
  EXPECT_FALSE(Fits(R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})"));
  EXPECT_FALSE(Fits(R"({"dependencies":{"a":{"required":["b"]}}})", R"({"a":1})"));
  EXPECT_FALSE(Fits(R"({"minProperties":1})", "{}"));
}

TEST(JsonSchema, CombinesSchemas) {
  EXPECT_EQ(Faults(R"({"anyOf":[{"type":"string"},{"type":"null"}]})", "1"),
            Lines{"Expected a value that fits one of 2 schemas but found 1"});
  EXPECT_EQ(Faults(R"({"oneOf":[{"minimum":1},{"minimum":2}]})", "3"),
            Lines{"Expected a value that fits exactly one of 2 schemas but found 3, which fits 2"});
  EXPECT_FALSE(Fits(R"({"not":{"type":"string"}})", R"("x")"));
  constexpr std::string_view kIf =
      R"({"if":{"required":["a"]},"then":{"required":["b"]},"else":{"required":["c"]}})";
  EXPECT_TRUE(Fits(kIf, R"({"a":1,"b":1})"));
  EXPECT_FALSE(Fits(kIf, R"({"a":1})"));
  EXPECT_FALSE(Fits(kIf, "{}"));
  EXPECT_FALSE(Fits(R"({"allOf":[{"minimum":1},{"maximum":2}]})", "3"));
  EXPECT_FALSE(Fits(R"({"const":{"a":[1]}})", R"({"a":[2]})"));
}

TEST(JsonSchema, FollowsReferencesWithinIt) {
  constexpr std::string_view kTree =
      R"({"$ref":"#/$defs/no~1de","$defs":{"no/de":{"type":"object","properties":{
          "child":{"$ref":"#/$defs/no~1de"},"n":{"type":"integer"}}}}})";
  EXPECT_EQ(Faults(kTree, R"({"n":1,"child":{"child":{"n":"x"}}})"),
            Lines{"Expected an integer at /child/child/n but found \"x\""});
  EXPECT_EQ(CompileFaults(R"({"properties":{"a":{"$ref":"http://example.com/s"}}})"),
            Lines{"/properties/a/$ref: Expected a place in this schema like \"#/$defs/name\" as "
                  "`$ref` but found \"http://example.com/s\""});
  EXPECT_EQ(CompileFaults(R"({"allOf":[{"$ref":"#"}]})"),
            Lines{": Expected a schema that ends but found one that refers to itself"});
}

TEST(JsonSchema, IsRefusedWithEveryFault) {
  EXPECT_EQ(CompileFaults(R"({"type":"strnig","requird":["a"],"minimum":"1","items":5,
                              "properties":[],"unevaluatedProperties":false,"x-mine":1})"),
            (Lines{"/type: Expected a type of \"null\", \"boolean\", \"integer\", \"number\", "
                   "\"string\", \"array\" or \"object\" but found \"strnig\"",
                   "/requird: Expected a keyword, perhaps \"required\", but found \"requird\"",
                   "/minimum: Expected a number as `minimum` but found \"1\"",
                   "/items: Expected a schema, an object or a boolean, but found 5",
                   "/properties: Expected an object of schemas but found a list",
                   "/unevaluatedProperties: Expected keywords of draft-07 but found "
                   "\"unevaluatedProperties\""}));
  EXPECT_EQ(CompileFaults("5"), Lines{": Expected a schema, an object or a boolean, but found 5"});
}

TEST(JsonSchema, IsBounded) {
  // Each level asks the next one twice, about the same value.
  std::string defs = R"("d0":{"type":"string"})";
  for (int i = 1; i < 40; ++i) {
    const std::string below = "{\"$ref\":\"#/$defs/d" + std::to_string(i - 1) + "\"}";
    defs += ",\"d" + std::to_string(i) + "\":{\"anyOf\":[" + below + "," + below + "]}";
  }
  EXPECT_EQ(Faults("{\"$ref\":\"#/$defs/d39\",\"$defs\":{" + defs + "}}", "1").back(),
            "Expected a check of at most 2000000 steps but found more");
  Value deep(1);
  for (int i = 0; i < 400; ++i) deep = Array{std::move(deep)};
  EXPECT_EQ(Messages(Compiled(R"({"items":{"$ref":"#"}})").Validate(deep)),
            Lines{"Expected a depth of at most 300 but found more"});
}

// Every comparison of a member with a name, and every match of a pattern, counts.
TEST(JsonSchema, IsBoundedWhereMembersAreMany) {
  std::string members;
  for (int i = 0; i < 30'000; ++i) members += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":1";
  std::string patterns;
  for (int i = 0; i < 200; ++i)
    patterns += (i > 0 ? ",\"^x" : "\"^x") + std::to_string(i) + "\":true";
  const Lines beyond = {"Expected a check of at most 2000000 steps but found more"};
  EXPECT_EQ(Faults("{\"patternProperties\":{" + patterns + "}}", "{" + members + "}"), beyond);
  std::string names;
  for (int i = 0; i < 1'500; ++i) names += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\"";
  EXPECT_EQ(Faults("{\"required\":[" + names + "]}", "{" + members + "}"), beyond);
  std::string properties;
  for (int i = 0; i < 2'000; ++i)
    properties += (i > 0 ? ",\"m" : "\"m") + std::to_string(i) + "\":{\"type\":\"integer\"}";
  EXPECT_EQ(Faults("{\"properties\":{" + properties + "}}", "{" + members + "}"), Lines{})
      << "names are looked up, not compared one by one";
}

TEST(JsonSchema, OrdersLargeIntegersAndFractionsExactly) {
  EXPECT_EQ(Faults(R"({"exclusiveMinimum":9007199254740992.0})", "9007199254740993"), Lines{});
  EXPECT_EQ(Faults(R"({"maximum":9007199254740992.0})", "9007199254740993").size(), 1u);
}

TEST(JsonSchema, KnowsTimesBefore1970) {
  EXPECT_EQ(Faults(R"({"format":"date-time"})", R"("1969-07-20T20:17:00Z")"), Lines{});
  EXPECT_EQ(Faults(R"({"format":"date-time"})", R"("1969-02-30T20:17:00Z")").size(), 1u);
}

TEST(JsonSchema, LeavesTemplatesToRunTime) {
  const auto schema = Compiled(
      R"({"type":"object","required":["a","b"],"properties":{"a":{"type":"integer"},
          "b":{"type":"array","items":{"type":"integer"},"minItems":3,"uniqueItems":true},
          "c":{"oneOf":[{"type":"integer"},{"type":"boolean"}]},"d":{"enum":[{"x":1}]}}})");
  EXPECT_EQ(Messages(schema.ValidateTemplate(
                Json(R"({"a":"{{input.a}}","b":["${x}","no"],"c":"{{y}}","d":{"x":"{{z}}"}})"))),
            (Lines{"Expected at least 3 elements at /b but found 2",
                   "Expected an integer at /b/1 but found \"no\""}));
  EXPECT_EQ(Messages(schema.ValidateTemplate(Json(R"({"a":"{{input.a}}"})"))),
            Lines{"Expected a member \"b\" but found none"});
}

TEST(InputSchema, IsCheckedWhenAFileIsLoaded) {
  EXPECT_EQ(
      FaultsOf("name: n\ninput_schema:\n  type: object\n  properties:\n    age: {typ: integer}\n"
               "  required: age\nsteps: [{id: a, type: script}]\n"),
      (Lines{"5:16 STL0102 Expected a keyword, perhaps \"type\", but found \"typ\"",
             "6:13 STL0102 Expected a list of names but found \"age\""}));
}

TEST(InputSchema, SaysWhatAnInstanceMayBeStartedWith) {
  const auto definition = LoadYaml(
      "name: n\ninput_schema: {type: object, required: [id], properties: {id: {type: integer}}}\n"
      "steps: [{id: a, type: script}]\n");
  for (const auto& one : {definition, LoadJson(WriteCanonical(*definition))}) {
    EXPECT_TRUE(CheckInput(*one, Json(R"({"id":1})")));
    const Status status = CheckInput(*one, Json(R"({"id":"x"})"));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidInput);
    EXPECT_EQ(status.error().message,
              "The input of \"n\": Expected an integer at /id but found \"x\"");
    EXPECT_FALSE(CheckInput(*one, Json("{}")));
  }
  EXPECT_TRUE(CheckInput(*LoadYaml("name: n\nsteps: [{id: a, type: script}]\n"), Value(1)));
}

}  // namespace
}  // namespace stele::definition::testing
