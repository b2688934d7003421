#include "server/http/query.h"

#include <gtest/gtest.h>

namespace stele::server::http {
namespace {

Query Of(Query::Parameters parameters) {
  return Query(std::move(parameters));
}

const Query kQuery = Of({{"limit", "10"}, {"all", ""}, {"tag", "a"}, {"tag", "b"}, {"bad", "1x"}});

std::string MessageOf(const auto& result) {
  EXPECT_FALSE(result.has_value());
  if (result.has_value()) return "";
  EXPECT_EQ(result.error().code, ErrorCode::kBadRequest);
  return result.error().message;
}

TEST(Query, ReadsByType) {
  EXPECT_EQ(kQuery.Number("limit", 1, 10), 10);
  EXPECT_EQ(kQuery.Number("none", 1, 10), std::nullopt);
  EXPECT_EQ(kQuery.Text("limit"), "10");
  EXPECT_EQ(kQuery.Text("none"), std::nullopt);
  EXPECT_EQ(kQuery.Bool("all"), true);
  EXPECT_EQ(Of({{"a", "false"}}).Bool("a"), false);
  EXPECT_EQ(Of({{"a", "0"}}).Bool("a"), false);
  EXPECT_EQ(Of({{"a", "1"}}).Bool("a"), true);
  EXPECT_EQ(kQuery.Bool("none"), std::nullopt);
  EXPECT_EQ(kQuery.All("tag"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(kQuery.All("none"), std::vector<std::string>());
}

TEST(Query, RefusesOneValueThatOccursTwice) {
  EXPECT_EQ(MessageOf(kQuery.Text("tag")),
            "Expected the query parameter tag once but found it twice");
  EXPECT_FALSE(kQuery.Number("tag", 0, 1).has_value());
  EXPECT_FALSE(kQuery.Bool("tag").has_value());
}

TEST(Query, RefusesNumbersOutOfBounds) {
  EXPECT_EQ(MessageOf(kQuery.Number("limit", 1, 9)),
            "Expected a number from 1 to 9 for the query parameter limit but found \"10\"");
  EXPECT_FALSE(kQuery.Number("limit", 11, 20).has_value());
  EXPECT_FALSE(kQuery.Number("bad", 0, 9).has_value());
  EXPECT_FALSE(kQuery.Number("all", 0, 9).has_value());
  EXPECT_FALSE(Of({{"a", "99999999999999999999"}}).Number("a", 0, INT64_MAX).has_value());
  EXPECT_FALSE(Of({{"a", " 1"}}).Number("a", 0, 9).has_value());
  EXPECT_FALSE(Of({{"a", "+1"}}).Number("a", 0, 9).has_value());
}

TEST(Query, RefusesOtherWordsThanTrueAndFalse) {
  EXPECT_EQ(MessageOf(kQuery.Bool("bad")),
            "Expected true or false for the query parameter bad but found \"1x\"");
}

TEST(Query, RefusesParametersThatAreNotKnown) {
  EXPECT_TRUE(kQuery.AllowOnly({"limit", "all", "tag", "bad"}).has_value());
  EXPECT_TRUE(Query().AllowOnly({}).has_value());
  EXPECT_EQ(MessageOf(Of({{"limt", "1"}}).AllowOnly({"limit", "tag"})),
            "Expected query parameters of limit, tag but found \"limt\"; did you mean limit?");
  EXPECT_EQ(MessageOf(Of({{"x", "1"}}).AllowOnly({})),
            "Expected no query parameters but found \"x\"");
}

}  // namespace
}  // namespace stele::server::http
