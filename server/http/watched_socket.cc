#include "server/http/watched_socket.h"

#include <string_view>

namespace stele::server::http {
namespace {

// kj has one kind of exception for both, which differ in their texts.
uint16_t CodeOf(const kj::Exception& fault) {
  const std::string_view text(fault.getDescription().begin(), fault.getDescription().size());
  return text.contains("too large") ? kTooLarge : kProtocolError;
}

}  // namespace

kj::Promise<void> WatchedSocket::close(uint16_t code, kj::StringPtr reason) {
  close_sent_ = true;
  return socket_->close(code, reason);
}

kj::Promise<kj::WebSocket::Message> WatchedSocket::receive(size_t max_size) {
  return kj::evalNow([this, max_size]() { return socket_->receive(max_size); })
      .then(
          [this](Message&& message) -> kj::Promise<Message> {
            if (message.is<Close>()) close_received_ = true;
            return kj::mv(message);
          },
          [this](kj::Exception&& fault) -> kj::Promise<Message> {
            if (fault.getType() == kj::Exception::Type::FAILED) client_fault_ = CodeOf(fault);
            return kj::mv(fault);
          });
}

}  // namespace stele::server::http
