#include "server/http/target.h"

#include <gtest/gtest.h>

#include "server/http/limits.h"

namespace stele::server::http {
namespace {

using Words = std::vector<std::string>;
using Pairs = std::vector<std::pair<std::string, std::string>>;

TEST(ParseTarget, SplitsAndDecodesThePath) {
  EXPECT_EQ(ParseTarget("/")->segments, Words());
  EXPECT_EQ(ParseTarget("/api/v1/a%20b+c")->segments, (Words{"api", "v1", "a b+c"}));
  EXPECT_EQ(ParseTarget("/%E6%89%93%E5%9B%9E")->segments, (Words{"打回"}));
  EXPECT_EQ(ParseTarget("/a%20b?x")->path, "/a%20b");
}

TEST(ParseTarget, KeepsQueryParametersInTheirOrderWithRepetitions) {
  EXPECT_EQ(ParseTarget("/a?b=1&a=%262&b=x+y%2B&c&d=&e=f=g")->query,
            (Pairs{{"b", "1"}, {"a", "&2"}, {"b", "x y+"}, {"c", ""}, {"d", ""}, {"e", "f=g"}}));
  EXPECT_EQ(ParseTarget("/a?")->query, Pairs());
  EXPECT_EQ(ParseTarget("/a?&&b=1&")->query, (Pairs{{"b", "1"}}));
}

TEST(ParseTarget, TellsASlashAtTheEnd) {
  EXPECT_TRUE(ParseTarget("/a/")->slash_at_end);
  EXPECT_FALSE(ParseTarget("/a")->slash_at_end);
  EXPECT_FALSE(ParseTarget("/")->slash_at_end);
  EXPECT_EQ(ParseTarget("/a/")->segments, (Words{"a"}));
}

TEST(ParseTarget, TakesTheAbsoluteForm) {
  EXPECT_EQ(ParseTarget("http://host:1/a/b?c=1")->segments, (Words{"a", "b"}));
  EXPECT_EQ(ParseTarget("https://host")->path, "/");
}

struct Refused {
  const char* target;
  const char* found;
};

TEST(ParseTarget, RefusesWhatTwoReadersMayReadInTwoWays) {
  const Refused kRefused[] = {
      {"", "slash"},
      {"a", "slash"},
      {"*", "slash"},
      {"http://host?a", "slash"},
      {"//", "empty segment"},
      {"/a//b", "empty segment"},
      {"/a//", "empty segment"},
      {"/a/../b", "\"..\""},
      {"/..", "\"..\""},
      {"/a/%2e%2E/b", "\"%2e%2E\""},
      {"/a/./b", "\".\""},
      {"/a%2fb", "slash within"},
      {"/a%5Cb", "slash within"},
      {"/a\\b", "slash within"},
      {"/a%00b", "control"},
      {"/a%0d%0aX:y", "control"},
      {"/a%7f", "control"},
      {"/a%ff", "UTF-8"},
      {"/a%c0%af", "UTF-8"},
      {"/a%", "hexadecimal"},
      {"/a%4", "hexadecimal"},
      {"/a%zz", "hexadecimal"},
      {"/a%+1", "hexadecimal"},
      {"/a b", "0x20"},
      {"/a\tb", "0x09"},
      {"/\xC3\xA4", "0xC3"},
      {"/a#b", "fragment"},
      {"/a?b=%zz", "hexadecimal"},
      {"/a?b=%ff", "UTF-8"},
      {"/a?b=%00", "NUL"},
      {"/a?=1", "name"},
  };
  for (const Refused& refused : kRefused) {
    const Result<Target> target = ParseTarget(refused.target);
    ASSERT_FALSE(target.has_value()) << refused.target;
    EXPECT_EQ(target.error().code, ErrorCode::kBadRequest) << refused.target;
    EXPECT_TRUE(target.error().message.starts_with("Expected ")) << target.error().message;
    EXPECT_TRUE(target.error().message.contains(refused.found)) << target.error().message;
  }
}

TEST(ParseTarget, HasBounds) {
  const std::string longest = "/" + std::string(kMaxTargetBytes - 1, 'a');
  EXPECT_TRUE(ParseTarget(longest).has_value());
  EXPECT_FALSE(ParseTarget(longest + "a").has_value());
  std::string deepest, query = "/?";
  for (size_t i = 0; i < kMaxSegments; ++i) deepest += "/a";
  EXPECT_TRUE(ParseTarget(deepest).has_value());
  EXPECT_TRUE(ParseTarget(deepest + "/").has_value());
  EXPECT_FALSE(ParseTarget(deepest + "/a").has_value());
  for (size_t i = 0; i < kMaxQueryParameters; ++i) query += "a&";
  EXPECT_TRUE(ParseTarget(query).has_value());
  EXPECT_FALSE(ParseTarget(query + "a").has_value());
}

}  // namespace
}  // namespace stele::server::http
