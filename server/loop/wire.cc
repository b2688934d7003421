#include "server/loop/wire.h"

#include <kj/string.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace stele::server {

kj::Exception Disconnected(int error) {
  return kj::Exception(kj::Exception::Type::DISCONNECTED, __FILE__, __LINE__,
                       kj::str("Expected the connection to go on but found: ", uv_strerror(error)));
}

Wire::Wire(KjLoop& loop, PeerEnd peer_end)
    : loop_(&loop),
      peer_end_(peer_end),
      reader_(loop, &any_.stream),
      writer_(loop, this, &any_.stream) {}

int Wire::Open(KjLoop& loop, int fd, PeerEnd peer_end, Wire** out) {
  int domain = 0;
  socklen_t size = sizeof(domain);
  if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0)
    return uv_translate_sys_error(errno);
  auto* wire = new Wire(loop, peer_end);
  const bool is_unix = domain == AF_UNIX;
  if (is_unix) {
    uv_pipe_init(loop.uv(), &wire->any_.pipe, 0);
  } else {
    uv_tcp_init(loop.uv(), &wire->any_.tcp);
  }
  wire->any_.handle.data = wire;
  const int error = is_unix ? uv_pipe_open(&wire->any_.pipe, fd) : uv_tcp_open(&wire->any_.tcp, fd);
  if (error != 0) {
    wire->Release();
    return error;
  }
  if (!is_unix) {
    // Neither is worth refusing a connection for.
    uv_tcp_nodelay(&wire->any_.tcp, 1);
    uv_tcp_keepalive(&wire->any_.tcp, 1, kKeepAliveSeconds);
  }
  wire->reader_.Start();
  *out = wire;
  return 0;
}

int Wire::fd() const {
  uv_os_fd_t fd = -1;
  uv_fileno(&any_.handle, &fd);
  return fd;
}

kj::Promise<void> Wire::WhenDisconnected() {
  if (broken_ || peer_gone_) return kj::READY_NOW;
  KJ_IF_MAYBE (fork, when_broken_) return fork->addBranch();
  auto pair = kj::newPromiseAndFulfiller<void>();
  on_broken_ = kj::mv(pair.fulfiller);
  return when_broken_.emplace(pair.promise.fork()).addBranch();
}

void Wire::OnRead(ssize_t size, const uv_buf_t* buffer) {
  reader_.OnRead(size, buffer);
  if (size == UV_EOF) {
    // The end of the peer's half. Whether it listens still is what poll says: a Unix socket that
    // was closed, or a TCP connection whose both halves have ended, hangs up.
    pollfd look{.fd = fd(), .events = 0, .revents = 0};
    if (::poll(&look, 1, 0) == 1 && (look.revents & (POLLHUP | POLLERR)) != 0)
      writer_.Fail(UV_EPIPE);
    if (peer_end_ == PeerEnd::kOfBothHalves && !broken_) LeaveWithPeer();
  } else if (size < 0) {
    writer_.Fail(static_cast<int>(size));
  }
}

void Wire::LeaveWithPeer() {
  leaving_ = loop_->timer()
                 .afterDelay(kPeerEndMs * kj::MILLISECONDS)
                 .then([this] {
                   peer_gone_ = true;
                   KJ_IF_MAYBE (fulfiller, on_broken_) (*fulfiller)->fulfill();
                 })
                 .eagerlyEvaluate(nullptr);
}

void Wire::Break(int error) {
  if (broken_ || released_) return;
  broken_ = true;
  // A peer that reads no more may have written before: its last words are read to the end.
  if (error != UV_EPIPE) reader_.Fail(error);
  KJ_IF_MAYBE (fulfiller, on_broken_) (*fulfiller)->fulfill();
}

void Wire::Release() {
  released_ = true;
  loop_->Forget(this);
  reader_.Release();
  writer_.Release();
  leaving_ = nullptr;
  when_broken_ = nullptr;
  on_broken_ = nullptr;
  if (!writer_.has_unsent()) {
    Close();
    return;
  }
  lingers_ = true;
  ++open_handles_;
  uv_timer_init(handle()->loop, &linger_);
  linger_.data = this;
  uv_timer_start(
      &linger_, [](uv_timer_t* timer) { static_cast<Wire*>(timer->data)->Close(); }, kLingerMs, 0);
}

void Wire::AfterWrite() {
  if (released_ && !writer_.has_unsent()) Close();
}

void Wire::Close() {
  if (uv_is_closing(handle()) != 0) return;
  const auto gone = [](uv_handle_t* closed) {
    auto* wire = static_cast<Wire*>(closed->data);
    if (--wire->open_handles_ == 0) delete wire;
  };
  uv_close(handle(), gone);
  if (lingers_) uv_close(reinterpret_cast<uv_handle_t*>(&linger_), gone);
}

}  // namespace stele::server
