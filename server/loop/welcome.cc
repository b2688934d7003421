#include "server/loop/welcome.h"

#include <kj/exception.h>
#include <kj/string.h>

#include <utility>

#include "server/loop/address.h"
#include "server/loop/limits.h"

namespace stele::server {

kj::Promise<Arrival> Welcome(KjLoop& loop, int fd, PeerEnd peer_end, const TlsAcceptor& tls) {
  auto wrapped = WrapSocket(loop, fd, peer_end);
  if (!wrapped.has_value())
    return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                         kj::heapString(wrapped.error().message.c_str()));
  std::string peer = PeerAddress(**wrapped);
  if (tls == nullptr) return Arrival{*std::move(wrapped), std::move(peer), {}};
  return loop.timer()
      .timeoutAfter(kHandshakeSeconds * kj::SECONDS, tls(*std::move(wrapped)))
      .then([peer = std::move(peer)](TlsStream done) mutable {
        return Arrival{kj::mv(done.stream), std::move(peer), std::move(done.common_name)};
      });
}

}  // namespace stele::server
