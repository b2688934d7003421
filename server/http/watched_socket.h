// What a handler talks over: kj's WebSocket, which remembers who has said that it ends, and that a
// client has broken RFC 6455 or said too much at once, so that it is told so.
//
// Owner: the exchange, until it is closed. Thread: the connection's.
#pragma once

#include <kj/compat/http.h>

#include <optional>

namespace stele::server::http {

// Of RFC 6455 7.4.1.
inline constexpr uint16_t kNormalClosure = 1000;
inline constexpr uint16_t kGoingAway = 1001;
inline constexpr uint16_t kProtocolError = 1002;
inline constexpr uint16_t kTooLarge = 1009;
inline constexpr uint16_t kInternalError = 1011;

class WatchedSocket final : public kj::WebSocket {
 public:
  explicit WatchedSocket(kj::Own<kj::WebSocket> socket) : socket_(kj::mv(socket)) {}

  bool close_sent() const { return close_sent_; }
  bool close_received() const { return close_received_; }
  // With which code the client is to be told what it did wrong: nothing more can be received then.
  const std::optional<uint16_t>& client_fault() const { return client_fault_; }

  kj::Promise<void> send(kj::ArrayPtr<const kj::byte> message) override {
    return socket_->send(message);
  }
  kj::Promise<void> send(kj::ArrayPtr<const char> message) override {
    return socket_->send(message);
  }
  kj::Promise<void> close(uint16_t code, kj::StringPtr reason) override;
  kj::Promise<void> disconnect() override { return socket_->disconnect(); }
  void abort() override { socket_->abort(); }
  kj::Promise<void> whenAborted() override { return socket_->whenAborted(); }
  kj::Promise<Message> receive(size_t max_size = SUGGESTED_MAX_MESSAGE_SIZE) override;
  uint64_t sentByteCount() override { return socket_->sentByteCount(); }
  uint64_t receivedByteCount() override { return socket_->receivedByteCount(); }

 private:
  kj::Own<kj::WebSocket> socket_;
  bool close_sent_ = false;
  bool close_received_ = false;
  std::optional<uint16_t> client_fault_;
};

}  // namespace stele::server::http
