// A libuv loop of a client's own. What lives on it ends before it.
//
// Thread: the one that runs it.
#pragma once

#include <uv.h>

#include "base/check.h"

namespace stele::server {

class OwnLoop {
 public:
  OwnLoop() { CHECK(uv_loop_init(&uv_) == 0); }
  // Closes the handles that are on their way to be closed.
  ~OwnLoop() {
    uv_run(&uv_, UV_RUN_DEFAULT);
    uv_loop_close(&uv_);
  }
  OwnLoop(const OwnLoop&) = delete;
  OwnLoop& operator=(const OwnLoop&) = delete;

  uv_loop_t* get() { return &uv_; }
  // One turn, which waits until something happens.
  void Turn() { uv_run(&uv_, UV_RUN_ONCE); }

 private:
  uv_loop_t uv_;
};

}  // namespace stele::server
