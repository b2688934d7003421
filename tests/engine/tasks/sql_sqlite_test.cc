// The sql task on SQLite files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "engine/tasks/sql.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;
using testing::Not;

// Runs for hours when nobody stops it.
constexpr std::string_view kEndless =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n";

class SqlOnSqlite : public testing::Test {
 protected:
  SqlOnSqlite() { options_.base_directory = directory_.path(); }

  Value Config(std::string_view query, std::string_view more = "{}") {
    Value config = Json(more);
    config.as_object().Set("path", "test.db");
    config.as_object().Set("query", query);
    return config;
  }
  TaskResult Run(Value config) { return Start(Attempt(std::move(config))); }
  TaskResult Start(TaskRequest request) {
    auto executor = MakeSqlExecutor(loop_.get(), options_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  Value Rows(std::string_view query, std::string_view more = "{}") {
    return At(Output(Run(Config(query, more))), "rows");
  }
  void Do(std::string_view query) { Output(Run(Config(query))); }

  TemporaryDirectory directory_;
  TestLoop loop_;
  SqlOptions options_;
};

TEST_F(SqlOnSqlite, GivesRowsColumnsAndCounts) {
  Do("create table t (id integer primary key, name text)");
  Value inserted =
      Output(Run(Config("insert into t (name) values (?), (?)", R"({"parameters": ["a", "b"]})")));
  EXPECT_EQ(inserted, Json(R"({"row_count": 0, "rows": [], "columns": [], "rows_affected": 2,
                               "last_insert_id": 2})"));
  Value read = Output(Run(Config("select id, name from t order by id")));
  EXPECT_EQ(read, Json(R"({"row_count": 2, "rows": [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}],
                           "columns": ["id", "name"], "rows_affected": 0})"));
}

TEST_F(SqlOnSqlite, KeepsEveryTypeExactly) {
  Value rows = Rows(
      "select :null n, :yes yes, :int big, :real r, :text t, :blob b, :list l, typeof(:blob) tb, "
      "typeof(:int) ti, 9e999 inf",
      R"({"parameters": {"null": null, "yes": true, "int": 9223372036854775807, "real": 0.1,
          "text": "ü ' \" ; --", "blob": {"base64": "AP8="}, "list": [1, "x"]}})");
  EXPECT_EQ(ToJson(rows),
            R"([{"n":null,"yes":1,"big":9223372036854775807,"r":0.1,"t":"ü ' \" ; --","b":"AP8=",)"
            R"("l":"[1,\"x\"]","tb":"blob","ti":"integer","inf":"Infinity"}])");
}

TEST_F(SqlOnSqlite, ReadsDeclaredBooleansAndJson) {
  Do("create table t (b boolean, j json, broken json)");
  Do("insert into t values (1, '{\"a\": [9007199254740993]}', '{')");
  EXPECT_EQ(ToJson(Rows("select * from t")),
            R"([{"b":true,"j":{"a":[9007199254740993]},"broken":"{"}])");
}

TEST_F(SqlOnSqlite, NumbersColumnsOfTheSameName) {
  EXPECT_EQ(ToJson(Rows("select 1 a, 2 a, 3 a_2, 4 a")), R"([{"a":1,"a_3":2,"a_2":3,"a_4":4}])");
}

TEST_F(SqlOnSqlite, TakesInjectionAsData) {
  Do("create table t (name text)");
  std::string attack = "x'); drop table t; --";
  Value config = Config("insert into t values (:name)");
  config.as_object().Set("parameters", Object{{"name", Value(attack)}});
  Output(Run(std::move(config)));
  EXPECT_EQ(At(Rows("select name from t").as_array()[0], "name"), Value(attack));
}

TEST_F(SqlOnSqlite, RunsSeveralStatementsAsOneTransaction) {
  Value config = Json(R"-({"path": "test.db", "statements": [
      "create table t (id integer primary key)", "insert into t values (1), (2)",
      {"query": "insert into t values (?)", "parameters": [3]}, "select count(*) n from t"]})-");
  Value output = Output(Run(config));
  EXPECT_EQ(At(output, "rows_affected"), Value(3));
  EXPECT_EQ(ToJson(At(At(output, "results").as_array()[3], "rows")), R"([{"n":3}])");

  TaskFailure failure = Failure(Run(Json(R"-({"path": "test.db", "statements": [
      "insert into t values (4)", "insert into t values (1)", "insert into t values (5)"]})-")));
  EXPECT_EQ(failure.kind, "sql");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "statement"), Value(1));
  EXPECT_EQ(At(failure.details.value(), "sqlite_name"), Value("SQLITE_CONSTRAINT"));
  EXPECT_EQ(ToJson(Rows("select count(*) n from t")), R"([{"n":3}])");
}

