#include "server/loop/connection_loops.h"

#include <pthread.h>
#include <signal.h>
#include <uv.h>

#include <algorithm>
#include <future>
#include <optional>
#include <thread>
#include <utility>

#include "base/check.h"
#include "server/loop/carrier.h"
#include "server/loop/crossing.h"

namespace stele::server {

// A thread and its loop.
class ConnectionLoops::Loop final : public kj::TaskSet::ErrorHandler {
 public:
  Loop() : thread_([this] { Run(); }) { ready_.get_future().wait(); }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Inbox& inbox() { return *inbox_; }
  void Take(kj::Own<Carrier> carrier, int fd, PeerEnd peer_end, TlsAcceptor tls) {
    inbox_->Post([this, carrier = kj::mv(carrier), fd, peer_end, tls = std::move(tls)]() mutable {
      auto run = carrier->Run(*loop_, fd, peer_end, tls);
      carriers_->add(run.attach(kj::mv(carrier)));
    });
  }
  // Nothing is posted behind it.
  void Stop() {
    inbox_->Post([this] {
      stopping_ =
          carriers_->onEmpty().then([this] { uv_stop(loop_->uv()); }).eagerlyEvaluate(nullptr);
    });
  }
  void Join() { thread_.join(); }

  size_t connections = 0;  // the home loop's

 private:
  void Run();
  // A carrier tells of its own faults.
  void taskFailed(kj::Exception&&) override {}

  // The thread's.
  KjLoop* loop_ = nullptr;
  kj::Own<kj::TaskSet> carriers_;
  kj::Promise<void> stopping_ = nullptr;

  std::optional<Inbox> inbox_;
  std::promise<void> ready_;
  std::thread thread_;  // last: it uses the rest
};

void ConnectionLoops::Loop::Run() {
  pthread_setname_np(pthread_self(), "connections");
  // Signals are for the thread that waits for them.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  uv_loop_t uv;
  CHECK(uv_loop_init(&uv) == 0);
  {
    KjLoop loop(&uv);
    loop_ = &loop;
    carriers_ = kj::heap<kj::TaskSet>(*this);
    inbox_.emplace(&uv);
    inbox_->Hold();
    ready_.set_value();
    uv_run(&uv, UV_RUN_DEFAULT);
    stopping_ = nullptr;
    carriers_ = nullptr;
    inbox_->Close();
  }
  // What lingers.
  uv_run(&uv, UV_RUN_DEFAULT);
  CHECK(uv_loop_close(&uv) == 0);
}

ConnectionLoops::ConnectionLoops(KjLoop& home, size_t loops, uint64_t linger_ms)
    : home_(home), linger_ms_(linger_ms), inbox_(home.uv()) {
  for (size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<Loop>());
}

ConnectionLoops::~ConnectionLoops() {
  for (const auto& loop : loops_) loop->Stop();
  for (const auto& loop : loops_) loop->Join();
  inbox_.Close();
}

kj::Promise<Arrival> ConnectionLoops::Open(AcceptedSocket socket, PeerEnd peer_end,
                                           TlsAcceptor tls) {
  auto counted = [held = socket.TakeCounted()](Arrival arrival) mutable {
    arrival.stream = arrival.stream.attach(kj::mv(held));
    return arrival;
  };
  if (loops_.empty()) return Welcome(home_, socket.Release(), peer_end, tls).then(kj::mv(counted));
  Loop& loop = **std::ranges::min_element(
      loops_, {}, [](const std::unique_ptr<Loop>& each) { return each->connections; });
  auto* crossing = new Crossing(home_, loop.inbox());
  auto carrier = kj::heap<Carrier>(inbox_, crossing, linger_ms_);
  ++loop.connections;
  ++open_;
  auto arrival = crossing->Await(carrier.get(), [this, &loop] { OnGone(loop); });
  loop.Take(kj::mv(carrier), socket.Release(), peer_end, std::move(tls));
  return arrival.then(kj::mv(counted));
}

void ConnectionLoops::OnGone(Loop& loop) {
  --loop.connections;
  if (--open_ == 0 && when_empty_.get() != nullptr) when_empty_->fulfill();
}

kj::Promise<void> ConnectionLoops::WhenEmpty() {
  if (open_ == 0) return kj::READY_NOW;
  auto empty = kj::newPromiseAndFulfiller<void>();
  when_empty_ = kj::mv(empty.fulfiller);
  return kj::mv(empty.promise);
}

std::vector<size_t> ConnectionLoops::connections() const {
  std::vector<size_t> each;
  for (const auto& loop : loops_) each.push_back(loop->connections);
  return each;
}

}  // namespace stele::server
