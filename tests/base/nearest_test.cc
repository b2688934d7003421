#include "base/nearest.h"

#include <gtest/gtest.h>

namespace stele {
namespace {

TEST(Nearest, IsTheWordWithTheFewestChanges) {
  const std::vector<std::string> known = {"instances", "instance", "definitions"};
  EXPECT_EQ(Nearest("instanecs", known), "instances");
  EXPECT_EQ(Nearest("instanc", known), "instance");
  EXPECT_EQ(Nearest("definition", known), "definitions");
}

TEST(Nearest, IsEmptyWhereNothingIsNear) {
  EXPECT_EQ(Nearest("timers", {"instances", "users"}), "");
  EXPECT_EQ(Nearest("ab", {"cd"}), "");
  EXPECT_EQ(Nearest("", {}), "");
}

TEST(Nearest, LooksAtNoWordOfMoreThanItsBound) {
  const std::string longest(kMaxNearestBytes, 'a');
  EXPECT_EQ(Nearest(longest, {longest}), longest);
  EXPECT_EQ(Nearest(longest + "a", {longest}), "");
  EXPECT_EQ(Nearest(longest, {longest + "a"}), "");
}

}  // namespace
}  // namespace stele
