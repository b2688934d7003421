// A server's door: accepts connections as KJ's streams.
#pragma once

#include <kj/async-io.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "server/loop/fd_watch.h"
#include "server/loop/kj_loop.h"
#include "server/loop/limits.h"
#include "server/loop/listening_socket.h"
#include "server/loop/stream.h"

namespace stele::server {

// A socket that was accepted, and what counts it.
class AcceptedSocket {
 public:
  AcceptedSocket(int fd, kj::Own<void> counted) : fd_(fd), counted_(kj::mv(counted)) {}
  AcceptedSocket(AcceptedSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), counted_(kj::mv(other.counted_)) {}
  AcceptedSocket& operator=(AcceptedSocket&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(counted_, other.counted_);
    return *this;
  }
  // Closes the socket, unless it was released.
  ~AcceptedSocket();

  int Release() { return std::exchange(fd_, -1); }
  // The connection is counted until this is dropped: it goes with the stream.
  kj::Own<void> TakeCounted() { return kj::mv(counted_); }

 private:
  int fd_;
  kj::Own<void> counted_;
};

struct ListenOptions {
  // Connections that are open at once. One more is accepted and closed at once: a client that is
  // left in the kernel's backlog would wait without knowing for what, and one that is turned away
  // can try elsewhere or say so.
  size_t max_connections = kMaxConnections;
  PeerEnd peer_end = PeerEnd::kOfItsHalf;
  // A Unix socket is its owner's alone (mode 0600), or also this group's (0660).
  std::string unix_group;
};

// Used on the loop's thread; dropped before the KjLoop. Nothing is accepted while nobody waits in
// accept(); the kernel keeps up to kListenBacklog connections meanwhile. When the process has no
// descriptor left it waits kAcceptPauseMs before it tries again.
//
// Streams count as connections until they are dropped, and may outlive the listener.
class Listener final : public kj::ConnectionReceiver {
 public:
  Listener(KjLoop& loop, ListeningSocket socket, const ListenOptions& options);
  KJ_DISALLOW_COPY(Listener);
  ~Listener() noexcept(false);

  kj::Promise<kj::Own<kj::AsyncIoStream>> accept() override;
  // The same for whoever makes the stream, perhaps on another loop.
  kj::Promise<AcceptedSocket> AcceptSocket();
  // 0 for a Unix socket.
  kj::uint getPort() override;
  void getsockopt(int level, int option, void* value, kj::uint* length) override;
  void setsockopt(int level, int option, const void* value, kj::uint length) override;
  void getsockname(sockaddr* address, kj::uint* length) override;

  // As bound: "127.0.0.1:41234", "[::]:7070", "unix:/run/stele.sock".
  const std::string& address() const { return address_; }
  size_t connections() const;
  // Refuses whoever comes from now on, and whom the kernel had kept; accept() fails as
  // DISCONNECTED. Connections that were accepted go on.
  void Close();

 private:
  class Waiting;
  struct Count;
  class Counted;

  // What accept4 led to.
  enum class Outcome { kSocket, kNobody, kPause, kBroken };
  Outcome AcceptOne(std::optional<AcceptedSocket>& socket);
  void AcceptAll();
  void Pause();

  KjLoop& loop_;
  ListeningSocket socket_;
  const std::string address_;
  const kj::uint port_;
  const size_t max_connections_;
  const PeerEnd peer_end_;
  kj::Own<Count> count_;
  std::optional<FdWatch> watch_;
  std::deque<Waiting*> waiting_;
  bool paused_ = false;
  kj::Maybe<kj::Promise<void>> pause_;
};

// `address` as address.h says; port 0 takes a free one. Blocks while a host's name is looked up.
// A Unix socket's file that nobody listens at is replaced. Errors: kListen, with the address.
Result<kj::Own<Listener>> Listen(KjLoop& loop, std::string_view address,
                                 const ListenOptions& options = {});

}  // namespace stele::server
