// Deeds as JSON and as CSV, the same at every edge; docs/audit.md has the members.
//
// Thread: any.
#pragma once

#include <string>

#include "base/error.h"
#include "base/value.h"
#include "replay/audit/deed.h"

namespace stele::replay {

// {time, position, seq, instance, definition, kind, action, actor, source, target, reason, outcome,
// erased}: members that say nothing are left out.
Object ToJson(const Deed& deed);
// kInvalidInput: it is none.
Result<Deed> ParseDeed(const Value& document);

// RFC 4180: a head, then a line for each, with CRLF. A field that a spreadsheet would take for a
// formula begins with an apostrophe.
std::string CsvHead();
std::string CsvLine(const Deed& deed);

}  // namespace stele::replay