TEST_F(SqlOnSqlite, TellsSyntaxErrorsAndMissingTables) {
  TaskFailure failure = Failure(Run(Config("selec 1")));
  EXPECT_EQ(failure.kind, "sql");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("syntax error"));
  EXPECT_THAT(Failure(Run(Config("select * from nowhere"))).message, HasSubstr("no such table"));
  EXPECT_EQ(Failure(Run(Config("select @a"))).kind, "config");
  EXPECT_EQ(Failure(Run(Config("-- nothing"))).kind, "config");
}

TEST_F(SqlOnSqlite, ChecksForeignKeys) {
  Do("create table p (id integer primary key)");
  Do("create table c (p references p)");
  EXPECT_THAT(Failure(Run(Config("insert into c values (7)"))).message, HasSubstr("FOREIGN KEY"));
}

TEST_F(SqlOnSqlite, WritesNothingWhenReadOnly) {
  Do("create table t (id)");
  TaskFailure failure = Failure(Run(Config("insert into t values (1)", R"({"read_only": true})")));
  EXPECT_EQ(At(failure.details.value(), "sqlite_name"), Value("SQLITE_READONLY"));
  EXPECT_EQ(ToJson(Rows("select count(*) n from t", R"({"read_only": true})")), R"([{"n":0}])");
}

TEST_F(SqlOnSqlite, CannotOpenWhatIsNotThere) {
  TaskFailure failure = Failure(Run(Config("select 1", R"({"create": false})")));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
  directory_.Write("test.db", std::string(4096, 'x'));
  EXPECT_EQ(At(Failure(Run(Config("select * from t"))).details.value(), "sqlite_name"),
            Value("SQLITE_NOTADB"));
}

TEST_F(SqlOnSqlite, RefusesMoreRowsThanAllowedAndUndoesTheStatement) {
  Do("create table t (i)");
  TaskFailure failure =
      Failure(Run(Config("insert into t with recursive n(i) as (select 1 union all select i + 1 "
                         "from n where i < 50) "
                         "select i from n returning i",
                         R"({"max_rows": 10})")));
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(ToJson(Rows("select count(*) n from t")), R"([{"n":0}])");
}

TEST_F(SqlOnSqlite, LeavesOutRowsWhenAsked) {
  std::string query =
      "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5000) select i "
      "from n";
  Value output = Output(Run(Config(query, R"({"max_rows": 10, "truncate": true})")));
  EXPECT_EQ(At(output, "row_count"), Value(10));
  EXPECT_EQ(At(output, "truncated"), Value(true));
  options_.max_result_bytes = 100;
  EXPECT_EQ(Failure(Run(Config(query, R"({"max_rows": 5000})"))).kind, "output_limit");
  EXPECT_EQ(At(Output(Run(Config(query, R"({"truncate": true})"))), "truncated"), Value(true));
}

TEST_F(SqlOnSqlite, BoundsOneValue) {
  EXPECT_EQ(Failure(Run(Config("select zeroblob(20000000) b"))).kind, "output_limit");
  EXPECT_EQ(Failure(Run(Config("select hex(zeroblob(1000000)) b"))).kind, "output_limit");
}

TEST_F(SqlOnSqlite, EndsAtTheTimeout) {
  TaskFailure failure = Failure(Run(Config(kEndless, R"({"timeout": "50ms"})")));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
  TaskRequest request = Attempt(Config(kEndless, R"({"timeout": "1h"})"));
  request.timeout_us = 50'000;
  EXPECT_EQ(Failure(Start(std::move(request))).kind, "timeout");
}

