// The schema of the lines that json_lines.h writes (JSON Schema, draft 2020-12), made of the same
// table of events and their members: docs/schemas/event.schema.json is this text.
//
// Thread: any.
#pragma once

#include "base/value.h"

namespace stele::replay {

Value LineSchema();

}  // namespace stele::replay
