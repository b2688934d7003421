#include "base/repeated_member.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(RepeatedMemberOf, IsEmptyWhereEachMemberStandsOnce) {
  EXPECT_EQ(RepeatedMemberOf("{}"), "");
  EXPECT_EQ(RepeatedMemberOf(R"( [1, "a", null, {"a": {"a": [ {"a": 1}, {"a": 2} ]}}] )"), "");
  EXPECT_EQ(RepeatedMemberOf(R"({"a": "\"a\": 1, \"a\"", "b": -1.5e3})"), "");
}

TEST(RepeatedMemberOf, IsTheFirstThatOccursTwiceInOneObject) {
  EXPECT_EQ(RepeatedMemberOf(R"({"a": 1, "b": 2, "a": 3})"), "a");
  EXPECT_EQ(RepeatedMemberOf(R"([{"a": [{"b": {}, "c": 1, "b": 2}]}])"), "b");
}

TEST(RepeatedMemberOf, ReadsEscapesOfKeys) {
  EXPECT_EQ(RepeatedMemberOf(R"({"a": 1, "\u0061": 2})"), "a");
  EXPECT_EQ(RepeatedMemberOf(R"({"\n": 1, "\\n": 2})"), "");
}

}  // namespace
}  // namespace stele
