// What the server says of its own accord over connections whose peers do not read.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

// Many of these are more than a connection has room for.
constexpr size_t kLarge = 512u << 10;
constexpr size_t kMany = 40;

class Receiver final : public api::EventReceiver::Server {
 public:
  explicit Receiver(size_t& seen) : seen_(seen) {}
  kj::Promise<void> next(NextContext context) override {
    seen_ += context.getParams().getEvents().size();
    return kj::READY_NOW;
  }
  kj::Promise<void> end(EndContext) override { return kj::READY_NOW; }

 private:
  size_t& seen_;
};

// Keeps each task.
class Hand final : public api::Worker::Server {
 public:
  explicit Hand(size_t& called) : called_(called) {}
  kj::Promise<void> run(RunContext context) override {
    context.allowCancellation();
    ++called_;
    return kj::NEVER_DONE;
  }

 private:
  size_t& called_;
};

class RpcUnread : public RpcWorld {
 protected:
  RpcUnread() {
    RegisterWorkerType("resize");
    world_.Register("waits", "{id: w, type: signal, config: {name: go}}");
    world_.Register("album",
                    "{id: small, type: 'custom:resize', config: {text: '{{input.text}}'}}");
    raw_ = Dial();
    auto [near, far] = world_.turns().Pair();
    far_ = kj::mv(far);
    client_.emplace(kj::mv(near));
    // What the client says goes to the server; what that says stays where it is.
    asks_ = far_->pumpTo(*raw_).eagerlyEvaluate([](kj::Exception&&) { return uint64_t{0}; });
  }
  ~RpcUnread() noexcept override = default;

  api::Session::Client Unread() { return client_->gate.anonymousRequest().send().getSession(); }
  void BeginToRead() {
    hears_ = raw_->pumpTo(*far_).eagerlyEvaluate([](kj::Exception&&) { return uint64_t{0}; });
  }
  void EndClient() {
    asks_ = nullptr;
    client_.reset();
    far_ = nullptr;
    raw_ = nullptr;
  }
  void StartLarge(const std::string& definition) {
    world_.Start(definition, "{\"text\":\"" + std::string(kLarge, 'x') + "\"}");
  }
  // As much as there is room for, and the one message more with which it was reached.
  void ExpectLittleUnsent() {
    world_.Until([&] { return server_->unsent_bytes() > kMaxUnaskedBytes; });
    world_.Settle();
    EXPECT_LT(server_->unsent_bytes(), kMaxUnaskedBytes + 2 * kLarge);
  }
  api::Membership::Client Join(size_t& called) {
    auto request = Unread().workersRequest().send().getWorkers().joinRequest();
    request.setWorker(kj::heap<Hand>(called));
    request.initTypes(1).set(0, "resize");
    request.setSlots(kMany);
    return request.send().getMembership();
  }
  // With as many tasks that wait for it.
  api::Membership::Client JoinWithTasks(size_t& called) {
    auto membership = Join(called);
    world_.Until([&] { return world_.workers().figures().workers == 1; });
    for (size_t i = 0; i < kMany; ++i) StartLarge("album");
    return membership;
  }
  size_t Leased() {
    const auto figures = world_.workers().figures();
    const auto found = figures.leased_by_type.find("resize");
    return found == figures.leased_by_type.end() ? 0 : found->second;
  }

 private:
  kj::Own<kj::AsyncIoStream> raw_;
  kj::Own<kj::AsyncIoStream> far_;
  std::optional<Client> client_;
  kj::Promise<uint64_t> asks_ = nullptr;
  kj::Promise<uint64_t> hears_ = nullptr;
};

TEST_F(RpcUnread, EventsStayInTheLogHoweverManyFollow) {
  std::vector<size_t> seen(kMany);
  std::vector<api::Subscription::Client> subscriptions;
  for (size_t& each : seen) {
    auto request = Unread().logRequest().send().getLog().followRequest();
    request.setReceiver(kj::heap<Receiver>(each));
    request.initFilter().initEvents(1).set(0, "instance_started");
    subscriptions.push_back(request.send().getSubscription());
  }
  world_.Until([&] { return world_.events().followers() == kMany; });
  StartLarge("waits");
  ExpectLittleUnsent();
  StartLarge("waits");
  ExpectLittleUnsent();
  // Nothing is missing once they are read.
  BeginToRead();
  world_.Until([&] { return std::ranges::count(seen, 2u) == kMany; });
}

TEST_F(RpcUnread, TasksWaitForOthers) {
  size_t called = 0;
  auto membership = JoinWithTasks(called);
  ExpectLittleUnsent();
  EXPECT_LT(Leased(), kMany / 2);
  EXPECT_EQ(world_.workers().figures().queued_by_type.at("resize"), kMany - Leased());
  BeginToRead();
  world_.Until([&] { return called == kMany; });
}

TEST_F(RpcUnread, TasksKeepToTheSlotsThatWereSetMeanwhile) {
  size_t called = 0;
  auto membership = JoinWithTasks(called);
  world_.Settle();
  const size_t leased = Leased();
  auto slots = membership.setSlotsRequest();
  slots.setSlots(static_cast<uint32_t>(leased + 3));
  auto set = slots.send().ignoreResult().eagerlyEvaluate(nullptr);
  world_.Settle();
  EXPECT_EQ(Leased(), leased) << "there is no more room than before";
  BeginToRead();
  world_.Until([&] { return called == leased + 3; });
  world_.Settle();
  EXPECT_EQ(called, leased + 3);
}

TEST_F(RpcUnread, WorkersWhoseConnectionEndsLeaveNothing) {
  size_t called = 0;
  {
    auto membership = JoinWithTasks(called);
    world_.Settle();
    EndClient();
  }
  world_.Until([&] { return world_.workers().figures().workers == 0; });
  EXPECT_EQ(world_.workers().figures().queued_by_type.at("resize"), kMany);
}

}  // namespace
}  // namespace stele::server::rpc
