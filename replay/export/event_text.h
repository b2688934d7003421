// An event's members as JSON text, and back: what an export says of an event. Payloads stand in it
// byte for byte as they are recorded.
//
// The members are those of engine/model/event.h by their names, in their order. What is zero,
// false, empty or absent is left out, except where 0 is a value like any other (scope, step,
// transition, body, index, enumerators). Steps, transitions and bodies are numbers, as recorded.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/definition/definition.h"
#include "engine/model/event.h"

namespace stele::replay {

// Appends {"run":1,…}. Whether ReadEventData makes the same event of it again: not when a text is
// no UTF-8, a payload no JSON in one line, or for what has no form in JSON (rows of views, the
// state that a fork begins with).
bool WriteEventData(const model::Event& event, std::string& out);

// Appends {"step":"charge","via":"check -> charge"}: the names of what the members give by number.
// Nothing, and false, when there is none.
bool WriteEventIds(const model::Event& event, const definition::Definition& definition,
                   std::string& out);

// The event that WriteEventData wrote. The message says what was expected, and what was found.
Result<model::Event> ReadEventData(std::string_view name, std::string_view data);

// Whether there are events of that name.
bool IsEventName(std::string_view name);

// Bytes as two hexadecimal digits each.
void WriteHex(std::string_view bytes, std::string& out);

}  // namespace stele::replay
