// A moment of an instance's history as people write it, the same for every command: `show`, `diff`,
// `fork`, `reset`, `debug` and its `jump`, an editor's debugger.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/ids.h"
#include "cli/arguments.h"
#include "replay/time_machine.h"

namespace stele::cli {

// "12", behind that event; "start", behind the first one; "end" and "now", behind the last; else a
// time as queries write it (projections::MomentOf), and a day is its begin. None: it is no moment.
std::optional<replay::When> ParseWhen(std::string_view text, TimeUs now);

// `what`: what the moment is for, as "--at". kUsage: it is no moment, with those that there are.
Result<replay::When> ReadWhen(std::string_view text, std::string_view what);

// Of an option; now when it is not there. kUsage.
Result<replay::When> GivenWhen(const Arguments& arguments, std::string_view option);

}  // namespace stele::cli
