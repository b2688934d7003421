// libcurl's multi interface on a libuv loop: one uv_poll a socket and one uv_timer. What is sent is
// the business of the clients that use this (curl_multi.h: HTTP, smtp_client.h: mail).
//
// Handles of libcurl's are `void*` here, as they are in libcurl, so that its headers stay out.
//
// Thread: the loop's. After this is destroyed the loop has to run until it has nothing to do.
#pragma once

#include <uv.h>

#include <functional>
#include <map>

#include "engine/tasks/uv_handle.h"

namespace stele::tasks {

class CurlLoop {
 public:
  using Ended = std::function<void(int code)>;  // a CURLcode

  explicit CurlLoop(uv_loop_t* loop);
  // REQUIRES: no transfer is left.
  ~CurlLoop();
  CurlLoop(const CurlLoop&) = delete;
  CurlLoop& operator=(const CurlLoop&) = delete;

  // Starts the transfer of `easy`, a prepared CURL handle that stays the caller's. `ended` comes
  // from the loop, once, never before Add returns. It must not destroy this.
  void Add(void* easy, Ended ended);
  // Ends a transfer that was added; its `ended` is not called any more. One that has ended has to
  // be removed as well: until then a connection made with CURLOPT_CONNECT_ONLY stays.
  void Remove(void* easy);

 private:
  struct Callbacks;  // what libcurl calls

  void OnSocketReady(int socket, int events);
  void OnTimer();
  void DeliverFinished();

  uv_loop_t* loop_;
  void* multi_;  // CURLM
  UvHandle<uv_timer_t> timer_;
  std::map<int, UvHandle<uv_poll_t>> polls_;
  std::map<void*, Ended> transfers_;
};

}  // namespace stele::tasks
