// A connected socket on a libuv loop: the handle, its two halves, and how it ends.
#pragma once

#include <kj/async.h>
#include <kj/exception.h>
#include <uv.h>

#include "server/loop/kj_loop.h"
#include "server/loop/stream.h"
#include "server/loop/wire_reader.h"
#include "server/loop/wire_writer.h"

namespace stele::server {

// What readers and writers of a broken connection are told; `error` is libuv's.
kj::Exception Disconnected(int error);

// Owned by itself: made by a stream, which releases it, it lives until libuv has let go of its
// handle. Used on the loop's thread.
class Wire final : private KjLoop::Flushable {
 public:
  // Takes a connected stream socket, TCP's or Unix's, over: it is closed with the wire, and by the
  // caller when this fails with an error of libuv's.
  static int Open(KjLoop& loop, int fd, PeerEnd peer_end, Wire** out);

  WireReader& reader() { return reader_; }
  WireWriter& writer() { return writer_; }
  kj::Promise<void> WhenDisconnected();
  int fd() const;

  // The stream is gone. What it had taken is still sent, for kLingerMs at most. The KjLoop is not
  // used from here on, and may end.
  void Release();

  // Told by the halves.
  void OnRead(ssize_t size, const uv_buf_t* buffer);
  void AfterWrite();
  void Break(int error);

 private:
  Wire(KjLoop& loop, PeerEnd peer_end);
  void LeaveWithPeer();
  ~Wire() = default;
  void Flush() override { writer_.Flush(); }
  void Close();
  uv_handle_t* handle() { return &any_.handle; }

  KjLoop* loop_;
  union {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
  } any_{};
  uv_timer_t linger_{};
  int open_handles_ = 1;
  bool lingers_ = false;
  bool released_ = false;
  bool broken_ = false;
  const PeerEnd peer_end_;
  bool peer_gone_ = false;
  kj::Maybe<kj::Promise<void>> leaving_;
  kj::Maybe<kj::Own<kj::PromiseFulfiller<void>>> on_broken_;
  kj::Maybe<kj::ForkedPromise<void>> when_broken_;
  WireReader reader_;
  WireWriter writer_;
};

}  // namespace stele::server
