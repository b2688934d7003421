// What can be told before anything runs: expressions that can have no value at their place.

#include <gtest/gtest.h>

#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

// The one fault of a definition with those steps; "" when it has none.
std::string FaultOf(const std::string& steps, const std::string& head = "") {
  const Lines faults = FaultsOf("name: n\n" + head + "steps:\n" + steps);
  if (faults.empty()) return "";
  EXPECT_EQ(faults.size(), 1u) << faults[0] << "\n" << faults[1];
  return faults[0];
}

// Of a step whose configuration holds the template.
std::string FaultOfConfig(const std::string& text) {
  return FaultOf("- {id: a, type: script, config: {script: \"" + text + "\"}}\n");
}

constexpr std::string_view kNever = " to have a value but it never can: ";

TEST(CertainFaults, NameThePlaceAndWhatIsNotThere) {
  EXPECT_EQ(FaultOfConfig("echo {{execution.foo}}"),
            "3:8 STL0110 Expected the configuration of \"a\"" + std::string(kNever) +
                "Expected a value for `execution.foo` at column 8 but found nothing of that name");
  EXPECT_EQ(FaultOf("- {id: a, type: script, condition: loop.index > 1}\n"),
            "3:8 STL0110 Expected the condition of \"a\"" + std::string(kNever) +
                "Expected a value for `loop.index` at column 1 but found nothing of that name");
}

TEST(CertainFaults, AreWhatAnExpressionNeverSeesAtItsPlace) {
  for (const char* text :
       {"{{loop.item}}", "{{outputs.x}}", "{{response.x}}", "{{steps.a.output.x}}",
        "{{steps.a.result}}", "{{steps.a.state}}", "{{ size(loop) }}", "{{ [outputs] }}"})
    EXPECT_NE(FaultOfConfig(text), "") << text;
}

TEST(CertainFaults, AreNoneWhereAnExpressionAsksWhetherItIsThere) {
  for (const char* text :
       {"{{ loop.item ?? 1 }}", "{{ outputs is null }}", "{{ has(steps.a.output) }}",
        "{{ outputs.x ? 1 : 2 }}", "{{ steps.a.status }}", "{{ execution.id }}",
        "{{ execution.business_key }}", "{{ secrets.x }}", "{{ anything.else }}", "${HOME}",
        "{{ input.x }}", "\\\\{{ loop.index }}"})
    EXPECT_EQ(FaultOfConfig(text), "") << text;
}

TEST(CertainFaults, AreFoundBesideWhatIsNotKnownYet) {
  EXPECT_TRUE(FaultOfConfig("{{input.x}} and {{execution.foo}}").contains("`execution.foo`"));
  EXPECT_EQ(FaultOfConfig("{{input.x}} and {{ loop.index ?? 0 }}"), "");
}

TEST(CertainFaults, AreExpressionsThatFailAsTheyStand) {
  for (const char* text : {"1 / 0", "'a' - 1", "[1][2]", "size(5)"})
    EXPECT_NE(FaultOf("- {id: a, type: script, condition: \"" + std::string(text) + "\"}\n"), "")
        << text;
  EXPECT_EQ(FaultOf("- {id: a, type: script, condition: \"false and 1 / 0 > 1\"}\n"), "");
}

TEST(CertainFaults, AreStepsThatCannotHaveRun) {
  const auto reading = [](const std::string& what) {
    return FaultOf(
        "- {id: a, type: script}\n- {id: b, type: script, depends_on: [a], config: {x: \"" + what +
        "\"}}\n- {id: c, type: script, depends_on: [b]}\n- {id: d, type: script}\n"
        "- {id: e, type: script, depends_on: [c, d], join: any}\n");
  };
  EXPECT_EQ(reading("{{steps.a.output.n}}"), "");
  EXPECT_TRUE(reading("{{steps.c.output.n}}").contains("`steps.c.output.n`"));
  EXPECT_EQ(reading("{{steps.d.output.n}}"), "") << "it may have run";
  EXPECT_EQ(reading("{{steps.e.output.n}}"), "") << "it may have run after d";
}

TEST(CertainFaults, AreNoStepsThatALoopLeadsBackFrom) {
  EXPECT_EQ(
      FaultOf("- {id: a, type: script, config: {x: \"{{steps.b.output.n}}\"}}\n"
              "- {id: b, type: script, depends_on: [a], next: [{to: a, when: input.again}]}\n"),
      "");
}

