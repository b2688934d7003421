// Where the steps of a file stand, in every notation.
#include "engine/definition/places.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/engine/definition/support.h"

namespace stele::definition {
namespace {

using ::testing::ElementsAre;
using testing::LoadJson;
using testing::LoadYaml;

// "id first-last" for each step.
std::vector<std::string> Described(const Definition& definition, std::string_view text,
                                   Syntax syntax = Syntax::kYaml) {
  const std::vector<Lines> lines = LinesOfSteps(definition, text, syntax);
  std::vector<std::string> described;
  for (size_t i = 0; i < lines.size(); ++i)
    described.push_back(
        fmt::format("{} {}-{}", definition.steps[i].id, lines[i].first, lines[i].last));
  return described;
}

constexpr std::string_view kBlocks = R"(name: blocks
steps:
  - id: a
    type: script
    config:
      script: |
        echo one
        # of the script

        echo two

  # of what comes next
  - name: Second
    id: b
    depends_on:
    - a
    type: loop
    items: [1, 2]
    steps:
      - {id: c, type: script, config: {script: "echo } # {"}}
      - {id: d, depends_on: [c],
         type: script, config: {script: "it's"}}  # the last
)";

TEST(LinesOfSteps, AreThoseOfBlocksAndOfBraces) {
  EXPECT_THAT(Described(*LoadYaml(kBlocks), kBlocks),
              ElementsAre("a 3-10", "b 13-22", "c 20-20", "d 21-22"));
}

TEST(LinesOfSteps, AreThoseOfObjects) {
  constexpr std::string_view kText = R"({"name": "o", "steps": [
  {
    "id": "a",
    "type": "script",
    "config": {"script": "} \" }"}
  },
  {"id": "b", "type": "script", "config": {"script": "x"}}
]})";
  EXPECT_THAT(Described(*LoadJson(kText), kText, Syntax::kJson), ElementsAre("a 2-6", "b 7-7"));
}

TEST(LinesOfSteps, OfATemplateAreWhereItIsUsed) {
  constexpr std::string_view kText = R"(name: t
templates:
  shell:
    step: {type: script, config: {script: x}}
steps:
  - id: a
    use: shell
  - use: shell
    id: b
)";
  EXPECT_THAT(Described(*LoadYaml(kText), kText), ElementsAre("a 6-7", "b 8-9"));
}

TEST(LinesOfSteps, OfAnAliasAreThoseOfItsAnchor) {
  constexpr std::string_view kText = R"(name: t
metadata:
  shared: &shared
    type: script
    config: {script: x}
steps:
  - &first
    id: a
    <<: *shared
  - <<: *shared
    id: b
)";
  EXPECT_THAT(Described(*LoadYaml(kText), kText), ElementsAre("a 7-9", "b 10-11"));
}

TEST(LinesOfSteps, AreNoneOfATextThatIsAnother) {
  const auto definition = LoadYaml(kBlocks);
  EXPECT_THAT(Described(*definition, "name: other\n"),
              ElementsAre("a 0-0", "b 0-0", "c 0-0", "d 0-0"));
  EXPECT_THAT(Described(*definition, "{{{"), ElementsAre("a 0-0", "b 0-0", "c 0-0", "d 0-0"));
}

// Each notation's files: every step stands on lines that hold its place.
TEST(LinesOfSteps, HoldTheStepsPlaceInEveryNotation) {
  size_t steps = 0;
  const auto folder = std::filesystem::path(STELE_SOURCE_DIR) / "tests/engine/definition/notations";
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    const LoadResult loaded = LoadFile(file.path().string());
    ASSERT_TRUE(loaded.has_value()) << file.path();
    std::stringstream text;
    text << std::ifstream(file.path()).rdbuf();
    const std::string source = text.str();
    const std::vector<Lines> lines =
        LinesOfSteps(**loaded, source, SyntaxOf(file.path().string(), source));
    for (size_t i = 0; i < lines.size(); ++i) {
      const Step& step = (*loaded)->steps[i];
      EXPECT_LE(lines[i].first, step.place.line) << file.path() << " " << step.id;
      EXPECT_GE(lines[i].last, step.place.line) << file.path() << " " << step.id;
      EXPECT_GT(lines[i].first, 0u) << file.path() << " " << step.id;
      ++steps;
    }
  }
  EXPECT_GT(steps, 30u);
}

TEST(StepsAtLine, AreTheInnermostOrTheNext) {
  const std::vector<Lines> lines = LinesOfSteps(*LoadYaml(kBlocks), kBlocks, Syntax::kYaml);
  EXPECT_THAT(StepsAtLine(lines, 1), ElementsAre(StepIndex(0)));
  EXPECT_THAT(StepsAtLine(lines, 8), ElementsAre(StepIndex(0)));
  EXPECT_THAT(StepsAtLine(lines, 11), ElementsAre(StepIndex(1)));
  EXPECT_THAT(StepsAtLine(lines, 13), ElementsAre(StepIndex(1)));
  EXPECT_THAT(StepsAtLine(lines, 20), ElementsAre(StepIndex(2)));
  EXPECT_THAT(StepsAtLine(lines, 22), ElementsAre(StepIndex(3)));
  EXPECT_THAT(StepsAtLine(lines, 23), ElementsAre());
}

TEST(StepsAtLine, AreAllThatShareIt) {
  constexpr std::string_view kText =
      "name: t\n"
      "steps: [{id: a, type: script, config: {script: x}}, {id: b, type: script, config: {script: "
      "x}}]\n";
  const std::vector<Lines> lines = LinesOfSteps(*LoadYaml(kText), kText, Syntax::kYaml);
  EXPECT_THAT(StepsAtLine(lines, 2), ElementsAre(StepIndex(0), StepIndex(1)));
}

}  // namespace
}  // namespace stele::definition
