// Loops that connections live on, each with a thread: sockets, TLS, what is read and sent. They are
// served on the loop that has this object, which is told of bytes alone and never waits for a
// socket.
//
// Thread: that loop's.
#pragma once

#include <kj/async.h>

#include <cstddef>
#include <memory>
#include <vector>

#include "server/loop/inbox.h"
#include "server/loop/kj_loop.h"
#include "server/loop/listener.h"
#include "server/loop/tls.h"
#include "server/loop/welcome.h"

namespace stele::server {

class ConnectionLoops {
 public:
  // `loops` 0: connections live on `home` itself. REQUIRES: `home` outlives it.
  ConnectionLoops(KjLoop& home, size_t loops);
  ConnectionLoops(const ConnectionLoops&) = delete;
  ConnectionLoops& operator=(const ConnectionLoops&) = delete;
  // Waits for the threads: what dropped streams had taken is sent, for twice kLingerMs at most.
  // REQUIRES: promises and streams of Open are gone.
  ~ConnectionLoops();

  // A stream over the socket, with TLS if there is a `tls` (TlsServer::Acceptor), on the loop that
  // has the fewest. Fails and is dropped as Welcome's.
  kj::Promise<Arrival> Open(AcceptedSocket socket, PeerEnd peer_end, TlsAcceptor tls);

  size_t loops() const { return loops_.size(); }
  // That live on each.
  std::vector<size_t> connections() const;

 private:
  class Loop;

  KjLoop& home_;
  Inbox inbox_;
  std::vector<std::unique_ptr<Loop>> loops_;
};

}  // namespace stele::server
