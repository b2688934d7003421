// The text of one SQL statement, read just far enough to know its parameters: what stands in
// strings, quoted names, dollar quotes and comments is left alone. No SQL is understood here.
//
// Sources: PostgreSQL 15, chapter 4.1 (lexical structure); SQLite, "SQLite Keywords" and
// "Binding Values To Prepared Statements".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace stele::tasks {

enum class SqlDriver { kSqlite, kPostgres };

struct SqlText {
  // The statement with `:name` written as `$n` (PostgreSQL) or `?n` (SQLite).
  std::string text;
  // The names by number; a name that occurs twice has one number.
  std::vector<std::string> names;
  // The highest number of the parameters that are written as numbers, or as `?`.
  size_t positions = 0;
  // In upper case; empty when there is none.
  std::string first_word;
  // Something stands behind a `;`.
  bool several = false;
};

SqlText ReadSqlText(std::string_view text, SqlDriver driver);

}  // namespace stele::tasks
