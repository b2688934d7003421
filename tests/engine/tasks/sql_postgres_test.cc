// The sql task on a real PostgreSQL server.
#include <arpa/inet.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/tasks/sql.h"
#include "postgres_server.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;
using testing::Not;

class SqlOnPostgres : public testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = PostgresServer::Start(why_not_).release(); }
  static void TearDownTestSuite() {
    delete server_;
    server_ = nullptr;
  }
  void SetUp() override {
    if (server_ == nullptr) GTEST_SKIP() << why_not_;
    executor_ = MakeSqlExecutor(loop_.get(), options_);
    observer_ = MakeSqlExecutor(loop_.get());
    // Tests run in any order on one server.
    Do("drop schema if exists public cascade");
    Do("create schema public");
  }
  void TearDown() override {
    executor_.reset();
    observer_.reset();
  }

  static Value Config(std::string_view query, std::string_view more = "{}") {
    Value config = Json(more);
    config.as_object().Set("url", server_->url());
    if (!query.empty()) config.as_object().Set("query", query);
    return config;
  }
  TaskResult Run(Value config) {
    return RunToEnd(loop_, *executor_, Attempt(std::move(config), Object(), ++attempts_));
  }
  Value Rows(std::string_view query, std::string_view more = "{}") {
    return At(Output(Run(Config(query, more))), "rows");
  }
  void Do(std::string_view query) { Output(Run(Config(query))); }
  TaskFailure Refused(std::string_view query, std::string_view more = "{}") {
    return Failure(Run(Config(query, more)));
  }
  static std::string Sqlstate(const TaskFailure& failure) {
    return ToJson(At(failure.details.value(), "sqlstate"));
  }
  // What is seen from beside the executor.
  int64_t Observed(std::string_view query) {
    TaskResult result = RunToEnd(loop_, *observer_, Attempt(Config(query)));
    return At(At(Output(result), "rows").as_array()[0], "n").as_int();
  }
  // How many sessions run a statement that sleeps.
  int64_t Sleepers() {
    return Observed(
        "select count(*) n from pg_stat_activity where state = 'active' and query like "
        "'%pg_sleep(1000%' and pid <> pg_backend_pid()");
  }
  // Asks until there are so many; the server's rounds are what is waited for.
  bool SleepersBecome(int64_t count) {
    for (int i = 0; i < 10'000; ++i) {
      if (Sleepers() == count) return true;
    }
    return false;
  }

  static PostgresServer* server_;
  static std::string why_not_;
  TestLoop loop_;
  SqlOptions options_;
  std::unique_ptr<TaskExecutor> executor_;
  std::unique_ptr<TaskExecutor> observer_;
  uint32_t attempts_ = 1000;
};

PostgresServer* SqlOnPostgres::server_ = nullptr;
std::string SqlOnPostgres::why_not_;

TEST_F(SqlOnPostgres, GivesRowsColumnsAndCounts) {
  Do("create table t (id int, name text)");
  EXPECT_EQ(Output(Run(Config("insert into t values ($1, $2), (2, 'b') returning id",
                              R"({"parameters": [1, "a"]})"))),
            Json(R"({"row_count": 2, "rows": [{"id": 1}, {"id": 2}], "columns": ["id"],
                     "rows_affected": 2})"));
  EXPECT_EQ(Output(Run(Config("select * from t where false"))),
            Json(R"({"row_count": 0, "rows": [], "columns": ["id", "name"], "rows_affected": 0})"));
}

TEST_F(SqlOnPostgres, ReadsEveryTypeExactly) {
  EXPECT_EQ(
      ToJson(
          Rows("select true b, 7::int2 i2, 9223372036854775807::int8 i8, 0.1::float8 f8, "
               "'NaN'::float8 nan, 1.50::numeric n, 123456789012345678901234567890::numeric nn, "
               "'\\x00ff'::bytea by, '{\"a\": [1, null]}'::json j, '[1.5]'::jsonb jb, "
               "'2024-02-29 12:30:00.25+02'::timestamptz tz, '2024-02-29 12:30:00'::timestamp ts, "
               "'2024-02-29'::date d, '12:30'::time ti, '1 day 2 hours'::interval iv, "
               "'0-0-0-0'::text u, null n0, array[1, 2] a, 'infinity'::timestamptz inf")),
      R"([{"b":true,"i2":7,"i8":9223372036854775807,"f8":0.1,"nan":"NaN","n":"1.50",)"
      R"("nn":"123456789012345678901234567890","by":"AP8=","j":{"a":[1,null]},"jb":[1.5],)"
      R"("tz":"2024-02-29T10:30:00.25Z","ts":"2024-02-29T12:30:00","d":"2024-02-29",)"
      R"("ti":"12:30:00","iv":"P1DT2H","u":"0-0-0-0","n0":null,"a":"{1,2}","inf":"infinity"}])");
}

