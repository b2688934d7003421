#include "server/loop/fd_watch.h"

#include <utility>

#include "base/check.h"

namespace stele::server {

struct FdWatch::Handle {
  uv_poll_t poll;
  std::function<void()> ready;
};

FdWatch::FdWatch(uv_loop_t* loop, int fd, std::function<void()> ready)
    : handle_(new Handle{.poll = {}, .ready = std::move(ready)}) {
  const int error = uv_poll_init(loop, &handle_->poll, fd);
  CHECK(error == 0, "Expected a socket that can be watched but found: {}", uv_strerror(error));
  handle_->poll.data = handle_;
}

FdWatch::~FdWatch() {
  uv_close(reinterpret_cast<uv_handle_t*>(&handle_->poll),
           [](uv_handle_t* closed) { delete static_cast<Handle*>(closed->data); });
}

void FdWatch::Start(int events) {
  // An error of the socket is found by whoever reads, writes or accepts next.
  uv_poll_start(&handle_->poll, events,
                [](uv_poll_t* poll, int, int) { static_cast<Handle*>(poll->data)->ready(); });
}

void FdWatch::Stop() {
  uv_poll_stop(&handle_->poll);
}

}  // namespace stele::server
