#include "engine/definition/names.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "engine/definition/canonical.h"
#include "engine/definition/limits.h"
#include "tests/engine/definition/support.h"

namespace stele::definition::testing {
namespace {

using Lines = std::vector<std::string>;

// A definition with the name at each of the places that have one, in JSON strings.
std::string With(std::string_view workflow, std::string_view step = "a",
                 std::string_view variable = "v", std::string_view made = "t",
                 std::string_view trigger = "g") {
  const auto quoted = [](std::string_view name) { return ToJson(Value(name)); };
  return "{\"name\":" + quoted(workflow) + ",\n\"variables\":{" + quoted(variable) +
         ":1},\n\"triggers\":[{\"id\":" + quoted(trigger) +
         ",\"type\":\"manual\"}],\n\"templates\":{" + quoted(made) +
         ":{\"step\":{\"type\":\"script\"}}},\n\"steps\":[{\"id\":" + quoted(step) +
         ",\"type\":\"script\"}]}\n";
}

Lines FaultsOfAll(std::string_view name) {
  Lines faults;
  for (const std::string& text : {With(name), With("n", name), With("n", "a", name),
                                  With("n", "a", "v", name), With("n", "a", "v", "t", name)})
    for (std::string& fault : FaultsOf(text, Syntax::kJson)) faults.push_back(std::move(fault));
  return faults;
}

TEST(Names, HaveAtMost256Bytes) {
  EXPECT_EQ(FaultsOfAll(std::string(kMaxNameBytes, 'x')), Lines{});
  const std::string end = " of at most 256 bytes but found 257";
  EXPECT_EQ(FaultsOfAll(std::string(kMaxNameBytes + 1, 'x')),
            (Lines{"1:9 STL0002 Expected a workflow's name" + end,
                   "5:16 STL0002 Expected a step's id" + end,
                   "2:14 STL0002 Expected a variable's name" + end,
                   "4:14 STL0002 Expected a template's name" + end,
                   "3:19 STL0002 Expected a trigger's id" + end}));
}

TEST(Names, AreNotOfWhiteSpaceAlone) {
  const std::string end = " with a character that can be seen but found white space alone";
  for (const std::string_view blank : {" ", "   ", "\u00A0", "\u3000\u2003"})
    EXPECT_EQ(FaultsOfAll(blank), (Lines{"1:9 STL0102 Expected a workflow's name" + end,
                                         "5:16 STL0102 Expected a step's id" + end,
                                         "2:14 STL0102 Expected a variable's name" + end,
                                         "4:14 STL0102 Expected a template's name" + end,
                                         "3:19 STL0102 Expected a trigger's id" + end}));
  EXPECT_EQ(FaultsOfAll(" a b "), Lines{});
}

TEST(Names, HaveNoControlCharacters) {
  for (const auto& [name, shown] : {std::pair<std::string_view, std::string_view>{"a\tb", "U+0009"},
                                    {"a\nb", "U+000A"},
                                    {"\x1b[31m", "U+001B"},
                                    {"a\x7f", "U+007F"},
                                    {"a\u0085", "U+0085"}}) {
    const Lines faults = FaultsOfAll(name);
    ASSERT_EQ(faults.size(), 5u) << shown;
    for (const std::string& fault : faults)
      EXPECT_TRUE(
          fault.ends_with(" without control characters but found " + std::string(shown) + " in it"))
          << fault;
  }
}

TEST(Names, AreAllTold) {
  EXPECT_EQ(FaultsOf(With("\t", "\t", "\t", "t", "\t"), Syntax::kJson).size(), 4u);
}

TEST(Names, OfOutputsAreThoseOfVariables) {
  EXPECT_EQ(FaultsOf("name: n\nsteps: [{id: a, type: script, output_mapping: {' ': '1'}}]\n"),
            Lines{"2:48 STL0102 Expected an output's name with a character that can be seen but "
                  "found white space alone"});
}

TEST(Names, OfProcessesMayBeAsLongAsOthers) {
  const auto load = [](size_t bytes) {
    const std::string id(bytes, 'p');
    return FaultsOf("workflow:\n  id: w\n  processes:\n  - {id: p, tasks: [{id: " + id +
                    ", type: script}]}\n  - id: " + id +
                    "\n    tasks: [{id: a, type: script}]\n"
                    "    transitions: [{from: start, to: a}, {from: a, to: end}]\n");
  };
  EXPECT_EQ(load(kMaxNameBytes), Lines{});
  EXPECT_EQ(load(kMaxNameBytes + 1),
            (Lines{"4:26 STL0002 Expected a step's id of at most 256 bytes but found 257",
                   "5:9 STL0002 Expected a process's id of at most 256 bytes but found 257"}));
}

TEST(Names, AreCheckedInTheCanonicalFormOfAFileAlone) {
  const std::string id(kMaxNameBytes + 1, 'x');
  const std::string text =
      "{\"format_version\":1,\"name\":\"n\",\"title\":\"n\",\"bodies\":[{\"entries\":[0]}],"
      "\n\"steps\":"
      "[{\"id\":\"" +
      id + "\",\"type\":\"script\",\"place\":[70,80]}]}";
  EXPECT_EQ(FaultsOf(text, Syntax::kJson),
            Lines{"2:10 STL0002 Expected a step's id of at most 256 bytes but found 257"});
  EXPECT_TRUE(ReadCanonical(text).has_value()) << "it may be in a log";
}

}  // namespace
}  // namespace stele::definition::testing
