#include "engine/tasks/sql_result.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "base/check.h"
#include "base/json.h"

namespace stele::tasks {
namespace {

// About what the value takes as JSON.
size_t TextSize(const Value& value) {
  switch (value.kind()) {
    case Value::Kind::kNull:
    case Value::Kind::kBool:
      return 5;
    case Value::Kind::kInt:
    case Value::Kind::kDouble:
      return 12;
    case Value::Kind::kString:
      return value.as_string().size() + 3;
    case Value::Kind::kArray:
    case Value::Kind::kObject:
      return ToJson(value).size() + 1;
  }
  return 0;
}

}  // namespace

void SqlResult::BeginStatement() {
  statements_.emplace_back();
}

bool SqlResult::SetColumns(std::vector<std::string> names) {
  Statement& statement = statements_.back();
  CHECK(!statement.has_columns, "columns were given twice");
  statement.has_columns = true;
  if (names.size() > kMaxSqlColumns) {
    over_ = fmt::format("Expected at most {} columns but found {}", kMaxSqlColumns, names.size());
    return false;
  }
  // A suffixed name must not take the place of a column that is really called so.
  std::set<std::string> taken(names.begin(), names.end());
  row_overhead_ = 2;
  for (std::string& name : names) {
    std::string unique = name;
    for (int n = 2; statement.empty_row.Find(unique) != nullptr; ++n) {
      std::string next = fmt::format("{}_{}", name, n);
      if (!taken.contains(next)) unique = std::move(next);
    }
    row_overhead_ += unique.size() + 4;
    statement.empty_row.Set(unique, nullptr);
  }
  return true;
}

bool SqlResult::AddRow(Array values) {
  Statement& statement = statements_.back();
  CHECK(statement.empty_row.size() == values.size(), "{} values for {} columns", values.size(),
        statement.empty_row.size());
  if (statement.truncated) return true;
  size_t bytes = row_overhead_;
  for (const Value& value : values) bytes += TextSize(value);
  if (statement.rows.size() >= limits_.max_rows || bytes_ + bytes > limits_.max_bytes) {
    statement.truncated = limits_.truncate;
    if (limits_.truncate) return true;
    over_ =
        statement.rows.size() >= limits_.max_rows
            ? fmt::format("Expected at most {} rows (`max_rows`) but found more", limits_.max_rows)
            : fmt::format("Expected rows of at most {} bytes but found more", limits_.max_bytes);
    return false;
  }
  bytes_ += bytes;
  Object row = statement.empty_row;
  size_t i = 0;
  for (Member& member : row) member.value = std::move(values[i++]);
  statement.rows.emplace_back(std::move(row));
  ++row_count_;
  return true;
}

void SqlResult::EndStatement(int64_t rows_affected, std::optional<int64_t> last_insert_id) {
  statements_.back().rows_affected = rows_affected;
  statements_.back().last_insert_id = last_insert_id;
  rows_affected_ += rows_affected;
}

TaskFailure SqlResult::LimitFailure() const {
  return TaskFailure{"output_limit", over_, false, {}};
}

Object SqlResult::ToObject(Statement statement) {
  Array columns;
  for (const Member& member : statement.empty_row) columns.emplace_back(member.key);
  Object object;
  object.Set("row_count", static_cast<int64_t>(statement.rows.size()));
  object.Set("rows", std::move(statement.rows));
  object.Set("columns", std::move(columns));
  object.Set("rows_affected", statement.rows_affected);
  if (statement.last_insert_id) object.Set("last_insert_id", *statement.last_insert_id);
  if (statement.truncated) object.Set("truncated", true);
  return object;
}

Object SqlResult::TakeOutput(bool list) {
  if (!list) {
    CHECK(statements_.size() == 1, "{} statements", statements_.size());
    return ToObject(std::move(statements_[0]));
  }
  Array results;
  for (Statement& statement : statements_) results.emplace_back(ToObject(std::move(statement)));
  return Object{{"results", std::move(results)}, {"rows_affected", rows_affected_}};
}

}  // namespace stele::tasks
