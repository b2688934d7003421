// What has come to the shard, as against what it has decided: an attempt's result waits in its
// inbox.
//
// Thread: the loop's.
#pragma once

#include "server/operations/desk.h"

namespace stele::server {

// Kept when all that has come so far was decided, and what that came to is durable. kShardStopped:
// it will not be.
Promised<void> WhenTaken(Desk& desk);

}  // namespace stele::server
