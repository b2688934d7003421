// Every independent fault of a file is told in one go.

#include <gtest/gtest.h>

#include "base/json.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

// The places and codes, without the sentences.
Lines PlacesOf(std::string_view text, Syntax syntax = Syntax::kYaml) {
  Lines places;
  for (const std::string& fault : FaultsOf(text, syntax))
    places.push_back(fault.substr(0, fault.find(' ', fault.find(' ') + 1)));
  return places;
}

// What is left to judge of a faulty file, a step a line.
Lines RestOf(std::string_view text) {
  Definition rest;
  EXPECT_FALSE(Load(text, Syntax::kYaml, "unnamed", nullptr, &rest).has_value());
  Lines steps;
  for (const Step& step : rest.steps)
    steps.push_back(step.id + " " + step.task_type + " " + ToJson(step.config.source()));
  return steps;
}

TEST(AllAtOnce, EachOfTheBadTemplatesOfAString) {
  EXPECT_EQ(PlacesOf("name: n\nsteps:\n"
                     "- {id: a, type: script, config: {x: '{{ 1 + }} {{ input.a }} {{ * 2 }}'}}\n"),
            (Lines{"3:45 STL0201", "3:65 STL0201"}));
}

TEST(AllAtOnce, UnknownStepsBesideABadTemplateOfTheSameString) {
  const Lines told = FaultsOf(
      "name: n\nsteps:\n- {id: a, type: script, config: {x: '{{ steps.no.output }} {{ 1 + }} "
      "{{ steps.nor.output }}'}}\n");
  ASSERT_EQ(told.size(), 3u);
  EXPECT_TRUE(told[0].starts_with("3:41 STL0110 ") && told[0].ends_with("\"no\"")) << told[0];
  EXPECT_TRUE(told[1].starts_with("3:67 STL0201 ")) << told[1];
  EXPECT_TRUE(told[2].starts_with("3:73 STL0110 ") && told[2].ends_with("\"nor\"")) << told[2];
}

TEST(AllAtOnce, TemplatesOfTextsOfManyLinesWithTheirColumns) {
  const Lines told = FaultsOf(
      "name: n\nsteps:\n- id: a\n  type: script\n  config:\n    script: |\n"
      "      {{ 1 + }}\n      {{ 2 + }}\n");
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[0].contains(" at column 8 ")) << told[0];
  EXPECT_TRUE(told[1].contains(" at column 18 ")) << told[1];
}

TEST(AllAtOnce, OneFaultOfATemplateThatDoesNotEnd) {
  EXPECT_EQ(
      FaultsOf("name: n\nsteps:\n- {id: a, type: script, config: {x: '{{ 1 + ( {{ 2 '}}\n").size(),
      1u);
  EXPECT_EQ(FaultsOf("name: n\nsteps:\n- {id: a, type: script, config: {x: \"{{ 'a}}' + }} b\"}}\n")
                .size(),
            1u);
}

TEST(AllAtOnce, WhatCanNeverHaveAValueBesideAnUnknownStep) {
  EXPECT_EQ(
      PlacesOf("name: n\nsteps:\n- {id: a, type: script, when: 1 / 0 > 1}\n"
               "- {id: b, type: script, depends_on: [q], config: {x: '{{ loop.item }}'}}\n"
               "- {id: c, type: script, config: {x: '{{ outputs.y }} {{ steps.b.output }}'}}\n"),
      (Lines{"3:8 STL0202", "4:8 STL0110", "4:38 STL0104"}));
}

TEST(AllAtOnce, WhatCanNeverHaveAValueBesideACircleOfDependencies) {
  EXPECT_EQ(PlacesOf("name: n\nsteps:\n- {id: a, type: script, depends_on: b}\n"
                     "- {id: b, type: script, depends_on: a, when: 1 / 0 > 1}\n"),
            (Lines{"3:8 STL0106", "4:8 STL0202"}));
}

TEST(AllAtOnce, SecretsThatWouldBeRecordedBesideAnUnknownStep) {
  EXPECT_EQ(PlacesOf("name: n\nsteps:\n- {id: a, type: delay, delay: '{{ secrets.x }}'}\n"
                     "- {id: b, type: script, depends_on: q}\n"),
            (Lines{"3:8 STL0102", "4:37 STL0104"}));
}

TEST(AllAtOnce, AKeyThatIsThereTwiceHidesNothing) {
  EXPECT_EQ(PlacesOf("name: n\nname: m\nsteps:\n- {id: a, type: nothing}\n"),
            (Lines{"2:1 STL0101", "4:17 STL0107"}));
}

TEST(AllAtOnce, TheConfigurationsOfOtherStepsAreLeftToJudge) {
  EXPECT_EQ(RestOf("name: n\nsteps:\n- {id: a, type: http, config: {url: 1}}\n"
                   "- {id: b, type: nothing, config: {url: 2}}\n"
                   "- {id: c, type: http, config: [3]}\n"
                   "- {id: d, type: http, depends_on: q, config: {url: 4}}\n"
                   "- {id: d, type: http, config: {url: 5}}\n"),
            (Lines{"a http {\"url\":1}", "d http {\"url\":4}", "d http {\"url\":5}"}));
}

TEST(AllAtOnce, WhatAStepSaysBesideABadTemplateIsLeftToJudge) {
  EXPECT_EQ(
      RestOf("name: n\nsteps:\n- {id: a, type: http, output_mapping: {x: '1 +'},\n"
             "   config: {url: '{{ 1 + }}', method: 5, list: ['{{ 2 + }}', '{{ input.a }}']}}\n"),
      Lines{"a http {\"url\":\"{{ input }}\",\"method\":5,\"list\":[\"{{ input }}\","
            "\"{{ input.a }}\"]}"});
}

TEST(AllAtOnce, NothingIsLeftOfAFileWithoutFaultsOrWithoutSteps) {
  Definition rest;
  EXPECT_TRUE(Load("name: n\nsteps: [{id: a, type: script}]\n", Syntax::kYaml, "u", nullptr, &rest)
                  .has_value());
  EXPECT_TRUE(rest.steps.empty());
  EXPECT_EQ(RestOf("name: n\nsteps: [\n"), Lines{});
  EXPECT_EQ(RestOf("name: n\nsteps: []\n"), Lines{});
}

}  // namespace
}  // namespace stele::definition::testing
