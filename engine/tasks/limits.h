// The bounds of what a task may take and give. Each has an option in the executor that it limits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::tasks {

// What a script may write to one of its streams before the middle is left out.
inline constexpr size_t kMaxStreamBytes = 1u << 20;
// The output `stdout` of a script; longer texts lose their middle.
inline constexpr size_t kMaxStdoutOutputBytes = 64u << 10;
// The log that is kept with an attempt.
inline constexpr size_t kMaxLogBytes = 256u << 10;
// The end of the error stream that a failure carries.
inline constexpr size_t kErrorTailBytes = 4u << 10;
// The file `outputs`; a longer one fails the attempt.
inline constexpr size_t kMaxOutputsFileBytes = 1u << 20;
// An input up to this size is also in the environment (Linux allows 128 KiB a string).
inline constexpr size_t kMaxEnvironmentValueBytes = 64u << 10;
// Between SIGTERM and SIGKILL.
inline constexpr int64_t kKillGraceUs = 5'000'000;

// A response's body after decompression, and its headers.
inline constexpr size_t kMaxResponseBytes = 8u << 20;
inline constexpr size_t kMaxResponseHeaderBytes = 64u << 10;
inline constexpr int64_t kMaxRedirects = 10;
// A request without a timeout of its own.
inline constexpr int64_t kDefaultHttpTimeoutUs = 30'000'000;
// The beginning of a refused response that a failure carries.
inline constexpr size_t kBodyExcerptBytes = 4u << 10;

}  // namespace stele::tasks
