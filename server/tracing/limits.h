// How much telling a collector may cost.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server::tracing {

// Spans that wait to be sent; the oldest go when more come while a collector does not take them.
inline constexpr size_t kMaxQueuedSpans = 8'192;
// Spans of one request.
inline constexpr size_t kMaxBatchSpans = 512;
// Of a text in a span: names of definitions, steps, types, kinds of errors.
inline constexpr size_t kMaxSpanText = 128;

// Room that is left in the queue before a record is read: most come to fewer spans.
inline constexpr size_t kSpansOfARecord = 16;

// How often the log is looked at, and how many records at once before the loop turns again.
inline constexpr int64_t kLookEveryUs = 100'000;
inline constexpr size_t kRecordsAtOnce = 2'000;
// Instances in memory, by their bytes and by their number; what does not fit is read again.
inline constexpr size_t kTrackedBytes = 32u << 20;
inline constexpr size_t kKnownInstances = 65'536;

// A request, and how long it waits after one that failed: twice as long each time.
inline constexpr int64_t kRequestTimeoutUs = 10'000'000;
inline constexpr int64_t kFirstBackoffUs = 500'000;
inline constexpr int64_t kMaxBackoffUs = 30'000'000;
// What a collector may ask for with Retry-After.
inline constexpr int64_t kMaxRetryAfterUs = 120'000'000;
// A batch that was refused for so long is dropped.
inline constexpr int64_t kMaxRetryUs = 300'000'000;
inline constexpr size_t kMaxAnswerBytes = 64u << 10;

// At the end: how long what is left may take.
inline constexpr int64_t kFlushUs = 5'000'000;

}  // namespace stele::server::tracing
