#include "engine/tasks/sql_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string Faults(std::string_view config,
                   ConfigReader::Mode mode = ConfigReader::Mode::kRendered) {
  Value value = Json(config);
  auto plan = PlanSql(value, mode);
  return plan ? "" : JoinFaults(plan.error());
}

std::string StaticFaults(std::string_view config) {
  return Faults(config, ConfigReader::Mode::kStatic);
}

SqlPlan Plan(std::string_view config) {
  Value value = Json(config);
  auto plan = PlanSql(value, ConfigReader::Mode::kRendered);
  EXPECT_TRUE(plan.has_value()) << JoinFaults(plan.error());
  return plan.value_or(SqlPlan());
}

TEST(SqlPlan, FindsTheDriverByTheUrl) {
  EXPECT_EQ(Plan(R"({"url": "sqlite:a.db", "query": "select 1"})").path, "a.db");
  EXPECT_EQ(Plan(R"({"url": "sqlite:///tmp/a.db", "query": "select 1"})").path, "/tmp/a.db");
  EXPECT_EQ(Plan(R"({"path": "a.db", "query": "select 1"})").driver, SqlDriver::kSqlite);
  SqlPlan plan =
      Plan(R"({"connection": "postgresql://me:p%40ss@db:5433/shop", "query": "select 1"})");
  EXPECT_EQ(plan.driver, SqlDriver::kPostgres);
  EXPECT_EQ(plan.postgres["host"], "db");
  EXPECT_EQ(plan.postgres["password"], "p@ss");
  EXPECT_EQ(plan.shown_database(), "shop at db:5433");
}

TEST(SqlPlan, TakesAConnectionAsAnObject) {
  SqlPlan plan = Plan(R"({"connection": {"host": "db", "port": 5433, "database": "shop",
      "username": "me", "password": "a b'c"}, "query": "select 1"})");
  EXPECT_EQ(plan.postgres["dbname"], "shop");
  EXPECT_EQ(plan.postgres["user"], "me");
  EXPECT_EQ(plan.postgres["password"], "a b'c");
  EXPECT_THAT(Faults(R"({"connection": {"hots": "db"}, "query": "select 1"})"),
              HasSubstr("`hots`"));
}

TEST(SqlPlan, NeedsOneDatabaseAndOneKindOfStatements) {
  EXPECT_THAT(Faults(R"({"query": "select 1"})"),
              HasSubstr("Expected one of `url`, `connection` and `path` but found none"));
  EXPECT_THAT(Faults(R"({"path": "a", "url": "sqlite:b", "query": "select 1"})"),
              HasSubstr("found several"));
  EXPECT_THAT(Faults(R"({"path": "a"})"), HasSubstr("`query` and `statements` but found neither"));
  EXPECT_THAT(Faults(R"({"path": "a", "query": "select 1", "statements": ["select 1"]})"),
              HasSubstr("found both"));
  EXPECT_THAT(Faults(R"({"path": "a", "statements": []})"), HasSubstr("found 0"));
  EXPECT_THAT(Faults(R"({"path": "a", "query": " "})"), HasSubstr("empty"));
  EXPECT_THAT(Faults(R"({"url": "mysql://x", "query": "select 1"})"), HasSubstr("postgres://"));
  EXPECT_THAT(Faults(R"({"driver": "oracle", "path": "x", "query": "select 1"})"),
              HasSubstr("sqlite or postgres but found \"oracle\""));
  EXPECT_THAT(Faults(R"({"path": "a", "query": "select 1", "qurey": 1})"), HasSubstr("`qurey`"));
}

TEST(SqlPlan, NeverShowsAUrlThatItCannotRead) {
  std::string faults = Faults(R"({"url": "postgres://me:se%cret@db/x", "query": "select 1"})");
  EXPECT_THAT(faults, HasSubstr("percent-encoded"));
  EXPECT_THAT(faults, Not(HasSubstr("cret@")));
  faults =
      Faults(R"({"connection": "host=db passwort=secret", "driver": "postgres", "query": "x"})");
  EXPECT_THAT(faults, Not(HasSubstr("secret")));
  EXPECT_THAT(Faults(R"({"url": "pg://me:secret@db/x", "query": "select 1"})"),
              Not(HasSubstr("secret")));
}

TEST(SqlPlan, RefusesATemplateInTheTextOfAStatement) {
  std::string faults =
      StaticFaults(R"({"path": "a", "query": "select * from x where id = '{{input.id}}'"})");
  EXPECT_THAT(faults, HasSubstr("Use `parameters`"));
  EXPECT_THAT(StaticFaults(R"({"path": "a", "statements": ["delete from ${variables.t}"]})"),
              HasSubstr("`statements[0]`"));
  EXPECT_THAT(StaticFaults(R"({"path": "a", "query": "{{input.q}}", "parameters": {"a": 1}})"),
              Not(HasSubstr("no :a")));
  EXPECT_EQ(StaticFaults(R"({"path": "a", "query": "select {{x}}", "unsafe_query": true})"), "");
  EXPECT_EQ(StaticFaults(R"({"path": "a", "query": "select :id", "parameters": {"id": "{{x}}"}})"),
            "");
}

TEST(SqlPlan, LeavesTemplatesElsewhereAlone) {
  EXPECT_EQ(StaticFaults(R"({"url": "{{secrets.db}}", "query": "select :a", "max_rows": "{{n}}",
      "parameters": "{{input}}", "timeout": "{{t}}", "isolation": "{{i}}"})"),
            "");
  EXPECT_EQ(StaticFaults(R"({"driver": "{{d}}", "url": "postgres://u:{{secrets.p}}@h/d",
      "query": "select $1", "parameters": ["{{a}}"]})"),
            "");
}

TEST(SqlPlan, MatchesParametersWithTheStatement) {
  auto with = [](std::string_view query, std::string_view parameters) {
    return Faults(R"({"url": "postgres://h/d", "query": ")" + std::string(query) +
                  R"(", "parameters": )" + std::string(parameters) + "}");
  };
  EXPECT_EQ(with("select :a, :b", R"({"a": 1, "b": null})"), "");
  EXPECT_EQ(with("select $1, $2", "[1, 2]"), "");
  EXPECT_THAT(with("select :a", R"({"b": 1})"), HasSubstr("hold a for `query`"));
  EXPECT_THAT(with("select :a", R"({"a": 1, "b": 2})"), HasSubstr("no :b"));
  EXPECT_THAT(with("select :a", "[1]"), HasSubstr("an object for :a"));
  EXPECT_THAT(with("select $2", "[1]"), HasSubstr("Expected 2 parameters for `query` but found 1"));
  EXPECT_THAT(with("select 1", "[1]"), HasSubstr("Expected 0 parameters"));
  EXPECT_THAT(with("select :a, $1", R"({"a": 1})"), HasSubstr("by name or by number"));
  EXPECT_THAT(with("select :a", "7"), HasSubstr("a list or an object"));
  EXPECT_THAT(with("select :a", R"({"a": "x\u0000y"})"), HasSubstr("NUL"));
  EXPECT_THAT(with("select :a", R"({"a": {"base64": "!"}})"), HasSubstr("base64"));
}

TEST(SqlPlan, SharesNamedParametersAmongStatements) {
  SqlPlan plan = Plan(R"-({"path": "a", "statements": ["insert into t values (:a)",
      {"query": "update t set x = ?", "parameters": [5]}, "delete from t where x = :b"],
      "parameters": {"a": [1, {"k": 2}], "b": {"base64": "AAH/"}}})-");
  ASSERT_EQ(plan.statements.size(), 3u);
  EXPECT_EQ(plan.statements[0].parameters[0].value, Value(R"([1,{"k":2}])"));
  EXPECT_EQ(plan.statements[1].parameters[0].value, Value(5));
  EXPECT_TRUE(plan.statements[2].parameters[0].is_bytes);
  EXPECT_EQ(plan.statements[2].parameters[0].value, Value(std::string("\0\1\xff", 3)));
}

