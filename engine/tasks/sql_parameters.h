// The values of a statement's parameters, matched with what its text asks for.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "engine/tasks/config_reader.h"
#include "engine/tasks/sql_plan.h"
#include "engine/tasks/sql_text.h"

namespace stele::tasks {

// `given` is a list by position, an object by name, or null. `where` names the statement in
// faults. With `exact`, no name may be left over.
std::expected<std::vector<SqlParameter>, std::vector<std::string>> BindParameters(
    const SqlText& text, SqlDriver driver, const std::string& where, const Value* given, bool exact,
    ConfigReader::Mode mode);

}  // namespace stele::tasks
