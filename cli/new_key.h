// A new key for secrets or for the log: the same form for both.
#pragma once

#include "base/error.h"
#include "cli/arguments.h"
#include "cli/terminal.h"

namespace stele::cli {

// To the file of --out, which must be a new one and is closed to others, or to standard output.
Status PrintNewKey(const Arguments& arguments, const Terminal& terminal);

}  // namespace stele::cli
