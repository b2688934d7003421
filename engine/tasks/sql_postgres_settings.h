// Where a PostgreSQL database is and how to enter it: a URL, or pairs `host=… dbname=…`, as libpq
// reads them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace stele::tasks {

// libpq's keywords and their values: host, port, dbname, user, password, sslmode, …
// Source: PostgreSQL 15, chapter 34.1.2.
using PostgresSettings = std::map<std::string, std::string>;

// Empty when there is none.
std::string Setting(const PostgresSettings& settings, const std::string& keyword);

bool IsPostgresUrl(std::string_view text);

// Nothing when libpq cannot read it; why is not told, since that may hold a part of the password.
std::optional<PostgresSettings> ParsePostgresSettings(const std::string& text);

// False for a keyword that libpq does not have.
bool IsPostgresKeyword(std::string_view keyword);

// What is sent to libpq: with host and port from its own defaults (PGHOST, …) where there are none,
// dates, bytes and numbers in the forms that sql_postgres_values.h reads, and a dead peer noticed.
PostgresSettings CompleteSettings(PostgresSettings settings);

// "orders at db.example:5432": for messages, without user and password.
std::string ShownDatabase(const PostgresSettings& settings);

}  // namespace stele::tasks
