// What PostgreSQL says, as values and failures: types by their numbers, errors by their SQLSTATE.
//
// Sources: PostgreSQL 15, chapters 8 (data types) and appendix A (error codes); pg_type.dat for the
// numbers of types, which never change.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/value.h"
#include "engine/tasks/executor.h"

namespace stele::tasks {

inline constexpr uint32_t kPostgresBytea = 17;

// `text` as the server writes it with DateStyle ISO and bytea_output hex. What JSON has no exact
// kind for stays a text. `type` is the number of the type.
Value PostgresValue(uint32_t type, std::string_view text);

// "connect" or "sql", and whether another attempt may succeed.
TaskFailure PostgresFailure(std::string_view sqlstate, std::string message, Object details);

// libpq tells the SQLSTATE of a refused connection in its verbose text alone:
// "… FATAL:  28P01: password authentication failed …". Empty when there is none.
std::string SqlstateIn(std::string_view verbose);

// One line, without the lines of libpq's verbose text about the server's source.
std::string OneLine(std::string_view message);

}  // namespace stele::tasks
