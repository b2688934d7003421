// Who has received a message.
//
// Thread: the loop's.
#pragma once

#include <vector>

#include "server/operations/desk.h"

namespace stele::server {

// Instances that have received the message of that position, as soon as what was decided before is
// durable. Those that receive it much later, when much else has been recorded, are not found.
// kForbidden: the caller may not see a definition of theirs.
Promised<std::vector<InstanceId>> ReceiversOf(Desk& desk, const Caller& caller, Position message);

}  // namespace stele::server
