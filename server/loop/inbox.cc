#include "server/loop/inbox.h"

#include <memory>

#include "base/check.h"

namespace stele::server {

Inbox::Inbox(uv_loop_t* loop) : wake_(new uv_async_t) {
  const int error = uv_async_init(
      loop, wake_, [](uv_async_t* handle) { static_cast<Inbox*>(handle->data)->OpenAll(); });
  CHECK(error == 0, "Expected a descriptor to wake the loop with but found: {}",
        uv_strerror(error));
  wake_->data = this;
  uv_unref(reinterpret_cast<uv_handle_t*>(wake_));
}

Inbox::~Inbox() {
  CHECK(wake_ == nullptr);
}

void Inbox::Hold() {
  uv_ref(reinterpret_cast<uv_handle_t*>(wake_));
}

void Inbox::Close() {
  OpenAll();
  uv_close(reinterpret_cast<uv_handle_t*>(std::exchange(wake_, nullptr)),
           [](uv_handle_t* handle) { delete reinterpret_cast<uv_async_t*>(handle); });
}

void Inbox::Push(Letter* letter) {
  Letter* newest = newest_.load(std::memory_order_relaxed);
  do {
    letter->next = newest;
  } while (!newest_.compare_exchange_weak(newest, letter, std::memory_order_release,
                                          std::memory_order_relaxed));
  // Whoever pushed the first one has woken it up, and it has not looked yet.
  if (newest == nullptr) uv_async_send(wake_);
}

void Inbox::OpenAll() {
  Letter* oldest = nullptr;
  for (Letter* each = newest_.exchange(nullptr, std::memory_order_acquire); each != nullptr;) {
    Letter* const before = each->next;
    each->next = std::exchange(oldest, each);
    each = before;
  }
  while (oldest != nullptr) {
    const std::unique_ptr<Letter> letter(oldest);
    oldest = letter->next;
    letter->Open();
  }
}

}  // namespace stele::server
