#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/export.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

TEST(Steps, WithoutDependenciesStartAtOnce) {
  const auto definition =
      LoadYaml("name: n\nsteps: [{id: a, type: script}, {id: b, type: script}]\n");
  EXPECT_EQ(Entries(*definition), "a b");
}

TEST(Steps, FollowTheirOrderWhenNoneDepends) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: c, type: script, order: 2}\n- {id: a, type: script, order: 1}\n"
      "- {id: b, type: script, order: 1}\n");
  EXPECT_EQ(Shape(*definition), "c script\na script\nb script\na -> c\nb -> c\n");
  EXPECT_EQ(Entries(*definition), "a b");
}

TEST(Steps, RunBesideEachOtherWhenMarkedParallel) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: script}\n- {id: b, type: script, is_parallel: true}\n"
      "- {id: c, type: script, is_parallel: true}\n- {id: d, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "a script\nb script\nc script\nd script\na -> b\na -> c\nb -> d\nc -> d\n");
}

TEST(Steps, JoinAsTheySay) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: script}\n- {id: b, type: script}\n"
      "- {id: c, type: script, depends_on: [a, b], join: any}\n"
      "- {id: d, type: script, depends_on: [a, b, c], join: 2}\n"
      "- {id: e, type: script, depends_on: d}\n");
  EXPECT_EQ(Shape(*definition),
            "a script\nb script\nc script join=any\nd script join=2\ne script\n"
            "a -> c\nb -> c\na -> d\nb -> d\nc -> d\nd -> e\n");
}

TEST(Steps, AConditionStepChoosesItsWay) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n"
      "- {id: c, type: condition, config: {condition: '{{input.score}} >= 60', then: yes_, "
      "else: no_}}\n"
      "- {id: yes_, type: script}\n- {id: no_, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "c condition first\nyes_ script\nno_ script\n"
            "c -> yes_ if {{input.score}} >= 60\nc -> no_ default\n");
  EXPECT_EQ(Entries(*definition), "c");
}

TEST(Steps, AChoiceOfSeveralSaysWhenEachIsTaken) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: c, type: condition, condition: input.x, then: [a, b], else: d}\n"
      "- {id: a, type: script}\n- {id: b, type: script}\n- {id: d, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "c condition\na script\nb script\nd script\n"
            "c -> a if input.x\nc -> b if input.x\nc -> d if not (input.x)\n");
}

TEST(Steps, GoToAnotherStepOnError) {
  const auto definition = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: script, on_error: tell, compensate_with: undo}\n"
      "- {id: b, type: script, depends_on: a}\n- {id: tell, type: email}\n"
      "- {id: undo, type: script}\n");
  EXPECT_EQ(Shape(*definition),
            "a script undo=undo\nb script\ntell email\nundo script handler\n"
            "a -> tell failure\na -> b\n");
  EXPECT_EQ(Entries(*definition), "a");
}

TEST(Steps, LoopsAndParallelsHoldSteps) {
  const auto definition = LoadYaml(
      "name: n\nvariables: {files: [1]}\nsteps:\n"
      "- id: each\n  type: loop\n  config: {items: '{{variables.files}}', item: file}\n"
      "  steps:\n  - {id: x, type: script}\n"
      "- id: both\n  type: parallel\n  depends_on: each\n"
      "  steps: [{id: y, type: script}, {id: z, type: script}]\n"
      "- id: many\n  type: parallel\n  depends_on: both\n  items: variables.files\n"
      "  steps: [{id: v, type: script}]\n");
  EXPECT_EQ(Shape(*definition),
            "each loop\nboth parallel\nmany parallel\neach/x script\nboth/y script\n"
            "both/z script\nmany/v script\neach -> both\nboth -> many\n");
  EXPECT_EQ(definition->FindStep("both")->kind, StepKind::kSubProcess);
  EXPECT_EQ(definition->FindStep("many")->kind, StepKind::kLoop);
  EXPECT_EQ(definition->FindStep("many")->loop.max_concurrent, 64u);
  EXPECT_EQ(definition->FindStep("each")->loop.item_name, "file");
  EXPECT_EQ(Entries(*definition, 2), "y z");
}

TEST(Steps, CallsOverHttpAreRetriedWhenNothingElseIsSaid) {
  const auto definition = LoadYaml(R"(
steps:
  - {id: call, type: http, config: {url: "http://127.0.0.1/"}}
  - {id: once, type: http, config: {url: "http://127.0.0.1/"}, retry: {max_attempts: 1}}
  - {id: work, type: script, config: {script: ls}}
)");
  EXPECT_EQ(definition->FindStep("call")->retry.max_attempts, 3u);
  EXPECT_EQ(definition->FindStep("call")->retry.backoff, Backoff::kExponential);
  EXPECT_EQ(definition->FindStep("once")->retry.max_attempts, 1u);
  EXPECT_EQ(definition->FindStep("work")->retry.max_attempts, 1u);
}

