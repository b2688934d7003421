// What forks, resets and dry forks are asked with alike.
//
// Thread: any.
#pragma once

#include <string>

#include "base/error.h"
#include "replay/time_machine.h"
#include "server/rest/call.h"

namespace stele::server::rest {

// Behind which event: `seq` or `at`, of which there must be one. kInvalidInput; kBadRequest: there
// are both.
Result<replay::When> GivenPlace(const Call& call, TimeUs now);

// `plan`, as JSON; empty: there is none. kInvalidInput: it is for no version, `has_target` is
// false.
Result<std::string> GivenPlan(const Call& call, bool has_target);

}  // namespace stele::server::rest
