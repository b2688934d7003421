#include "server/loop/connect.h"

#include <kj/debug.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/loop/address.h"
#include "server/loop/fd_watch.h"
#include "server/loop/stream.h"

namespace stele::server {
namespace {

using Addresses = std::vector<SocketAddress>;

kj::Exception NoConnection(kj::StringPtr where, const char* why) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::str("Expected a server at ", where, " but found: ", why));
}

// A name that is looked up by libuv's threads. The request outlives a promise that is dropped.
class Lookup {
 public:
  Lookup(kj::PromiseFulfiller<Addresses>& done, KjLoop& loop, const Address& address,
         std::string where)
      : done_(done), where_(std::move(where)), request_(new Request{.uv = {}, .lookup = this}) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    request_->uv.data = request_;
    const std::string host = address.host.empty() ? "localhost" : address.host;
    const int error = uv_getaddrinfo(loop.uv(), &request_->uv, OnDone, host.c_str(),
                                     std::to_string(address.port).c_str(), &hints);
    if (error != 0) {
      delete std::exchange(request_, nullptr);
      done_.reject(NoConnection(where_.c_str(), uv_strerror(error)));
    }
  }
  KJ_DISALLOW_COPY(Lookup);
  ~Lookup() {
    if (request_ == nullptr) return;
    request_->lookup = nullptr;
    uv_cancel(reinterpret_cast<uv_req_t*>(&request_->uv));
  }

 private:
  struct Request {
    uv_getaddrinfo_t uv;
    Lookup* lookup;
  };

  static void OnDone(uv_getaddrinfo_t* uv, int status, addrinfo* list) {
    const std::unique_ptr<Request> request(static_cast<Request*>(uv->data));
    const std::unique_ptr<addrinfo, void (*)(addrinfo*)> freed(list, uv_freeaddrinfo);
    Lookup* lookup = request->lookup;
    if (lookup == nullptr) return;
    lookup->request_ = nullptr;
    if (status != 0) {
      lookup->done_.reject(NoConnection(lookup->where_.c_str(), uv_strerror(status)));
    } else {
      lookup->done_.fulfill(SocketAddresses(list));
    }
  }

  kj::PromiseFulfiller<Addresses>& done_;
  const std::string where_;
  Request* request_;
};

// One address after another, until a peer answers.
class Dialer {
 public:
  Dialer(kj::PromiseFulfiller<kj::Own<kj::AsyncIoStream>>& done, KjLoop& loop, Addresses addresses,
         std::string where)
      : done_(done), loop_(loop), addresses_(std::move(addresses)), where_(std::move(where)) {
    DialNext();
  }
  KJ_DISALLOW_COPY(Dialer);
  ~Dialer() { HangUp(); }

 private:
  void DialNext() {
    for (; next_ < addresses_.size(); HangUp()) {
      const SocketAddress& address = addresses_[next_++];
      fd_ = ::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd_ < 0) {
        error_ = errno;
        continue;
      }
      if (::connect(fd_, address.get(), address.length) == 0) return Connected();
      error_ = errno;
      if (error_ == EINPROGRESS) {
        watch_.emplace(loop_.uv(), fd_, [this] { Answered(); });
        watch_->Start(UV_WRITABLE);
        return;
      }
    }
    done_.reject(NoConnection(where_.c_str(), std::strerror(error_)));
  }

  void Answered() {
    socklen_t size = sizeof(error_);
    if (::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error_, &size) != 0) error_ = errno;
    watch_.reset();
    if (error_ == 0) return Connected();
    HangUp();
    DialNext();
  }

  void Connected() {
    auto stream = WrapSocket(loop_, std::exchange(fd_, -1));
    if (stream) {
      done_.fulfill(*std::move(stream));
    } else {
      done_.reject(NoConnection(where_.c_str(), stream.error().message.c_str()));
    }
  }

  void HangUp() {
    watch_.reset();
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  kj::PromiseFulfiller<kj::Own<kj::AsyncIoStream>>& done_;
  KjLoop& loop_;
  const Addresses addresses_;
  const std::string where_;
  size_t next_ = 0;
  int fd_ = -1;
  int error_ = EADDRNOTAVAIL;
  std::optional<FdWatch> watch_;
};

}  // namespace

kj::Promise<kj::Own<kj::AsyncIoStream>> Connect(KjLoop& loop, std::string_view address) {
  const auto parsed = ParseAddress(address);
  if (!parsed)
    return kj::Exception(kj::Exception::Type::FAILED, __FILE__, __LINE__,
                         kj::heapString(parsed.error().message.c_str()));
  const std::string where(address);
  using Stream = kj::Own<kj::AsyncIoStream>;
  if (parsed->is_unix()) {
    auto found = UnixAddress(parsed->path);
    return kj::newAdaptedPromise<Stream, Dialer>(loop, Addresses{*found}, where);
  }
  if (parsed->port == 0) return NoConnection(where.c_str(), "port 0, which no server has");
  return kj::newAdaptedPromise<Addresses, Lookup>(loop, *parsed, where)
      .then([&loop, where](Addresses&& found) {
        return kj::newAdaptedPromise<Stream, Dialer>(loop, kj::mv(found), where);
      });
}

kj::Promise<kj::Own<kj::AsyncIoStream>> Connect(KjLoop& loop, std::string_view address,
                                                std::optional<TlsClient>& tls, std::string name) {
  auto connected = Connect(loop, address);
  const auto parsed = ParseAddress(address);
  if (!tls.has_value() || !parsed.has_value()) return connected;
  if (name.empty()) name = parsed->host;
  return connected.then([&tls, name = std::move(name)](kj::Own<kj::AsyncIoStream> stream) {
    return tls->Connect(kj::mv(stream), name).then([](TlsStream&& secured) {
      return kj::mv(secured.stream);
    });
  });
}

}  // namespace stele::server
