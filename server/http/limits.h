// How much one client may ask of the HTTP edge. Those of ServiceSettings are only defaults.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server::http {

// Of a request target as it was sent, path and query.
inline constexpr size_t kMaxTargetBytes = 8192;
// Of the line it stands in: beside it, a method, a version and blanks.
inline constexpr size_t kMaxRequestLineBytes = kMaxTargetBytes + 64;
// Of a whole head, and the fields in it. kj's own bound of a head is 128 KiB.
inline constexpr size_t kMaxHeadBytes = 32u << 10;
inline constexpr size_t kMaxFields = 128;
// Of a body in chunks: one line of a size with its extensions, all the extensions, the trailer.
inline constexpr size_t kMaxChunkLineBytes = 1024;
inline constexpr size_t kMaxExtensionBytes = 16u << 10;
inline constexpr size_t kMaxTrailerBytes = 8u << 10;
inline constexpr size_t kMaxSegments = 32;
inline constexpr size_t kMaxQueryParameters = 256;

inline constexpr size_t kMaxBodyBytes = 4u << 20;
// Of the bodies of all requests that are read or in progress.
inline constexpr size_t kMaxBodiesBytes = 256u << 20;
// What is read and dropped of a body that nobody wants, so that the answer reaches a client that is
// still sending: a connection that is closed with unread bytes is reset, and the answer is lost.
inline constexpr size_t kMaxDroppedBytes = 1u << 20;
inline constexpr int64_t kDropSeconds = 2;

inline constexpr int64_t kHeaderSeconds = 15;
inline constexpr int64_t kBodySeconds = 30;
inline constexpr int64_t kIdleSeconds = 60;
// For a client to take the next bytes of its answer, while the kernel has no room for more.
inline constexpr int64_t kSendSeconds = 60;
inline constexpr int64_t kHeartbeatSeconds = 15;

inline constexpr size_t kMaxInProgress = 4096;
inline constexpr size_t kMaxStreams = 4096;

// Below, gzip gains nothing; above, it would hold the loop for too long.
inline constexpr size_t kMinGzipBytes = 1024;
inline constexpr size_t kMaxGzipBytes = 8u << 20;
inline constexpr int kGzipLevel = 3;

inline constexpr size_t kMaxRequestIdBytes = 64;

}  // namespace stele::server::http
