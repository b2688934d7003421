#include "server/loop/work_threads.h"

#include <gtest/gtest.h>
#include <kj/vector.h>

#include <atomic>
#include <memory>
#include <semaphore>
#include <stdexcept>
#include <string>

#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

TEST(WorkThreads, BringsResultsToTheLoop) {
  LoopWorld world;
  WorkThreads threads(world.loop(), {.threads = 2});
  const auto here = std::this_thread::get_id();
  auto other = world.Await(threads.Run<std::thread::id>([] { return std::this_thread::get_id(); }));
  EXPECT_NE(other, here);
  EXPECT_EQ(world.Await(threads.Run<std::string>([] { return std::string("done"); })), "done");
  bool ran = false;
  world.Await(threads.Run<void>([&] { ran = true; }));
  EXPECT_TRUE(ran);
}

TEST(WorkThreads, KeepsTheOrderWithOneThread) {
  LoopWorld world;
  WorkThreads threads(world.loop(), {.threads = 1});
  std::string order;
  kj::Vector<kj::Promise<void>> jobs;
  for (char name = 'a'; name <= 'z'; ++name)
    jobs.add(threads.Run<void>([&order, name] { order += name; }));
  world.Await(kj::joinPromises(jobs.releaseAsArray()));
  EXPECT_EQ(order, "abcdefghijklmnopqrstuvwxyz");
}

TEST(WorkThreads, TellsWhatAJobThrows) {
  LoopWorld world;
  WorkThreads threads(world.loop(), {.threads = 1});
  auto fault =
      world.FaultOf(threads.Run<int>([]() -> int { throw std::runtime_error("no such table"); }));
  ASSERT_TRUE(fault);
  EXPECT_NE(std::string(fault->getDescription().cStr()).find("no such table"), std::string::npos);
}

TEST(WorkThreads, RefusesMoreThanItsQueueHolds) {
  LoopWorld world;
  std::binary_semaphore started(0);
  std::binary_semaphore go(0);
  WorkThreads threads(world.loop(), {.threads = 1, .max_queued = 2});
  auto running = threads.Run<void>([&] {
    started.release();
    go.acquire();
  });
  started.acquire();
  auto first = threads.Run<int>([] { return 1; });
  EXPECT_FALSE(threads.full());
  auto second = threads.Run<int>([] { return 2; });
  EXPECT_TRUE(threads.full());
  auto fault = world.FaultOf(threads.Run<int>([] { return 3; }));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->getType(), kj::Exception::Type::OVERLOADED);
  go.release();
  world.Await(kj::mv(running));
  EXPECT_EQ(world.Await(kj::mv(second)), 2);
  EXPECT_EQ(world.Await(kj::mv(first)), 1);
}

TEST(WorkThreads, FinishesAJobWhosePromiseIsDropped) {
  LoopWorld world;
  std::binary_semaphore started(0);
  std::binary_semaphore go(0);
  std::atomic<bool> finished = false;
  WorkThreads threads(world.loop(), {.threads = 1});
  {
    auto dropped = threads.Run<int>([&] {
      started.release();
      go.acquire();
      finished = true;
      return 1;
    });
    started.acquire();
  }
  go.release();
  EXPECT_EQ(world.Await(threads.Run<int>([] { return 2; })), 2);
  EXPECT_TRUE(finished);
}

TEST(WorkThreads, TellsThoseWhoWaitThatItEnds) {
  LoopWorld world;
  std::binary_semaphore started(0);
  std::binary_semaphore go(0);
  auto threads = std::make_unique<WorkThreads>(world.loop(), WorkThreads::Options{.threads = 1});
  auto running = threads->Run<int>([&] {
    started.release();
    go.acquire();
    return 1;
  });
  auto waiting = threads->Run<int>([] { return 2; });
  started.acquire();
  go.release();
  threads.reset();
  EXPECT_EQ(world.Await(kj::mv(running)), 1);
  // Its job may have begun before the end was asked for.
  auto fault = world.FaultOf(kj::mv(waiting));
  EXPECT_TRUE(!fault || fault->getType() == kj::Exception::Type::DISCONNECTED);
}

}  // namespace
}  // namespace stele::server
