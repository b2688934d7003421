// What becomes of a socket that was accepted before anybody talks over it.
#pragma once

#include <kj/async-io.h>
#include <kj/async.h>

#include <string>

#include "server/loop/kj_loop.h"
#include "server/loop/stream.h"
#include "server/loop/tls.h"

namespace stele::server {

// A connection that is ready to be served.
struct Arrival {
  kj::Own<kj::AsyncIoStream> stream;
  std::string peer;         // as of PeerAddress (address.h)
  std::string common_name;  // of the certificate that it has shown (TlsStream)
};

// Takes `fd` over. `tls` empty: none. Fails as DISCONNECTED when the peer has gone, and when its
// handshake takes longer than kHandshakeSeconds. Dropping the promise closes the socket.
kj::Promise<Arrival> Welcome(KjLoop& loop, int fd, PeerEnd peer_end, const TlsAcceptor& tls);

}  // namespace stele::server
