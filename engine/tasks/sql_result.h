// What the statements of an attempt answer, kept within bounds while it arrives.
//
// Thread: whoever fills it; it is handed on as a whole.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/value.h"
#include "engine/tasks/executor.h"
#include "engine/tasks/limits.h"

namespace stele::tasks {

struct SqlLimits {
  size_t max_rows = kDefaultSqlRows;  // of one statement
  size_t max_bytes = kMaxSqlResultBytes;
  bool truncate = false;  // leave out what is beyond them, rather than fail
};

class SqlResult {
 public:
  explicit SqlResult(SqlLimits limits) : limits_(limits) {}

  void BeginStatement();
  // A name that occurs again becomes `name_2`, `name_3`, …
  // False when there are too many.
  bool SetColumns(std::vector<std::string> names);
  // One value a column. False when the row is beyond the limits, and nothing more is wanted; with
  // `truncate` it is left out instead.
  // REQUIRES: SetColumns was called for this statement.
  bool AddRow(Array values);
  void EndStatement(int64_t rows_affected, std::optional<int64_t> last_insert_id);

  bool has_columns() const { return !statements_.empty() && statements_.back().has_columns; }
  size_t row_count() const { return row_count_; }
  int64_t rows_affected() const { return rows_affected_; }
  // What was beyond the limits.
  TaskFailure LimitFailure() const;

  // {rows, row_count, columns, rows_affected, last_insert_id?, truncated?}; of a list:
  // {results: [one a statement], rows_affected}.
  Object TakeOutput(bool list);

 private:
  struct Statement {
    bool has_columns = false;
    bool truncated = false;
    Object empty_row;  // the columns, with nulls
    Array rows;
    int64_t rows_affected = 0;
    std::optional<int64_t> last_insert_id;
  };
  static Object ToObject(Statement statement);

  SqlLimits limits_;
  std::vector<Statement> statements_;
  size_t bytes_ = 0;
  size_t row_count_ = 0;
  size_t row_overhead_ = 0;  // bytes of the names in each row
  int64_t rows_affected_ = 0;
  std::string over_;  // what was found beyond a limit
};

}  // namespace stele::tasks
