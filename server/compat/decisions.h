// What people do about tasks where a dialect has one word for tasks of either kind.
//
// Thread: the loop's.
#pragma once

#include "base/payload.h"
#include "engine/requests/people.h"

namespace stele::server::compat {

// A manual task is done; an approval is approved, or rejected where `approved` of the variables is
// false.
requests::MakeCommand CompletionOf(RunId run, const requests::Person& person,
                                   const Payload& variables);

}  // namespace stele::server::compat
