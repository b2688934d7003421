#include "engine/definition/limits.h"

#include <gtest/gtest.h>

#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

std::string OnlyFault(std::string_view text, Syntax syntax = Syntax::kYaml) {
  const auto faults = FaultsOf(text, syntax);
  return faults.size() == 1 ? faults[0] : "not one fault but " + std::to_string(faults.size());
}

std::string Repeat(std::string_view text, size_t n) {
  std::string repeated;
  for (size_t i = 0; i < n; ++i) repeated += text;
  return repeated;
}

TEST(Limits, RefuseABillionLaughs) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + Repeat(before + ", ", 9) +
            before + "]\n";
  }
  EXPECT_TRUE(OnlyFault(text).ends_with(
      "STL0002 Expected at most 200000 values in a file, its aliases expanded, but found more"))
      << OnlyFault(text);
}

TEST(Limits, RefuseLongStringsRepeatedByAliases) {
  const std::string text =
      "a: &a " + std::string(900'000, 'x') + "\nb: [" + Repeat("*a, ", 30) + "]\n";
  EXPECT_TRUE(OnlyFault(text).ends_with(
      "Expected at most 16777216 bytes of strings, aliases expanded, but found more"))
      << OnlyFault(text);
}

TEST(Limits, RefuseManyAliases) {
  EXPECT_EQ(OnlyFault("a: &a 1\nb:\n" + Repeat("- *a\n", 1'001)),
            "1003:3 STL0002 Expected at most 1000 aliases in a file but found more");
}

TEST(Limits, RefuseAnAliasInsideItself) {
  EXPECT_EQ(OnlyFault("a: &a [1, *a]\n"),
            "1:11 STL0101 Expected an alias of something that ended before it but found one inside "
            "itself");
}

TEST(Limits, RefuseDeepNesting) {
  EXPECT_EQ(
      OnlyFault("a: " + Repeat("[", 100) + Repeat("]", 100)),
      "1:67 STL0002 Expected lists and mappings in each other at most 64 deep but found more");
  EXPECT_EQ(
      OnlyFault("{\"a\":" + Repeat("[", 100) + Repeat("]", 100) + "}", Syntax::kJson),
      "1:69 STL0002 Expected lists and mappings in each other at most 64 deep but found more");
  EXPECT_EQ(FaultsOf("a: " + Repeat("[", 100'000)).size(), 1u);
  EXPECT_EQ(FaultsOf(Repeat("{", 100'000)).size(), 1u);
  EXPECT_EQ(FaultsOf(Repeat("- ", 100'000)).size(), 1u);
  EXPECT_EQ(FaultsOf(Repeat("{\"a\":", 100'000), Syntax::kJson).size(), 1u);
}

TEST(Limits, RefuseLargeFilesAndStringsAndMappings) {
  EXPECT_EQ(OnlyFault(std::string(kMaxFileBytes + 1, ' ')),
            "1:1 STL0002 Expected a file of at most 4194304 bytes but found 4194305");
  EXPECT_EQ(OnlyFault("a: " + std::string(kMaxStringBytes + 1, 'x')),
            "1:4 STL0002 Expected a string of at most 1048576 bytes but found 1048577");
  std::string json = "{";
  for (size_t i = 0; i <= kMaxKeys; ++i) json += "\"k" + std::to_string(i) + "\":0,\n";
  EXPECT_EQ(OnlyFault(json + "\"z\":0}", Syntax::kJson),
            "4097:1 STL0002 Expected at most 4096 keys in a mapping but found more");
}

TEST(Limits, RefuseManySteps) {
  std::string text = "name: n\nsteps:\n";
  for (size_t i = 0; i <= kMaxSteps; ++i)
    text += "- {id: s" + std::to_string(i) + ", type: script}\n";
  EXPECT_EQ(OnlyFault(text), "1:1 STL0002 Expected at most 5000 steps but found 5001");
}

TEST(Limits, RefuseManyTransitions) {
  std::string text = "name: n\nsteps:\n";
  for (size_t i = 0; i < 300; ++i)
    text += "- {id: s" + std::to_string(i) + ", type: script, order: " + std::to_string(i / 150) +
            "}\n";
  EXPECT_EQ(OnlyFault(text), "286:8 STL0002 Expected at most 20000 transitions but found more");
}

TEST(Limits, RefuseDeeplyNestedLoops) {
  std::string text =
      "workflow:\n  id: w\n  processes:\n  - id: p\n    type: conditional\n"
      "    tasks:\n";
  for (int i = 0; i < 70; ++i) text += "    - {id: s" + std::to_string(i) + ", type: script}\n";
  text += "    transitions:\n";
  for (int i = 0; i < 69; ++i)
    text += "    - {from: s" + std::to_string(i) + ", to: s" + std::to_string(i + 1) + "}\n";
  for (int i = 0; i < 69; ++i) text += "    - {from: s69, to: s" + std::to_string(i) + "}\n";
  EXPECT_TRUE(OnlyFault(text).contains("Expected at most 64 loops in each other around"));
}

constexpr std::string_view kTooManyTransitions =
    "STL0002 Expected at most 20000 transitions but found more";

// A short file must not make many transitions before they are counted.
TEST(Limits, RefuseManyTransitionsBetweenTwoLists) {
  const std::string text =
      "workflow:\n  id: w\n  processes:\n  - id: p\n    type: conditional\n    tasks:\n"
      "    - {id: a, type: script}\n    - {id: b, type: script}\n    transitions:\n"
      "    - {from: \"a" +
      Repeat(",a", 9'999) + "\", to: \"b" + Repeat(",b", 9'999) + "\"}\n";
  EXPECT_TRUE(OnlyFault(text).ends_with(kTooManyTransitions)) << OnlyFault(text);
}

TEST(Limits, RefuseManyTransitionsByOrderBeforeTheyAreMade) {
  std::string text = "name: n\nsteps:\n";
  for (size_t i = 0; i < 20'000; ++i)
    text +=
        "- {id: s" + std::to_string(i) + ", type: script, order: " + std::to_string(i % 2) + "}\n";
  const auto faults = FaultsOf(text);
  ASSERT_EQ(faults.size(), 2u);
  EXPECT_EQ(faults[0], "1:1 STL0002 Expected at most 5000 steps but found 20000");
  EXPECT_TRUE(faults[1].ends_with(kTooManyTransitions)) << faults[1];
}

TEST(Limits, RefuseManyTransitionsBehindParallelTasks) {
  std::string text = "name: n\nsteps:\n- {id: f, type: parallel_gateway, next: [";
  for (size_t i = 0; i < 3'000; ++i) text += (i > 0 ? ", n" : "n") + std::to_string(i);
  text += "], config: {parallel_tasks: [";
  for (size_t i = 0; i < 1'000; ++i) text += (i > 0 ? ", t" : "t") + std::to_string(i);
  text += "]}}\n";
  for (size_t i = 0; i < 3'000; ++i)
    text += "- {id: n" + std::to_string(i) + ", type: script_task}\n";
  for (size_t i = 0; i < 1'000; ++i)
    text += "- {id: t" + std::to_string(i) + ", type: script_task}\n";
  EXPECT_TRUE(OnlyFault(text).ends_with(kTooManyTransitions)) << OnlyFault(text);
}

// Every unknown word is a fault, but only those that are told are worth looking for a near one.
TEST(Limits, AThousandUnknownWordsAreToldInAMoment) {
  std::string text = "name: n\nsteps:\n";
  const std::string tail(50, 'x');
  for (size_t i = 0; i < 2'000; ++i) {
    text += "- {id: " + tail + std::to_string(i) + ", type: script";
    if (i % 2 == 1) text += ", depends_on: y" + tail + std::to_string(i);
    text += "}\n";
  }
  const auto faults = FaultsOf(text);
  ASSERT_EQ(faults.size(), kMaxFaults);
  EXPECT_TRUE(faults[0].contains("Expected the id of a step, perhaps \"" + tail)) << faults[0];
  EXPECT_TRUE(faults.back().ends_with(", which is none")) << faults.back();
}

}  // namespace
}  // namespace stele::definition::testing
