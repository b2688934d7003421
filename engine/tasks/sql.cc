#include "engine/tasks/sql.h"

#include <fmt/format.h>

#include <map>
#include <utility>
#include <vector>

#include "base/check.h"
#include "engine/tasks/bounded_text.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/sql_attempt.h"
#include "engine/tasks/sql_plan.h"
#include "engine/tasks/sql_postgres.h"
#include "engine/tasks/sql_sqlite.h"
#include "engine/tasks/timeout.h"
#include "engine/tasks/uv_handle.h"

namespace stele::tasks {
namespace {

class SqlExecutor final : public TaskExecutor {
 public:
  SqlExecutor(uv_loop_t* loop, SqlOptions options)
      : loop_(loop),
        options_(std::move(options)),
        sqlite_(std::make_shared<SqliteQueue>(loop, options_.max_sqlite_running)),
        postgres_(std::make_shared<PostgresPool>(loop, options_.postgres)) {}
  ~SqlExecutor() override {
    postgres_->Close();  // what a dying attempt gives back goes to nobody
    running_.clear();
  }

  void Start(TaskRequest request, std::function<void(TaskResult)> done) override;
  void Cancel(const AttemptKey& key, std::function<void()> stopped) override;
  std::vector<std::string> CheckConfig(const Value& config) const override;

 private:
  struct Running {
    std::unique_ptr<SqlAttempt> attempt;
    UvHandle<uv_timer_t> timer;
    SqlExecutor* executor = nullptr;
    AttemptKey key;
    int64_t timeout_us = 0;
    bool timed_out = false;
    std::function<void(TaskResult)> done;
    std::vector<std::function<void()>> stopped;  // not empty: it was cancelled
    std::string shown;                           // the database, for the log
    Redactor outputs;                            // the request's secrets
    Redactor messages;                           // and the credentials of the URL
  };

  std::unique_ptr<SqlAttempt> MakeAttempt(SqlPlan plan, const AttemptKey& key);
  void ArmTimeout(Running& running);
  void Finish(const AttemptKey& key, SqlOutcome outcome);
  static TaskResult Judge(const Running& running, SqlOutcome outcome);
  static void Redact(TaskFailure& failure, const Redactor& redactor);

  uv_loop_t* loop_;
  SqlOptions options_;
  std::shared_ptr<SqliteQueue> sqlite_;
  std::shared_ptr<PostgresPool> postgres_;
  std::map<AttemptKey, std::unique_ptr<Running>> running_;
};

void SqlExecutor::Redact(TaskFailure& failure, const Redactor& redactor) {
  failure.message = Excerpt(redactor, failure.message, kErrorTailBytes);
  if (!failure.details.has_value()) return;
  Value details = failure.details.value();
  for (Member& member : details.as_object()) {
    if (member.value.is_string())
      member.value = Excerpt(redactor, member.value.as_string(), kErrorTailBytes);
  }
  failure.details = Payload::FromValue(redactor.Redact(std::move(details)));
}

std::unique_ptr<SqlAttempt> SqlExecutor::MakeAttempt(SqlPlan plan, const AttemptKey& key) {
  auto finish = [this, key](SqlOutcome outcome) { Finish(key, std::move(outcome)); };
  if (plan.driver == SqlDriver::kSqlite) {
    return MakeSqliteAttempt(sqlite_, std::move(plan), options_.base_directory, std::move(finish));
  }
  return MakePostgresAttempt(loop_, postgres_, std::move(plan), std::move(finish));
}

void SqlExecutor::Start(TaskRequest request, std::function<void(TaskResult)> done) {
  AttemptKey key = request.key;
  CHECK(!running_.contains(key), "attempt {} runs already", key.ToString());
  auto plan = PlanSql(request.config, ConfigReader::Mode::kRendered);
  if (!plan) {
    TaskFailure failure{"config", JoinFaults(plan.error()), false, {}};
    Redact(failure, Redactor(request.secrets));
    return done(TaskResult{std::unexpected(std::move(failure)), {}});
  }
  plan->limits.max_bytes = options_.max_result_bytes;
  const int64_t timeout_us =
      EffectiveTimeout(plan->timeout_us, request.timeout_us, options_.timeout_us);
  std::vector<std::string> hidden = request.secrets;
  hidden.insert(hidden.end(), plan->credentials.begin(), plan->credentials.end());
  auto running = std::make_unique<Running>(Running{.executor = this,
                                                   .key = key,
                                                   .timeout_us = timeout_us,
                                                   .done = std::move(done),
                                                   .shown = plan->shown_database(),
                                                   .outputs = Redactor(request.secrets),
                                                   .messages = Redactor(hidden)});
  running->attempt = MakeAttempt(*std::move(plan), key);
  ArmTimeout(*running);
  SqlAttempt& attempt = *running->attempt;
  running_.emplace(key, std::move(running));
  attempt.Begin();
}

void SqlExecutor::ArmTimeout(Running& running) {
  running.timer = MakeTimer(loop_, &running);
  uv_timer_start(
      running.timer.get(),
      [](uv_timer_t* timer) {
        auto* running = static_cast<Running*>(timer->data);
        running->timed_out = true;
        running->attempt->Stop();
      },
      ToTimerMs(running.timeout_us), 0);
}

TaskResult SqlExecutor::Judge(const Running& running, SqlOutcome outcome) {
  TaskResult result;
  std::string log = std::move(outcome.log);
  if (outcome.output) {
    // It was faster than its end.
    result.outcome = Payload::FromValue(running.outputs.Redact(Value(*std::move(outcome.output))));
  } else if (running.timed_out) {
    log += "timeout\n";
    result.outcome = std::unexpected(TaskFailure{
        "timeout",
        fmt::format("Expected the statements to end within {} s but they were still running",
                    static_cast<double>(running.timeout_us) / 1e6),
        true,
        {}});
  } else {
    TaskFailure failure = std::move(outcome.output.error());
    log += failure.kind + "\n";
    Redact(failure, running.messages);
    result.outcome = std::unexpected(std::move(failure));
  }
  std::string text = running.messages.Text(fmt::format("{}: {}", running.shown, log));
  result.log = {KeepEnds(text, kMaxLogBytes), text.size() > kMaxLogBytes};
  return result;
}

void SqlExecutor::Finish(const AttemptKey& key, SqlOutcome outcome) {
  auto ended = running_.extract(key);
  CHECK(!ended.empty(), "attempt {} ended twice", key.ToString());
  std::unique_ptr<Running> running = std::move(ended.mapped());
  running->timer.reset();
  if (running->stopped.empty()) {
    running->done(Judge(*running, std::move(outcome)));
    return;
  }
  for (auto& stopped : running->stopped) stopped();
}

void SqlExecutor::Cancel(const AttemptKey& key, std::function<void()> stopped) {
  auto found = running_.find(key);
  if (found == running_.end()) return stopped();
  Running& running = *found->second;
  bool first = running.stopped.empty();
  running.stopped.push_back(std::move(stopped));
  if (first && !running.timed_out) running.attempt->Stop();
}

std::vector<std::string> SqlExecutor::CheckConfig(const Value& config) const {
  auto plan = PlanSql(config, ConfigReader::Mode::kStatic);
  return plan ? std::vector<std::string>() : plan.error();
}

}  // namespace

std::unique_ptr<TaskExecutor> MakeSqlExecutor(uv_loop_t* loop, SqlOptions options) {
  return std::make_unique<SqlExecutor>(loop, std::move(options));
}

}  // namespace stele::tasks
