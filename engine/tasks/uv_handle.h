// Owns libuv handles: closing is asynchronous, so the memory outlives the owner until the loop has
// run once more. `data` is null from the moment the owner lets go.
//
// Thread: the loop's.
#pragma once

#include <uv.h>

#include <memory>

namespace stele::tasks {

template <class Handle>
struct CloseAndDelete {
  void operator()(Handle* handle) const {
    handle->data = nullptr;
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

// REQUIRES: the handle was allocated with `new` and initialised on a loop.
template <class Handle>
using UvHandle = std::unique_ptr<Handle, CloseAndDelete<Handle>>;

inline UvHandle<uv_timer_t> MakeTimer(uv_loop_t* loop, void* data) {
  auto* timer = new uv_timer_t;
  uv_timer_init(loop, timer);  // cannot fail
  timer->data = data;
  return UvHandle<uv_timer_t>(timer);
}

// libuv counts milliseconds: rounded up, so that nothing ends early.
inline uint64_t ToTimerMs(int64_t microseconds) {
  return microseconds <= 0 ? 0 : (static_cast<uint64_t>(microseconds) + 999) / 1000;
}

}  // namespace stele::tasks
