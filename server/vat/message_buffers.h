// Where messages are built: buffers of one size, kept for the next message instead of being given
// back and made anew, zeroed, for each.
//
// Shared by the connections of a thread and by their messages, which may outlive them. Thread: that
// one.
#pragma once

#include <capnp/common.h>
#include <kj/array.h>
#include <kj/refcount.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace stele::server {

// A buffer holds a message of a few hundred bytes, as most are; longer ones go on elsewhere.
inline constexpr size_t kWordsOfBuffer = 256;
inline constexpr size_t kKeptBuffers = 1'024;
inline constexpr uint64_t kMaxWordsOfMessage = 8u << 20;  // 64 MiB

class MessageBuffers final : public kj::Refcounted {
 public:
  // Zeroed, and to be given back so.
  kj::Array<capnp::word> Take() {
    if (kept_.empty()) {
      auto made = kj::heapArray<capnp::word>(kWordsOfBuffer);
      std::memset(made.begin(), 0, made.size() * sizeof(capnp::word));
      return made;
    }
    auto taken = kj::mv(kept_.back());
    kept_.pop_back();
    return taken;
  }
  void GiveBack(kj::Array<capnp::word> buffer) {
    if (kept_.size() < kKeptBuffers) kept_.push_back(kj::mv(buffer));
  }

 private:
  std::vector<kj::Array<capnp::word>> kept_;
};

}  // namespace stele::server
