// Whether what a client sends over a WebSocket is made of frames as RFC 6455 5.2 wants them of a
// client. kj, which reads them, takes frames that are not masked, have reserved bits, or are
// control frames of any length. What a message may hold in all, and how its parts follow each
// other, kj checks itself.
//
// Thread: the connection's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace stele::server::http {

class FrameCheck {
 public:
  // The next bytes, cut anywhere. What is wrong with a frame that begins in them; null: nothing. It
  // is not asked again then.
  const char* Next(std::span<const char> bytes);

 private:
  // What is wrong with the first two bytes of a frame's head.
  const char* CheckBegin() const;
  size_t head_bytes() const;

  static constexpr size_t kMaxHead = 14;
  std::array<uint8_t, kMaxHead> head_{};
  size_t head_size_ = 0;       // bytes of it that are there
  uint64_t payload_left_ = 0;  // of the frame whose head is complete
};

}  // namespace stele::server::http
