// One test for each kind of fault: its place and its sentence.

#include <gtest/gtest.h>

#include "engine/definition/json_schema.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

TEST(Faults, UnknownStep) {
  EXPECT_EQ(
      FaultsOf("name: n\nsteps:\n- {id: first, type: script}\n"
               "- {id: b, type: script, depends_on: [frist]}\n"),
      Lines{"4:38 STL0104 Expected the id of a step, perhaps \"first\", but found \"frist\""});
}

TEST(Faults, UnknownStepInACommaList) {
  EXPECT_EQ(FaultsOf("workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
                     "    - {id: a, type: script}\n    - {id: b, type: script}\n"
                     "    transitions:\n    - from: a\n      to: \"b, zzzz\"\n"),
            Lines{"10:15 STL0104 Expected the id of a step but found \"zzzz\", which is none"});
}

TEST(Faults, StepOfAnotherBody) {
  EXPECT_EQ(
      FaultsOf("name: n\nsteps:\n- {id: p, type: parallel, steps: [{id: x, type: script}]}\n"
               "- {id: b, type: script, depends_on: x}\n"),
      Lines{"4:37 STL0104 Expected the id of a step beside this one but found \"x\", which is "
            "inside another process or loop"});
}

TEST(Faults, DuplicateId) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script}\n- {id: a, type: script}\n"),
            Lines{"4:8 STL0103 Expected each step id once but found \"a\" again after line 3"});
}

TEST(Faults, SecretsWhereTheEngineItselfReads) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n"
                     "- {id: p, type: publish, config: {name: m, payload: '{{secrets.T}}'}}\n"),
            Lines{"3:8 STL0102 Expected no secret in the configuration of \"p\", which is "
                  "recorded, but found `secrets.T`"});
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script, config: {script: x},\n"
                     "   concurrency: {key: '{{secrets.T}}', limit: 1}}\n"),
            Lines{"3:8 STL0102 Expected no secret in the concurrency key of \"a\", which is "
                  "recorded, but found `secrets.T`"});
}

TEST(Faults, StepsThatOnlyStandInForEachOther) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script, fallback: b}\n"
                     "- {id: b, type: script, fallback: a}\n"),
            Lines{"3:8 STL0105 Expected a step that starts but found that \"a\" and the others "
                  "only stand in for each other or undo each other"});
}

TEST(Faults, UnreachableStep) {
  EXPECT_EQ(FaultsOf("workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
                     "    - {id: a, type: script}\n    - {id: b, type: script}\n"
                     "    - {id: c, type: script}\n    transitions:\n"
                     "    - {from: a, to: b}\n"),
            Lines{"8:12 STL0105 Expected a way from the start to every step but found none to "
                  "\"c\""});
}

TEST(Faults, UnusedSubProcess) {
  EXPECT_EQ(FaultsOf("workflow:\n  id: w\n  processes:\n"
                     "  - {id: p, tasks: [{id: a, type: script}]}\n"
                     "  - {id: q, type: sub_process, tasks: [{id: b, type: script}]}\n"),
            Lines{"5:10 STL0105 Expected a task of type \"sub_process\" that runs \"q\" but found "
                  "none"});
}

TEST(Faults, IrreducibleCycle) {
  EXPECT_EQ(FaultsOf("workflow:\n  id: w\n  processes:\n  - id: p\n    tasks:\n"
                     "    - {id: a, type: script}\n    - {id: b, type: script}\n"
                     "    - {id: c, type: script}\n    transitions:\n"
                     "    - {from: a, to: b}\n    - {from: a, to: c}\n    - {from: b, to: c}\n"
                     "    - {from: c, to: b}\n"),
            Lines{"13:7 STL0106 Expected a loop that is entered at one step but found a cycle of "
                  "\"b\" and \"c\" that is entered at several"});
}

TEST(Faults, DependencyCycle) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: z, type: script}\n"
                     "- {id: a, type: script, depends_on: [z, c]}\n"
                     "- {id: b, type: script, depends_on: a}\n"
                     "- {id: c, type: script, depends_on: b}\n"
                     "- {id: d, type: script, depends_on: c}\n"),
            Lines{"4:8 STL0106 Expected `depends_on` without a cycle but found a → b → c → a"});
}

