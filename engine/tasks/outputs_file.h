// What a script writes to the file named `outputs`: a line `name=value` an output, or
//
//   name<<END
//   any number of lines
//   END
#pragma once

#include <string_view>

#include "base/error.h"
#include "base/value.h"

namespace stele::tasks {

// Values are texts, whatever they look like. A later line of the same name wins; empty lines and
// the carriage returns of Windows are passed over. Errors (kInvalidInput) name the line.
Result<Object> ParseOutputs(std::string_view text);

}  // namespace stele::tasks