TEST(Steps, RetryWordsOfThisNotationAreKnown) {
  const auto definition = LoadYaml(
      "name: n\nretry: {max_attempts: 5}\nsteps:\n- id: a\n  type: http\n"
      "  retry: {max_attempts: 3, initial_delay: 30s, max_delay: 300s, backoff_factor: 2.0}\n"
      "- {id: b, type: http}\n");
  EXPECT_EQ(definition->FindStep("a")->retry, (RetryPolicy{.max_attempts = 3,
                                                           .backoff = Backoff::kExponential,
                                                           .initial_delay_us = 30'000'000,
                                                           .max_delay_us = 300'000'000}));
  EXPECT_EQ(definition->FindStep("b")->retry.max_attempts, 5u);
}

TEST(Steps, AnOutputIsAnExpressionOrATemplate) {
  const auto definition = LoadYaml(
      "name: n\noutputs: {total: variables.t}\nsteps:\n- id: a\n  type: http\n"
      "  output_mapping: {t: response.total, u: 'n={{response.n}}', v: 5}\n");
  const auto& outputs = definition->FindStep("a")->outputs;
  ASSERT_EQ(outputs.size(), 3u);
  EXPECT_EQ(outputs[0].value.source(), Value("{{ response.total }}"));
  EXPECT_EQ(outputs[1].value.source(), Value("n={{response.n}}"));
  EXPECT_EQ(outputs[2].value.source(), Value(5));
  EXPECT_EQ(definition->outputs.size(), 1u);
}

TEST(Steps, YamlScalarsHaveTheTypesOfTheCoreSchema) {
  const auto definition = LoadYaml(
      "name: n\nvariables: {a: 1, b: '1', c: true, d: yes, e: 1.5, f: 0x10, g: ~, h: 1e3, "
      "i: 2024-01-01, j: [1], k: {x: 1}}\nsteps: [{id: s, type: script}]\n");
  std::string types;
  for (const Variable& variable : definition->bodies[0].variables) types += variable.type + " ";
  EXPECT_EQ(types, "integer string boolean string number integer any number string array object ");
}

TEST(Steps, YamlAndJsonSayTheSame) {
  const auto yaml = LoadYaml(
      "name: n\nsteps:\n- {id: a, type: http, config: {url: 'http://x', n: 1.5}}\n"
      "- {id: b, type: script, depends_on: [a], condition: 'steps.a.output.ok'}\n");
  const auto json = LoadJson(
      R"({"name":"n","steps":[{"id":"a","type":"http","config":{"url":"http://x","n":1.5}},)"
      R"({"id":"b","type":"script","depends_on":["a"],"condition":"steps.a.output.ok"}]})");
  EXPECT_EQ(Shape(*yaml), Shape(*json));
  EXPECT_EQ(yaml->FindStep("a")->config.source(), json->FindStep("a")->config.source());
}

// The canonical form without what a notation may rightly say differently.
std::string Essence(const Definition& definition) {
  Definition copy = definition;
  copy.dialect.clear();
  copy.title.clear();
  for (Step& step : copy.steps) step.place = {};
  for (Transition& edge : copy.transitions) edge.place = {};
  for (Body& body : copy.bodies) {
    body.place = {};
    body.name.clear();
  }
  return WriteCanonical(copy);
}

TEST(Steps, EqualDefinitionsInBothNotationsAreEqualGraphs) {
  const auto steps = LoadYaml(
      "id: w\nvariables: {n: 1}\nerror_handling: {strategy: compensate}\nsteps:\n"
      "- {id: a, type: script, config: {script: echo, runtime: bash}, timeout: 5s,"
      " compensation: u}\n"
      "- {id: b, type: http, depends_on: a, config: {url: 'http://x'}, on_error: d}\n"
      "- {id: c, type: http, depends_on: a, when: 'variables.n > 1'}\n"
      "- {id: d, type: email, depends_on: [c], retry: {max_attempts: 2, initial_delay: 1s}}\n"
      "- {id: u, type: script}\n");
  const auto processes = LoadYaml(
      "workflow:\n  id: w\n  variables: {n: {type: integer, default: 1}}\n  processes:\n"
      "  - id: main\n    type: conditional\n    error_handling: {strategy: compensate}\n"
      "    tasks:\n"
      "    - {id: a, type: script, executor: bash, inputs: {script: echo}, timeout: 5s,"
      " compensation: u}\n"
      "    - {id: b, type: api, inputs: {url: 'http://x'}}\n"
      "    - {id: c, type: api, when: 'variables.n > 1'}\n"
      "    - {id: d, type: notification, executor: email,"
      " retry_policy: {max_attempts: 2, initial_delay: 1s}}\n"
      "    - {id: u, type: script}\n"
      "    transitions:\n    - {from: a, to: b}\n    - {from: b, to: d, condition: failure}\n"
      "    - {from: a, to: c}\n    - {from: c, to: d}\n");
  EXPECT_EQ(Shape(*steps), Shape(*processes));
  EXPECT_EQ(Essence(*steps), Essence(*processes));
}

