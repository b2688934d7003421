// Events that are followed.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

struct Seen {
  std::vector<std::string> names;
  std::vector<std::pair<uint64_t, uint32_t>> places;
  std::optional<uint32_t> end;
  size_t calls = 0;
  // Calls are answered when it is let go; null: at once.
  kj::Maybe<kj::ForkedPromise<void>> held;
};

class Receiver final : public api::EventReceiver::Server {
 public:
  explicit Receiver(Seen& seen) : seen_(seen) {}
  kj::Promise<void> next(NextContext context) override {
    ++seen_.calls;
    for (const auto event : context.getParams().getEvents()) {
      seen_.names.emplace_back(event.getName().cStr());
      seen_.places.emplace_back(event.getPosition(), event.getOrdinal());
    }
    KJ_IF_MAYBE (held, seen_.held) {
      return held->addBranch();
    }
    return kj::READY_NOW;
  }
  kj::Promise<void> end(EndContext context) override {
    seen_.end = context.getParams().getCode();
    return kj::READY_NOW;
  }

 private:
  Seen& seen_;
};

class RpcLog : public RpcWorld {
 protected:
  RpcLog() { world_.Register("quick", "{id: a, type: script}"); }

  api::Subscription::Client Follow(Seen& seen, uint64_t position = 0, uint32_t ordinal = 0,
                                   const std::vector<std::string>& names = {}) {
    auto request = Session().logRequest().send().getLog().followRequest();
    request.setReceiver(kj::heap<Receiver>(seen));
    request.initFrom().setPosition(position);
    request.getFrom().setOrdinal(ordinal);
    auto events = request.initFilter().initEvents(static_cast<unsigned>(names.size()));
    for (unsigned i = 0; i < names.size(); ++i) events.set(i, names[i]);
    return Await(request.send()).getSubscription();
  }
};

TEST_F(RpcLog, TellsWhatHappensFromNowOn) {
  Started("quick");
  world_.Settle();
  Seen seen;
  const auto subscription = Follow(seen);
  Started("quick");
  world_.Until([&] { return !seen.names.empty() && seen.names.back() == "instance_completed"; });
  EXPECT_EQ(seen.names.front(), "instance_started");
  EXPECT_EQ(std::ranges::count(seen.names, "instance_started"), 1);
}

TEST_F(RpcLog, TellsFromAnyPositionWhatFits) {
  for (int i = 0; i < 3; ++i) Started("quick");
  world_.Settle();
  Seen seen;
  auto subscription = Follow(seen, 1, 0, {"instance_completed"});
  world_.Until([&] { return seen.names.size() >= 3; });
  EXPECT_EQ(seen.names, std::vector<std::string>(3, "instance_completed"));
  EXPECT_GT(Await(subscription.positionRequest().send()).getPosition(), seen.places.back().first);
}

TEST_F(RpcLog, GoesOnBehindTheEventThatCameLast) {
  Started("quick");
  world_.Settle();
  Seen all;
  const auto first = Follow(all, 1);
  world_.Until([&] { return !all.names.empty() && all.names.back() == "instance_completed"; });
  for (size_t i = 0; i + 1 < all.places.size(); ++i) {
    Seen rest;
    const auto again = Follow(rest, all.places[i].first, all.places[i].second + 1);
    world_.Until([&] { return rest.places.size() >= all.places.size() - i - 1; });
    EXPECT_EQ(rest.places,
              std::vector(all.places.begin() + static_cast<long>(i) + 1, all.places.end()));
  }
}

TEST_F(RpcLog, TellsOfOneInstanceAlone) {
  world_.Register("waits", "{id: w, type: signal, config: {name: go}}");
  const uint64_t id = Started("waits");
  const uint64_t other = Started("waits");
  world_.Settle();
  Seen seen;
  auto request = Instance(id).followRequest();
  request.setReceiver(kj::heap<Receiver>(seen));
  const auto subscription = Await(request.send()).getSubscription();
  for (const uint64_t each : {other, id}) {
    auto signal = Instance(each).signalRequest();
    signal.setName("go");
    Do(signal.send());
  }
  world_.Until([&] { return !seen.names.empty() && seen.names.back() == "instance_completed"; });
  EXPECT_EQ(std::ranges::count(seen.names, "instance_completed"), 1);
  request = Instance(99).followRequest();
  request.setReceiver(kj::heap<Receiver>(seen));
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kUnknownInstance);
}

TEST_F(RpcLog, WaitsForAReceiverThatIsSlow) {
  auto instances = Instances();
  for (int batch = 0; batch < 10; ++batch) {
    auto request = instances.startManyRequest();
    auto requests = request.initRequests(1'000);
    for (auto each : requests) each.setDefinition("quick");
    Await(request.send());
  }
  world_.Settle();
  Seen seen;
  auto let_go = kj::newPromiseAndFulfiller<void>();
  seen.held = let_go.promise.fork();
  auto subscription = Follow(seen, 1, 0, {"instance_completed"});
  world_.Until([&] { return seen.calls > 0; });
  world_.Settle();
  // One call at a time is delivered; what else is under way is bounded by a window.
  EXPECT_EQ(seen.calls, 1u);
  const uint64_t reached = Await(subscription.positionRequest().send()).getPosition();
  EXPECT_LT(reached, 25'000u);
  let_go.fulfiller->fulfill();
  world_.Until([&] { return seen.names.size() >= 10'000; });
  EXPECT_TRUE(std::ranges::is_sorted(seen.places));
  EXPECT_EQ(seen.names.size(), 10'000u);
}

TEST_F(RpcLog, EndsWithItsSubscription) {
  Seen seen;
  {
    const auto subscription = Follow(seen);
    EXPECT_EQ(world_.events().followers(), 1u);
  }
  world_.Until([&] { return world_.events().followers() == 0; });
  Started("quick");
  world_.Settle();
  EXPECT_EQ(seen.calls, 0u);
}

TEST_F(RpcLog, EndsWithItsConnection) {
  auto client = Connect();
  Seen seen;
  auto request = client->gate.anonymousRequest()
                     .send()
                     .getSession()
                     .logRequest()
                     .send()
                     .getLog()
                     .followRequest();
  request.setReceiver(kj::heap<Receiver>(seen));
  auto answer = Await(request.send());
  EXPECT_EQ(world_.events().followers(), 1u);
  {
    auto dropped = kj::mv(answer);
  }
  client.reset();
  world_.Until([&] { return world_.events().followers() == 0; });
}

TEST_F(RpcLog, IsToldWhenTheServerStops) {
  Seen seen;
  const auto subscription = Follow(seen);
  world_.desk().Close();
  world_.Until([&] { return seen.end.has_value(); });
  EXPECT_EQ(seen.end, 1012u);
}

TEST_F(RpcLog, IsRefusedBeyondItsEndAndItsBound) {
  Seen seen;
  auto request = Session().logRequest().send().getLog().followRequest();
  request.setReceiver(kj::heap<Receiver>(seen));
  request.initFrom().setPosition(1'000'000);
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kInvalidInput);
  std::vector<api::Subscription::Client> all;
  for (size_t i = 0; i < kMaxSubscriptions; ++i) all.push_back(Follow(seen));
  request = Session().logRequest().send().getLog().followRequest();
  request.setReceiver(kj::heap<Receiver>(seen));
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kLimitExceeded);
}

}  // namespace
}  // namespace stele::server::rpc