TEST(Faults, UnknownType) {
  const auto faults = FaultsOf("name: n\nsteps:\n- id: a\n  type: scirpt\n");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with("4:9 STL0107 Expected a step type of \"start\", \"end\", "))
      << faults[0];
  EXPECT_TRUE(faults[0].ends_with("but found \"scirpt\"; perhaps \"script\"")) << faults[0];
}

TEST(Faults, UnknownProcessType) {
  EXPECT_EQ(FaultsOf("workflow:\n  id: w\n  processes:\n  - id: p\n    type: random\n"
                     "    tasks: [{id: a, type: script}]\n"),
            Lines{"5:11 STL0107 Expected a process type of \"sequential\", \"parallel\", "
                  "\"conditional\", \"loop\" or \"sub_process\" but found \"random\""});
}

TEST(Faults, UnknownKey) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- id: a\n  type: script\n  depend_on: b\n"),
            Lines{"5:3 STL0108 Expected \"depends_on\" as a key of a step but found "
                  "\"depend_on\""});
}

TEST(Faults, KeysThatBeginWithXAreFree) {
  EXPECT_EQ(FaultsOf("name: n\nx-team: me\nsteps:\n- {id: a, type: script, x-note: hi}\n"),
            Lines{});
}

TEST(Faults, BadDuration) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script, config: {timeout: 5 parsecs}}\n"),
            Lines{"3:43 STL0109 Expected a duration as `timeout` like \"30s\", \"1h30m\" or a "
                  "number of seconds but found \"5 parsecs\""});
}

TEST(Faults, UnknownReferenceToAStep) {
  EXPECT_EQ(
      FaultsOf("name: n\nsteps:\n- {id: fetch, type: http}\n- id: b\n  type: script\n"
               "  depends_on: fetch\n  input_mapping:\n"
               "    x: \"{{steps.fetsh.output.body}}\"\n"),
      Lines{"8:11 STL0110 Expected a step of this file after `steps.`, perhaps \"fetch\", but "
            "found \"fetsh\""});
}

TEST(Faults, UnknownReferenceToAVariable) {
  EXPECT_EQ(FaultsOf("name: n\nvariables: {count: 1}\nsteps:\n"
                     "- {id: a, type: script, when: 'variables.cuont > 1'}\n"),
            Lines{"4:32 STL0110 Expected a variable that is declared or an output after "
                  "`variables.`, perhaps \"count\", but found \"cuont\""});
}

TEST(Faults, VariablesMayComeFromOutputsAndLoops) {
  EXPECT_EQ(
      FaultsOf("name: n\nvariables: {list: [1]}\nsteps:\n"
               "- {id: a, type: script, output_mapping: {x: outputs.x}}\n"
               "- {id: b, type: loop, depends_on: a, items: variables.list, item: one,\n"
               "   when: variables.x, steps: [{id: c, type: script, when: variables.one}]}\n"),
      Lines{});
}

TEST(Faults, TriggersOfAnotherShape) {
  EXPECT_EQ(FaultsOf("name: n\nsteps: [{id: a, type: script}]\ntriggers:\n"
                     "- daily\n"
                     "- {type: schedule, config: daily}\n"),
            (Lines{"4:3 STL0102 Expected a trigger as a mapping but found \"daily\"",
                   "5:28 STL0102 Expected a mapping as a trigger's `config` but found "
                   "\"daily\""}));
}

TEST(Faults, ConditionThatDoesNotCompile) {
  const auto faults = FaultsOf("name: n\nsteps:\n- {id: a, type: script, when: 'input.x =='}\n");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].starts_with("3:4")) << faults[0];
  EXPECT_TRUE(faults[0].contains("STL0201 Expected ")) << faults[0];
  EXPECT_TRUE(faults[0].contains(" but found ")) << faults[0];
}

TEST(Faults, DuplicateKeys) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- id: a\n  type: script\n  id: b\n"),
            Lines{"5:3 STL0101 Expected each key once in a mapping but found \"id\" again"});
  EXPECT_EQ(FaultsOf("{\"name\": \"n\", \"name\": \"m\",\n"
                     " \"steps\": [{\"id\": \"a\", \"type\": \"script\"}]}",
                     Syntax::kJson),
            Lines{"1:15 STL0001 Expected each key once in a mapping but found \"name\" again"});
}

