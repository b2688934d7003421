#include "engine/definition/compare.h"

#include <gtest/gtest.h>

#include "engine/definition/canonical.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

constexpr std::string_view kSteps =
    "name: n\nversion: 1\nsteps:\n"
    "- {id: a, type: script, config: {script: ls, env: {x: 1}}, retry: {max_attempts: 3}}\n"
    "- {id: b, type: loop, times: 2, depends_on: a, steps: [{id: c, type: script}]}\n"
    "- {id: d, type: script, depends_on: b}\n";

constexpr std::string_view kChanged =
    "name: n\nversion: 2\npriority: 3\nsteps:\n"
    "- {id: a, type: script, config: {script: ps, env: {x: 1, y: 2}}, retry: {max_attempts: 5}}\n"
    "- {id: b, type: loop, times: 2, depends_on: a, steps: [{id: c, type: script}]}\n"
    "- {id: e, type: script, depends_on: b, when: input.x}\n";

Lines Told(std::string_view before, std::string_view after) {
  Lines lines;
  for (const Difference& difference : DiffDefinitions(*LoadYaml(before), *LoadYaml(after)))
    lines.push_back(DescribeDifference(difference));
  return lines;
}

TEST(DiffDefinitions, NamesTheMemberWithItsOldAndNewValue) {
  EXPECT_EQ(Told(kSteps, kChanged), (Lines{"the definition: version was \"1\", is \"2\"",
                                           "the definition: priority was nothing, is 3",
                                           "step \"a\": config.script was \"ls\", is \"ps\"",
                                           "step \"a\": config.env.y was nothing, is 2",
                                           "step \"a\": retry.max_attempts was 3, is 5",
                                           "step \"b\": transitions[0].to was \"d\", is \"e\"",
                                           "step \"d\" was removed", "step \"e\" was added"}));
  EXPECT_EQ(Told(kSteps, kSteps), Lines{});
}

// Messages cut long ids short; what is compared are whole ones.
TEST(DiffDefinitions, TellsLongIdsApart) {
  const std::string id(60, 'x');
  const auto steps = [&](const std::string& command, const std::string& owner) {
    std::string text = "name: n\nsteps:\n";
    for (const std::string last : {"a", "b"}) {
      text += "- {id: " + id + last + ", type: loop, times: 2, steps: [{id: in" + last +
              ", type: script}";
      if (owner == last) text += ", {id: moved, type: script, config: {command: " + command + "}}";
      text += "]}\n";
    }
    return text;
  };
  EXPECT_EQ(Told(steps("ls", "a"), steps("ps", "a")),
            (Lines{"step \"moved\": config.command was \"ls\", is \"ps\""}));
  const Lines moved = Told(steps("ls", "a"), steps("ls", "b"));
  ASSERT_EQ(moved.size(), 3u) << "both bodies have other entries, and the step has another body";
  EXPECT_TRUE(moved[0].starts_with("the body of \"" + id + "…\": entries")) << moved[0];
  EXPECT_TRUE(moved[1].starts_with("the body of \"" + id + "…\": entries")) << moved[1];
  EXPECT_TRUE(moved[2].starts_with("step \"moved\": body was")) << moved[2];
  EXPECT_EQ(Told("name: n\nsteps:\n- {id: " + id +
                     "a, type: script, config: {command: ls}}\n- {id: " + id + "b, type: script}\n",
                 "name: n\nsteps:\n- {id: " + id +
                     "a, type: script, config: {command: ps}}\n- {id: " + id + "b, type: script}\n")
                .size(),
            1u);
}

TEST(SameGraph, LooksAtWhatIsExecutedAlone) {
  const auto steps = LoadYaml(kSteps);
  const auto moved = LoadYaml(
      "\n\ndescription: other\nname: m\nversion: 7\ntags: [x]\nsteps:\n"
      "- {id: d, type: script, depends_on: b, description: x}\n"
      "- {id: b, type: loop, times: 2, depends_on: a,\n"
      "   steps: [{id: c, type: script}]}\n"
      "- {id: a, name: A, type: script, retry: {max_attempts: 3},\n"
      "   config: {env: {x: 1}, script: ls}}\n");
  std::string why;
  EXPECT_TRUE(SameGraph(*steps, *moved, &why)) << why;
  EXPECT_TRUE(SameGraph(*steps, *LoadJson(WriteCanonical(*steps)), nullptr));
  EXPECT_FALSE(SameGraph(*steps, *LoadYaml(kChanged), &why));
  EXPECT_EQ(why, "the definition: priority was nothing, is 3");
}

TEST(SameGraph, MindsTheOrderWhereTheFirstIsTaken) {
  const auto load = [](std::string_view type, std::string_view first, std::string_view second) {
    return LoadYaml("name: n\nsteps:\n- {id: g, type: " + std::string(type) + ", branches: [" +
                    std::string(first) + ", " + std::string(second) +
                    "]}\n- {id: a, type: script}\n- {id: b, type: script}\n");
  };
  constexpr std::string_view kA = "{when: input.a, next: a}";
  constexpr std::string_view kB = "{when: input.b, next: b}";
  EXPECT_FALSE(SameGraph(*load("exclusive", kA, kB), *load("exclusive", kB, kA), nullptr));
  EXPECT_TRUE(SameGraph(*load("inclusive", kA, kB), *load("inclusive", kB, kA), nullptr));
}

}  // namespace
}  // namespace stele::definition::testing
