#include "base/payload.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "base/json.h"

namespace stele {
namespace {

TEST(Payload, IsAbsentWhenEmptyWhichIsNotNull) {
  const Payload absent;
  EXPECT_FALSE(absent.has_value());
  EXPECT_EQ(absent.text(), "");
  EXPECT_TRUE(absent.value().is_null());

  const Payload null = Payload::FromValue(nullptr);
  EXPECT_TRUE(null.has_value());
  EXPECT_EQ(null.text(), "null");
  EXPECT_FALSE(null == absent);
}

TEST(Payload, KeepsTheTextAsItWas) {
  const std::string text = R"({ "b":1, "a" : [ 2.50 ] })";
  const Payload payload = Payload::FromText(text);
  EXPECT_EQ(payload.text(), text);
  EXPECT_EQ(payload.value(), Value(Object{{"b", 1}, {"a", Array{2.5}}}));
  EXPECT_EQ(payload.text(), text);
}

TEST(Payload, WritesAValueOnce) {
  EXPECT_EQ(Payload::FromValue(Object{{"a", Array{1, "x"}}}).text(), R"({"a":[1,"x"]})");
}

TEST(Payload, SharesTextAndParsedValueBetweenCopies) {
  const Payload first = Payload::FromText("[1,2]");
  const Payload second = first;
  EXPECT_EQ(first.text().data(), second.text().data());
  EXPECT_EQ(&first.value(), &second.value());
}

TEST(Payload, OutlivesTheCopyThatItCameFrom) {
  Payload kept;
  const Value* parsed = nullptr;
  {
    const Payload first = Payload::FromText("{\"a\":1}");
    parsed = &first.value();
    kept = first;
  }
  EXPECT_EQ(kept.text(), "{\"a\":1}");
  EXPECT_EQ(&kept.value(), parsed);
}

TEST(Payload, IsAbsentAfterItWasMovedAway) {
  Payload first = Payload::FromText("1");
  const Payload second = std::move(first);
  EXPECT_EQ(second.text(), "1");
  EXPECT_FALSE(first.has_value());  // NOLINT(bugprone-use-after-move): that is what is asked
}

TEST(Payload, SurvivesAssignmentToItself) {
  Payload payload = Payload::FromText("\"x\"");
  const Payload& same = payload;
  payload = same;
  EXPECT_EQ(payload.text(), "\"x\"");
}

TEST(Payload, IsEqualByText) {
  EXPECT_TRUE(Payload::FromText("{}") == Payload::FromText("{}"));
  EXPECT_FALSE(Payload::FromText("{}") == Payload::FromText("{ }"));
}

TEST(Payload, ReadsWhatTheEngineMakesOfDocumentsAtTheirBounds) {
  Value value = 1;
  for (size_t depth = 1; depth <= kWrittenJson.depth; ++depth) {
    value = Array{std::move(value)};
    if (depth < kMaxJsonDepth - 1 || (depth > kMaxJsonDepth + 1 && depth < kWrittenJson.depth))
      continue;
    EXPECT_EQ(ToJson(Payload::FromValue(value).value()), ToJson(value)) << depth;
  }
  // Each character takes six when it is written.
  const std::string grows(kMaxJsonBytes / 6 + 1, '\x01');
  EXPECT_EQ(Payload::FromValue(grows).value().as_string(), grows);
}

TEST(Payload, TellsWhetherSomebodyHasLookedInside) {
  const Payload payload = Payload::FromText("[1]");
  EXPECT_FALSE(payload.is_parsed());
  payload.value();
  EXPECT_TRUE(Payload(payload).is_parsed());
  EXPECT_FALSE(Payload().is_parsed());
}

TEST(PayloadDeathTest, EndsTheProcessWhenItsTextIsNoJson) {
  const Payload payload = Payload::FromText("{nonsense");
  EXPECT_DEATH(payload.value(), "a payload is no JSON");
}

}  // namespace
}  // namespace stele
