#include "server/loop/kj_loop.h"

#include <kj/debug.h>
#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/check.h"

namespace stele::server {
namespace {

kj::TimePoint TimeOf(uint64_t ms) {
  return kj::origin<kj::TimePoint>() + static_cast<int64_t>(ms) * kj::MILLISECONDS;
}

void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

struct KjLoop::Handles {
  uv_prepare_t prepare;
  uv_check_t check;
  uv_idle_t idle;
  uv_async_t async;
  uv_timer_t timer;
  int open = 5;
  // The moment that `timer` is set to, in milliseconds of uv_now.
  std::optional<uint64_t> armed;

  template <class Each>
  void ForEach(Each each) {
    each(reinterpret_cast<uv_handle_t*>(&prepare));
    each(reinterpret_cast<uv_handle_t*>(&check));
    each(reinterpret_cast<uv_handle_t*>(&idle));
    each(reinterpret_cast<uv_handle_t*>(&async));
    each(reinterpret_cast<uv_handle_t*>(&timer));
  }
};

KjLoop::Timer::Timer(KjLoop& loop) : loop_(loop), impl_(TimeOf(uv_now(loop.uv_))) {}

kj::TimePoint KjLoop::Timer::now() const {
  return TimeOf(uv_now(loop_.uv_));
}

kj::Promise<void> KjLoop::Timer::atTime(kj::TimePoint time) {
  auto promise = impl_.atTime(time);
  if (!loop_.in_turn_) loop_.ArmTimer();
  return promise;
}

kj::Promise<void> KjLoop::Timer::afterDelay(kj::Duration delay) {
  return atTime(now() + delay);
}

void KjLoop::Timer::Advance() {
  impl_.advanceTo(now());
}

KjLoop::KeepAlive::KeepAlive(KjLoop& loop) : loop_(&loop) {
  if (loop.keep_alives_++ == 0 && !loop.closed_)
    uv_ref(reinterpret_cast<uv_handle_t*>(&loop.handles_->async));
}

KjLoop::KeepAlive::~KeepAlive() {
  if (loop_ == nullptr) return;
  if (--loop_->keep_alives_ == 0 && !loop_->closed_)
    uv_unref(reinterpret_cast<uv_handle_t*>(&loop_->handles_->async));
}

KjLoop::KjLoop(uv_loop_t* loop)
    : uv_(loop), handles_(new Handles), timer_(*this), loop_(*this), scope_(loop_) {
  BlockBrokenPipeSignal();
  uv_prepare_init(uv_, &handles_->prepare);
  uv_check_init(uv_, &handles_->check);
  uv_idle_init(uv_, &handles_->idle);
  uv_timer_init(uv_, &handles_->timer);
  const int error = uv_async_init(uv_, &handles_->async, [](uv_async_t*) {});
  CHECK(error == 0, "Expected a descriptor to wake the loop with but found: {}",
        uv_strerror(error));
  handles_->ForEach([this](uv_handle_t* handle) { handle->data = this; });
  // Before the loop sleeps, and after what woke it up: these two run the events. The other three
  // only see to it that there is a turn.
  uv_prepare_start(&handles_->prepare,
                   [](uv_prepare_t* h) { static_cast<KjLoop*>(h->data)->Turn(); });
  uv_check_start(&handles_->check, [](uv_check_t* h) { static_cast<KjLoop*>(h->data)->Turn(); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->prepare));
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->check));
  uv_unref(reinterpret_cast<uv_handle_t*>(&handles_->async));
}

KjLoop::~KjLoop() noexcept(false) {
  Close();
}

void KjLoop::Close() {
  if (closed_) return;
  {
    std::lock_guard lock(wake_mutex_);
    closed_ = true;
  }
  Handles* handles = handles_;
  handles->ForEach([handles](uv_handle_t* handle) {
    handle->data = handles;
    uv_close(handle, [](uv_handle_t* closed) {
      auto* all = static_cast<Handles*>(closed->data);
      if (--all->open == 0) delete all;
    });
  });
}

bool KjLoop::wait() {
  KJ_FAIL_REQUIRE(
      "Expected promises on a libuv loop to be chained but found one that is waited for");
}

bool KjLoop::poll() {
  return woken_.exchange(false);
}

void KjLoop::setRunnable(bool runnable) {
  runnable_ = runnable;
  if (!in_turn_) ArmIdle();
}

void KjLoop::wake() const {
  woken_.store(true);
  std::lock_guard lock(wake_mutex_);
  if (!closed_) uv_async_send(&handles_->async);
}

void KjLoop::FlushSoon(Flushable* item) {
  unflushed_.push_back(item);
  if (!in_turn_) ArmIdle();
}

void KjLoop::Forget(Flushable* item) {
  std::erase(unflushed_, item);
  std::replace(flushing_.begin(), flushing_.end(), item, static_cast<Flushable*>(nullptr));
}

void KjLoop::Turn() {
  if (closed_) return;
  in_turn_ = true;
  timer_.Advance();
  RunEvents();
  for (int i = 0; i < kFlushesPerTurn && !unflushed_.empty(); ++i) {
    FlushAll();
    RunEvents();
  }
  in_turn_ = false;
  // An event may have closed the loop.
  if (closed_) return;
  ArmTimer();
  ArmIdle();
}

void KjLoop::RunEvents() {
  // What other threads sent is only looked at in a poll, which leaves the runnable flag as it is;
  // run sets it, also when it has nothing to run.
  if (woken_.load()) scope_.poll();
  loop_.run(kEventsPerTurn);
}

void KjLoop::FlushAll() {
  flushing_.swap(unflushed_);
  for (size_t i = 0; i < flushing_.size(); ++i)
    if (flushing_[i] != nullptr) flushing_[i]->Flush();
  flushing_.clear();
}

void KjLoop::ArmTimer() {
  if (closed_) return;
  std::optional<uint64_t> next;
  KJ_IF_MAYBE (time, timer_.nextEvent()) {
    // Rounded up: a timer that is early would run for nothing.
    const int64_t ns = (*time - kj::origin<kj::TimePoint>()) / kj::NANOSECONDS;
    next = ns <= 0 ? 0 : (static_cast<uint64_t>(ns) + 999'999) / 1'000'000;
  }
  if (next == handles_->armed) return;
  handles_->armed = next;
  if (!next) {
    uv_timer_stop(&handles_->timer);
    return;
  }
  const uint64_t now = uv_now(uv_);
  uv_timer_start(
      &handles_->timer,
      [](uv_timer_t* h) {
        auto* self = static_cast<KjLoop*>(h->data);
        self->handles_->armed.reset();
        // Not left to the handles of the turn: uv_run may end after its timers.
        self->Turn();
      },
      *next > now ? *next - now : 0, 0);
}

void KjLoop::ArmIdle() {
  if (closed_) return;
  if (runnable_ || !unflushed_.empty()) {
    uv_idle_start(&handles_->idle, [](uv_idle_t*) {});
  } else {
    uv_idle_stop(&handles_->idle);
  }
}

}  // namespace stele::server
