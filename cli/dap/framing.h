// How messages of the Debug Adapter Protocol stand in a stream: a header with `Content-Length`, a
// blank line, and so many bytes.
//
// Thread: one at a time.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace stele::cli::dap {

inline constexpr size_t kMaxHeaderBytes = 4096;
inline constexpr size_t kMaxMessageBytes = size_t{8} << 20;

class Framing {
 public:
  void Feed(std::string_view bytes) { unread_ += bytes; }

  // The next message; nothing: not all of it has come. kBadRequest, kLimitExceeded: what has come
  // is no message, and where the next one begins is not known; it says so from then on.
  Result<std::optional<std::string>> Next();

  // Something has come of a message whose rest has not.
  bool is_inside() const { return length_.has_value() || at_ < unread_.size(); }

 private:
  Result<bool> ReadHeader();

  std::string unread_;
  size_t at_ = 0;                 // what stands before it has been given out
  std::optional<size_t> length_;  // of the message whose header was read
  std::optional<Error> fault_;
};

// The message with its header.
std::string Framed(std::string_view message);

}  // namespace stele::cli::dap
