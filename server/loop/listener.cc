#include "server/loop/listener.h"

#include <fmt/format.h>
#include <kj/debug.h>
#include <kj/refcount.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "server/loop/stream.h"
#include "server/loop/welcome.h"

namespace stele::server {
namespace {

kj::Exception NotListening() {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::str("Expected a listener but found one that was closed"));
}

kj::uint PortOf(const SocketAddress& address) {
  if (address.family() == AF_INET)
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address.storage)->sin_port);
  if (address.family() == AF_INET6)
    return ntohs(reinterpret_cast<const sockaddr_in6*>(&address.storage)->sin6_port);
  return 0;
}

}  // namespace

AcceptedSocket::~AcceptedSocket() {
  if (fd_ >= 0) ::close(fd_);
}

// How many streams there are: outlives the listener as they may.
struct Listener::Count : kj::Refcounted {
  size_t open = 0;
};

// What a stream holds to be counted.
class Listener::Counted {
 public:
  explicit Counted(Count& count) : count_(kj::addRef(count)) { ++count_->open; }
  KJ_DISALLOW_COPY(Counted);
  ~Counted() { --count_->open; }

 private:
  kj::Own<Count> count_;
};

// One accept() that waits. The promise's owner may drop it at any time.
class Listener::Waiting {
 public:
  Waiting(kj::PromiseFulfiller<AcceptedSocket>& done, Listener& listener)
      : done_(done), listener_(&listener) {
    listener.waiting_.push_back(this);
  }
  KJ_DISALLOW_COPY(Waiting);
  ~Waiting() { Leave(); }

  void Finish(AcceptedSocket socket) {
    Leave();
    done_.fulfill(kj::mv(socket));
  }
  void Reject(kj::Exception&& why) {
    Leave();
    done_.reject(kj::mv(why));
  }

 private:
  void Leave() {
    if (listener_ != nullptr) std::erase(std::exchange(listener_, nullptr)->waiting_, this);
  }

  kj::PromiseFulfiller<AcceptedSocket>& done_;
  Listener* listener_;
};

Listener::Listener(KjLoop& loop, ListeningSocket socket, const ListenOptions& options)
    : loop_(loop),
      socket_(std::move(socket)),
      address_(Text(socket_.address())),
      port_(PortOf(socket_.address())),
      max_connections_(options.max_connections),
      peer_end_(options.peer_end),
      count_(kj::refcounted<Count>()) {
  watch_.emplace(loop.uv(), socket_.fd(), [this] { AcceptAll(); });
}

Listener::~Listener() noexcept(false) {
  Close();
}

size_t Listener::connections() const {
  return count_->open;
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Listener::accept() {
  return AcceptSocket().then([&loop = loop_, peer_end = peer_end_](AcceptedSocket socket) {
    return Welcome(loop, socket.Release(), peer_end, nullptr)
        .then([counted = socket.TakeCounted()](Arrival arrival) mutable {
          return arrival.stream.attach(kj::mv(counted));
        });
  });
}

kj::Promise<AcceptedSocket> Listener::AcceptSocket() {
  if (!watch_) return NotListening();
  if (waiting_.empty() && !paused_) {
    std::optional<AcceptedSocket> socket;
    if (AcceptOne(socket) == Outcome::kSocket) return *std::move(socket);
  }
  auto promise = kj::newAdaptedPromise<AcceptedSocket, Waiting>(*this);
  // What AcceptOne found may be a pause, or somebody over the limit: both are seen to there.
  if (!paused_) watch_->Start(UV_READABLE);
  return promise;
}

Listener::Outcome Listener::AcceptOne(std::optional<AcceptedSocket>& socket) {
  for (int refused = 0; refused < kRefusalsPerTurn;) {
    const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && count_->open < max_connections_) {
      socket.emplace(fd, kj::heap<Counted>(*count_));
      return Outcome::kSocket;
    }
    if (fd >= 0) {
      ::close(fd);
      ++refused;
      continue;
    }
    const int error = errno;
    if (error == EAGAIN) return Outcome::kNobody;
    if (error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM)
      return Outcome::kPause;
    // The listener itself is no listener any more.
    if (error == EBADF || error == EINVAL || error == ENOTSOCK) return Outcome::kBroken;
    // Everything else is a fault of the one connection (accept(2)), or a signal.
  }
  return Outcome::kNobody;
}

void Listener::AcceptAll() {
  while (!waiting_.empty()) {
    std::optional<AcceptedSocket> socket;
    switch (AcceptOne(socket)) {
      case Outcome::kSocket:
        waiting_.front()->Finish(*std::move(socket));
        break;
      case Outcome::kNobody:
        return;
      case Outcome::kPause:
        return Pause();
      case Outcome::kBroken:
        return Close();
    }
  }
  watch_->Stop();
}

void Listener::Pause() {
  watch_->Stop();
  paused_ = true;
  pause_ = loop_.timer()
               .afterDelay(kAcceptPauseMs * kj::MILLISECONDS)
               .then([this] {
                 watch_->Start(UV_READABLE);
                 // Not the promise that runs this: that one is let go of by the next pause.
                 paused_ = false;
               })
               .eagerlyEvaluate(nullptr);
}

void Listener::Close() {
  if (!watch_) return;
  pause_ = nullptr;
  watch_.reset();
  socket_.Close();
  while (!waiting_.empty()) waiting_.front()->Reject(NotListening());
}

kj::uint Listener::getPort() {
  return port_;
}

void Listener::getsockopt(int level, int option, void* value, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockopt(socket_.fd(), level, option, value, &size));
  *length = size;
}

void Listener::setsockopt(int level, int option, const void* value, kj::uint length) {
  KJ_SYSCALL(::setsockopt(socket_.fd(), level, option, value, length));
}

void Listener::getsockname(sockaddr* address, kj::uint* length) {
  socklen_t size = *length;
  KJ_SYSCALL(::getsockname(socket_.fd(), address, &size));
  *length = size;
}

Result<kj::Own<Listener>> Listen(KjLoop& loop, std::string_view address,
                                 const ListenOptions& options) {
  const auto parsed = ParseAddress(address);
  if (!parsed) return std::unexpected(parsed.error());
  auto socket = ListeningSocket::Bind(*parsed, options);
  if (!socket) return std::unexpected(std::move(socket).error());
  return kj::heap<Listener>(loop, *std::move(socket), options);
}

}  // namespace stele::server