TEST_F(SqlOnSqlite, CanBeCancelledWhileItRunsAndWhileItWaits) {
  options_.max_sqlite_running = 1;
  auto executor = MakeSqlExecutor(loop_.get(), options_);
  int done = 0;
  int stopped = 0;
  for (uint32_t n = 1; n <= 2; ++n) {
    executor->Start(Attempt(Config(kEndless), Object(), n), [&](const TaskResult&) { ++done; });
  }
  AttemptKey second = Attempt(Value(), Object(), 2).key;
  executor->Cancel(second, [&] { ++stopped; });
  loop_.RunUntil([&] { return stopped == 1; });
  executor->Cancel(Attempt(Value()).key, [&] { ++stopped; });
  loop_.RunUntil([&] { return stopped == 2; });
  EXPECT_EQ(done, 0);
}

TEST_F(SqlOnSqlite, LeavesNothingBehindWhenTheExecutorGoes) {
  auto executor = MakeSqlExecutor(loop_.get(), options_);
  for (uint32_t n = 1; n <= 5; ++n) {
    executor->Start(Attempt(Config(kEndless), Object(), n),
                    [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
  }
  executor.reset();  // the loop then ends, which its destructor checks
}

// Holds the lock of a file as another program would.
class Locker {
 public:
  explicit Locker(const std::string& path) {
    EXPECT_EQ(sqlite3_open(path.c_str(), &db_), SQLITE_OK);
    Run("begin exclusive");
  }
  ~Locker() { sqlite3_close(db_); }
  void Run(const char* text) {
    EXPECT_EQ(sqlite3_exec(db_, text, nullptr, nullptr, nullptr), SQLITE_OK);
  }

 private:
  sqlite3* db_ = nullptr;
};

TEST_F(SqlOnSqlite, CallsALockRetryable) {
  Do("create table t (i)");
  Locker locker(directory_.path() + "/test.db");
  TaskFailure failure =
      Failure(Run(Config("insert into t values (1)", R"({"busy_timeout": "30ms"})")));
  EXPECT_EQ(failure.kind, "sql");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "sqlite_name"), Value("SQLITE_BUSY"));
  failure = Failure(
      Run(Config("insert into t values (1)", R"({"busy_timeout": "1h", "timeout": "50ms"})")));
  EXPECT_EQ(failure.kind, "timeout");
}

TEST_F(SqlOnSqlite, WaitsForALock) {
  Do("create table t (i)");
  Locker locker(directory_.path() + "/test.db");
  auto executor = MakeSqlExecutor(loop_.get(), options_);
  std::optional<TaskResult> result;
  executor->Start(Attempt(Config("insert into t values (1)", R"({"busy_timeout": "1h"})")),
                  [&](TaskResult done) { result = std::move(done); });
  locker.Run("commit");
  loop_.RunUntil([&] { return result.has_value(); });
  EXPECT_EQ(At(Output(*result), "rows_affected"), Value(1));
}

TEST_F(SqlOnSqlite, RunsTwentyWritersAtOnce) {
  Do("create table t (i integer primary key)");
  auto executor = MakeSqlExecutor(loop_.get(), options_);
  int good = 0;
  int ended = 0;
  for (uint32_t n = 1; n <= 20; ++n) {
    Value config = Json(R"-({"path": "test.db", "statements": ["insert into t values (:i)"]})-");
    config.as_object().Set("parameters", Object{{"i", static_cast<int64_t>(n)}});
    executor->Start(Attempt(std::move(config), Object(), n), [&](const TaskResult& result) {
      ++ended;
      good += result.outcome.has_value() ? 1 : 0;
    });
  }
  loop_.RunUntil([&] { return ended == 20; });
  EXPECT_EQ(good, 20);
  EXPECT_EQ(ToJson(Rows("select count(*) n from t")), R"([{"n":20}])");
}

TEST_F(SqlOnSqlite, HidesSecretsInRowsErrorsAndLogs) {
  TaskRequest request = Attempt(Config("select 'my-secret-text' s"));
  request.secrets = {"my-secret-text"};
  EXPECT_EQ(ToJson(At(Output(Start(std::move(request))), "rows")), R"([{"s":"***"}])");
  request = Attempt(Config("select \"my-secret-text\".x"));
  request.secrets = {"my-secret-text"};
  EXPECT_THAT(Failure(Start(std::move(request))).message, Not(HasSubstr("my-secret")));
}

}  // namespace
}  // namespace stele::tasks
