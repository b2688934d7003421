// How events, changes and values of the past are told.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/value.h"
#include "cli/document.h"
#include "cli/terminal.h"

namespace stele::cli {

// "event 12, 2026-11-22 09:30:01.250: step_completed charge #3 (by ann)"
std::string EventPhrase(const Document& event);

// A value on one line, cut to `width` columns; 0: as it is. A moment by name (started, due, …) as a
// time.
std::string ValueText(std::string_view name, const Value& value, size_t width);

// Changes as of ChangesToJson, as a tree: "+" added, "-" removed, "~" changed, old → new. `most`
// lines, then how many there are more; 0: all.
std::string ChangeTree(const Array& changes, const Terminal& terminal, size_t most = 0);

// How much of a value is shown on a line of that terminal.
size_t ValueWidth(const Terminal& terminal);

// {"ID  STATE …"}: a table with a title, indented; empty without rows.
std::string Section(std::string_view title, const std::vector<std::vector<std::string>>& rows);

}  // namespace stele::cli
