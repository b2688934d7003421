// KJ's event loop inside a libuv loop: promises, timers and executors of KJ run in the turns of a
// uv_loop_t that others use as well.
//
// One object a thread, made, used and destroyed on the thread that runs the uv loop. Nothing here
// blocks and nobody may `wait()`: everything is promises, and the caller runs `uv_run`.
//
// Who keeps `uv_run` going: a stream, a listener, a KJ timer that somebody waits for, events of KJ
// that are due, and a KeepAlive. A KjLoop with none of these does not, and makes no turns either:
// work that another thread will hand in needs a KeepAlive (or anything else that keeps the loop).
//
// The end: drop the promises, streams and listeners, then `Close()` or destroy the KjLoop, then let
// `uv_run` go on until it returns; handles are freed there, also those of streams dropped before.
// `uv_loop_close` succeeds after that.
//
// The thread takes no SIGPIPE from the first KjLoop on: libuv writes without MSG_NOSIGNAL.
#pragma once

#include <kj/async.h>
#include <kj/timer.h>
#include <uv.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <mutex>
#include <utility>
#include <vector>

#include "server/loop/limits.h"

namespace stele::server {

class KjLoop final : private kj::EventPort {
 public:
  // What has something to do at the end of a turn, when KJ's events have run.
  class Flushable {
   public:
    virtual void Flush() = 0;

   protected:
    ~Flushable() = default;
  };

  // While one lives, uv_run waits for other threads.
  class KeepAlive {
   public:
    explicit KeepAlive(KjLoop& loop);
    KeepAlive(KeepAlive&& other) noexcept : loop_(std::exchange(other.loop_, nullptr)) {}
    KeepAlive(const KeepAlive&) = delete;
    KeepAlive& operator=(const KeepAlive&) = delete;
    ~KeepAlive();

   private:
    KjLoop* loop_;
  };

  // REQUIRES: `loop` outlives this object and its handles; the thread has no KJ loop.
  explicit KjLoop(uv_loop_t* loop);
  KjLoop(const KjLoop&) = delete;
  KjLoop& operator=(const KjLoop&) = delete;
  ~KjLoop() noexcept(false);

  // Time is uv_now: milliseconds, and it stands still within a turn.
  kj::Timer& timer() { return timer_; }
  uv_loop_t* uv() const { return uv_; }
  // What other threads hand work to this one with. Call on the loop's thread; take `addRef()` of it
  // where the loop may end first.
  const kj::Executor& executor() { return loop_.getExecutor(); }

  // Nothing of KJ's runs afterwards. Called by the destructor; once is enough.
  void Close();

  // For streams. `item` is flushed at the end of this turn, or of the next if none runs.
  // REQUIRES: Forget before `item` is destroyed.
  void FlushSoon(Flushable* item);
  void Forget(Flushable* item);
  // Where a stream reads to before it copies: one buffer for all, used within one callback.
  std::array<std::byte, kReadBufferBytes>& read_buffer() { return read_buffer_; }

 private:
  // kj::TimerImpl, which tells the loop of new moments to wake up at.
  class Timer final : public kj::Timer {
   public:
    explicit Timer(KjLoop& loop);
    kj::TimePoint now() const override;
    kj::Promise<void> atTime(kj::TimePoint time) override;
    kj::Promise<void> afterDelay(kj::Duration delay) override;
    void Advance();
    kj::Maybe<kj::TimePoint> nextEvent() { return impl_.nextEvent(); }

   private:
    KjLoop& loop_;
    kj::TimerImpl impl_;
  };
  // The uv handles, which live until libuv has let go of them: longer than the KjLoop.
  struct Handles;

  bool wait() override;
  bool poll() override;
  void setRunnable(bool runnable) override;
  void wake() const override;

  void Turn();
  void RunEvents();
  void FlushAll();
  void ArmTimer();
  void ArmIdle();

  uv_loop_t* uv_;
  Handles* handles_;
  bool closed_ = false;
  bool runnable_ = false;
  bool in_turn_ = false;
  int keep_alives_ = 0;
  // Other threads wake the loop up under it; `closed_` is written under it.
  mutable std::mutex wake_mutex_;
  mutable std::atomic<bool> woken_ = false;
  std::vector<Flushable*> unflushed_;
  std::vector<Flushable*> flushing_;
  std::array<std::byte, kReadBufferBytes> read_buffer_;
  // In this order: promises that the loop lets go of at its end may hold timers.
  Timer timer_;
  kj::EventLoop loop_;
  kj::WaitScope scope_;
};

}  // namespace stele::server
