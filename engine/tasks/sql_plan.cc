#include "engine/tasks/sql_plan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "base/json.h"
#include "engine/tasks/sql_parameters.h"

namespace stele::tasks {
namespace {

bool IsPassword(std::string_view keyword) {
  return keyword == "password" || keyword == "sslpassword";
}

// Reads one configuration. What is known of the driver may be nothing while a URL is a template.
class Planner {
 public:
  Planner(const Value& config, ConfigReader::Mode mode) : reader_(config, mode), mode_(mode) {}

  std::expected<SqlPlan, std::vector<std::string>> Run();

 private:
  void ReadDatabase();
  void ReadDriver(std::string_view key);
  void ReadSqliteTarget(std::string_view key, const std::string& text);
  void ReadPostgresTarget(std::string_view key, const std::string& text);
  void ReadPostgresObject(const Object& object);
  void ReadStatements();
  void ReadStatement(const Value& text, const std::string& where, const Value* own_parameters);
  void CheckText(const SqlText& text, const std::string& where);
  void ReadTransaction();
  std::string BeginOf(const std::string& isolation);
  void ReadLimits();

  ConfigReader reader_;
  ConfigReader::Mode mode_;
  std::optional<SqlDriver> driver_;
  bool unsafe_ = false;
  const Value* shared_ = nullptr;  // `parameters`
  std::set<std::string> used_names_;
  SqlPlan plan_;
};

std::expected<SqlPlan, std::vector<std::string>> Planner::Run() {
  ReadDatabase();
  ReadStatements();
  ReadTransaction();
  ReadLimits();
  plan_.driver = driver_.value_or(SqlDriver::kPostgres);
  plan_.timeout_us = reader_.DurationUs("timeout");
  std::vector<std::string> faults = reader_.TakeFaults();
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return std::move(plan_);
}

void Planner::ReadDriver(std::string_view key) {
  std::optional<std::string> name = reader_.Text(key);
  if (!name || reader_.IsOpen(Value(*name))) return;
  std::optional<SqlDriver> driver;
  if (*name == "sqlite" || *name == "sqlite3") driver = SqlDriver::kSqlite;
  if (*name == "postgres" || *name == "postgresql") driver = SqlDriver::kPostgres;
  bool says_nothing = key == "executor" && (*name == "sql" || *name == "database");
  if (!driver && !says_nothing) {
    reader_.AddFault(
        fmt::format("Expected `{}` to be sqlite or postgres but found \"{}\"", key, *name));
  }
  if (driver) driver_ = driver;
}

void Planner::ReadDatabase() {
  ReadDriver("executor");
  ReadDriver("driver");
  plan_.create = reader_.Bool("create", true);
  if (int64_t busy_us = reader_.DurationUs("busy_timeout"); busy_us > 0) {
    plan_.busy_timeout_us = busy_us;
  }
  std::vector<std::string_view> given;
  for (std::string_view key : {"url", "connection", "path"}) {
    if (reader_.Has(key)) given.push_back(key);
  }
  if (given.size() != 1) {
    reader_.AddFault(fmt::format("Expected one of `url`, `connection` and `path` but found {}",
                                 given.empty() ? "none" : "several"));
    return;
  }
  const Value* target = reader_.Any(given[0]);
  if (given[0] == "connection" && target->is_object()) {
    return ReadPostgresObject(target->as_object());
  }
  std::optional<std::string> text = reader_.Text(given[0]);
  if (!text) return;
  bool is_path = given[0] == "path" || text->starts_with("sqlite:");
  bool is_url = IsPostgresUrl(*text);
  if (!driver_ && is_path) driver_ = SqlDriver::kSqlite;
  if (!driver_ && is_url) driver_ = SqlDriver::kPostgres;
  if (reader_.IsOpen(Value(*text))) return;
  if (!driver_) {
    // The text is not shown: it may hold a password.
    reader_.AddFault(fmt::format(
        "Expected `{}` to begin with postgres:// or sqlite:, or `driver` to be sqlite or postgres, "
        "but found neither",
        given[0]));
  } else if (*driver_ == SqlDriver::kSqlite) {
    ReadSqliteTarget(given[0], *text);
  } else if (is_path) {
    reader_.AddFault("Expected the URL of a PostgreSQL database but found a path");
  } else {
    ReadPostgresTarget(given[0], *text);
  }
}

void Planner::ReadSqliteTarget(std::string_view key, const std::string& text) {
  if (IsPostgresUrl(text)) {
    reader_.AddFault(
        fmt::format("Expected `{}` to be the path of a file but found a URL of PostgreSQL", key));
    return;
  }
  std::string_view path = text;
  if (path.starts_with("sqlite:")) path.remove_prefix(7);
  if (path.starts_with("///")) path.remove_prefix(2);
  if (path.empty() || path.find('\0') != std::string_view::npos) {
    reader_.AddFault(fmt::format("Expected `{}` to be the path of a file but found none", key));
  }
  plan_.path = path;
}

void Planner::ReadPostgresTarget(std::string_view key, const std::string& text) {
  std::optional<PostgresSettings> settings = ParsePostgresSettings(text);
  if (!settings) {
    reader_.AddFault(fmt::format(
        "Expected `{}` to be postgres://user:password@host:port/database (special characters of "
        "the password percent-encoded) or pairs such as host=… dbname=… but found something else",
        key));
    return;
  }
  plan_.postgres = *std::move(settings);
  for (const auto& [keyword, value] : plan_.postgres) {
    if (IsPassword(keyword)) plan_.credentials.push_back(value);
  }
  if (!plan_.credentials.empty()) plan_.credentials.push_back(text);
}

// {host, port, database, user, password, sslmode, …}: libpq's keywords.
void Planner::ReadPostgresObject(const Object& object) {
  if (driver_ == SqlDriver::kSqlite) {
    reader_.AddFault("Expected `connection` to be the path of a file but found an object");
    return;
  }
  driver_ = SqlDriver::kPostgres;
  for (const Member& member : object) {
    std::string keyword = member.key;
    if (keyword == "database") keyword = "dbname";
    if (keyword == "username") keyword = "user";
    std::optional<std::string> text = ScalarText(member.value);
    if (!IsPostgresKeyword(keyword)) {
      reader_.AddFault(fmt::format(
          "Expected `connection` to hold host, port, database, user, password, sslmode or another "
          "keyword of libpq but found `{}`",
          member.key));
    } else if (!text || text->contains('\0')) {
      reader_.AddFault(fmt::format("Expected `connection.{}` to be a text but found {}", member.key,
                                   KindName(member.value.kind())));
    } else {
      if (IsPassword(keyword)) plan_.credentials.push_back(*text);
      plan_.postgres[keyword] = *std::move(text);
    }
  }
}

void Planner::ReadStatements() {
  unsafe_ = reader_.Bool("unsafe_query", false);
  shared_ = reader_.Any("parameters");
  const Value* query = reader_.Any("query");
  const Value* list = reader_.Any("statements");
  plan_.is_list = list != nullptr;
  if ((query != nullptr) == (list != nullptr)) {
    reader_.AddFault(fmt::format("Expected one of `query` and `statements` but found {}",
                                 query == nullptr ? "neither" : "both"));
    return;
  }
  if (query != nullptr) {
    ReadStatement(*query, "query", nullptr);
  } else if (!list->is_array() || list->as_array().empty() ||
             list->as_array().size() > kMaxSqlStatements) {
    reader_.AddFault(fmt::format("Expected `statements` to be a list of 1 to {} but found {}",
                                 kMaxSqlStatements,
                                 list->is_array() ? fmt::format("{}", list->as_array().size())
                                                  : std::string(KindName(list->kind()))));
    return;
  } else {
    for (size_t i = 0; i < list->as_array().size(); ++i) {
      const Value& element = list->as_array()[i];
      std::string where = fmt::format("statements[{}]", i);
      const Value* text = element.is_object() ? element.Find("query") : &element;
      if (text == nullptr) text = &element;
      ReadStatement(*text, where, element.Find("parameters"));
      if (!element.is_object()) continue;
      for (const Member& member : element.as_object()) {
        if (member.key == "query" || member.key == "parameters") continue;
        reader_.AddFault(fmt::format("Expected `{}` to hold query and parameters but found `{}`",
                                     where, member.key));
      }
    }
  }
  if (shared_ == nullptr || !shared_->is_object() || !driver_) return;
  for (const Member& member : shared_->as_object()) {
    if (used_names_.contains(member.key)) continue;
    reader_.AddFault(fmt::format(
        "Expected each of `parameters` to be used in a statement but found no :{}", member.key));
  }
}

void Planner::ReadStatement(const Value& text, const std::string& where,
                            const Value* own_parameters) {
  if (!text.is_string() || text.as_string().find_first_not_of(" \t\r\n;") == std::string::npos) {
    reader_.AddFault(fmt::format("Expected `{}` to be a statement but found {}", where,
                                 text.is_string() ? "an empty text" : KindName(text.kind())));
    return;
  }
  if (reader_.IsOpen(text)) {
    if (!unsafe_) {
      reader_.AddFault(fmt::format(
          "Expected the text of `{}` to hold no template but found one: a value in it could become "
          "a part of the statement. Use `parameters` (or `unsafe_query: true`)",
          where));
    }
    for (const Value* some = shared_; some != nullptr && some->is_object();) {
      for (const Member& member : some->as_object()) used_names_.insert(member.key);
      break;
    }
    return;
  }
  if (text.as_string().contains('\0')) {
    reader_.AddFault(fmt::format("Expected `{}` to hold no NUL character but found one", where));
    return;
  }
  if (!driver_) return;
  SqlText read = ReadSqlText(text.as_string(), *driver_);
  CheckText(read, where);
  const Value* given = own_parameters != nullptr ? own_parameters : shared_;
  if (given == shared_) used_names_.insert(read.names.begin(), read.names.end());
  if (given != nullptr && reader_.IsOpen(*given)) return;
  bool exact = given == own_parameters;
  auto bound = BindParameters(read, *driver_, where, given, exact, mode_);
  if (!bound) {
    for (std::string& fault : bound.error()) reader_.AddFault(std::move(fault));
    return;
  }
  plan_.statements.push_back({std::move(read.text), *std::move(bound)});
}

void Planner::CheckText(const SqlText& text, const std::string& where) {
  // The body of a trigger or function may hold statements of its own.
  if (text.several && text.first_word != "CREATE") {
    reader_.AddFault(
        fmt::format("Expected one statement in `{}` but found several: `statements` "
                    "takes a list",
                    where));
  }
  for (std::string_view word : {"BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT"}) {
    if (text.first_word != word) continue;
    reader_.AddFault(fmt::format(
        "Expected no {} in `{}`: `transaction` and `isolation` decide about the transaction", word,
        where));
  }
  if (text.first_word == "COPY" && driver_ == SqlDriver::kPostgres) {
    reader_.AddFault(fmt::format("Expected no COPY in `{}`: a step has no stream for it", where));
  }
}

std::string Planner::BeginOf(const std::string& isolation) {
  bool sqlite = driver_ == SqlDriver::kSqlite;
  std::string level = isolation;
  std::ranges::transform(level, level.begin(), [](char c) {
    if (c == '_' || c == '-') return ' ';
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  });
  static constexpr std::string_view kSqlite[] = {"DEFERRED", "IMMEDIATE", "EXCLUSIVE"};
  static constexpr std::string_view kPostgres[] = {"READ UNCOMMITTED", "READ COMMITTED",
                                                   "REPEATABLE READ", "SERIALIZABLE"};
  bool known =
      level.empty() || (sqlite ? std::ranges::find(kSqlite, level) != std::end(kSqlite)
                               : std::ranges::find(kPostgres, level) != std::end(kPostgres));
  if (!known) {
    reader_.AddFault(
        fmt::format("Expected `isolation` to be one of {} but found \"{}\"",
                    sqlite ? "deferred, immediate, exclusive"
                           : "read committed, repeatable read, serializable, read uncommitted",
                    isolation));
  }
  if (sqlite) {
    // Of two transactions that begin by reading and go on to write, one cannot; one that takes the
    // lock at once waits for it.
    std::string_view fallback = plan_.is_list && !plan_.read_only ? "IMMEDIATE" : "DEFERRED";
    return fmt::format("BEGIN {}", level.empty() ? fallback : level);
  }
  return fmt::format("BEGIN{}{}{}", level.empty() ? "" : " ISOLATION LEVEL ", level,
                     plan_.read_only ? " READ ONLY" : "");
}

void Planner::ReadTransaction() {
  plan_.read_only = reader_.Bool("read_only", false);
  std::optional<std::string> isolation = reader_.Text("isolation");
  bool wanted = plan_.is_list || plan_.read_only || isolation.has_value();
  plan_.transaction = reader_.Bool("transaction", wanted);
  if (!plan_.transaction && (plan_.read_only || isolation)) {
    reader_.AddFault(fmt::format("Expected a transaction with `{}` but found `transaction: false`",
                                 isolation ? "isolation" : "read_only"));
  }
  if (!driver_ || (isolation && reader_.IsOpen(Value(*isolation)))) return;
  plan_.begin = BeginOf(isolation.value_or(""));
}

void Planner::ReadLimits() {
  plan_.limits.truncate = reader_.Bool("truncate", false);
  const Value* rows = reader_.Any("max_rows");
  if (rows == nullptr || reader_.IsOpen(*rows)) return;
  if (!rows->is_int() || rows->as_int() < 1 || rows->as_int() > static_cast<int64_t>(kMaxSqlRows)) {
    reader_.AddFault(
        fmt::format("Expected `max_rows` to be 1 to {} but found {}", kMaxSqlRows, ToJson(*rows)));
    return;
  }
  plan_.limits.max_rows = static_cast<size_t>(rows->as_int());
}

}  // namespace

std::string SqlPlan::shown_database() const {
  return driver == SqlDriver::kSqlite ? path : ShownDatabase(postgres);
}

std::expected<SqlPlan, std::vector<std::string>> PlanSql(const Value& config,
                                                         ConfigReader::Mode mode) {
  return Planner(config, mode).Run();
}

}  // namespace stele::tasks
