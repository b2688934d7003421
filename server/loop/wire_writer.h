// The writing half of a wire: what is written in a turn goes to the kernel in one call at its end.
#pragma once

#include <kj/async.h>
#include <uv.h>

#include <cstddef>
#include <vector>

#include "server/loop/kj_loop.h"
#include "server/loop/pieces.h"

namespace stele::server {

// A write that fits into the buffer is taken at once: its promise is ready, and the bytes go out at
// the end of the turn, together with those of the turn's other writes. A larger one goes out at
// once, from its writer's memory, and its promise waits until the kernel or the buffer has the last
// byte. So at most twice kWriteBufferBytes are held, however slow the peer is. An error is told to
// the writer that waits, and to each one afterwards.
class WireWriter {
 public:
  class Op;

  WireWriter(KjLoop& loop, KjLoop::Flushable* wire, uv_stream_t* handle)
      : loop_(&loop), wire_(wire), handle_(handle) {}

  // REQUIRES: pieces (the list of them, too) stay until the promise is kept or dropped.
  kj::Promise<void> Write(Pieces pieces);
  kj::Promise<void> Write(kj::ArrayPtr<const kj::byte> piece);
  // The peer reads the end when it has read what was written before.
  void ShutdownWrite();
  // Sends what there is, as far as the kernel takes it. Called at the end of a turn.
  void Flush();
  // The stream is gone: whoever writes still is told, and what was taken goes out or flies.
  void Release();
  bool has_unsent() const { return error_ == 0 && (flying_ || !taken_.empty()); }
  void Fail(int error);
  int error() const { return error_; }

 private:
  kj::Promise<void> TakeOrWait(Pieces pieces, kj::ArrayPtr<const kj::byte> single);
  bool WriteSome();
  unsigned Gather(uv_buf_t* buffers) const;
  void Sent(size_t size);
  void HandOver();
  void OnWritten(int status);
  void FlushSoon();
  void HalfClose();

  KjLoop* loop_;
  KjLoop::Flushable* wire_;
  uv_stream_t* handle_;
  Op* op_ = nullptr;
  // What was taken and is not sent; its first `sent_` bytes are.
  std::vector<kj::byte> taken_;
  size_t sent_ = 0;
  // What libuv has while the kernel is full.
  std::vector<kj::byte> flight_;
  uv_write_t request_{};
  bool flying_ = false;
  bool flush_soon_ = false;
  bool released_ = false;
  bool shut_ = false;
  bool half_closed_ = false;
  int error_ = 0;
};

}  // namespace stele::server