std::string ConfigOf(const Definition& definition, std::string_view id) {
  const Step* step = definition.FindStep(id);
  return step == nullptr ? "no such step" : ToJson(step->config.source());
}

TEST(Steps, LeaveUnknownNamesInScriptsToTheShell) {
  const auto definition = LoadYaml(
      "name: n\nvariables: {environment: dev}\ninput_schema: {properties: {who: {}}}\nsteps:\n"
      "- {id: a, type: script, input_mapping: {given: 1}, output_mapping: {made: outputs.x},\n"
      "   config: {script: 'cd ${HOME}; $${PATH} ${environment} ${given} ${made} ${who} ${a} ${x/y}"
      " {{input.x}} ${input}', note: '${HOME}'}}\n"
      "- {id: b, type: container, config: {image: i, command: [sh, '${HOME}']}}\n"
      "- {id: c, type: http, config: {url: '${HOME}'}}\n");
  EXPECT_EQ(
      ConfigOf(*definition, "a"),
      "{\"script\":\"cd $${HOME}; $${PATH} ${environment} ${given} ${made} ${who} ${a} ${x/y} "
      "{{input.x}} ${input}\",\"note\":\"${HOME}\"}");
  EXPECT_EQ(ConfigOf(*definition, "b"), "{\"image\":\"i\",\"command\":[\"sh\",\"$${HOME}\"]}");
  EXPECT_EQ(ConfigOf(*definition, "c"), "{\"url\":\"${HOME}\"}");
}

TEST(Steps, KeepEveryTemplateWhereNoVariableIsDeclared) {
  EXPECT_EQ(
      ConfigOf(*LoadYaml("name: n\nsteps:\n- {id: a, type: script, config: {script: '${HOME}'}}"
                         "\n"),
               "a"),
      "{\"script\":\"${HOME}\"}");
}

TEST(Steps, ALoopsItemHidesNoneOfTheEnginesNames) {
  for (const std::string name : {"input", "outputs", "previous_task_result", "loop", "secrets"}) {
    const auto faults = FaultsOf("name: n\nsteps:\n- {id: l, type: loop, times: 2, item: " + name +
                                 ",\n   steps: [{id: a, type: script}]}\n");
    ASSERT_EQ(faults.size(), 1u) << name;
    EXPECT_TRUE(faults[0].contains("none of the engine's own as a loop's `item`")) << faults[0];
  }
}

TEST(Steps, NoSecretIsRecordedByWayOfStelesOwnWords) {
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: delay, duration: 1s,\n"
                     "   stele: {delay: '{{ secrets.x }}'}}\n"),
            (std::vector<std::string>{"3:8 STL0102 Expected no secret in the delay of \"a\", which "
                                      "is recorded, but found `secrets.x`"}));
}

constexpr const char* kPermissions = R"({"permissions":[{"action":"read","users":["ada"]}]})";

TEST(Steps, KeepWhoMayDoWhat) {
  for (const char* text :
       {"name: n\npermissions: [{action: read, users: [ada]}]\nsteps: [{id: a, type: script}]\n",
        "name: n\npermissions: [{action: read, users: [ada]}]\n"
        "definition: {steps: [{id: a, type: script}]}\n",
        "name: n\ndefinition:\n  permissions: [{action: read, users: [ada]}]\n"
        "  steps: [{id: a, type: script}]\n"}) {
    const auto definition = LoadYaml(text);
    EXPECT_EQ(ToJson(definition->extra), kPermissions);
    const auto again = ReadCanonical(WriteCanonical(*definition));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(ToJson((*again)->extra), kPermissions);
    const auto exported = Export(*definition, Dialect::kSteps, Syntax::kYaml);
    ASSERT_TRUE(exported.has_value());
    EXPECT_EQ(ToJson(LoadYaml(*exported)->extra), kPermissions);
  }
}

TEST(Steps, SayOnceWhoMayDoWhat) {
  EXPECT_EQ(FaultsOf("name: n\npermissions: [{action: read, users: [ada]}]\n"
                     "definition:\n  permissions: [{action: read, users: [bo]}]\n"
                     "  steps: [{id: a, type: script}]\n"),
            std::vector<std::string>{"4:16 STL0102 Expected `permissions` once but found them "
                                     "around `definition` and in it"});
}

}  // namespace
}  // namespace stele::definition::testing
