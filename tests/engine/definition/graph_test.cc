#include <gtest/gtest.h>

#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

// A process of tasks `ids` with transitions "a>b".
std::shared_ptr<const Definition> Graph(std::string_view ids,
                                        std::initializer_list<std::string_view> edges) {
  std::string text =
      "workflow:\n  id: w\n  processes:\n  - id: p\n    type: conditional\n"
      "    tasks:\n";
  for (const char id : ids) text += std::string("    - {id: ") + id + ", type: script}\n";
  text += "    transitions:\n";
  for (const std::string_view edge : edges)
    text += "    - {from: " + std::string(edge.substr(0, 1)) +
            ", to: " + std::string(edge.substr(2)) + "}\n";
  return LoadYaml(text);
}

std::string RegionText(const Definition& definition, size_t region) {
  std::string text;
  for (const StepIndex step : definition.regions[region].steps) text += definition.step(step).id;
  return text;
}

TEST(Graph, NestedLoopsKnowTheirParents) {
  const auto definition = Graph("abcde", {"a>b", "b>c", "c>d", "d>c", "d>b", "d>e"});
  ASSERT_EQ(definition->regions.size(), 2u);
  EXPECT_EQ(RegionText(*definition, 0), "bcd");
  EXPECT_EQ(RegionText(*definition, 1), "cd");
  EXPECT_EQ(definition->regions[0].parent, kNoIndex);
  EXPECT_EQ(definition->regions[1].parent, 0u);
  EXPECT_EQ(definition->FindStep("b")->region, 0u);
  EXPECT_EQ(definition->FindStep("d")->region, 1u);
  EXPECT_EQ(definition->FindStep("e")->region, kNoIndex);
}

TEST(Graph, ATransitionLeavesTheOutermostLoop) {
  const auto definition = Graph("abcde", {"a>b", "b>c", "c>d", "d>c", "d>b", "d>e"});
  EXPECT_EQ(definition->transitions[2].leaves, kNoIndex);  // c>d stays
  EXPECT_EQ(definition->transitions[4].leaves, 1u);        // d>b leaves the inner
  EXPECT_TRUE(definition->transitions[4].back_edge);
  EXPECT_EQ(definition->transitions[5].leaves, 0u);  // d>e leaves both
}

TEST(Graph, SeveralBackEdgesToOneHeaderAreOneLoop) {
  const auto definition = Graph("abcd", {"a>b", "b>c", "c>a", "b>a", "c>d"});
  ASSERT_EQ(definition->regions.size(), 1u);
  EXPECT_EQ(RegionText(*definition, 0), "abc");
}

TEST(Graph, AStepMayLoopOnItself) {
  const auto definition = Graph("ab", {"a>a", "a>b"});
  ASSERT_EQ(definition->regions.size(), 1u);
  EXPECT_EQ(RegionText(*definition, 0), "a");
  EXPECT_TRUE(definition->FindStep("a")->incoming.empty());
}

TEST(Graph, ADiamondHasNoLoop) {
  const auto definition = Graph("abcd", {"a>b", "a>c", "b>d", "c>d"});
  EXPECT_TRUE(definition->regions.empty());
  EXPECT_EQ(definition->FindStep("d")->incoming.size(), 2u);
}

TEST(Graph, FindsStepsByIdWithAndWithoutItsIndex) {
  Definition definition = *Graph("abc", {"a>b", "b>c"});
  EXPECT_EQ(definition.FindStep("b"), &definition.steps[1]);
  EXPECT_EQ(definition.FindStep("x"), nullptr);
  definition.by_id.clear();
  EXPECT_EQ(definition.FindStep("c"), &definition.steps[2]);
  EXPECT_EQ(definition.FindStep("x"), nullptr);
}

}  // namespace
}  // namespace stele::definition::testing
