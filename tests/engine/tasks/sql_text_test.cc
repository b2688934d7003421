#include "engine/tasks/sql_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

SqlText Postgres(std::string_view text) {
  return ReadSqlText(text, SqlDriver::kPostgres);
}
SqlText Sqlite(std::string_view text) {
  return ReadSqlText(text, SqlDriver::kSqlite);
}

TEST(SqlText, GivesEachNameOneNumber) {
  SqlText read = Postgres("select :a, :b_1 where x = :a");
  EXPECT_EQ(read.text, "select $1, $2 where x = $1");
  EXPECT_THAT(read.names, ElementsAre("a", "b_1"));
  EXPECT_EQ(Sqlite("select :a, :b_1 where x = :a").text, "select ?1, ?2 where x = ?1");
}

TEST(SqlText, LeavesCastsSlicesAndAssignmentsAlone) {
  for (std::string_view text : {"select '1'::int, a[1:2], f(x := 1)", "select x::text::json",
                                "select a ? 'b', a ?| array['c']"}) {
    EXPECT_EQ(Postgres(text).text, text);
    EXPECT_THAT(Postgres(text).names, IsEmpty()) << text;
  }
  EXPECT_EQ(Postgres("select :a::int").text, "select $1::int");
}

TEST(SqlText, FindsNoParametersInStringsNamesAndComments) {
  for (std::string_view text :
       {"select ':a', 'it''s :b', \":c\", \"x\"\":d\"", "select 1 -- :a ; $1\n",
        "select /* :a /* :b */ :c */ 1", "select $$ :a $1 $$, $tag$ :b $$ :c $tag$",
        "select E'\\' :a', e'\\\\'", "select $x$it's :a$x$"}) {
    SqlText read = Postgres(text);
    EXPECT_EQ(read.text, text);
    EXPECT_THAT(read.names, IsEmpty()) << text;
    EXPECT_EQ(read.positions, 0u) << text;
    EXPECT_FALSE(read.several) << text;
  }
  for (std::string_view text : {"select [:a], `:b`, ':c'", "select 'back\\', '\\'",
                                "select 1 /* :a /* */", "select \"?\", '?' -- ?"}) {
    SqlText read = Sqlite(text);
    EXPECT_EQ(read.text, text);
    EXPECT_THAT(read.names, IsEmpty()) << text;
    EXPECT_EQ(read.positions, 0u) << text;
  }
}

TEST(SqlText, GoesOnBehindWhatIsQuoted) {
  EXPECT_EQ(Postgres("select ':a', :b, $$:c$$, :d, \"e\", :f /* :g */ , :h -- :i\n, :j").text,
            "select ':a', $1, $$:c$$, $2, \"e\", $3 /* :g */ , $4 -- :i\n, $5");
  EXPECT_EQ(Sqlite("select 1 /* /* */, :a").text, "select 1 /* /* */, ?1");
}

TEST(SqlText, CountsPositions) {
  EXPECT_EQ(Postgres("select $2, $1, $10").positions, 10u);
  EXPECT_EQ(Sqlite("select ?, ?, ?").positions, 3u);
  EXPECT_EQ(Sqlite("select ?5, ?").positions, 6u);
  EXPECT_EQ(Sqlite("select ?1, ?1").positions, 1u);
}

TEST(SqlText, SeesASecondStatement) {
  EXPECT_TRUE(Postgres("select 1; drop table x").several);
  EXPECT_FALSE(Postgres("select 1 ; -- nothing\n ;/* and */ ").several);
  EXPECT_FALSE(Postgres("select ';' , $$;$$").several);
}

TEST(SqlText, ReadsTheFirstWord) {
  SqlText read = Postgres(" /* x */ -- y\n Rollback to here");
  EXPECT_EQ(read.first_word, "ROLLBACK");
}

TEST(SqlText, EndsWhereTheTextEnds) {
  for (std::string_view text :
       {"'", "\"", "$$", "$a$ b", "/*", "--", "E'\\", ":", "$", "[", "`", "?", "a:", "::"}) {
    EXPECT_EQ(Postgres(text).text, text);
    EXPECT_EQ(Sqlite(text).text, text);
  }
}

}  // namespace
}  // namespace stele::tasks
