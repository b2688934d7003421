// What somebody types that is not to be seen: the value of a secret, a password.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::cli {

// From standard input: up to its end, or on a terminal one line, asked for with "WHAT (is not
// shown): "; without a line end at its end. kLimitExceeded: it has more bytes.
Result<std::string> AskUnseen(std::string_view what, size_t most_bytes);

}  // namespace stele::cli
