// When a failed attempt is tried again.
#pragma once

#include <string_view>

#include "base/ids.h"
#include "engine/definition/definition.h"

namespace stele::decide {

// True when the policy wants another attempt after `failed` counted ones, for an error of `kind`.
bool WantsRetry(const definition::RetryPolicy& policy, uint32_t failed, std::string_view kind);

// Microseconds to wait after the `failed`-th counted attempt: fixed d, linear d·n, exponential
// d·m^(n-1), at most max_delay, then drawn from [delay·(1-jitter), delay] by a hash of the run and
// attempt (SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
int64_t RetryDelayUs(const definition::RetryPolicy& policy, uint32_t failed, InstanceId instance,
                     RunId run);

}  // namespace stele::decide