TEST_F(SqlOnPostgres, BindsEveryTypeExactly) {
  Do("create table t (b bool, i int8, n numeric, f float8, s text, y bytea, j jsonb, z "
     "timestamptz, "
     "l text)");
  Value inserted = Output(
      Run(Config("insert into t values (:b, :i, :n, :f, :s, :y, :j, :z, :nothing)",
                 R"({"parameters": {"b": false, "i": 9007199254740993, "n": "0.10", "f": 1e300,
          "s": "ü $1 ' ; \\", "y": {"base64": "AAH/"}, "j": {"k": [true]},
          "z": "2024-01-02T03:04:05Z", "nothing": null}})")));
  EXPECT_EQ(At(inserted, "rows_affected"), Value(1));
  EXPECT_EQ(ToJson(Rows("select * from t")),
            R"([{"b":false,"i":9007199254740993,"n":"0.10","f":1e+300,"s":"ü $1 ' ; \\",)"
            R"("y":"AAH/","j":{"k":[true]},"z":"2024-01-02T03:04:05Z","l":null}])");
}

TEST_F(SqlOnPostgres, TakesInjectionAsData) {
  Do("create table t (name text)");
  std::string attack = "x'); drop table t; --";
  Value config = Config("insert into t values (:name)");
  config.as_object().Set("parameters", Object{{"name", Value(attack)}});
  Output(Run(std::move(config)));
  EXPECT_EQ(At(Rows("select name from t").as_array()[0], "name"), Value(attack));
}

TEST_F(SqlOnPostgres, RunsSeveralStatementsAsOneTransaction) {
  Value output = Output(Run(Config("", R"-({"statements": [
      "create table t (id int primary key)", "insert into t values (:a), (2)",
      {"query": "select id + $1 as next from t order by id", "parameters": [10]}],
      "parameters": {"a": 1}})-")));
  EXPECT_EQ(At(output, "rows_affected"), Value(2));
  EXPECT_EQ(ToJson(At(At(output, "results").as_array()[2], "rows")),
            R"([{"next":11},{"next":12}])");

  TaskFailure failure = Failure(Run(Config("", R"-({"statements": [
      "insert into t values (3)", "insert into t values (1)", "insert into t values (4)"]})-")));
  EXPECT_EQ(failure.kind, "sql");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(Sqlstate(failure), R"("23505")");
  EXPECT_EQ(At(failure.details.value(), "statement"), Value(1));
  EXPECT_EQ(At(failure.details.value(), "constraint"), Value("t_pkey"));
  EXPECT_EQ(ToJson(Rows("select count(*) n from t")), R"([{"n":2}])");
}

TEST_F(SqlOnPostgres, TellsSyntaxErrorsWithTheirState) {
  TaskFailure failure = Refused("selec 1");
  EXPECT_EQ(failure.kind, "sql");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(Sqlstate(failure), R"("42601")");
  EXPECT_EQ(Sqlstate(Refused("select * from nowhere")), R"("42P01")");
  EXPECT_EQ(Refused("/* */ -- nothing").kind, "config");
}

TEST_F(SqlOnPostgres, WritesNothingWhenReadOnly) {
  Do("create table t (i int)");
  EXPECT_EQ(Sqlstate(Refused("insert into t values (1)", R"({"read_only": true})")), R"("25006")");
  EXPECT_EQ(ToJson(Rows("select count(*) n from t", R"({"read_only": true})")), R"([{"n":0}])");
}

TEST_F(SqlOnPostgres, ObeysTheIsolationThatIsAskedFor) {
  EXPECT_EQ(ToJson(Rows("show transaction_isolation", R"({"isolation": "serializable"})")),
            R"([{"transaction_isolation":"serializable"}])");
  EXPECT_EQ(ToJson(Rows("select current_setting('application_name') a")), R"([{"a":"stele"}])");
}

