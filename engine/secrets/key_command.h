// What a command prints, when that is a key: of a key server, a keyring, a hardware module.
//
// Thread: any; it waits, until the command has ended or its time is up.
#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace stele::secrets {

// The standard output of `command`, run by /bin/sh with nothing to read. kMasterKey when it does
// not start, fails, prints more than kMaxKeyTextBytes or has not ended after `patience_ms`; then it
// is killed, but not what it started itself. Errors never hold what was printed. What something
// else that it left running prints later is not waited for.
// Wiping the text is the caller's affair: no other copy of it is left.
Result<std::string> OutputOfKeyCommand(const std::string& command, int64_t patience_ms);

}  // namespace stele::secrets
