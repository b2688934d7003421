#include "server/loop/stream.h"

#include <fmt/format.h>
#include <kj/debug.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/loop/wire.h"

namespace stele::server {
namespace {

class UvStream final : public kj::AsyncIoStream {
 public:
  explicit UvStream(Wire* wire) : wire_(wire) {}
  KJ_DISALLOW_COPY(UvStream);
  ~UvStream() noexcept(false) { wire_->Release(); }

  kj::Promise<size_t> tryRead(void* buffer, size_t min, size_t max) override {
    return wire_->reader().Read(buffer, min, max);
  }
  kj::Promise<void> write(const void* buffer, size_t size) override {
    return wire_->writer().Write(kj::arrayPtr(static_cast<const kj::byte*>(buffer), size));
  }
  kj::Promise<void> write(kj::ArrayPtr<const kj::ArrayPtr<const kj::byte>> pieces) override {
    return wire_->writer().Write(pieces);
  }
  kj::Promise<void> whenWriteDisconnected() override { return wire_->WhenDisconnected(); }
  void shutdownWrite() override { wire_->writer().ShutdownWrite(); }
  void abortRead() override {
    wire_->reader().Abort();
    ::shutdown(wire_->fd(), SHUT_RD);
  }

  void getsockopt(int level, int option, void* value, uint* length) override {
    socklen_t size = *length;
    KJ_SYSCALL(::getsockopt(wire_->fd(), level, option, value, &size));
    *length = size;
  }
  void setsockopt(int level, int option, const void* value, uint length) override {
    KJ_SYSCALL(::setsockopt(wire_->fd(), level, option, value, length));
  }
  void getsockname(sockaddr* address, uint* length) override {
    socklen_t size = *length;
    KJ_SYSCALL(::getsockname(wire_->fd(), address, &size));
    *length = size;
  }
  void getpeername(sockaddr* address, uint* length) override {
    socklen_t size = *length;
    KJ_SYSCALL(::getpeername(wire_->fd(), address, &size));
    *length = size;
  }

 private:
  Wire* wire_;
};

}  // namespace

Result<kj::Own<kj::AsyncIoStream>> WrapSocket(KjLoop& loop, int fd, PeerEnd peer_end) {
  Wire* wire = nullptr;
  if (const int error = Wire::Open(loop, fd, peer_end, &wire); error != 0) {
    ::close(fd);
    return Fail(ErrorCode::kIo,
                fmt::format("Expected a connected socket but found: {}", uv_strerror(error)));
  }
  return kj::heap<UvStream>(wire);
}

}  // namespace stele::server
