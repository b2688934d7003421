// A connected socket as KJ's stream, on libuv.
//
// What is written in a turn of the loop goes out in one call; what is read comes through a bounded
// buffer (limits.h). Errors are kj exceptions of type DISCONNECTED. Dropping a promise of a read or
// a write is safe at any time; what a dropped write had handed over may be sent still. A stream
// that is dropped sends what it had taken before it closes, for a few seconds at most.
//
// `whenWriteDisconnected` is kept when the connection is found to be broken, which is told by
// reading ahead: not while the read buffer is full. A TCP peer that closed looks like one that
// ended its half until something is written to it: PeerEnd says what to take it for.
#pragma once

#include <kj/async-io.h>

#include "base/error.h"
#include "server/loop/kj_loop.h"

namespace stele::server {

// What the end of a peer's half means.
enum class PeerEnd {
  kOfItsHalf,    // it sends no more, and may read on
  kOfBothHalves  // it has gone, as clients of HTTP have: told kPeerEndMs later, lest one that has
                 // said all and waits for a quick answer goes without
};

// Takes `fd`, a connected socket (TCP or Unix), over, also when it fails. Used on the loop's
// thread. REQUIRES: the stream is dropped before `loop` is.
Result<kj::Own<kj::AsyncIoStream>> WrapSocket(KjLoop& loop, int fd,
                                              PeerEnd peer_end = PeerEnd::kOfItsHalf);

}  // namespace stele::server
