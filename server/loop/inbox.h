// What other threads have to say to a loop's thread: a queue without a lock. A loop takes all that
// has come in one go, so that those who write while it is busy wake it up once.
//
// It has no bound of its own. Whoever posts sees to one: a Crossing and its Carrier have so many
// bytes on their way at most (limits.h).
//
// The queue is a stack that is pushed to by compare-and-swap, taken whole and turned round:
// R. K. Treiber, "Systems Programming: Coping with Parallelism" (1986).
#pragma once

#include <uv.h>

#include <atomic>
#include <utility>

namespace stele::server {

class Inbox {
 public:
  // On the loop's thread. It does not keep uv_run going, unless it is held.
  explicit Inbox(uv_loop_t* loop);
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  // REQUIRES: it was closed.
  ~Inbox();

  // `act` is called on the loop's thread, behind all that this thread has posted before, as libuv
  // calls back. Any thread; nobody waits.
  template <class Act>
  void Post(Act act) {
    Push(new LetterOf<Act>(std::move(act)));
  }

  // On the loop's thread: uv_run goes on until the inbox is closed.
  void Hold();
  // On the loop's thread. What has been posted is done still. REQUIRES: nobody posts any more.
  void Close();

 private:
  struct Letter {
    virtual ~Letter() noexcept(false) = default;
    virtual void Open() = 0;
    Letter* next = nullptr;
  };
  template <class Act>
  struct LetterOf final : Letter {
    explicit LetterOf(Act given) : act(std::move(given)) {}
    void Open() override { act(); }
    Act act;
  };

  void Push(Letter* letter);
  void OpenAll();

  // Lives until libuv has let go of it. Null: closed.
  uv_async_t* wake_;
  std::atomic<Letter*> newest_ = nullptr;
};

}  // namespace stele::server
