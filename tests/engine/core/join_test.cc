// Joins at which several tokens come on one transition: each belongs to a round of its own.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/core_driver.h"

namespace stele::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

// "again" goes round as often as it is asked to, and brings a token to "meet" every time.
CoreDriver Rounds(std::string_view join) {
  return CoreDriver(fmt::format(R"(
workflow:
  id: rounds
  processes:
    - id: main
      type: conditional
      tasks:
        - {{id: again, type: script}}
        - {{id: b, type: script}}
        - {{id: c, type: script}}
        - {{id: meet, type: script, join: {}}}
      transitions:
        - {{from: again, to: again, condition: "outputs.more == true"}}
        - {{from: again, to: meet}}
        - {{from: b, to: meet}}
        - {{from: c, to: meet}}
)",
                                join));
}

constexpr std::string_view kMore = R"({"more":true})";
constexpr std::string_view kEnough = R"({"more":false})";

TEST(AllJoin, TakesOneTokenOfEachTransitionInARound) {
  CoreDriver flow = Rounds("all");
  flow.Start().Complete("again", kMore).Complete("again", kEnough).Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("c")) << "two tokens of one transition are not two";
  flow.Complete("c");
  EXPECT_THAT(flow.Running(), ElementsAre("meet"));
  flow.Complete("meet");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_EQ(flow.Count("meet: activated"), 1u);
}

TEST(AnyJoin, AbsorbsOneTokenOfEachTransitionAndBeginsAnew) {
  CoreDriver flow = Rounds("any");
  flow.Start().Complete("again", kMore);
  EXPECT_THAT(flow.Running(), ElementsAre("b", "c", "again", "meet"));
  flow.Complete("again", kEnough).Complete("b");
  EXPECT_EQ(flow.Count("meet: activated"), 1u);
  flow.Complete("c");
  EXPECT_EQ(flow.Count("meet: activated"), 2u) << "the second token of \"again\"";
  flow.Complete("meet").Complete("meet");
  EXPECT_EQ(flow.Status(), "completed");
}

TEST(CountJoin, CountsTransitionsAndNotTokens) {
  CoreDriver flow = Rounds("2");
  flow.Start().Complete("again", kMore).Complete("again", kEnough);
  EXPECT_EQ(flow.Count("meet: activated"), 0u);
  flow.Complete("b");
  EXPECT_THAT(flow.Running(), ElementsAre("c", "meet"));
  flow.Complete("c").Complete("meet");
  EXPECT_EQ(flow.Status(), "completed");
  EXPECT_THAT(flow.Running(), IsEmpty());
  EXPECT_EQ(flow.Count("meet: activated"), 1u);
}

}  // namespace
}  // namespace stele::test