TEST_F(SqlOnPostgres, RefusesMoreRowsThanAllowed) {
  TaskFailure failure = Refused("select generate_series(1, 100000000) i", R"({"max_rows": 10})");
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(Refused("select repeat('x', 5000000)").kind, "output_limit");
  Value output = Output(
      Run(Config("select generate_series(1, 200000) i", R"({"max_rows": 10, "truncate": true})")));
  EXPECT_EQ(At(output, "row_count"), Value(10));
  EXPECT_EQ(At(output, "truncated"), Value(true));
}

TEST_F(SqlOnPostgres, UndoesATransactionWhoseRowsAreTooMany) {
  Do("create table t (i int)");
  EXPECT_EQ(Refused("insert into t select generate_series(1, 50) returning i",
                    R"({"max_rows": 10, "transaction": true})")
                .kind,
            "output_limit");
  EXPECT_EQ(ToJson(Rows("select count(*) n from t")), R"([{"n":0}])");
}

TEST_F(SqlOnPostgres, EndsAtTheTimeoutAndTheServerToo) {
  TaskFailure failure = Refused("select pg_sleep(1000)", R"({"timeout": "100ms"})");
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(Sleepers(), 0);
}

TEST_F(SqlOnPostgres, CanBeCancelledWhileTheServerSleeps) {
  bool stopped = false;
  executor_->Start(Attempt(Config("select pg_sleep(1000)")),
                   [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
  ASSERT_TRUE(SleepersBecome(1));
  executor_->Cancel(Attempt(Value()).key, [&] { stopped = true; });
  EXPECT_FALSE(stopped);
  loop_.RunUntil([&] { return stopped; });
  EXPECT_EQ(Sleepers(), 0);
}

TEST_F(SqlOnPostgres, CanBeCancelledAtAnyMoment) {
  int stopped = 0;
  for (uint32_t n = 1; n <= 30; ++n) {
    executor_->Start(
        Attempt(Config("", R"-({"statements": ["select pg_sleep(1000)"]})-"), Object(), n),
        [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
    for (uint32_t turn = 0; turn < n; ++turn) uv_run(loop_.get(), UV_RUN_NOWAIT);
  }
  for (uint32_t n = 1; n <= 30; ++n) {
    executor_->Cancel(Attempt(Value(), Object(), n).key, [&] { ++stopped; });
  }
  loop_.RunUntil([&] { return stopped == 30; });
  EXPECT_EQ(Sleepers(), 0);
}

TEST_F(SqlOnPostgres, LeavesAServerThatDoesNotReact) {
  executor_.reset();
  options_.postgres.cancel_grace_us = 1;
  executor_ = MakeSqlExecutor(loop_.get(), options_);
  executor_->Start(Attempt(Config("select pg_sleep(1000)")),
                   [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
  ASSERT_TRUE(SleepersBecome(1));
  auto pid = static_cast<pid_t>(
      Observed("select pid as n from pg_stat_activity where state = 'active' and query like "
               "'%pg_sleep(1000%' and pid <> pg_backend_pid()"));
  ASSERT_EQ(kill(pid, SIGSTOP), 0);
  bool stopped = false;
  executor_->Cancel(Attempt(Value()).key, [&] { stopped = true; });
  loop_.RunUntil([&] { return stopped; });
  EXPECT_EQ(kill(pid, SIGCONT), 0);
  EXPECT_TRUE(SleepersBecome(0)) << "the next test counts them";
}

TEST_F(SqlOnPostgres, EndsWhatRunsWhenTheExecutorGoes) {
  for (uint32_t n = 1; n <= 12; ++n) {
    executor_->Start(Attempt(Config("select pg_sleep(1000)"), Object(), n),
                     [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
  }
  ASSERT_TRUE(SleepersBecome(static_cast<int64_t>(options_.postgres.max_connections)));
  executor_.reset();
  EXPECT_TRUE(SleepersBecome(0));
}

TEST_F(SqlOnPostgres, RunsTwentyStepsThroughAFewConnections) {
  executor_.reset();
  options_.postgres.max_connections = 3;
  executor_ = MakeSqlExecutor(loop_.get(), options_);
  Do("create table t (i int primary key, pid int)");
  int good = 0;
  int ended = 0;
  for (uint32_t n = 1; n <= 20; ++n) {
    Value config = Config("insert into t values (:i, pg_backend_pid())");
    config.as_object().Set("parameters", Object{{"i", static_cast<int64_t>(n)}});
    executor_->Start(Attempt(std::move(config), Object(), n), [&](const TaskResult& result) {
      ++ended;
      good += result.outcome.has_value() ? 1 : 0;
    });
  }
  loop_.RunUntil([&] { return ended == 20; });
  EXPECT_EQ(good, 20);
  Value counts = Rows("select count(*) n, count(distinct pid) <= 3 few from t");
  EXPECT_EQ(ToJson(counts), R"([{"n":20,"few":true}])");
}

TEST_F(SqlOnPostgres, HandsOnNothingOfASession) {
  executor_.reset();
  options_.postgres.max_connections = 1;
  executor_ = MakeSqlExecutor(loop_.get(), options_);
  Value first = Rows("select pg_backend_pid() pid");
  Do("create temporary table secret_of_one_step (i int)");
  Do("set search_path to pg_catalog");
  EXPECT_EQ(ToJson(Rows("show search_path")), R"([{"search_path":"\"$user\", public"}])");
  EXPECT_EQ(Sqlstate(Refused("select * from secret_of_one_step")), R"("42P01")");
  EXPECT_EQ(Rows("select pg_backend_pid() pid"), first);
}

TEST_F(SqlOnPostgres, TellsConcurrentUpdatesApartFromOtherErrors) {
  Do("create table t (i int)");
  Do("create function fail(state text) returns int language plpgsql as $$ begin raise exception "
     "'made up' using errcode = state; end $$");
  for (const char* state : {"40001", "40P01", "55P03", "53100"}) {
    TaskFailure failure =
        Refused("select fail(:s)", std::string(R"({"parameters": {"s": ")") + state + "\"}}");
    EXPECT_EQ(failure.kind, "sql");
    EXPECT_TRUE(failure.retryable) << state;
  }
  for (const char* state : {"23505", "22012", "42501", "P0001"}) {
    EXPECT_FALSE(
        Refused("select fail(:s)", std::string(R"({"parameters": {"s": ")") + state + "\"}}")
            .retryable)
        << state;
  }
}

TEST_F(SqlOnPostgres, KeepsRemarksOfTheServerInTheLog) {
  TaskResult result = Run(Config("do $$ begin raise notice 'half way :x'; end $$"));
  Output(result);
  EXPECT_THAT(result.log.text, HasSubstr("half way :x"));
  EXPECT_THAT(result.log.text, Not(HasSubstr(PostgresServer::kPassword)));
}

TEST_F(SqlOnPostgres, RefusesAWrongPasswordWithoutShowingIt) {
  std::string url = server_->url();
  url.replace(url.find("4711"), 4, "WRONG");
  Value config = Config("select 1");
  config.as_object().Set("url", url);
  TaskResult result = Run(std::move(config));
  TaskFailure failure = Failure(result);
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(Sqlstate(failure), R"("28P01")");
  EXPECT_THAT(failure.message + result.log.text, Not(HasSubstr("WRONG")));
}

TEST_F(SqlOnPostgres, ConnectsBySocketByNameAndByObject) {
  Value config = Config("select 1 as one", R"({"driver": "postgres"})");
  config.as_object().Set("url", server_->socket_url());
  EXPECT_EQ(ToJson(At(Output(Run(config)), "rows")), R"([{"one":1}])");
  config.as_object().Set("url", server_->url("localhost"));
  EXPECT_EQ(ToJson(At(Output(Run(config)), "rows")), R"([{"one":1}])");
}

TEST_F(SqlOnPostgres, RefusesCopyAndGoesOn) {
  Do("create table t (i int)");
  EXPECT_EQ(Refused("/* x */ copy t to stdout").kind, "config");
  EXPECT_EQ(ToJson(Rows("select 1 one")), R"([{"one":1}])");
}

TEST_F(SqlOnPostgres, ClosesIdleConnections) {
  executor_.reset();
  options_.postgres.idle_us = 1;
  executor_ = MakeSqlExecutor(loop_.get(), options_);
  EXPECT_EQ(ToJson(Rows("select 1 one")), R"([{"one":1}])");
  int64_t left = 1;
  for (int i = 0; i < 10'000 && left > 0; ++i) {
    left = Observed(
        "select count(*) n from pg_stat_activity where application_name = 'stele' and pid <> "
        "pg_backend_pid()");
  }
  EXPECT_EQ(left, 0);
}

TEST_F(SqlOnPostgres, MayBeTriedAgainWhenTheServerDies) {
  std::optional<TaskResult> result;
  executor_->Start(Attempt(Config("select pg_sleep(1000)")),
                   [&](TaskResult done) { result = std::move(done); });
  ASSERT_TRUE(SleepersBecome(1));
  // Not the session that counts them, whose last statement names it too.
  Do("select pg_terminate_backend(pid) from pg_stat_activity where state = 'active' and query like "
     "'%pg_sleep(1000%' and pid <> pg_backend_pid()");
  loop_.RunUntil([&] { return result.has_value(); });
  EXPECT_EQ(Failure(*result).kind, "connect");
  EXPECT_TRUE(Failure(*result).retryable);
  EXPECT_EQ(Sqlstate(Failure(*result)), R"("57P01")");

  result.reset();
  executor_->Start(Attempt(Config("select pg_sleep(1000)")),
                   [&](TaskResult done) { result = std::move(done); });
  ASSERT_TRUE(SleepersBecome(1));
  server_->Kill();
  loop_.RunUntil([&] { return result.has_value(); });
  EXPECT_EQ(Failure(*result).kind, "connect");
  EXPECT_TRUE(Failure(*result).retryable);

  TaskFailure nobody = Refused("select 1");
  EXPECT_EQ(nobody.kind, "connect");
  EXPECT_TRUE(nobody.retryable);
  ASSERT_TRUE(server_->Restart());
  EXPECT_EQ(ToJson(Rows("select 1 one")), R"([{"one":1}])");
}

// A port where somebody listens and never says a word.
class SilentPort {
 public:
  SilentPort() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 8), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  ~SilentPort() { close(socket_); }
  Value Config() const {
    return Object{{"url", fmt::format("postgres://me:secret@127.0.0.1:{}/x", port_)},
                  {"query", "select 1"}};
  }

 private:
  int socket_;
  int port_ = 0;
};

TEST(PostgresPool, GivesUpOnAServerThatSaysNothing) {
  SilentPort port;
  TestLoop loop;
  SqlOptions options;
  options.postgres.connect_us = 20'000;
  auto executor = MakeSqlExecutor(loop.get(), options);
  TaskFailure failure = Failure(RunToEnd(loop, *executor, Attempt(port.Config())));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("x at 127.0.0.1"));
}

TEST(PostgresPool, LetsAnAttemptGoWhileItConnects) {
  SilentPort port;
  TestLoop loop;
  auto executor = MakeSqlExecutor(loop.get());
  int stopped = 0;
  for (uint32_t n = 1; n <= 10; ++n) {
    executor->Start(Attempt(port.Config(), Object(), n),
                    [](const TaskResult&) { ADD_FAILURE() << "nobody is told"; });
    executor->Cancel(Attempt(Value(), Object(), n).key, [&] { ++stopped; });
  }
  loop.RunUntil([&] { return stopped == 10; });
  executor.reset();
}

TEST(PostgresPool, EndsAtTheTimeoutOfTheStepWhileItConnects) {
  SilentPort port;
  TestLoop loop;
  auto executor = MakeSqlExecutor(loop.get());
  TaskRequest request = Attempt(port.Config());
  request.timeout_us = 20'000;
  EXPECT_EQ(Failure(RunToEnd(loop, *executor, std::move(request))).kind, "timeout");
  executor.reset();
}

// Names that no name server is asked for: a label of 64 characters, bytes that are no UTF-8, and
// more of them than a name may have.
TEST(PostgresLookup, SaysWhichHostIsUnknown) {
  for (const std::string& host :
       {std::string(64, 'a') + ".example", std::string("%ff%fe"), std::string(300, 'a')}) {
    TestLoop loop;
    auto executor = MakeSqlExecutor(loop.get());
    TaskFailure failure = Failure(RunToEnd(
        loop, *executor,
        Attempt(Object{{"url", "postgres://me:pw@" + host + "/db"}, {"query", "select 1"}})));
    EXPECT_EQ(failure.kind, "connect") << host;
    const std::string shown = host[0] == '%' ? "\xff\xfe" : host;
    EXPECT_THAT(failure.message, HasSubstr("Expected the address of " + shown + ": "));
    executor.reset();
  }
}

}  // namespace
}  // namespace stele::tasks
