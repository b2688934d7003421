// Moments as exchange formats write them: RFC 3339, in UTC, to the microsecond.
//
// Thread: any.
#pragma once

#include <string>

#include "base/ids.h"

namespace stele::replay {

// Appends "2026-03-01T12:30:05.250000Z". Moments that no four digits of a year reach are the first
// or the last that they do.
void WriteTime(TimeUs time, std::string& out);

}  // namespace stele::replay
