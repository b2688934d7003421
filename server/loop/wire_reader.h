// The reading half of a wire: reads ahead up to a bound, and stops there until somebody reads.
#pragma once

#include <kj/async.h>
#include <uv.h>

#include <cstddef>
#include <vector>

#include "server/loop/kj_loop.h"

namespace stele::server {

// Bytes that came while nobody read are kept; a stream that is idle holds no memory. A read that is
// dropped loses none, unless it asked for more than kReadBufferBytes at least: such a read is
// served straight into its reader's memory.
class WireReader {
 public:
  class Op;

  WireReader(KjLoop& loop, uv_stream_t* handle) : loop_(&loop), handle_(handle) {}

  // As kj::AsyncInputStream::tryRead.
  kj::Promise<size_t> Read(void* to, size_t min, size_t max);
  void Start();
  // The end of what is read: nothing that came, or comes, is seen any more.
  void Abort();
  // The stream is gone: whoever reads still is told.
  void Release();

  // libuv's callbacks.
  void OnAlloc(uv_buf_t* buffer);
  void OnRead(ssize_t size, const uv_buf_t* buffer);
  bool at_end() const { return eof_; }
  // The connection is broken; also told by the writing half.
  void Fail(int error);

 private:
  size_t buffered() const { return kept_.size() - begin_; }
  size_t Take(std::byte* to, size_t max);
  void Keep(const std::byte* from, size_t size);
  void Received(const std::byte* from, size_t size);

  KjLoop* loop_;
  uv_stream_t* handle_;
  Op* op_ = nullptr;
  std::vector<std::byte> kept_;
  size_t begin_ = 0;
  bool reading_ = false;
  bool eof_ = false;
  int error_ = 0;
};

}  // namespace stele::server
