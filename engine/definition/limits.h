// How large a definition may be. A file beyond a limit is refused with a fault at the place where
// the limit was passed, so that no file can cost more than these bound.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::definition {

inline constexpr size_t kMaxFileBytes = 4u << 20;
inline constexpr size_t kMaxDepth = 64;                 // of maps and lists in each other
inline constexpr size_t kMaxNodes = 200'000;            // scalars, lists and maps, aliases expanded
inline constexpr size_t kMaxExpandedBytes = 16u << 20;  // of all strings, aliases expanded
inline constexpr size_t kMaxAliases = 1'000;            // `*name` and `<<` in a YAML file
inline constexpr size_t kMaxStringBytes = 1u << 20;
inline constexpr size_t kMaxKeys = 4'096;     // of one map
inline constexpr size_t kMaxNameBytes = 256;  // of a workflow, step, variable, template, trigger
inline constexpr size_t kMaxSteps = 5'000;
inline constexpr size_t kMaxTransitions = 20'000;
inline constexpr size_t kMaxLoopNesting = 64;    // natural loops of a graph in each other
inline constexpr size_t kMaxTemplateDepth = 16;  // step templates that use each other
inline constexpr size_t kMaxFaults = 200;        // reported of one file

// What a loop that names no limit may run, and how many iterations a `parallel` over items runs at
// once when the file does not say.
inline constexpr uint32_t kDefaultMaxIterations = 100'000;
inline constexpr uint32_t kDefaultMaxConcurrent = 64;
inline constexpr uint32_t kMaxConcurrency = 1'000'000;  // of `concurrency` and `rate_limit`
// JSON schemas (json_schema.h).
inline constexpr size_t kMaxSchemaNodes = 5'000;
inline constexpr size_t kMaxSchemaFaults = 50;
inline constexpr size_t kMaxSchemaSteps = 2'000'000;
inline constexpr uint32_t kMaxSchemaDepth = 300;
inline constexpr size_t kMaxSchemaPattern = 512;

inline constexpr int64_t kMaxApprovers = 1'000;
inline constexpr int64_t kMaxReminders = 1'000;
inline constexpr size_t kMaxRaceEvents = 100;
inline constexpr int32_t kMinPriority = -1'000'000;
inline constexpr int32_t kMaxPriority = 1'000'000;
inline constexpr uint32_t kMaxAttempts = 1'000'000;
inline constexpr int64_t kMaxDurationUs = int64_t{10} * 366 * 86'400 * 1'000'000;

}  // namespace stele::definition
