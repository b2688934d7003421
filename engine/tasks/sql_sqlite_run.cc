#include "engine/tasks/sql_sqlite_run.h"

#include <fmt/format.h>
#include <sqlite3.h>
#include <strings.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <utility>

#include "base/base64.h"
#include "base/json.h"
#include "engine/tasks/redactor.h"
#include "engine/tasks/sql_result.h"

namespace stele::tasks {
namespace {

// How many steps of SQLite's machine pass between two looks at `stop`.
constexpr int kProgressSteps = 1000;
constexpr int kMaxNapMs = 20;

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

struct CodeName {
  int code;
  std::string_view name;
};
// Source: https://www.sqlite.org/rescode.html
constexpr CodeName kCodeNames[] = {
    {SQLITE_ERROR, "SQLITE_ERROR"},       {SQLITE_PERM, "SQLITE_PERM"},
    {SQLITE_ABORT, "SQLITE_ABORT"},       {SQLITE_BUSY, "SQLITE_BUSY"},
    {SQLITE_LOCKED, "SQLITE_LOCKED"},     {SQLITE_NOMEM, "SQLITE_NOMEM"},
    {SQLITE_READONLY, "SQLITE_READONLY"}, {SQLITE_INTERRUPT, "SQLITE_INTERRUPT"},
    {SQLITE_IOERR, "SQLITE_IOERR"},       {SQLITE_CORRUPT, "SQLITE_CORRUPT"},
    {SQLITE_FULL, "SQLITE_FULL"},         {SQLITE_CANTOPEN, "SQLITE_CANTOPEN"},
    {SQLITE_PROTOCOL, "SQLITE_PROTOCOL"}, {SQLITE_SCHEMA, "SQLITE_SCHEMA"},
    {SQLITE_TOOBIG, "SQLITE_TOOBIG"},     {SQLITE_CONSTRAINT, "SQLITE_CONSTRAINT"},
    {SQLITE_MISMATCH, "SQLITE_MISMATCH"}, {SQLITE_AUTH, "SQLITE_AUTH"},
    {SQLITE_RANGE, "SQLITE_RANGE"},       {SQLITE_NOTADB, "SQLITE_NOTADB"}};

bool IsRetryable(int code) {
  constexpr int kRetryable[] = {SQLITE_BUSY,  SQLITE_LOCKED,   SQLITE_NOMEM,  SQLITE_INTERRUPT,
                                SQLITE_IOERR, SQLITE_PROTOCOL, SQLITE_SCHEMA, SQLITE_FULL};
  return std::ranges::find(kRetryable, code & 0xff) != std::end(kRetryable);
}

class Run {
 public:
  Run(const SqlPlan& plan, const std::atomic<bool>& stop)
      : plan_(plan), stop_(stop), result_(plan.limits) {}
  ~Run() { sqlite3_close(db_); }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  SqlOutcome All();

 private:
  using Maybe = std::optional<TaskFailure>;

  Maybe Open();
  Maybe Execute(const char* text);
  Maybe RunStatement(const SqlStatement& statement);
  Maybe Bind(sqlite3_stmt* prepared, const SqlStatement& statement);
  Maybe Fetch(sqlite3_stmt* prepared);
  Maybe RunPlan();
  TaskFailure Fail(int code) const;
  static Value Column(sqlite3_stmt* prepared, int column);
  static int OnBusy(void* run, int);

