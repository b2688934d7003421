// From the configuration of an SQL step to what runs: which database, which statements, with which
// values. Nothing is opened here.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/tasks/config_reader.h"
#include "engine/tasks/limits.h"
#include "engine/tasks/sql_postgres_settings.h"
#include "engine/tasks/sql_result.h"
#include "engine/tasks/sql_text.h"

namespace stele::tasks {

// Bound to a statement, never a part of its text.
struct SqlParameter {
  Value value;            // lists and objects go as JSON text
  bool is_bytes = false;  // the value is a text of these bytes
};

struct SqlStatement {
  std::string text;  // with numbered parameters
  std::vector<SqlParameter> parameters;
};

struct SqlPlan {
  SqlDriver driver = SqlDriver::kSqlite;
  std::string path;  // SQLite: as it was written, or ":memory:"
  bool create = true;
  int64_t busy_timeout_us = kSqliteBusyUs;
  PostgresSettings postgres;

  std::vector<SqlStatement> statements;
  bool is_list = false;  // `statements` rather than `query`
  bool transaction = false;
  std::string begin;  // the statement that begins the transaction
  bool read_only = false;
  SqlLimits limits;
  int64_t timeout_us = 0;  // 0: the configuration names none
  // Texts beside the request's secrets that must not be in messages.
  std::vector<std::string> credentials;

  // For messages: without user and password.
  std::string shown_database() const;
};

// A plan, or a sentence a fault. Before anything runs (kStatic) what a template will give is not
// yet there, and the plan is of no use but for its faults.
std::expected<SqlPlan, std::vector<std::string>> PlanSql(const Value& config,
                                                         ConfigReader::Mode mode);

}  // namespace stele::tasks
