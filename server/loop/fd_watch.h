// Tells when a descriptor can be read or written: a uv_poll_t that may be dropped at any time.
#pragma once

#include <uv.h>

#include <functional>

namespace stele::server {

// Used on the loop's thread. Does not own the descriptor, which may be closed as soon as the watch
// is gone.
class FdWatch {
 public:
  // `ready` is called in each turn in which the descriptor is, once started. It may drop the watch.
  // REQUIRES: `fd` is a socket that nobody else watches on this loop.
  FdWatch(uv_loop_t* loop, int fd, std::function<void()> ready);
  FdWatch(const FdWatch&) = delete;
  FdWatch& operator=(const FdWatch&) = delete;
  ~FdWatch();

  // `events` of uv_poll_start: UV_READABLE, UV_WRITABLE.
  void Start(int events);
  void Stop();

 private:
  // Lives until libuv has let go of it.
  struct Handle;
  Handle* handle_;
};

}  // namespace stele::server