  const SqlPlan& plan_;
  const std::atomic<bool>& stop_;
  sqlite3* db_ = nullptr;
  SqlResult result_;
  int64_t busy_us_ = 0;   // waited for locks so far
  size_t statement_ = 0;  // which one runs, from 1
};

TaskFailure Run::Fail(int code) const {
  const char* message = db_ == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(db_);
  const auto* name = std::ranges::find(kCodeNames, code & 0xff, &CodeName::code);
  Object details{{"sqlite_code", static_cast<int64_t>(code)}};
  if (name != std::end(kCodeNames)) details.Set("sqlite_name", name->name);
  std::string where;
  if (plan_.is_list && statement_ > 0) {
    details.Set("statement", static_cast<int64_t>(statement_ - 1));
    where = fmt::format(" statement {}", statement_ - 1);
  }
  if ((code & 0xff) == SQLITE_TOOBIG) {
    return {"output_limit",
            fmt::format("Expected values of at most {} bytes but found a longer one",
                        kMaxSqliteValueBytes),
            false, Payload::FromValue(details)};
  }
  bool opening = (code & 0xff) == SQLITE_CANTOPEN;
  return {opening ? "connect" : "sql",
          fmt::format("Expected SQLite to {}{} but found: {}", opening ? "open " : "run",
                      opening         ? plan_.path
                      : where.empty() ? " the statement"
                                      : where,
                      message),
          opening || IsRetryable(code), Payload::FromValue(details)};
}

// Waits in small naps until another connection gives its lock back.
int Run::OnBusy(void* data, int) {
  auto* run = static_cast<Run*>(data);
  if (run->stop_ || run->busy_us_ >= run->plan_.busy_timeout_us) return 0;
  int64_t left_ms = (run->plan_.busy_timeout_us - run->busy_us_ + 999) / 1000;
  run->busy_us_ +=
      1000 * int64_t{sqlite3_sleep(static_cast<int>(std::min<int64_t>(left_ms, kMaxNapMs)))};
  return 1;
}

Run::Maybe Run::Open() {
  int flags = plan_.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (plan_.create && (!plan_.read_only || plan_.path == ":memory:")) {
    flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  }
  int code = sqlite3_open_v2(plan_.path.c_str(), &db_, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) return Fail(code);
  sqlite3_extended_result_codes(db_, 1);
  sqlite3_busy_handler(db_, &Run::OnBusy, this);
  sqlite3_progress_handler(
      db_, kProgressSteps, [](void* run) { return static_cast<Run*>(run)->stop_.load() ? 1 : 0; },
      this);
  sqlite3_limit(db_, SQLITE_LIMIT_LENGTH, static_cast<int>(kMaxSqliteValueBytes));
  sqlite3_db_config(db_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(db_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  if (plan_.read_only) return Execute("PRAGMA query_only = 1");
  return std::nullopt;
}

Run::Maybe Run::Execute(const char* text) {
  int code = sqlite3_exec(db_, text, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return Fail(code);
  return std::nullopt;
}

Run::Maybe Run::Bind(sqlite3_stmt* prepared, const SqlStatement& statement) {
  auto wanted = static_cast<size_t>(sqlite3_bind_parameter_count(prepared));
  if (wanted != statement.parameters.size()) {
    return TaskFailure{"config",
                       fmt::format("Expected parameters as ?, ?1 or :name but found {} in the "
                                   "statement and {} in `parameters`",
                                   wanted, statement.parameters.size()),
                       false,
                       {}};
  }
  int number = 0;
  for (const SqlParameter& parameter : statement.parameters) {
    ++number;
    const Value& value = parameter.value;
    int code = SQLITE_OK;
    if (value.is_bool()) code = sqlite3_bind_int(prepared, number, value.as_bool() ? 1 : 0);
    if (value.is_int()) code = sqlite3_bind_int64(prepared, number, value.as_int());
    if (value.is_double()) code = sqlite3_bind_double(prepared, number, value.as_double());
    if (value.is_string()) {
      const std::string& text = value.as_string();
      code = parameter.is_bytes
                 ? sqlite3_bind_blob64(prepared, number, text.data(), text.size(), SQLITE_STATIC)
                 : sqlite3_bind_text64(prepared, number, text.data(), text.size(), SQLITE_STATIC,
                                       SQLITE_UTF8);
    }
    if (code != SQLITE_OK) return Fail(code);
  }
  return std::nullopt;
}

Value Run::Column(sqlite3_stmt* prepared, int column) {
  int type = sqlite3_column_type(prepared, column);
  const char* declared = sqlite3_column_decltype(prepared, column);
  if (type == SQLITE_NULL) return nullptr;
  if (type == SQLITE_INTEGER) {
    int64_t number = sqlite3_column_int64(prepared, column);
    bool is_bool = declared != nullptr && (number == 0 || number == 1) &&
                   (strcasecmp(declared, "boolean") == 0 || strcasecmp(declared, "bool") == 0);
    return is_bool ? Value(number == 1) : Value(number);
  }
  if (type == SQLITE_FLOAT) {
    double number = sqlite3_column_double(prepared, column);
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    return number;
  }
  bool is_blob = type == SQLITE_BLOB;
  const void* bytes = is_blob ? sqlite3_column_blob(prepared, column)
                              : static_cast<const void*>(sqlite3_column_text(prepared, column));
  auto size = static_cast<size_t>(sqlite3_column_bytes(prepared, column));
  std::string_view text(static_cast<const char*>(bytes), bytes == nullptr ? 0 : size);
  if (is_blob) return Base64(text);
  if (declared != nullptr && (strcasecmp(declared, "json") == 0)) {
    if (Result<Value> json = ParseJson(text)) return *std::move(json);
  }
  return text;
}

Run::Maybe Run::Fetch(sqlite3_stmt* prepared) {
  int count = sqlite3_column_count(prepared);
  if (count > 0) {
    std::vector<std::string> names;
    for (int i = 0; i < count; ++i) names.emplace_back(sqlite3_column_name(prepared, i));
    if (!result_.SetColumns(std::move(names))) return result_.LimitFailure();
  }
  while (true) {
    int code = sqlite3_step(prepared);
    if (code == SQLITE_DONE) return std::nullopt;
    if (code != SQLITE_ROW) return Fail(code);
    Array row;
    for (int i = 0; i < count; ++i) row.push_back(Column(prepared, i));
    if (result_.AddRow(std::move(row))) continue;
    // A statement that is left in the middle would keep what it wrote; an interrupted one is rolled
    // back.
    sqlite3_interrupt(db_);
    while (sqlite3_step(prepared) == SQLITE_ROW) {
    }
    return result_.LimitFailure();
  }
}

Run::Maybe Run::RunStatement(const SqlStatement& statement) {
  ++statement_;
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const std::string& text = statement.text;
  int code = sqlite3_prepare_v2(db_, text.c_str(), static_cast<int>(text.size() + 1), &made, &rest);
  if (code != SQLITE_OK) return Fail(code);
  Statement prepared(made, &sqlite3_finalize);
  sqlite3_stmt* second = nullptr;
  code = sqlite3_prepare_v2(db_, rest, -1, &second, nullptr);
  Statement behind(second, &sqlite3_finalize);
  if (code != SQLITE_OK || second != nullptr || made == nullptr) {
    return TaskFailure{
        "config",
        fmt::format("Expected one statement but found {}", made == nullptr ? "none" : "several"),
        false,
        {}};
  }
  if (Maybe failure = Bind(made, statement)) return failure;
  result_.BeginStatement();
  int64_t changes = sqlite3_total_changes64(db_);
  sqlite3_set_last_insert_rowid(db_, 0);
  if (Maybe failure = Fetch(made)) return failure;
  bool changed = sqlite3_total_changes64(db_) != changes;
  int64_t inserted = sqlite3_last_insert_rowid(db_);
  result_.EndStatement(changed ? sqlite3_changes64(db_) : 0,
                       inserted != 0 ? std::optional(inserted) : std::nullopt);
  return std::nullopt;
}

Run::Maybe Run::RunPlan() {
  if (Maybe failure = Open()) return failure;
  if (plan_.transaction) {
    if (Maybe failure = Execute(plan_.begin.c_str())) return failure;
  }
  for (const SqlStatement& statement : plan_.statements) {
    if (stop_) return Fail(SQLITE_INTERRUPT);
    // What is not committed when the file is closed is rolled back.
    if (Maybe failure = RunStatement(statement)) return failure;
  }
  statement_ = 0;
  return plan_.transaction ? Execute("COMMIT") : std::nullopt;
}

SqlOutcome Run::All() {
  if (Maybe failure = RunPlan()) return {std::unexpected(*std::move(failure)), ""};
  std::string log =
      fmt::format("{} rows, {} affected\n", result_.row_count(), result_.rows_affected());
  return {result_.TakeOutput(plan_.is_list), std::move(log)};
}

}  // namespace

SqlOutcome RunOnSqlite(const SqlPlan& plan, const std::atomic<bool>& stop) {
  return Run(plan, stop).All();
}

}  // namespace stele::tasks
