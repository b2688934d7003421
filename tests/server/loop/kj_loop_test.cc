#include "server/loop/kj_loop.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

// A uv timer that counts its firings.
struct UvTimer {
  UvTimer(uv_loop_t* loop, uint64_t ms) {
    uv_timer_init(loop, &handle);
    handle.data = this;
    uv_timer_start(&handle, [](uv_timer_t* h) { ++static_cast<UvTimer*>(h->data)->fired; }, ms, 0);
  }
  ~UvTimer() {
    uv_close(reinterpret_cast<uv_handle_t*>(&handle), nullptr);
    uv_run(handle.loop, UV_RUN_NOWAIT);
  }
  uv_timer_t handle;
  int fired = 0;
};

TEST(KjLoop, RunsPromisesBesideUvTimers) {
  LoopWorld world;
  UvTimer timer(world.uv(), 1);
  std::string order;
  auto task =
      kj::evalLater([&] { order += "a"; }).then([&] { order += "b"; }).eagerlyEvaluate(nullptr);
  EXPECT_EQ(order, "");
  uv_run(world.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(order, "ab");
  EXPECT_EQ(timer.fired, 1);
}

TEST(KjLoop, DoesNotKeepTheLoopGoingWhenItIsIdle) {
  LoopWorld world;
  EXPECT_EQ(uv_run(world.uv(), UV_RUN_DEFAULT), 0);
  EXPECT_EQ(uv_loop_alive(world.uv()), 0);
}

TEST(KjLoop, MakesNoTurnsWhenItIsIdle) {
  LoopWorld world;
  world.Await(kj::evalLater([] { return 1; }));
  int turns = 0;
  uv_prepare_t counter;
  uv_prepare_init(world.uv(), &counter);
  counter.data = &turns;
  uv_prepare_start(&counter, [](uv_prepare_t* h) { ++*static_cast<int*>(h->data); });
  uv_unref(reinterpret_cast<uv_handle_t*>(&counter));
  {
    UvTimer timer(world.uv(), 30);
    uv_run(world.uv(), UV_RUN_DEFAULT);
    EXPECT_EQ(timer.fired, 1);
    // One that sleeps until the timer, and at most one in which it fires.
    EXPECT_LE(turns, 2);
  }
  uv_close(reinterpret_cast<uv_handle_t*>(&counter), nullptr);
  world.Settle(1);
}

TEST(KjLoop, RunsTimersInTheOrderOfTheirMoments) {
  LoopWorld world;
  kj::Timer& timer = world.loop().timer();
  std::string order;
  const auto at = [&](int ms, char name) {
    return timer.afterDelay(ms * kj::MILLISECONDS)
        .then([&order, name] { order += name; })
        .eagerlyEvaluate(nullptr);
  };
  auto c = at(9, 'c');
  auto a = at(3, 'a');
  auto b = at(6, 'b');
  auto never = at(1'000'000, 'x');
  const kj::TimePoint start = timer.now();
  world.Until([&] { return order.size() == 3; });
  EXPECT_EQ(order, "abc");
  EXPECT_GE(timer.now() - start, 9 * kj::MILLISECONDS);
}

TEST(KjLoop, LetsGoOfATimerThatIsDropped) {
  LoopWorld world;
  auto far = world.loop().timer().afterDelay(1'000 * kj::SECONDS).eagerlyEvaluate(nullptr);
  uv_run(world.uv(), UV_RUN_NOWAIT);
  EXPECT_NE(uv_loop_alive(world.uv()), 0);
  far = nullptr;
  EXPECT_EQ(uv_run(world.uv(), UV_RUN_NOWAIT), 0);
}

TEST(KjLoop, KeepsTimersGoingThatTimersSet) {
  LoopWorld world;
  kj::Timer& timer = world.loop().timer();
  int done = 0;
  auto chain = timer.afterDelay(1 * kj::MILLISECONDS)
                   .then([&] { return ++done, timer.afterDelay(1 * kj::MILLISECONDS); })
                   .then([&] { ++done; })
                   .eagerlyEvaluate(nullptr);
  uv_run(world.uv(), UV_RUN_DEFAULT);
  EXPECT_EQ(done, 2);
}

TEST(KjLoop, TimesOutAPromise) {
  LoopWorld world;
  auto fault = world.FaultOf(
      world.loop().timer().timeoutAfter(1 * kj::MILLISECONDS, kj::Promise<void>(kj::NEVER_DONE)));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->getType(), kj::Exception::Type::OVERLOADED);
}

TEST(KjLoop, RunsWhatOtherThreadsSend) {
  LoopWorld world;
  auto executor = world.loop().executor().addRef();
  const KjLoop::KeepAlive alive(world.loop());
  constexpr int kCalls = 1'000;
  std::atomic<int> right = 0;
  int calls = 0;
  const auto here = std::this_thread::get_id();
  std::thread other([&] {
    for (int i = 0; i < kCalls; ++i) {
      const int answer = executor->executeSync([&] {
        EXPECT_EQ(std::this_thread::get_id(), here);
        return ++calls;
      });
      if (answer == i + 1) ++right;
    }
  });
  world.Until([&] { return calls == kCalls; });
  other.join();
  EXPECT_EQ(right, kCalls);
}

TEST(KjLoop, EndsWhileOtherThreadsHoldItsExecutor) {
  kj::Own<const kj::Executor> executor;
  {
    LoopWorld world;
    executor = world.loop().executor().addRef();
  }
  EXPECT_FALSE(executor->isLive());
  EXPECT_ANY_THROW(executor->executeSync([] {}));
}

TEST(KjLoop, LetsOthersHaveTheirTurnWhenItIsBusyForever) {
  LoopWorld world;
  UvTimer timer(world.uv(), 1);
  bool stop = false;
  std::function<kj::Promise<void>()> again = [&]() -> kj::Promise<void> {
    if (stop) return kj::READY_NOW;
    return kj::evalLater([&] { return again(); });
  };
  auto busy = again().eagerlyEvaluate(nullptr);
  world.Until([&] { return timer.fired == 1; });
  stop = true;
  world.Await(kj::mv(busy));
}

TEST(KjLoop, RunsNothingOnceItIsClosed) {
  LoopWorld world;
  bool ran = false;
  auto task = kj::evalLater([&] { ran = true; }).eagerlyEvaluate(nullptr);
  world.loop().Close();
  world.loop().Close();
  uv_run(world.uv(), UV_RUN_DEFAULT);
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace stele::server
