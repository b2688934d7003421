#include "base/json.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

namespace stele {
namespace {

using testing::HasSubstr;

Value Parse(std::string_view text) {
  Result<Value> value = ParseJson(text);
  EXPECT_TRUE(value.has_value()) << text << ": " << (value ? "" : value.error().message);
  return value.value_or(Value("this text was refused"));
}

TextPlace PlaceOfFault(std::string_view text) {
  TextPlace place;
  const Result<Value> value = ParseJson(text, &place);
  EXPECT_FALSE(value.has_value()) << text;
  EXPECT_EQ(value.has_value() ? ErrorCode() : value.error().code, ErrorCode::kInvalidJson);
  return place;
}

TEST(ParseJson, ReadsEveryKind) {
  EXPECT_TRUE(Parse("null").is_null());
  EXPECT_EQ(Parse("true"), Value(true));
  EXPECT_EQ(Parse("-12"), Value(-12));
  EXPECT_EQ(Parse("1.5e2"), Value(150.0));
  EXPECT_EQ(Parse("\"\\u6d41\\ud83d\\ude00\\n\""), Value("流😀\n"));
  EXPECT_EQ(Parse("[1,\"a\",[]]"), Value(Array{1, "a", Array{}}));
  EXPECT_EQ(Parse(" {\"a\" : {\"b\": null}} "), Value(Object{{"a", Object{{"b", nullptr}}}}));
}

TEST(ParseJson, KeepsIntegersExactWithin64Bits) {
  EXPECT_EQ(Parse("9223372036854775807").as_int(), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(Parse("-9223372036854775808").as_int(), std::numeric_limits<int64_t>::min());
  EXPECT_TRUE(Parse("9223372036854775808").is_double());
  EXPECT_TRUE(Parse("1.0").is_double());
}

TEST(ParseJson, KeepsTheOrderOfMembersAndTheLastOfTwo) {
  EXPECT_EQ(ToJson(Parse(R"({"z":1,"a":2,"z":3})")), R"({"z":3,"a":2})");
}

TEST(ParseJson, NamesThePlaceOfAFault) {
  const TextPlace missing = PlaceOfFault("{\n  \"a\": 1,\n  \"b\" 2\n}");
  EXPECT_EQ(missing.line, 3u);
  EXPECT_EQ(missing.column, 7u);
  const TextPlace cut = PlaceOfFault("[1, 2");
  EXPECT_EQ(cut.line, 1u);
  EXPECT_EQ(cut.column, 6u);
  const std::pair<const char*, uint32_t> kFaults[] = {
      {"[01]", 3},      {"[1.]", 4},          {"[1e+]", 5},        {"[+1]", 2}, {"[\"\t\"]", 3},
      {R"(["\x"])", 4}, {R"(["\u12G4"])", 7}, {R"({"a":nul})", 6}, {"1 2", 3}};
  for (const auto& [text, column] : kFaults) EXPECT_EQ(PlaceOfFault(text).column, column) << text;
}

TEST(ParseJson, RefusesWhatIsNoJson) {
  for (const char* text :
       {"", " ", "{", "[1,]", "{\"a\":1,}", "{a:1}", "'a'", "01", "1.", "+1", "nul", "\"\n\"",
        "\"\\x\"", "1 2", "NaN", "[1}", "\"\\ud83d\"", "\"\xff\""}) {
    TextPlace place;
    const Result<Value> value = ParseJson(text, &place);
    ASSERT_FALSE(value.has_value()) << text;
    EXPECT_THAT(value.error().message, HasSubstr("Expected")) << text;
    EXPECT_GE(place.line, 1u) << text;
  }
}

TEST(ParseJson, RefusesWhatIsTooDeep) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseJson(nested(kMaxJsonDepth - 1)).has_value());
  EXPECT_TRUE(ParseJson(nested(kMaxJsonDepth)).has_value());
  EXPECT_FALSE(ParseJson(nested(kMaxJsonDepth + 1)).has_value());
  for (const std::string& deep : {nested(kMaxJsonDepth + 1), std::string(1'000'000, '[')}) {
    const Result<Value> value = ParseJson(deep);
    ASSERT_FALSE(value.has_value());
    EXPECT_EQ(value.error().code, ErrorCode::kLimitExceeded);
    EXPECT_THAT(value.error().message, HasSubstr("at most 128 arrays and objects in each other"));
  }
}

TEST(ParseJson, CountsWhatIsInEachOtherWhateverStandsAtTheBottom) {
  const auto around = [](const char* bottom, size_t depth) {
    std::string text = bottom;
    for (size_t i = 0; i < depth; ++i)
      text = i % 2 == 0 ? "[" + text + "]" : R"({"a":)" + text + "}";
    return text;
  };
  for (const char* scalar : {"1", "null", "\"[[{\\\"[\""}) {
    EXPECT_TRUE(ParseJson(around(scalar, kMaxJsonDepth)).has_value()) << scalar;
    EXPECT_FALSE(ParseJson(around(scalar, kMaxJsonDepth + 1)).has_value()) << scalar;
    EXPECT_EQ(JsonDepth(around(scalar, 7)), 7u) << scalar;
  }
  for (const char* empty : {"[]", "{}"}) {
    EXPECT_TRUE(ParseJson(around(empty, kMaxJsonDepth - 1)).has_value()) << empty;
    EXPECT_FALSE(ParseJson(around(empty, kMaxJsonDepth)).has_value()) << empty;
    EXPECT_EQ(JsonDepth(around(empty, 7)), 8u) << empty;
  }
}

TEST(ParseJson, TakesTheBoundsThatItIsGiven) {
  EXPECT_TRUE(ParseJson("[[1]]", nullptr, {.depth = 2}).has_value());
  EXPECT_FALSE(ParseJson("[[1]]", nullptr, {.depth = 1}).has_value());
  EXPECT_FALSE(ParseJson("[[1]]", nullptr, {.bytes = 4}).has_value());
}

TEST(ParseJson, RefusesWhatIsTooLong) {
  const Result<Value> value = ParseJson(std::string(kMaxJsonBytes + 1, ' '));
  ASSERT_FALSE(value.has_value());
  EXPECT_EQ(value.error().code, ErrorCode::kLimitExceeded);
}

TEST(ParseJson, KeepsTheFirstPlaceAndTheLastValueOfAMemberThatOccursTwice) {
  std::string text = "{";
  for (int i = 0; i < 100; ++i) text += fmt::format("\"k{}\":{},", i % 40, i);
  const Result<Value> value = ParseJson(text + R"("last":0})");
  ASSERT_TRUE(value.has_value());
  std::string expected = "{";
  for (int i = 0; i < 40; ++i) expected += fmt::format("\"k{}\":{},", i, i < 20 ? i + 80 : i + 40);
  EXPECT_EQ(ToJson(*value), expected + R"("last":0})");
}

TEST(ParseJson, ReadsAnObjectOfManyMembers) {
  // Looking for each name among those before it would take minutes.
  constexpr int kMembers = 500'000;
  std::string text = "{";
  for (int i = 0; i < kMembers; ++i) text += fmt::format("{}\"k{}\":0", i == 0 ? "" : ",", i);
  const Result<Value> value = ParseJson(text + "}");
  ASSERT_TRUE(value.has_value());
  EXPECT_EQ(value->as_object().size(), size_t{kMembers});
  EXPECT_EQ(*value, *ParseJson(text + "}"));
}

TEST(WriteJson, IsCompact) {
  EXPECT_EQ(ToJson(Object{{"a", Array{1, true, nullptr}}, {"b", Object{}}, {"c", Array{}}}),
            R"({"a":[1,true,null],"b":{},"c":[]})");
}

TEST(WriteJson, WritesDoublesSoThatTheyStayDoubles) {
  EXPECT_EQ(ToJson(1.0), "1.0");
  EXPECT_EQ(ToJson(-0.0), "-0.0");
  EXPECT_EQ(ToJson(0.1), "0.1");
  EXPECT_EQ(ToJson(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(ToJson(std::numeric_limits<double>::quiet_NaN()), "null");
  for (const double number : {1e300, 5e-324, 1.0 / 3, 1e15, 1e16, 123456789012345680.0}) {
    const Value again = Parse(ToJson(number));
    EXPECT_TRUE(again.is_double()) << ToJson(number);
    EXPECT_EQ(again.as_double(), number);
  }
}

TEST(WriteJson, EscapesWhatJsonWantsEscaped) {
  EXPECT_EQ(ToJson("a\"b\\c\n\r\t\x01\x7f/流"), "\"a\\\"b\\\\c\\n\\r\\t\\u0001\x7f/流\"");
  EXPECT_EQ(ToJson(std::string(1, '\0')), R"("\u0000")");
}

TEST(WriteJson, ReplacesWhatIsNoUtf8) {
  EXPECT_EQ(ToJson("a\xff"), "\"a\uFFFD\"");                      // never a lead byte
  EXPECT_EQ(ToJson("\xc0\xaf"), "\"\uFFFD\uFFFD\"");              // overlong
  EXPECT_EQ(ToJson("\xed\xa0\x80"), "\"\uFFFD\uFFFD\uFFFD\"");    // a surrogate
  EXPECT_EQ(ToJson("\xe6\xb5"), "\"\uFFFD\uFFFD\"");              // cut short
  EXPECT_EQ(ToJson("\xf4\x8f\xbf\xbf"), "\"\xf4\x8f\xbf\xbf\"");  // the last code point
  EXPECT_EQ(ToJson("\xf5\x80\x80\x80"), "\"\uFFFD\uFFFD\uFFFD\uFFFD\"");
}

TEST(WriteJson, WritesWhatCanBeRead) {
  const Value value = Object{{"text", "a\"\\\n\x02"}, {"list", Array{1, 2.5, "x"}}, {"", nullptr}};
  EXPECT_EQ(Parse(ToJson(value)), value);
  EXPECT_EQ(Parse(ToPrettyJson(value)), value);
}

TEST(ToPrettyJson, IndentsByTwo) {
  EXPECT_EQ(ToPrettyJson(Object{{"a", Array{1, Object{{"b", 2}}}}, {"c", Array{}}}),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": 2\n    }\n  ],\n  \"c\": []\n}");
}

}  // namespace
}  // namespace stele
