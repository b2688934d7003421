#include "engine/decide/retry.h"

#include <algorithm>

#include "engine/decide/limits.h"

namespace stele::decide {

namespace {

uint64_t Mix(uint64_t z) {
  z += 0x9E3779B97F4A7C15ull;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
  return z ^ (z >> 31);
}

// At most `limit`. By multiplication alone: the last bit of a power is not the same everywhere.
double WithoutJitter(const definition::RetryPolicy& policy, uint32_t failed, double limit) {
  const double initial = static_cast<double>(policy.initial_delay_us);
  switch (policy.backoff) {
    case definition::Backoff::kFixed:
      return std::min(initial, limit);
    case definition::Backoff::kLinear:
      return std::min(initial * failed, limit);
    case definition::Backoff::kExponential:
      break;
  }
  double delay = initial;
  for (uint32_t n = 1; n < failed && delay > 0 && delay < limit && policy.multiplier != 1; ++n)
    delay *= policy.multiplier;
  return std::clamp(delay, 0.0, limit);
}

}  // namespace

bool WantsRetry(const definition::RetryPolicy& policy, uint32_t failed, std::string_view kind) {
  if (failed >= policy.max_attempts) return false;
  if (std::ranges::find(policy.no_retry_on, kind) != policy.no_retry_on.end()) return false;
  return policy.retry_on.empty() ||
         std::ranges::find(policy.retry_on, kind) != policy.retry_on.end();
}

int64_t RetryDelayUs(const definition::RetryPolicy& policy, uint32_t failed, InstanceId instance,
                     RunId run) {
  const double limit =
      static_cast<double>(policy.max_delay_us > 0 ? policy.max_delay_us : kMaxDelayUs);
  double delay = WithoutJitter(policy, failed, limit);
  if (policy.jitter > 0) {
    const uint64_t hash = Mix(Mix(Mix(instance.value) ^ run.value) ^ failed);
    const double unit = static_cast<double>(hash >> 11) * 0x1.0p-53;
    delay *= 1.0 - std::min(policy.jitter, 1.0) * unit;
  }
  return static_cast<int64_t>(delay);
}

}  // namespace stele::decide
