#include "server/loop/inbox.h"

#include <gtest/gtest.h>

#include <memory>
#include <thread>
#include <vector>

#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

struct Counted {
  explicit Counted(int& count) : count(count) { ++count; }
  ~Counted() { --count; }
  int& count;
};

TEST(Inbox, HasTheLettersOfEachThreadInTheirOrder) {
  const int kThreads = 4, kLetters = 20'000;
  LoopWorld world;
  Inbox inbox(world.uv());
  inbox.Hold();
  std::vector<int> next(kThreads, 0);
  int faults = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i)
    threads.emplace_back([&inbox, &next, &faults, i, kLetters] {
      for (int n = 0; n < kLetters; ++n)
        inbox.Post([&next, &faults, i, n] { faults += next[i]++ == n ? 0 : 1; });
    });
  world.Until([&next, kThreads, kLetters] { return next == std::vector<int>(kThreads, kLetters); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(faults, 0);
  inbox.Close();
}

TEST(Inbox, WakesTheLoopOnceForWhatCameWhileItWasBusy) {
  LoopWorld world;
  Inbox inbox(world.uv());
  inbox.Hold();
  int opened = 0;
  std::thread([&] {
    for (int i = 0; i < 100; ++i) inbox.Post([&opened] { ++opened; });
  }).join();
  uv_run(world.uv(), UV_RUN_ONCE);
  EXPECT_EQ(opened, 100);
  EXPECT_EQ(uv_run(world.uv(), UV_RUN_NOWAIT), 1);
  EXPECT_EQ(opened, 100);
  inbox.Close();
}

TEST(Inbox, TakesWhatALetterPosts) {
  LoopWorld world;
  Inbox inbox(world.uv());
  inbox.Hold();
  bool second = false;
  inbox.Post([&] { inbox.Post([&] { second = true; }); });
  world.Until([&] { return second; });
  inbox.Close();
}

TEST(Inbox, OpensWhatIsLeftWhenItIsClosed) {
  LoopWorld world;
  int alive = 0;
  bool opened = false;
  Inbox inbox(world.uv());
  inbox.Post([&opened, held = std::make_unique<Counted>(alive)] { opened = true; });
  EXPECT_EQ(alive, 1);
  inbox.Close();
  EXPECT_TRUE(opened);
  EXPECT_EQ(alive, 0);
}

TEST(Inbox, LetsTheLoopSleepWhenNothingComes) {
  LoopWorld world;
  Inbox inbox(world.uv());
  inbox.Hold();
  int turns = 0;
  uv_prepare_t counter;
  uv_prepare_init(world.uv(), &counter);
  counter.data = &turns;
  uv_prepare_start(&counter, [](uv_prepare_t* h) { ++*static_cast<int*>(h->data); });
  bool waited = false;
  uv_timer_t timer;
  uv_timer_init(world.uv(), &timer);
  timer.data = &waited;
  uv_timer_start(&timer, [](uv_timer_t* h) { *static_cast<bool*>(h->data) = true; }, 30, 0);
  while (!waited) uv_run(world.uv(), UV_RUN_ONCE);
  // One that sleeps until the timer, and at most one in which it fires.
  EXPECT_LE(turns, 2);
  uv_close(reinterpret_cast<uv_handle_t*>(&counter), nullptr);
  uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
  inbox.Close();
  world.Settle(1);
}

TEST(Inbox, KeepsTheLoopGoingOnlyWhenItIsHeld) {
  LoopWorld world;
  Inbox inbox(world.uv());
  EXPECT_EQ(uv_run(world.uv(), UV_RUN_DEFAULT), 0);
  inbox.Hold();
  EXPECT_NE(uv_run(world.uv(), UV_RUN_NOWAIT), 0);
  inbox.Close();
}

}  // namespace
}  // namespace stele::server
