// The syntax of queries.
#include "projections/query.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "projections/limits.h"

namespace stele::projections {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

// The canonical text, or the error.
std::string Read(std::string_view text) {
  const Result<Query> query = ParseQuery(text);
  if (!query.has_value()) return query.error().ToString();
  return ToText(*query);
}

TEST(ParseQuery, ReadsFieldsSignsAndValues) {
  const Result<Query> query =
      ParseQuery("status:failed definition:order* started>24h tag=eu var.customer=42");
  ASSERT_TRUE(query.has_value()) << query.error().message;
  ASSERT_THAT(query->conditions, SizeIs(5));
  EXPECT_EQ(query->conditions[0].field, "status");
  EXPECT_EQ(query->conditions[0].values, (std::vector<QueryValue>{{"failed", false}}));
  EXPECT_EQ(query->conditions[1].values, (std::vector<QueryValue>{{"order", true}}));
  EXPECT_EQ(query->conditions[2].op, Operator::kGreater);
  EXPECT_EQ(query->conditions[3].op, Operator::kMatch);
  EXPECT_EQ(query->conditions[4].field, "var.customer");
  EXPECT_EQ(query->conditions[4].column, 52u);
}

TEST(ParseQuery, TakesSeveralValuesByCommaAndQuotes) {
  const Result<Query> query = ParseQuery(R"(tag:eu,"a b","x,y"*,"say \"hi\" \\")");
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_EQ(query->conditions[0].values,
            (std::vector<QueryValue>{
                {"eu", false}, {"a b", false}, {"x,y", true}, {"say \"hi\" \\", false}}));
}

TEST(ParseQuery, MakesAWordWithoutAFieldAConditionOnTheText) {
  EXPECT_EQ(Read("refused \"timed out\" -retry pay*"),
            "text:refused text:\"timed out\" -text:retry text:pay*");
}

TEST(ParseQuery, NegatesByAMinusOrByAnExclamationMark) {
  EXPECT_EQ(Read("-tag:eu"), "-tag:eu");
  EXPECT_EQ(Read("tag!=eu"), "-tag:eu");
  EXPECT_EQ(Read("-tag!=eu"), "tag:eu");
  EXPECT_EQ(Read("-priority>=5"), "-priority>=5");
  EXPECT_EQ(Read("priority:-5"), "priority:-5");
}

TEST(ParseQuery, TakesComparisonsBehindAColonToo) {
  EXPECT_EQ(Read("started:>=2026-01-01 started:<2026-02-01"),
            "started>=2026-01-01 started<2026-02-01");
}

TEST(ParseQuery, KeepsColonsAndSignsWithinAValue) {
  EXPECT_EQ(Read("started>2026-01-01T10:30:00Z key:a=b:c"),
            "started>2026-01-01T10:30:00Z key:a=b:c");
}

TEST(ParseQuery, TakesAFieldInQuotes) {
  const Result<Query> query = ParseQuery("\"var.first name\":anna");
  ASSERT_TRUE(query.has_value()) << query.error().message;
  EXPECT_EQ(query->conditions[0].field, "var.first name");
  EXPECT_EQ(ToText(*query), "\"var.first name\":anna");
}

TEST(ParseQuery, OfNothingHasNoConditions) {
  const Result<Query> query = ParseQuery("  \t ");
  ASSERT_TRUE(query.has_value());
  EXPECT_THAT(query->conditions, IsEmpty());
  EXPECT_EQ(ToText(*query), "");
}

TEST(ParseQuery, GivesATextThatReadsAsTheSame) {
  for (const std::string_view text :
       {"a", "-a:b", "a:\">b\"", "a:\"=b\"", "a:\"*\"", "a:*", "a:\"x*\"*", "a:\",\"", "\"-a\":b",
        "\"a:b\":c", "\"!\":c", "a:\"\\\"\"", "a:b,c*,\"d e\"", "a<=-1 b>\"x y\"", "!important",
        "-\"a b\"*", "a:\"\"", "a:\"\",b", "-\"\""}) {
    const Result<Query> query = ParseQuery(text);
    ASSERT_TRUE(query.has_value()) << text << ": " << query.error().message;
    const Result<Query> again = ParseQuery(ToText(*query));
    ASSERT_TRUE(again.has_value()) << ToText(*query) << ": " << again.error().message;
    EXPECT_EQ(*again, *query) << text << " as " << ToText(*query);
    EXPECT_EQ(ToText(*again), ToText(*query));
  }
}

TEST(ParseQuery, TakesAnyTextOrNamesAColumnWithinIt) {
  constexpr std::string_view kParts[] = {"a", "b*", "\"", "\\", ":", "=", "!",    ">",
                                         "<", ",",  "-",  " ",  "*", ".", "\xC3", "\""};
  std::mt19937 random(11);
  size_t read = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    for (size_t n = random() % 12; n > 0; --n) text += kParts[random() % std::size(kParts)];
    const Result<Query> query = ParseQuery(text);
    if (!query.has_value()) {
      EXPECT_EQ(query.error().code, ErrorCode::kExpressionSyntax) << text;
      continue;
    }
    ++read;
    const Result<Query> again = ParseQuery(ToText(*query));
    ASSERT_TRUE(again.has_value()) << text << " as " << ToText(*query);
    ASSERT_EQ(*again, *query) << text << " as " << ToText(*query);
  }
  EXPECT_GE(read, 2'000u);
}

TEST(ParseQuery, NamesTheColumnOfWhatItCannotRead) {
  EXPECT_THAT(Read("status:"), HasSubstr("a value of status at column 8 of the query but found "
                                         "its end"));
  EXPECT_THAT(Read("status:failed :x"), HasSubstr("a field or a word at column 15"));
  EXPECT_THAT(Read("tag:a,,b"), HasSubstr("a value of tag at column 7"));
  EXPECT_THAT(Read("tag:\"abc"), HasSubstr("quotes that end at column 5"));
  EXPECT_THAT(Read("tag:\"a\"b"), HasSubstr("a space or a comma behind a value at column 8"));
  EXPECT_THAT(Read("tag:a\"b\""), HasSubstr("a space or a comma behind a value at column 6"));
  EXPECT_THAT(Read("tag:a*b"), HasSubstr("column 6"));
  EXPECT_THAT(Read("tag:\"a\\n\""), HasSubstr("in quotes at column 8"));
  EXPECT_THAT(Read("started>24*"), HasSubstr("one whole value behind > at column 9"));
  EXPECT_THAT(Read("started>1h,2h"), HasSubstr("one whole value behind > at column 9"));
  EXPECT_THAT(Read("-"), HasSubstr("a value of text at column 2"));
  EXPECT_THAT(Read("status:"), HasSubstr("STL0201"));
}

TEST(ParseQuery, TellsOfWordsAndBracketsThatOtherLanguagesHave) {
  EXPECT_THAT(Read("status:failed OR status:parked"),
              HasSubstr("a condition or a word at column 15 of the query but found \"OR\""));
  EXPECT_THAT(Read("not tag:a"), HasSubstr("\"-tag:a\" is not"));
  EXPECT_THAT(Read("a and b"), HasSubstr("column 3"));
  EXPECT_THAT(Read("(a b)"), HasSubstr("at column 1 of the query but found a bracket"));
  EXPECT_THAT(Read("-(status:failed)"), HasSubstr("at column 2 of the query but found a bracket"));
  EXPECT_THAT(Read("not(a)"), HasSubstr("column 4 of the query but found a bracket"));
  EXPECT_EQ(Read("\"or\" order android text:not \"(a)\" key:(b)"),
            "text:or text:order text:android text:not text:(a) key:(b)");
}

TEST(ParseQuery, IsOfUtf8) {
  EXPECT_EQ(Read("pr\xC3\xBC"
                 "fung"),
            "text:pr\xC3\xBC"
            "fung");
  EXPECT_THAT(Read("\xFF\xFE"), HasSubstr("STL0201: Expected a query in UTF-8"));
}

TEST(ParseQuery, RefusesMoreThanItsLimits) {
  EXPECT_THAT(Read(std::string(kMaxQueryBytes + 1, 'a')), HasSubstr("STL0002"));
  std::string conditions, values = "tag:";
  for (size_t i = 0; i <= kMaxConditions; ++i) conditions += "a ";
  EXPECT_THAT(Read(conditions), HasSubstr("at most 32 conditions"));
  for (size_t i = 0; i <= kMaxQueryValues; ++i) values += "a,";
  EXPECT_THAT(Read(values + "a"), HasSubstr("at most 100 values of tag"));
}

}  // namespace
}  // namespace stele::projections
