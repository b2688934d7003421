// A worker that is called, by itself: how long it and its calls live.
#include "server/rpc/called_worker.h"

#include <malloc.h>

#include "server/rpc/endings.h"
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

// Keeps every call until it is dropped.
class Idle final : public api::Worker::Server {
 public:
  explicit Idle(int& calls) : calls_(calls) {}
  kj::Promise<void> run(RunContext context) override {
    context.allowCancellation();
    ++calls_;
    return kj::Promise<void>(kj::NEVER_DONE).attach(kj::defer([&calls = calls_] { --calls; }));
  }

 private:
  int& calls_;
};

// Keeps a call until it is told.
class Waiting final : public api::Worker::Server {
 public:
  explicit Waiting(kj::Own<kj::PromiseFulfiller<void>>& over) : over_(over) {}
  kj::Promise<void> run(RunContext context) override {
    context.allowCancellation();
    auto told = kj::newPromiseAndFulfiller<void>();
    over_ = kj::mv(told.fulfiller);
    return kj::mv(told.promise);
  }

 private:
  kj::Own<kj::PromiseFulfiller<void>>& over_;
};

class ACalledWorker : public RpcWorld {
 protected:
  ACalledWorker() {
    RegisterWorkerType("resize");
    world_.Register("album", "{id: small, type: 'custom:resize'}");
  }
  ~ACalledWorker() noexcept override = default;

  std::shared_ptr<CalledWorker> Joined(api::Worker::Client worker) {
    auto called = std::make_shared<CalledWorker>(
        std::make_shared<const Access>(operations_, options_, connected_,
                                       AnonymousDeveloper("127.0.0.1")),
        kj::mv(worker));
    EXPECT_TRUE(called->Join({.name = "anna", .types = {"resize"}, .slots = 1}).has_value());
    return called;
  }

  const Operations operations_ = AllOperations();
  const RpcOptions options_;
  Endings endings_;
  const std::shared_ptr<Connected> connected_ = std::make_shared<Connected>("127.0.0.1", endings_);
};

TEST_F(ACalledWorker, MayEndWithTheLastOfItsCalls) {
  int calls = 0;
  auto called = Joined(kj::heap<Idle>(calls));
  Started("album");
  world_.Until([&] { return calls == 1; });
  // The call holds the task's control, and nobody else holds anything.
  called->Lose();
  called.reset();
  world_.Until([&] { return calls == 0; });
  EXPECT_EQ(world_.workers().figures().workers, 0u);
}

TEST_F(ACalledWorker, MayEndBeforeTheLoopTurns) {
  int calls = 0;
  auto called = Joined(kj::heap<Idle>(calls));
  Started("album");
  world_.Until([&] { return calls == 1; });
  called.reset();
  world_.Until([&] { return calls == 0; });
}

TEST_F(ACalledWorker, HearsNothingOfACallThatFailsInTheTurnInWhichItEnds) {
  kj::Own<kj::PromiseFulfiller<void>> over;
  auto called = Joined(kj::heap<Waiting>(over));
  Started("album");
  world_.Until([&] { return over.get() != nullptr; });
  over->reject(KJ_EXCEPTION(DISCONNECTED, "it has hung up"));
  called.reset();
  world_.Settle();
  EXPECT_EQ(world_.workers().figures().workers, 0u);
}

TEST_F(ACalledWorker, KeepsNothingOfThoseWhoNoLongerWaitForItsEnd) {
  int calls = 0;
  const auto called = Joined(kj::heap<Idle>(calls));
  {
    const auto once = called->WhenEnded();
  }
  // No other thread has anything left to do meanwhile.
  world_.Settle();
  world_.CatchUp();
  const size_t before = mallinfo2().uordblks;
  for (int i = 0; i < 10'000; ++i) const auto dropped = called->WhenEnded();
  EXPECT_LT(mallinfo2().uordblks, before + 100'000);
}

TEST_F(ACalledWorker, IsToldOfItsEndHoweverOftenItAsks) {
  int calls = 0;
  const auto called = Joined(kj::heap<Idle>(calls));
  auto first = called->WhenEnded();
  auto second = called->WhenEnded();
  called->Leave();
  Await(kj::mv(first));
  Await(kj::mv(second));
  Await(called->WhenEnded());
}

TEST(ATurnstile, KeepsNothingOfThoseWhoNoLongerWait) {
  LoopWorld loop;
  Turnstile turnstile(1);
  auto place = loop.Await(turnstile.Enter());
  for (int i = 0; i < 1'000; ++i) const auto dropped = turnstile.Enter();
  EXPECT_EQ(turnstile.waiting(), 0u);
  auto first = turnstile.Enter();
  auto second = turnstile.Enter();
  auto third = turnstile.Enter();
  second = nullptr;
  EXPECT_EQ(turnstile.waiting(), 2u);
  place = nullptr;
  auto next = loop.Await(kj::mv(first));
  EXPECT_EQ(turnstile.waiting(), 1u);
  next = nullptr;
  loop.Await(kj::mv(third));
  auto again = loop.Await(turnstile.Enter());
}

}  // namespace
}  // namespace stele::server::rpc