TEST(SqlPlan, LeavesTransactionsToItsOwnKeys) {
  for (std::string_view word : {"BEGIN", "commit", "Rollback to x", "start transaction", "END"}) {
    EXPECT_THAT(Faults(R"({"path": "a", "statements": [")" + std::string(word) + R"("]})"),
                HasSubstr("`transaction`"))
        << word;
  }
  EXPECT_THAT(Faults(R"({"url": "postgres://h", "query": "copy x from stdin"})"),
              HasSubstr("COPY"));
  EXPECT_THAT(Faults(R"({"path": "a", "query": "select 1; select 2"})"),
              HasSubstr("`statements` takes a list"));
  EXPECT_EQ(
      Faults(
          R"({"path": "a", "query": "create trigger t after insert on x begin select 1; select 2; end"})"),
      "");
}

TEST(SqlPlan, BeginsTheTransactionThatIsAskedFor) {
  EXPECT_FALSE(Plan(R"({"path": "a", "query": "select 1"})").transaction);
  EXPECT_EQ(Plan(R"({"path": "a", "statements": ["select 1"]})").begin, "BEGIN IMMEDIATE");
  EXPECT_EQ(Plan(R"({"path": "a", "read_only": true, "query": "select 1"})").begin,
            "BEGIN DEFERRED");
  EXPECT_EQ(Plan(R"({"url": "postgres://h", "query": "select 1", "isolation": "repeatable_read",
      "read_only": true})")
                .begin,
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  EXPECT_FALSE(
      Plan(R"({"path": "a", "statements": ["select 1"], "transaction": false})").transaction);
  EXPECT_THAT(Faults(R"({"path": "a", "query": "x", "read_only": true, "transaction": false})"),
              HasSubstr("Expected a transaction with `read_only`"));
  EXPECT_THAT(Faults(R"({"url": "postgres://h", "query": "x", "isolation": "snapshot"})"),
              HasSubstr("serializable"));
}

TEST(SqlPlan, BoundsTheRowsThatMayBeAskedFor) {
  EXPECT_EQ(Plan(R"({"path": "a", "query": "x", "max_rows": 7})").limits.max_rows, 7u);
  EXPECT_THAT(Faults(R"({"path": "a", "query": "x", "max_rows": 0})"), HasSubstr("1 to 100000"));
  EXPECT_THAT(Faults(R"({"path": "a", "query": "x", "max_rows": 100001})"), HasSubstr("1 to"));
}

}  // namespace
}  // namespace stele::tasks
