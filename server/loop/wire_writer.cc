#include "server/loop/wire_writer.h"

#include <kj/debug.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "server/loop/wire.h"

namespace stele::server {

// A write that waits: what is left of its pieces. The promise's owner may drop it at any time.
class WireWriter::Op {
 public:
  Op(kj::PromiseFulfiller<void>& done, WireWriter& writer, PiecesLeft left)
      : done_(done), writer_(&writer), left_(left) {
    writer.op_ = this;
  }
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;
  ~Op() {
    if (writer_ != nullptr) writer_->op_ = nullptr;
  }

  PiecesLeft& left() { return left_; }

  void Finish() {
    std::exchange(writer_, nullptr)->op_ = nullptr;
    done_.fulfill();
  }
  void Reject(kj::Exception&& why) {
    std::exchange(writer_, nullptr)->op_ = nullptr;
    done_.reject(kj::mv(why));
  }

 private:
  kj::PromiseFulfiller<void>& done_;
  WireWriter* writer_;
  PiecesLeft left_;
};

kj::Promise<void> WireWriter::Write(Pieces pieces) {
  return TakeOrWait(pieces, nullptr);
}

kj::Promise<void> WireWriter::Write(kj::ArrayPtr<const kj::byte> piece) {
  return TakeOrWait(nullptr, piece);
}

kj::Promise<void> WireWriter::TakeOrWait(Pieces pieces, kj::ArrayPtr<const kj::byte> single) {
  KJ_REQUIRE(op_ == nullptr, "Expected one write of a stream at a time but found a second one");
  if (error_ != 0) return Disconnected(error_);
  // What the kernel would say.
  if (shut_) return Disconnected(UV_EPIPE);
  size_t size = single.size();
  for (const auto& piece : pieces) size += piece.size();
  if (taken_.size() - sent_ + size <= kWriteBufferBytes) {
    taken_.insert(taken_.end(), single.begin(), single.end());
    for (const auto& piece : pieces) taken_.insert(taken_.end(), piece.begin(), piece.end());
    FlushSoon();
    return kj::READY_NOW;
  }
  auto promise = kj::newAdaptedPromise<void, Op>(*this, PiecesLeft(single, pieces));
  Flush();
  return promise;
}

void WireWriter::FlushSoon() {
  // What flies has a callback, which goes on.
  if (flush_soon_ || flying_) return;
  flush_soon_ = true;
  loop_->FlushSoon(wire_);
}

void WireWriter::Flush() {
  flush_soon_ = false;
  // A stream that is gone has no next turn, and its buffer is the bound.
  size_t rounds = released_ ? SIZE_MAX : kWriteBytesPerTurn / kWriteBufferBytes;
  while (!flying_ && error_ == 0 && (!taken_.empty() || op_ != nullptr)) {
    if (op_ != nullptr && op_->left().empty()) {
      op_->Finish();
    } else if (rounds-- == 0) {
      FlushSoon();
      return;
    } else if (!WriteSome()) {
      return;
    }
  }
  HalfClose();
}

// False: nothing more goes out now.
bool WireWriter::WriteSome() {
  uv_buf_t buffers[kPiecesPerWrite];
  const unsigned count = Gather(buffers);
  const int size = uv_try_write(handle_, buffers, count);
  if (size == UV_EAGAIN) {
    HandOver();
    return false;
  }
  if (size < 0) {
    Fail(size);
    return false;
  }
  Sent(static_cast<size_t>(size));
  return true;
}

unsigned WireWriter::Gather(uv_buf_t* buffers) const {
  unsigned count = 0;
  const auto add = [&](kj::ArrayPtr<const kj::byte> piece) {
    if (piece.size() == 0 || count == kPiecesPerWrite) return;
    // A call's worth: what is far behind is not looked at in every round.
    const size_t size = std::min(piece.size(), kWriteBufferBytes);
    buffers[count++] = uv_buf_init(reinterpret_cast<char*>(const_cast<kj::byte*>(piece.begin())),
                                   static_cast<unsigned>(size));
  };
  add(kj::arrayPtr(taken_.data() + sent_, taken_.size() - sent_));
  if (op_ == nullptr) return count;
  add(op_->left().first());
  // A piece that was cut ends the call.
  if (op_->left().first().size() > kWriteBufferBytes) return count;
  for (const auto& piece : op_->left().rest()) {
    if (count == kPiecesPerWrite) break;
    add(piece);
    if (piece.size() > kWriteBufferBytes) break;
  }
  return count;
}

void WireWriter::Sent(size_t size) {
  const size_t of_taken = std::min(size, taken_.size() - sent_);
  sent_ += of_taken;
  if (sent_ == taken_.size()) {
    // Kept for the next turn when it is small; a stream that is idle holds little.
    if (taken_.capacity() > 4096) {
      taken_ = {};
    } else {
      taken_.clear();
    }
    sent_ = 0;
  }
  if (op_ != nullptr) op_->left().Skip(size - of_taken);
}

// The kernel is full: libuv waits for it with bytes of our own, because the writer may drop its
// promise, and then its memory is gone.
void WireWriter::HandOver() {
  taken_.erase(taken_.begin(), taken_.begin() + static_cast<ptrdiff_t>(sent_));
  sent_ = 0;
  if (op_ != nullptr)
    op_->left().MoveTo(taken_, kWriteBufferBytes - std::min(taken_.size(), kWriteBufferBytes));
  flight_ = std::exchange(taken_, {});
  const uv_buf_t buffer =
      uv_buf_init(reinterpret_cast<char*>(flight_.data()), static_cast<unsigned>(flight_.size()));
  request_.data = this;
  flying_ = true;
  const int error = uv_write(&request_, handle_, &buffer, 1, [](uv_write_t* request, int status) {
    static_cast<WireWriter*>(request->data)->OnWritten(status);
  });
  if (error != 0) {
    flying_ = false;
    Fail(error);
    return;
  }
  if (op_ != nullptr && op_->left().empty()) op_->Finish();
}

void WireWriter::OnWritten(int status) {
  flying_ = false;
  flight_ = {};
  if (status != 0) {
    Fail(status);
  } else {
    Flush();
  }
  static_cast<Wire*>(handle_->data)->AfterWrite();
}

void WireWriter::ShutdownWrite() {
  shut_ = true;
  if (taken_.empty()) HalfClose();
}

void WireWriter::HalfClose() {
  if (!shut_ || half_closed_ || flying_ || !taken_.empty() || error_ != 0) return;
  half_closed_ = true;
  uv_os_fd_t fd = -1;
  if (uv_fileno(reinterpret_cast<uv_handle_t*>(handle_), &fd) == 0) ::shutdown(fd, SHUT_WR);
}

void WireWriter::Release() {
  released_ = true;
  if (op_ != nullptr) op_->Reject(Disconnected(UV_ECANCELED));
  Flush();
}

void WireWriter::Fail(int error) {
  if (error_ != 0) return;
  error_ = error;
  taken_ = {};
  sent_ = 0;
  if (op_ != nullptr) op_->Reject(Disconnected(error));
  static_cast<Wire*>(handle_->data)->Break(error);
}

}  // namespace stele::server
