// What of a failure is kept. Functions, workers and servers of other people's say what they like,
// and a record holds a message several times: in the attempt's end, in that of each step around it,
// and in the instance's.
#pragma once

#include <cstddef>

#include "engine/tasks/executor.h"

namespace stele::tasks {

// Cuts the kind after kMaxFailureKindBytes and the message after kMaxFailureMessageBytes, and drops
// details of more than `max_details_bytes`, which the message then says.
void BoundFailure(TaskFailure& failure, size_t max_details_bytes);

}  // namespace stele::tasks
