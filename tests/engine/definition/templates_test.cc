#include "engine/definition/templates.h"

#include <gtest/gtest.h>

#include <map>

#include "base/json.h"
#include "engine/definition/shared_templates.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kTemplate =
    "name: <<name>>\n"
    "parameters:\n"
    "- {name: name, type: string, description: what it is called}\n"
    "- {name: retries, type: integer, default: 3}\n"
    "- {name: tags, type: array, default: [x]}\n"
    "- {name: note, required: false}\n"
    "tags: <<tags>>\n"
    "steps:\n"
    "- {id: fetch, type: http, retry: {max_attempts: <<retries>>},\n"
    "   config: {url: 'https://example.com/<< name >>/<<retries>>', note: <<note>>,\n"
    "   shell: 'cat \\<<EOF>>out; a << b'}}\n";

Lines Told(const LoadResult& result) {
  Lines lines;
  if (result) return lines;
  for (const Fault& fault : result.error()) lines.push_back(FormatFault("t", fault));
  return lines;
}

std::string ConfigOf(const Definition& definition, std::string_view id) {
  const Step* step = definition.FindStep(id);
  return step == nullptr ? "no such step" : ToJson(step->config.source());
}

TEST(Templates, BecomeDefinitionsWithTheValuesOfTheirParameters) {
  const LoadResult made =
      Instantiate(kTemplate, Syntax::kYaml,
                  {{"name", "orders"}, {"retries", 5}, {"tags", Array{"a", "b"}}}, "unnamed");
  ASSERT_EQ(Told(made), Lines{});
  EXPECT_EQ((*made)->name, "orders");
  EXPECT_EQ((*made)->tags, (Lines{"a", "b"}));
  EXPECT_EQ((*made)->FindStep("fetch")->retry.max_attempts, 5u);
  EXPECT_EQ(
      ConfigOf(**made, "fetch"),
      R"({"url":"https://example.com/orders/5","note":null,"shell":"cat <<EOF>>out; a << b"})");
}

TEST(Templates, SayWhatTheyNeed) {
  const auto parameters = ParametersOf(kTemplate, Syntax::kYaml);
  ASSERT_TRUE(parameters);
  ASSERT_EQ(parameters->size(), 4u);
  EXPECT_EQ(parameters->at(0).name, "name");
  EXPECT_EQ(parameters->at(0).type, "string");
  EXPECT_TRUE(parameters->at(0).required);
  EXPECT_EQ(parameters->at(0).description, "what it is called");
  EXPECT_FALSE(parameters->at(1).required);
  EXPECT_EQ(parameters->at(1).initial, Value(3));
  EXPECT_FALSE(parameters->at(3).required);
  EXPECT_TRUE(ParametersOf("name: n\nsteps: []\n", Syntax::kYaml)->empty());
}

TEST(Templates, TellWhatIsWrongWithTheValues) {
  EXPECT_EQ(Told(Instantiate(kTemplate, Syntax::kYaml, {{"retries", "many"}, {"tag", 1}}, "u")),
            (Lines{"t: STL0108: Expected the name of a parameter, perhaps \"tags\", but found "
                   "\"tag\"",
                   "t:3:3: STL0102: Expected a value for the parameter \"name\" but found none",
                   "t:4:3: STL0102: Expected the parameter \"retries\" to be of type integer but "
                   "found \"many\""}));
  EXPECT_EQ(Told(Instantiate("name: n\nsteps: [{id: a, type: script}]\n", Syntax::kYaml, {{"x", 1}},
                             "u")),
            (Lines{"t: STL0108: Expected the name of a parameter but found \"x\"",
                   "t:1:1: STL0102: Expected a definition with `parameters` but found none"}));
}

TEST(Templates, HaveTheirFaultsInTheirText) {
  EXPECT_EQ(Told(Instantiate("parameters: {kind: script, after: x}\nname: n\nsteps:\n"
                             "- {id: a, type: <<kind>>, timeout: '<<after>>s', when: '<<knd>>'}\n",
                             Syntax::kYaml, {}, "u")),
            Lines{"t:4:56: STL0110: Expected the name of a parameter in `<<…>>`, perhaps \"kind\", "
                  "but found \"knd\""});
  EXPECT_EQ(Told(Instantiate("parameters: [{name: after}]\nname: n\nsteps:\n"
                             "- {id: a, type: script, timeout: '<<after>>s'}\n",
                             Syntax::kYaml, {{"after", "x"}}, "u")),
            Lines{"t:4:34: STL0109: Expected a duration as `timeout` like \"30s\", \"1h30m\" or a "
                  "number of seconds but found \"xs\""});
}

TEST(Templates, LoadWithTheirDefaults) {
  EXPECT_EQ(LoadYaml("parameters: {n: 4}\nname: n\nsteps:\n- {id: a, type: delay, delay: <<n>>}\n")
                ->FindStep("a")
                ->delay->source(),
            Value(4));
  EXPECT_EQ(FaultsOf("parameters: [{name: n}]\nname: n\nsteps: [{id: a, type: script}]\n"),
            Lines{"1:14 STL0102 Expected a value for the parameter \"n\" but found none"});
}

TEST(Templates, LeaveFilesWithoutParametersAlone) {
  const auto definition =
      LoadYaml("name: n\nsteps:\n- {id: a, type: script, config: {script: 'cat <<EOF>>x'}}\n");
  EXPECT_EQ(ConfigOf(*definition, "a"), R"({"script":"cat <<EOF>>x"})");
}

constexpr std::string_view kStepTemplates =
    "name: n\n"
    "templates:\n"
    "  call:\n"
    "    parameters: [{name: path}, {name: tries, type: integer, default: 2}]\n"
    "    step: {type: http, name: 'Call <<path>>', retry: {max_attempts: <<tries>>},\n"
    "      config: {url: 'https://x/<<path>>', method: GET}}\n"
    "  post: {step: {use: call, with: {path: '<<id>>'}, config: {method: POST}}}\n"
    "steps:\n";

TEST(StepTemplates, AreFilledAndOverwrittenByTheStep) {
  const auto definition =
      LoadYaml(std::string(kStepTemplates) +
               "- {id: a, use: call, with: {path: 'u/{{input.id}}', tries: 7}, timeout: 3s}\n"
               "- {id: b, use: post, depends_on: a, config: {headers: {x: 1}}}\n"
               "- {id: l, type: loop, items: [1], depends_on: b, steps: [{id: c, use: call, with: "
               "{path: p},\n"
               "   name: C}]}\n");
  EXPECT_EQ(Shape(*definition), "a http\nb http\nl loop\nl/c http\na -> b\nb -> l\n");
  EXPECT_EQ(ConfigOf(*definition, "a"), R"({"url":"https://x/u/{{input.id}}","method":"GET"})");
  EXPECT_EQ(definition->FindStep("a")->retry.max_attempts, 7u);
  EXPECT_EQ(definition->FindStep("a")->timeout_us, 3'000'000);
  EXPECT_EQ(definition->FindStep("a")->name, "Call u/{{input.id}}");
  EXPECT_EQ(ConfigOf(*definition, "b"),
            R"({"url":"https://x/b","method":"POST","headers":{"x":1}})");
  EXPECT_EQ(definition->FindStep("c")->name, "C");
  EXPECT_EQ(definition->FindStep("c")->retry.max_attempts, 2u);
}

TEST(StepTemplates, WorkAmongTheTasksOfAProcess) {
  EXPECT_EQ(
      Shape(*LoadYaml("workflow:\n  id: w\n  templates: {t: {step: {type: script}}}\n"
                      "  processes:\n  - id: p\n    tasks: [{id: a, use: t}, {id: b, use: t}]\n")),
      "a script\nb script\na -> b\n");
}

TEST(StepTemplates, TellWhatIsWrong) {
  EXPECT_EQ(FaultsOf(std::string(kStepTemplates) +
                     "- {id: a, use: cal}\n- {id: b, use: call, with: {tries: x, pat: p}}\n"
                     "- {id: c, use: [call]}\n"),
            (Lines{"9:16 STL0110 Expected the name of a step template, perhaps \"call\", but found "
                   "\"cal\"",
                   "10:16 STL0102 Expected a value for the parameter \"path\" but found none",
                   "10:36 STL0102 Expected the parameter \"tries\" to be of type integer but found "
                   "\"x\"",
                   "10:39 STL0108 Expected the name of a parameter, perhaps \"path\", but found "
                   "\"pat\"",
                   "11:16 STL0102 Expected the name of a step template as `use` but found a "
                   "list"}));
}

TEST(StepTemplates, DoNotGoRoundForEver) {
  EXPECT_EQ(FaultsOf("name: n\ntemplates: {a: {step: {use: b}}, b: {step: {use: a}}}\n"
                     "steps: [{id: x, use: a}]\n"),
            Lines{"2:50 STL0002 Expected templates to use each other at most 16 deep but found "
                  "that they use each other in a circle: a → b → a"});
  const auto faults = FaultsOf(
      "name: n\ntemplates: {a: {step: {type: loop, times: 1, steps: [{id: p, use: a},\n"
      "  {id: q, use: a}, {id: r, use: a}]}}}\nsteps: [{id: x, use: a}]\n");
  ASSERT_EQ(faults.size(), 1u);
  EXPECT_TRUE(faults[0].contains("STL0002")) << faults[0];
}

TEST(StepTemplates, TellEachCircleOnceByItsOwnTemplates) {
  constexpr std::string_view kCircle = "in a circle: ";
  const auto faults = FaultsOf(
      "name: n\ntemplates:\n  in: {step: {use: a}}\n  a: {step: {use: b}}\n"
      "  b: {step: {type: loop, times: 1, steps: [{id: p, use: a}]}}\n"
      "  self: {step: {use: self}}\nsteps:\n- {id: x, use: in}\n- {id: y, use: in}\n"
      "- {id: z, use: self}\n");
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_TRUE(faults[0].starts_with("5:57 ")) << faults[0];
  EXPECT_TRUE(faults[0].ends_with(std::string(kCircle) + "a → b → a")) << faults[0];
  EXPECT_TRUE(faults[1].starts_with("6:22 ")) << faults[1];
  EXPECT_TRUE(faults[1].ends_with(std::string(kCircle) + "self → self")) << faults[1];
}

TEST(StepTemplates, MayBeUsedAgainBesideEachOther) {
  EXPECT_EQ(FaultsOf("name: n\ntemplates:\n  a: {step: {type: script}}\n"
                     "  b: {step: {type: loop, times: 1, steps: [{id: '<<id>>-p', use: a}]}}\n"
                     "steps:\n- {id: x, use: b}\n- {id: y, use: b}\n- {id: z, use: a}\n"),
            Lines{});
}

TEST(StepTemplates, AreBoundedInWhatTheyAdd) {
  std::string text =
      "name: n\nparameters:\n  p0: [x, x, x, x, x, x, x, x]\nsteps:\n- id: a\n"
      "  type: script\n  config:\n    list:\n";
  for (int i = 0; i < 30'000; ++i) text += "    - <<p0>>\n";
  EXPECT_EQ(FaultsOf(text).size(), 1u);
  EXPECT_TRUE(FaultsOf(text).at(0).contains("STL0002 Expected templates to add at most"));
}

class Registry : public TemplateSource {
 public:
  std::optional<TemplateText> Find(std::string_view name) const override {
    const auto found = texts.find(name);
    return found == texts.end() ? std::nullopt : std::optional(TemplateText{found->second});
  }
  std::map<std::string, std::string, std::less<>> texts;
};

TEST(StepTemplates, MayComeFromOutside) {
  Registry registry;
  registry.texts["greet"] =
      "parameters: [{name: who}]\nstep: {type: script, config: {script: 'echo <<who>>'}}\n";
  registry.texts["broken"] = "step: [\n";
  registry.texts["wrong"] = "step: {type: script, timeout: never}\n";
  const LoadResult made = Load("name: n\nsteps: [{id: a, use: greet, with: {who: you}}]\n",
                               Syntax::kYaml, "u", &registry);
  ASSERT_EQ(Told(made), Lines{});
  EXPECT_EQ(ConfigOf(**made, "a"), R"({"script":"echo you"})");
  EXPECT_EQ(Told(Load("name: n\nsteps:\n- {id: a, use: wrong}\n", Syntax::kYaml, "u", &registry)),
            Lines{"t:3:16: STL0109: Expected a duration as `timeout` like \"30s\", \"1h30m\" or a "
                  "number of seconds but found \"never\""});
  const Lines broken =
      Told(Load("name: n\nsteps:\n- {id: a, use: broken}\n", Syntax::kYaml, "u", &registry));
  ASSERT_EQ(broken.size(), 1u);
  EXPECT_TRUE(broken[0].starts_with("t:3:16: STL0101: The template \"broken\": Expected YAML but"))
      << broken[0];
}

TEST(SharedTemplates, AreNamedByTheirWorkflow) {
  EXPECT_EQ(ParseSharedTemplateName("kit/greet"), (SharedTemplateName{"kit", 0, "greet"}));
  EXPECT_EQ(ParseSharedTemplateName("kit@12/greet"), (SharedTemplateName{"kit", 12, "greet"}));
  EXPECT_EQ(ParseSharedTemplateName("a/b@c/greet"), (SharedTemplateName{"a/b@c", 0, "greet"}));
  for (const std::string_view name : {"greet", "/greet", "kit/", ""})
    EXPECT_EQ(ParseSharedTemplateName(name), std::nullopt) << name;
  EXPECT_EQ(ParseSharedTemplateName("kit@0/greet"), (SharedTemplateName{"kit@0", 0, "greet"}));
  EXPECT_EQ(ParseSharedTemplateName("kit@99999999999/greet"),
            (SharedTemplateName{"kit@99999999999", 0, "greet"}));
}

TEST(SharedTemplates, UseEachOtherWhereverTheyAreUsed) {
  constexpr std::string_view kKit =
      "name: kit\ntemplates:\n  greet: {parameters: [{name: who}], step: {use: say, "
      "with: {text: 'hello <<who>>'}}}\n"
      "  say: {parameters: [{name: text}], step: {type: script, config: {script: 'echo "
      "<<text>>'}}}\n"
      "steps: [{id: a, use: greet, with: {who: me}}]\n";
  ASSERT_EQ(FaultsOf(kKit), Lines{});
  Registry registry;
  for (const std::string name : {"kit@3/greet", "kit@3/say"})
    registry.texts[name] =
        StepTemplateOf(kKit, Syntax::kYaml, *ParseSharedTemplateName(name)).value().text;
  EXPECT_EQ(StepTemplateOf(kKit, Syntax::kYaml, {"kit", 3, "none"}), std::nullopt);
  const LoadResult made = Load("name: n\nsteps: [{id: a, use: kit@3/greet, with: {who: you}}]\n",
                               Syntax::kYaml, "u", &registry);
  ASSERT_EQ(Told(made), Lines{});
  EXPECT_EQ(ConfigOf(**made, "a"), R"({"script":"echo hello you"})");
}

}  // namespace
}  // namespace stele::definition::testing
