// The addresses of one protocol: accepts connections, makes TLS of them, and has them served until
// they end.
//
// Thread: the loop's.
#pragma once

#include <kj/async-io.h>
#include <kj/async.h>

#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "server/loop/connection_loops.h"
#include "server/loop/kj_loop.h"
#include "server/loop/listener.h"
#include "server/loop/tls.h"

namespace stele::server {

class Doors final : public kj::TaskSet::ErrorHandler {
 public:
  // `source`: as server/auth/source.h has it.
  using Serve =
      std::function<kj::Promise<void>(kj::Own<kj::AsyncIoStream> stream, std::string source)>;

  // Accepts on `loop`; connections live on `loops`. `tls` may be null. REQUIRES: all of them
  // outlive it.
  Doors(KjLoop& loop, ConnectionLoops& loops, TlsServer* tls, ListenOptions options, Serve serve)
      : loop_(loop),
        loops_(loops),
        tls_(tls),
        options_(std::move(options)),
        serve_(std::move(serve)),
        tasks_(kj::heap<kj::TaskSet>(*this)) {}
  Doors(const Doors&) = delete;
  Doors& operator=(const Doors&) = delete;

  // Nobody is let in before Begin.
  Status Listen(const std::vector<std::string>& addresses);
  void Begin();
  std::vector<std::string> addresses() const;
  size_t connections() const;

  // Nobody is let in any more; who is in stays.
  void Close();
  // Ends the connections that are left; what was answered is sent still.
  void EndAll() { tasks_ = kj::heap<kj::TaskSet>(*this); }

 private:
  kj::Promise<void> AcceptNext(Listener& listener);
  kj::Promise<void> ServeOne(AcceptedSocket socket);
  // A connection that breaks is its client's affair.
  void taskFailed(kj::Exception&& exception) override {}

  KjLoop& loop_;
  ConnectionLoops& loops_;
  TlsServer* const tls_;
  const ListenOptions options_;
  const Serve serve_;
  std::vector<kj::Own<Listener>> listeners_;
  std::vector<kj::Promise<void>> accepting_;
  kj::Own<kj::TaskSet> tasks_;
};

}  // namespace stele::server
