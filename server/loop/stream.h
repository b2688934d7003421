// A connected socket as KJ's stream, on libuv.
//
// What is written in a turn of the loop goes out in one call; what is read comes through a bounded
// buffer (limits.h). Errors are kj exceptions of type DISCONNECTED. Dropping a promise of a read or
// a write is safe at any time; what a dropped write had handed over may be sent still. A stream
// that is dropped sends what it had taken before it closes, for a few seconds at most.
//
// `whenWriteDisconnected` is kept when the connection is found to be broken, which is told by
// reading ahead: not while the read buffer is full, and a TCP peer that closed looks like one that
// ended its half until something is written to it.
#pragma once

#include <kj/async-io.h>

#include "base/error.h"
#include "server/loop/kj_loop.h"

namespace stele::server {

// Takes `fd`, a connected socket (TCP or Unix), over, also when it fails. Used on the loop's
// thread. REQUIRES: the stream is dropped before `loop` is.
Result<kj::Own<kj::AsyncIoStream>> WrapSocket(KjLoop& loop, int fd);

}  // namespace stele::server