TEST(CertainFaults, AreStepsInsideOfWhatIsOver) {
  const auto reading = [](const std::string& outer, const std::string& inner) {
    return FaultOf("- {id: l, type: loop, times: 2, steps: [{id: i, type: script, config: {x: \"" +
                   inner + "\"}}]}\n- {id: b, type: script, depends_on: [l], config: {x: \"" +
                   outer + "\"}}\n");
  };
  EXPECT_TRUE(reading("{{steps.i.output.n}}", "").contains("`steps.i.output.n`"));
  EXPECT_EQ(reading("{{steps.l.output}}", "{{loop.index}}"), "");
  EXPECT_TRUE(reading("", "{{steps.b.output.n}}") == "") << "from outside all is seen";
}

TEST(CertainFaults, AreWrongCountsListsAndDurations) {
  const auto loop = [](const std::string& keys) {
    return FaultOf("- {id: l, type: loop, " + keys + ", steps: [{id: i, type: script}]}\n");
  };
  EXPECT_TRUE(loop("items: '{{ 5 }}'").ends_with("Expected a list to loop over but found 5"));
  EXPECT_TRUE(loop("times: '{{ 0 - 1 }}'").ends_with("Expected a count to loop over but found -1"));
  EXPECT_EQ(loop("items: '{{ [1, 2] }}'"), "");
  EXPECT_EQ(loop("times: '{{ 1 + 1 }}'"), "");
  EXPECT_EQ(loop("while: 'loop.index < 3'"), "");
  EXPECT_TRUE(FaultOf("- {id: d, type: delay, duration: \"{{ 'soon' }}\"}\n")
                  .ends_with("Expected a duration such as \"5s\" but found \"soon\""));
  EXPECT_EQ(FaultOf("- {id: d, type: delay, duration: \"{{ 2 + 3 }}s\"}\n"), "");
}

TEST(CertainFaults, AreWhatADefinitionCannotKnowBeforeItsStart) {
  for (const char* key : {"{{ steps.a.output.n }}", "{{ loop.index }}", "{{ outputs.n }}"}) {
    const std::string head = "concurrency: {key: '" + std::string(key) + "', limit: 1}\n";
    EXPECT_TRUE(FaultOf("- {id: a, type: script}\n", head).contains("the concurrency key")) << key;
  }
  EXPECT_TRUE(FaultOf("- {id: a, type: script}\n", "outputs: {n: outputs.n}\n")
                  .contains("the output \"n\""));
}

TEST(CertainFaults, AreMembersThatAnInputCannotHave) {
  const std::string closed =
      "input_schema: {type: object, properties: {a: {}}, additionalProperties: false}\n";
  const std::string step = "- {id: s, type: script, config: {x: '{{input.b}}'}}\n";
  EXPECT_TRUE(FaultOf(step, closed).contains("`input.b`"));
  EXPECT_EQ(FaultOf("- {id: s, type: script, config: {x: '{{input.a.b}}'}}\n", closed), "");
  EXPECT_EQ(FaultOf(step, "input_schema: {type: object, properties: {a: {}}}\n"), "");
}

TEST(CertainFaults, OfAFileInTheCanonicalFormAreToldInItsPlaces) {
  const auto faults_of = [](const std::string& title, const std::string& script) {
    return FaultsOf(
        "{\"format_version\":1,\"dialect\":\"steps\",\"name\":\"n\",\"title\":\"" + title +
            "\",\"bodies\":[{\"entries\":[0]}],\"steps\":[\n{\"id\":\"a\",\"type\":\"script\","
            "\"place\":[70,80],\"config\":{\"script\":\"" +
            script + "\"}}]}",
        Syntax::kJson);
  };
  EXPECT_EQ(faults_of("N", "{{ loop.item }}"),
            Lines{"2:1 STL0110 Expected the configuration of \"a\"" + std::string(kNever) +
                  "Expected a value for `loop.item` at column 4 but found nothing of that name"});
  EXPECT_EQ(faults_of("N", "{{ input.item }}"), Lines{});
  EXPECT_EQ(faults_of("n", "{{ loop.item }}"), Lines{}) << "it may be a part of a larger file";
}

TEST(CertainFaults, OfWhatAPatchPutsThereAreTold) {
  EXPECT_TRUE(FaultOf("- {id: a, type: script, stele: {condition: 1 / 0 > 1}}\n")
                  .starts_with("3:8 STL0202 Expected the condition of \"a\""));
  EXPECT_EQ(FaultOf("- {id: a, type: script, when: 1 / 0 > 1, stele: {condition: null}}\n"), "");
}

}  // namespace
}  // namespace stele::definition::testing
