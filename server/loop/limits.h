// Bounds of the edges' loop and streams.
#pragma once

#include <cstddef>
#include <cstdint>

namespace stele::server {

// Bytes that a stream reads ahead of its reader; at so many it stops reading.
inline constexpr size_t kReadBufferBytes = 64u << 10;
// Bytes that a stream takes before the kernel does. As many again may be on their way to a kernel
// that is full, so a stream holds twice this at most.
inline constexpr size_t kWriteBufferBytes = 64u << 10;
// What one stream writes before the others have their turn.
inline constexpr size_t kWriteBytesPerTurn = 1u << 20;
// Pieces of one system call.
inline constexpr size_t kPiecesPerWrite = 64;
// How long a stream that was dropped goes on sending what it had taken.
inline constexpr uint64_t kLingerMs = 5'000;
// How long a peer that ended its half is still answered where that is the end of both (PeerEnd).
inline constexpr int64_t kPeerEndMs = 200;
// What a connection on a loop of its own reads at once: as long as little comes, and then.
inline constexpr size_t kIdleBlockBytes = 2u << 10;
inline constexpr size_t kBusyBlockBytes = 16u << 10;
// For a TLS handshake.
inline constexpr int kHandshakeSeconds = 10;
// Events of KJ's between two looks at the sockets.
inline constexpr unsigned kEventsPerTurn = 4'096;
// How often in one turn what is written may lead to more that is written.
inline constexpr int kFlushesPerTurn = 4;
// Connections of one listener at once (ListenOptions::max_connections).
inline constexpr size_t kMaxConnections = 20'000;
// Connections that the kernel keeps until they are accepted.
inline constexpr int kListenBacklog = 1'024;
// Connections over the limit that are refused before the others have their turn.
inline constexpr int kRefusalsPerTurn = 64;
// How long a listener waits when the process has no descriptor left.
inline constexpr int64_t kAcceptPauseMs = 100;
// Silence of a peer after which the kernel asks whether it is still there.
inline constexpr int kKeepAliveSeconds = 60;
// Jobs that wait for one of the work threads (WorkThreads::Options::max_queued).
inline constexpr size_t kMaxQueuedJobs = 1'024;
// A certificate, key or CA file.
inline constexpr size_t kMaxPemBytes = 1u << 20;

}  // namespace stele::server
