#include "engine/tasks/curl_loop.h"

#include <curl/curl.h>

#include <utility>

#include "base/check.h"
#include "engine/tasks/broken_pipe.h"

namespace stele::tasks {
namespace {

template <class T>
void Set(CURLM* multi, CURLMoption option, T value) {
  CURLMcode code = curl_multi_setopt(multi, option, value);
  CHECK(code == CURLM_OK, "option {}: {}", static_cast<int>(option), curl_multi_strerror(code));
}

}  // namespace

struct CurlLoop::Callbacks {
  static int OnSocket(CURL*, curl_socket_t socket, int what, void* user, void*) {
    auto* self = static_cast<CurlLoop*>(user);
    if (what == CURL_POLL_REMOVE) {
      self->polls_.erase(socket);
      return 0;
    }
    UvHandle<uv_poll_t>& poll = self->polls_[socket];
    if (poll == nullptr) {
      auto* handle = new uv_poll_t;
      int status = uv_poll_init(self->loop_, handle, socket);
      CHECK(status == 0, "socket {}: {}", socket, uv_strerror(status));
      handle->data = self;
      poll.reset(handle);
    }
    int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                 ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    uv_poll_start(poll.get(), events, [](uv_poll_t* ready, int status, int happened) {
      uv_os_fd_t fd = -1;
      uv_fileno(reinterpret_cast<uv_handle_t*>(ready), &fd);
      int flags = status < 0 ? CURL_CSELECT_ERR : 0;
      if ((happened & UV_READABLE) != 0) flags |= CURL_CSELECT_IN;
      if ((happened & UV_WRITABLE) != 0) flags |= CURL_CSELECT_OUT;
      static_cast<CurlLoop*>(ready->data)->OnSocketReady(fd, flags);
    });
    return 0;
  }

  static int OnTimeout(CURLM*, long timeout_ms, void* user) {
    auto* self = static_cast<CurlLoop*>(user);
    if (timeout_ms < 0) {
      uv_timer_stop(self->timer_.get());
    } else {
      uv_timer_start(
          self->timer_.get(),
          [](uv_timer_t* timer) { static_cast<CurlLoop*>(timer->data)->OnTimer(); },
          static_cast<uint64_t>(timeout_ms), 0);
    }
    return 0;
  }
};

CurlLoop::CurlLoop(uv_loop_t* loop) : loop_(loop), timer_(MakeTimer(loop, this)) {
  CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);  // counted; thread-safe since 7.84
  CHECK(code == CURLE_OK, "libcurl: {}", curl_easy_strerror(code));
  multi_ = curl_multi_init();
  CHECK(multi_ != nullptr, "no memory for libcurl");
  Set(multi_, CURLMOPT_SOCKETFUNCTION, &Callbacks::OnSocket);
  Set(multi_, CURLMOPT_SOCKETDATA, this);
  Set(multi_, CURLMOPT_TIMERFUNCTION, &Callbacks::OnTimeout);
  Set(multi_, CURLMOPT_TIMERDATA, this);
}

CurlLoop::~CurlLoop() {
  CHECK(transfers_.empty(), "{} transfers are left", transfers_.size());
  curl_multi_cleanup(multi_);
  polls_.clear();
  curl_global_cleanup();
}

void CurlLoop::Add(void* easy, Ended ended) {
  BlockBrokenPipeSignal();
  transfers_.emplace(easy, std::move(ended));
  CURLMcode code = curl_multi_add_handle(multi_, easy);  // arms the timer
  CHECK(code == CURLM_OK, "libcurl: {}", curl_multi_strerror(code));
}

void CurlLoop::Remove(void* easy) {
  CHECK(transfers_.erase(easy) == 1, "a transfer that was not added");
  curl_multi_remove_handle(multi_, easy);
}

void CurlLoop::OnSocketReady(int socket, int events) {
  int running = 0;
  curl_multi_socket_action(multi_, socket, events, &running);
  DeliverFinished();
}

void CurlLoop::OnTimer() {
  int running = 0;
  curl_multi_socket_action(multi_, CURL_SOCKET_TIMEOUT, 0, &running);
  DeliverFinished();
}

void CurlLoop::DeliverFinished() {
  int left = 0;
  while (CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURLcode code = message->data.result;
    auto ended = transfers_.find(message->easy_handle);
    CHECK(ended != transfers_.end(), "a transfer ended that was not added");
    // May remove itself, others, and add new ones.
    std::exchange(ended->second, nullptr)(code);
  }
}

}  // namespace stele::tasks