TEST(Faults, DuplicateKeysWhereverAMappingIs) {
  const auto json = [](const std::string& config) {
    return FaultsOf(
        "{\"name\": \"n\", \"steps\": [{\"id\": \"a\", \"type\": \"script\",\n\"config\": " +
            config + "}]}",
        Syntax::kJson);
  };
  constexpr std::string_view kAgain =
      " STL0001 Expected each key once in a mapping but found \"x\" again";
  EXPECT_EQ(json(R"({"x": 1, "y": 2, "x": 1})"), Lines{"2:28" + std::string(kAgain)});
  EXPECT_EQ(json(R"({"l": [{"x": 1, "\u0078": 2}]})"), Lines{"2:27" + std::string(kAgain)});
  EXPECT_EQ(FaultsOf("name: n\nvariables:\n  v: {type: object, default: {x: 1, 'x': 2}}\n"
                     "triggers: [{id: t, type: manual, id: u}]\n"
                     "templates: {t: {step: {type: script}}, t: {step: {type: script}}}\n"
                     "steps:\n- {id: a, type: script, config: {1: x, '1': y}}\n"),
            (Lines{"3:37 STL0101 Expected each key once in a mapping but found \"x\" again",
                   "4:34 STL0101 Expected each key once in a mapping but found \"id\" again",
                   "5:40 STL0101 Expected each key once in a mapping but found \"t\" again",
                   "7:40 STL0101 Expected each key once in a mapping but found \"1\" again"}));
  EXPECT_EQ(FaultsOf("name: n\nx-a: &a {type: script}\nx-b: &b {name: b}\n"
                     "steps:\n- {id: a, <<: *a, <<: *b}\n"),
            Lines{"5:19 STL0101 Expected each key once in a mapping but found \"<<\" again"});
}

TEST(Faults, DefaultOfAnotherType) {
  EXPECT_EQ(FaultsOf("name: n\nvariables:\n  v: {type: integer, default: x}\n"
                     "steps: [{id: a, type: script}]\n"),
            Lines{"3:31 STL0102 Expected the default of \"v\" to be of type integer but found "
                  "\"x\""});
}

TEST(Faults, MissingKeys) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- type: script\n"),
            Lines{"3:3 STL0102 Expected `id` in a step but found none"});
  EXPECT_EQ(FaultsOf("workflow: {id: w}\n"),
            Lines{"1:11 STL0102 Expected `processes` in a workflow but found none"});
}

TEST(Faults, HandlerThatSomethingFollows) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script, compensation: u}\n"
                     "- {id: u, type: script}\n- {id: b, type: script, depends_on: u}\n"),
            Lines{"5:37 STL0102 Expected nothing to follow \"u\", which runs in another step's "
                  "place or undoes it, but found a transition to \"b\""});
}

TEST(Faults, JoinOfMoreThanComeIn) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script}\n"
                     "- {id: b, type: script, depends_on: a, join: 2}\n"),
            Lines{"4:46 STL0102 Expected a join of \"b\" to wait for at most its 1 transition but "
                  "found 2"});
}

TEST(Faults, LoopWithoutAnEnd) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: loop, steps: [{id: b, type: script}]}\n"),
            Lines{"3:3 STL0102 Expected exactly one of `while`, `until`, `items` and `times` in a "
                  "loop but found 0"});
}

TEST(Faults, FilesThatAreNoDefinition) {
  EXPECT_EQ(FaultsOf("scheduler: {enabled: true}\n"),
            Lines{"1:1 STL0102 Expected `workflow`, `steps`, `definition`, `nodes` or `tasks` as a "
                  "key of the file but found \"scheduler\""});
  EXPECT_EQ(FaultsOf("- 1\n"), Lines{"1:1 STL0102 Expected a mapping with `workflow`, `steps`, "
                                     "`nodes` or `tasks` but found a list"});
  EXPECT_EQ(FaultsOf(""), Lines{"1:1 STL0101 Expected a YAML document but found nothing"});
}

TEST(Faults, BrokenSyntax) {
  EXPECT_TRUE(FaultsOf("name: [1\nsteps: 2\n").at(0).starts_with("2:6 STL0101 Expected YAML but "))
      << FaultsOf("name: [1\nsteps: 2\n").at(0);
  EXPECT_TRUE(FaultsOf("{\n  \"name\": 1,,\n}", Syntax::kJson)
                  .at(0)
                  .starts_with("2:13 STL0001 Expected a JSON object but found: "))
      << FaultsOf("{\n  \"name\": 1,,\n}", Syntax::kJson).at(0);
  EXPECT_EQ(FaultsOf("name: !ruby/object x\n").at(0),
            "1:7 STL0101 Expected no tag but `!!str` but found \"!ruby/object\"");
}

