// Loops that connections live on, each with a thread: sockets, TLS, what is read and sent. They are
// served on the loop that has this object, which is told of bytes alone and never waits for a
// socket.
//
// Thread: that loop's.
#pragma once

#include <kj/async.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "server/loop/inbox.h"
#include "server/loop/kj_loop.h"
#include "server/loop/limits.h"
#include "server/loop/listener.h"
#include "server/loop/tls.h"
#include "server/loop/welcome.h"

namespace stele::server {

class ConnectionLoops {
 public:
  // `loops` 0: connections live on `home` itself. `linger_ms`: how long a connection of the others
  // goes on sending what its dropped stream had taken. REQUIRES: `home` outlives it.
  ConnectionLoops(KjLoop& home, size_t loops, uint64_t linger_ms = kLingerMs);
  ConnectionLoops(const ConnectionLoops&) = delete;
  ConnectionLoops& operator=(const ConnectionLoops&) = delete;
  // Waits for the threads: not for long behind WhenEmpty. REQUIRES: promises and streams of Open
  // are gone.
  ~ConnectionLoops();

  // A stream over the socket, with TLS if there is a `tls` (TlsServer::Acceptor), on the loop that
  // has the fewest. Fails and is dropped as Welcome's.
  kj::Promise<Arrival> Open(AcceptedSocket socket, PeerEnd peer_end, TlsAcceptor tls);

  // When no connection is left on the loops: what dropped streams had taken is sent, or cannot be.
  kj::Promise<void> WhenEmpty();

  size_t loops() const { return loops_.size(); }
  // That live on each.
  std::vector<size_t> connections() const;

 private:
  class Loop;

  void OnGone(Loop& loop);

  KjLoop& home_;
  const uint64_t linger_ms_;
  Inbox inbox_;
  size_t open_ = 0;  // on the loops
  kj::Own<kj::PromiseFulfiller<void>> when_empty_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace stele::server
