#include "server/http/frame_check.h"

#include <algorithm>

namespace stele::server::http {
namespace {

constexpr uint8_t kFin = 0x80;
constexpr uint8_t kReserved = 0x70;
constexpr uint8_t kControl = 0x08;
constexpr uint8_t kMasked = 0x80;
constexpr uint8_t kLength = 0x7F;
// Lengths that stand for a longer form behind them.
constexpr uint8_t kLength16 = 126;
constexpr uint8_t kLength64 = 127;

}  // namespace

const char* FrameCheck::CheckBegin() const {
  if ((head_[0] & kReserved) != 0) return "Expected no reserved bits in a frame but found some";
  if ((head_[1] & kMasked) == 0) return "Expected a masked frame but found one that is not";
  if ((head_[0] & kControl) == 0) return nullptr;
  if ((head_[0] & kFin) == 0) return "Expected a whole control frame but found a part of one";
  if ((head_[1] & kLength) >= kLength16)
    return "Expected a short control frame but found a long one";
  return nullptr;
}

size_t FrameCheck::head_bytes() const {
  const uint8_t length = head_[1] & kLength;
  // The first two, the longer form, the mask.
  return 2 + (length == kLength16 ? 2 : length == kLength64 ? 8 : 0) + 4;
}

const char* FrameCheck::Next(std::span<const char> bytes) {
  while (!bytes.empty()) {
    if (payload_left_ > 0) {
      const auto passed = static_cast<size_t>(std::min<uint64_t>(payload_left_, bytes.size()));
      payload_left_ -= passed;
      bytes = bytes.subspan(passed);
      continue;
    }
    head_[head_size_++] = static_cast<uint8_t>(bytes.front());
    bytes = bytes.subspan(1);
    if (head_size_ < 2) continue;
    if (head_size_ == 2)
      if (const char* fault = CheckBegin(); fault != nullptr) return fault;
    if (head_size_ < head_bytes()) continue;
    payload_left_ = head_[1] & kLength;
    if (payload_left_ >= kLength16) {
      payload_left_ = 0;
      for (size_t i = 2; i < head_size_ - 4; ++i) payload_left_ = payload_left_ << 8 | head_[i];
    }
    head_size_ = 0;
  }
  return nullptr;
}

}  // namespace stele::server::http