TEST(Faults, AllAreToldAtOnceInTheOrderOfTheFile) {
  const auto faults = FaultsOf(
      "name: n\nstepz: 1\nsteps:\n- {id: a, type: nothing}\n"
      "- {id: b, type: script, timeout: soon, depends_on: [q]}\n- {id: b, type: script}\n");
  ASSERT_EQ(faults.size(), 5u);
  EXPECT_TRUE(faults[0].starts_with("2:1 STL0108"));
  EXPECT_TRUE(faults[1].starts_with("4:17 STL0107"));
  EXPECT_TRUE(faults[2].starts_with("5:34 STL0109"));
  EXPECT_TRUE(faults[3].starts_with("5:53 STL0104"));
  EXPECT_TRUE(faults[4].starts_with("6:8 STL0103"));
}

TEST(Faults, AreFormattedWithFileAndPlace) {
  EXPECT_EQ(FormatFault("orders.yml", {ErrorCode::kUnknownStep, "Expected a but found b", {12, 7}}),
            "orders.yml:12:7: STL0104: Expected a but found b");
  EXPECT_EQ(FormatFault("x.yml", {ErrorCode::kIo, "Expected a but found b", {}}),
            "x.yml: STL0003: Expected a but found b");
}

TEST(CheckTypes, NamesWhatCannotRunHere) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: script}\n- {id: k, type: kubernetes}\n"
      "- {id: e, type: email}\n- {id: d, type: delay, duration: 1s}\n");
  const auto faults = CheckTypes(*definition, {"script", "http"}, {"e"});
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_EQ(FormatFault("f.yml", faults[0]),
            "f.yml:4:8: STL0107: Expected a type that can run here (\"http\" and \"script\") but "
            "found \"kubernetes\" in step \"k\"; --stub k=JSON completes it without running");
  EXPECT_TRUE(CheckTypes(*definition, {"script"}, {"kubernetes", "email"}).empty());
}

TEST(CheckTypes, AsksTheSchemaOfSomebodysOwnType) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: 'custom:resize', config: {width: wide, height: "
      "'{{input.h}}'}}\n"
      "- {id: b, type: 'custom:resize', config: {width: 1}}\n"
      "- {id: c, type: 'custom:other'}\n");
  const auto schema = JsonSchema::Compile(
      Value(Object{{"required", Array{"height"}},
                   {"properties", Object{{"width", Object{{"type", "integer"}}},
                                         {"height", Object{{"type", "integer"}}}}}}));
  ASSERT_TRUE(schema);
  const TypeSchemas schemas = [&](std::string_view type) {
    return type == "resize" ? &*schema : nullptr;
  };
  std::vector<std::string> told;
  for (const Fault& fault : CheckTypes(*definition, {"other"}, {}, schemas))
    told.push_back(FormatFault("f", fault));
  EXPECT_EQ(told, (Lines{"f:3:8: STL0505: The configuration of step \"a\": Expected an integer at "
                         "/width but found \"wide\"",
                         "f:4:8: STL0505: The configuration of step \"b\": Expected a member "
                         "\"height\" but found none"}));
  EXPECT_TRUE(CheckTypes(*definition, {"other"}, {"resize"}, schemas).empty());
}

TEST(LoadFile, TellsThatAFileCannotBeRead) {
  const LoadResult result = LoadFile("/nonexistent/x.yml");
  ASSERT_FALSE(result);
  EXPECT_EQ(FormatFault("x.yml", result.error().at(0)),
            "x.yml: STL0003: Expected a file that can be read but found none at "
            "\"/nonexistent/x.yml\"");
}

TEST(LoadFile, NamesADefinitionAfterItsFile) {
  const LoadResult result =
      LoadFile(STELE_SOURCE_DIR "/tests/engine/definition/printed/agent-step.yml");
  ASSERT_TRUE(result);
  EXPECT_EQ((*result)->name, "agent-step");
}

}  // namespace
}  // namespace stele::definition::testing
