#include "server/loop/wire_reader.h"

#include <kj/debug.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "server/loop/wire.h"

namespace stele::server {

// A read that waits. The promise's owner may drop it at any time.
class WireReader::Op {
 public:
  Op(kj::PromiseFulfiller<size_t>& done, WireReader& reader, std::byte* to, size_t min, size_t max)
      : done_(done), reader_(&reader), to(to), min(min), max(max) {
    in_place = min > kReadBufferBytes;
    if (in_place) filled = reader.Take(to, max);
    reader.op_ = this;
  }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  ~Op() {
    if (reader_ != nullptr) reader_->op_ = nullptr;
  }

  void Detach() { std::exchange(reader_, nullptr)->op_ = nullptr; }
  void Finish(size_t size) {
    Detach();
    done_.fulfill(kj::mv(size));
  }
  void Reject(kj::Exception&& why) {
    Detach();
    done_.reject(kj::mv(why));
  }

 private:
  kj::PromiseFulfiller<size_t>& done_;
  WireReader* reader_;

 public:
  std::byte* const to;
  const size_t min;
  const size_t max;
  bool in_place = false;
  size_t filled = 0;
};

kj::Promise<size_t> WireReader::Read(void* to, size_t min, size_t max) {
  KJ_REQUIRE(op_ == nullptr, "Expected one read of a stream at a time but found a second one");
  KJ_REQUIRE(min <= max, "Expected room for what is read at least but found less", min, max);
  if (max == 0) return size_t{0};
  // Nothing is no news: the reader wants to know what comes.
  min = std::max<size_t>(min, 1);
  auto* bytes = static_cast<std::byte*>(to);
  if (buffered() >= min || eof_) {
    const size_t size = Take(bytes, max);
    Start();
    return size;
  }
  if (error_ != 0) return Disconnected(error_);
  auto promise = kj::newAdaptedPromise<size_t, Op>(*this, bytes, min, max);
  Start();
  return promise;
}

void WireReader::Start() {
  if (reading_ || eof_ || error_ != 0 || buffered() >= kReadBufferBytes) return;
  const int error = uv_read_start(
      handle_,
      [](uv_handle_t* handle, size_t, uv_buf_t* buffer) {
        static_cast<Wire*>(handle->data)->reader().OnAlloc(buffer);
      },
      [](uv_stream_t* handle, ssize_t size, const uv_buf_t* buffer) {
        static_cast<Wire*>(handle->data)->OnRead(size, buffer);
      });
  if (error != 0) {
    Fail(error);
  } else {
    reading_ = true;
  }
}

void WireReader::Abort() {
  if (reading_) uv_read_stop(handle_);
  reading_ = false;
  eof_ = true;
  kept_ = {};
  begin_ = 0;
  if (op_ != nullptr) op_->Finish(op_->filled);
}

void WireReader::Release() {
  if (reading_) uv_read_stop(handle_);
  reading_ = false;
  eof_ = true;
  if (op_ != nullptr) op_->Reject(Disconnected(UV_ECANCELED));
}

void WireReader::OnAlloc(uv_buf_t* buffer) {
  if (op_ != nullptr && op_->in_place) {
    constexpr size_t kLargest = 1u << 30;
    buffer->base = reinterpret_cast<char*>(op_->to + op_->filled);
    buffer->len = std::min(op_->max - op_->filled, kLargest);
    return;
  }
  buffer->base = reinterpret_cast<char*>(loop_->read_buffer().data());
  buffer->len = kReadBufferBytes - buffered();
}

void WireReader::OnRead(ssize_t size, const uv_buf_t* buffer) {
  if (size == UV_EOF) {
    reading_ = false;
    eof_ = true;
    uv_read_stop(handle_);
    if (op_ == nullptr) return;
    const size_t rest = Take(op_->to + op_->filled, op_->max - op_->filled);
    op_->Finish(op_->filled + rest);
  } else if (size < 0) {
    Fail(static_cast<int>(size));
  } else if (size > 0) {
    if (op_ != nullptr && op_->in_place) {
      op_->filled += static_cast<size_t>(size);
      if (op_->filled >= op_->min) op_->Finish(op_->filled);
    } else {
      Received(reinterpret_cast<const std::byte*>(buffer->base), static_cast<size_t>(size));
    }
  }
}

void WireReader::Received(const std::byte* from, size_t size) {
  if (op_ != nullptr && buffered() + size >= op_->min) {
    const size_t before = Take(op_->to, op_->max);
    const size_t taken = std::min(size, op_->max - before);
    std::memcpy(op_->to + before, from, taken);
    op_->Finish(before + taken);
    from += taken;
    size -= taken;
  }
  Keep(from, size);
  if (buffered() >= kReadBufferBytes && reading_) {
    uv_read_stop(handle_);
    reading_ = false;
  }
}

void WireReader::Fail(int error) {
  if (error_ != 0) return;
  error_ = error;
  if (reading_) uv_read_stop(handle_);
  reading_ = false;
  if (op_ != nullptr) op_->Reject(Disconnected(error));
}

size_t WireReader::Take(std::byte* to, size_t max) {
  const size_t size = std::min(buffered(), max);
  if (size == 0) return 0;
  std::memcpy(to, kept_.data() + begin_, size);
  begin_ += size;
  if (begin_ == kept_.size()) {
    kept_ = {};
    begin_ = 0;
  }
  return size;
}

void WireReader::Keep(const std::byte* from, size_t size) {
  if (size == 0) return;
  if (begin_ != 0) {
    kept_.erase(kept_.begin(), kept_.begin() + static_cast<ptrdiff_t>(begin_));
    begin_ = 0;
  }
  kept_.insert(kept_.end(), from, from + size);
}

}  // namespace stele::server
