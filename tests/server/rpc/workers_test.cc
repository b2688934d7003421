// Workers that are called, over connections to a running engine.
#include <gmock/gmock.h>

#include <deque>

#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

using testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;

// A call of a worker, as the worker has it.
struct Called {
  std::string key;
  std::string type;
  std::string config;
  std::string input;
  std::string step;
  int64_t lease = 0;
  std::optional<api::TaskControl::Client> control;
  kj::Own<kj::PromiseFulfiller<void>> over;  // the call's end, behind `answer`
  std::function<void(api::WorkerResult::Builder)> answer = [](auto) {};
  bool answers = true;  // false: without a result
  // A call may end behind the hand that has it.
  std::shared_ptr<bool> dropped = std::make_shared<bool>(false);
};

struct Hand {
  std::deque<Called> calls;
  bool keeps_control = true;

  void Complete(size_t call, const std::string& output = "{}") {
    calls[call].answer = [output](api::WorkerResult::Builder to) { to.setOutput(output); };
    calls[call].over->fulfill();
    calls[call].control.reset();
  }
};

class HandServer final : public api::Worker::Server {
 public:
  explicit HandServer(Hand& hand) : hand_(hand) {}

  kj::Promise<void> run(RunContext context) override {
    context.allowCancellation();
    const auto task = context.getParams().getTask();
    auto over = kj::newPromiseAndFulfiller<void>();
    Called& call = hand_.calls.emplace_back();
    call.key = task.getKey().cStr();
    call.type = task.getType().cStr();
    call.config = task.getConfig().cStr();
    call.input = task.getInput().cStr();
    call.step = task.getStep().cStr();
    call.lease = task.getLease();
    if (hand_.keeps_control) call.control = context.getParams().getControl();
    call.over = kj::mv(over.fulfiller);
    context.releaseParams();
    return over.promise
        .then([context, &call]() mutable {
          if (call.answers) call.answer(context.getResults().initResult());
        })
        .attach(kj::defer([dropped = call.dropped] { *dropped = true; }));
  }

 private:
  Hand& hand_;
};

class RpcWorkers : public RpcWorld {
 protected:
  RpcWorkers() {
    RegisterWorkerType("resize");
    world_.Register("album", "{id: small, type: 'custom:resize', config: {width: 3}}");
  }

  static auto Joining(api::Session::Client session, Hand& hand, uint32_t slots = 1,
                      int64_t lease = 30 * kSecond) {
    auto request = session.workersRequest().send().getWorkers().joinRequest();
    request.setWorker(kj::heap<HandServer>(hand));
    request.setName("anna");
    request.initTypes(1).set(0, "resize");
    request.setSlots(slots);
    request.setLease(lease);
    return request;
  }
  api::Membership::Client Join(Client& client, Hand& hand, uint32_t slots = 1,
                               int64_t lease = 30 * kSecond) {
    auto session = client.gate.anonymousRequest().send().getSession();
    return Await(Joining(session, hand, slots, lease).send()).getMembership();
  }
  void UntilCalls(const Hand& hand, size_t count) {
    world_.Until([&] { return hand.calls.size() >= count; });
  }
  // What the task fails with that is answered like this, by a worker that goes on to work.
  std::string FailureWith(const std::function<void(Called&)>& how) {
    const size_t before = hand_.calls.size();
    const uint64_t id = Started("album");
    UntilCalls(hand_, before + 1);
    how(hand_.calls[before]);
    if (hand_.calls[before].over->isWaiting()) hand_.calls[before].over->fulfill();
    hand_.calls[before].control.reset();
    EXPECT_EQ(EndOf(id), "failed");
    EXPECT_EQ(world_.workers().figures().workers, 1u);
    EXPECT_EQ(world_.workers().figures().lost, 0u);
    return Await(Instance(id).statusRequest().send()).getStatus().getErrorMessage().cStr();
  }
  std::string FailureWithAnswer(std::function<void(api::WorkerResult::Builder)> answer) {
    return FailureWith([&](Called& call) { call.answer = std::move(answer); });
  }
  auto Heartbeat(Called& call) { return call.control->heartbeatRequest().send(); }

  // Before the clients: they hold it.
  Hand hand_;
  Hand other_hand_;
};

TEST_F(RpcWorkers, AreCalledForTasksAndAnswerThem) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t id = Started("album", R"({"from":"here"})");
  UntilCalls(hand_, 1);
  EXPECT_EQ(hand_.calls[0].type, "resize");
  EXPECT_EQ(hand_.calls[0].step, "small");
  EXPECT_EQ(hand_.calls[0].config, R"({"width":3})");
  EXPECT_EQ(hand_.calls[0].key, std::to_string(id) + "-1-1");
  EXPECT_EQ(hand_.calls[0].lease, 30 * kSecond);
  hand_.Complete(0, R"({"size":6})");
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcWorkers, AreCalledForAsManyAsTheyHaveSlots) {
  const auto client = Connect();
  auto membership = Join(*client, hand_, 2);
  for (int i = 0; i < 4; ++i) Started("album");
  UntilCalls(hand_, 2);
  world_.Settle();
  EXPECT_EQ(hand_.calls.size(), 2u);
  hand_.Complete(1);
  UntilCalls(hand_, 3);
  auto slots = membership.setSlotsRequest();
  slots.setSlots(3);
  Await(slots.send());
  UntilCalls(hand_, 4);
}

TEST_F(RpcWorkers, FailTasksWithWhatTheySay) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t id = Started("album");
  UntilCalls(hand_, 1);
  hand_.calls[0].answer = [](api::WorkerResult::Builder to) {
    to.initFailure().setMessage("the tray is empty");
    to.getFailure().setKind("no_paper");
    to.getFailure().setRetryable(false);
  };
  hand_.calls[0].over->fulfill();
  EXPECT_EQ(EndOf(id), "failed");
  const auto answer = Await(Instance(id).statusRequest().send());
  const std::string message = answer.getStatus().getErrorMessage().cStr();
  EXPECT_NE(message.find("the tray is empty"), std::string::npos) << message;
}

TEST_F(RpcWorkers, FailTasksWhoseCallsFailOrGiveNoJson) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t thrown = Started("album");
  UntilCalls(hand_, 1);
  hand_.calls[0].over->reject(KJ_EXCEPTION(FAILED, "out of ink"));
  EXPECT_EQ(EndOf(thrown), "failed");
  const uint64_t broken = Started("album");
  UntilCalls(hand_, 2);
  hand_.Complete(1, "{");
  EXPECT_EQ(EndOf(broken), "failed");
  const uint64_t list = Started("album");
  UntilCalls(hand_, 3);
  hand_.Complete(2, "[]");
  EXPECT_EQ(EndOf(list), "failed");
}

TEST_F(RpcWorkers, FailTasksWithAnswersThatAreNone) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const auto output = [this](const std::string& text) {
    return FailureWithAnswer([&](api::WorkerResult::Builder to) { to.setOutput(text); });
  };
  EXPECT_THAT(output("nonsense"), HasSubstr("output: Expected"));
  EXPECT_THAT(output("[]"), HasSubstr("Expected an object as the output but found"));
  EXPECT_THAT(output("{\"size\": \"" + std::string(2u << 20, 'x') + "\"}"),
              HasSubstr("max_output_bytes"));
  EXPECT_THAT(FailureWith([](Called& call) { call.answers = false; }),
              HasSubstr("Expected a result but found an answer without one"));
  EXPECT_THAT(
      FailureWithAnswer([](api::WorkerResult::Builder to) { to.initFailure().setDetails("[1]"); }),
      HasSubstr("details: Expected an object"));
  // What the schema does not know, or does not say.
  const auto words = [](api::WorkerResult::Builder to) {
    return reinterpret_cast<uint16_t*>(capnp::toAny(to).getDataSection().begin());
  };
  EXPECT_THAT(FailureWithAnswer([&](api::WorkerResult::Builder to) { words(to)[0] = 7; }),
              HasSubstr("Expected an output or a failure but found neither"));
  EXPECT_THAT(FailureWithAnswer([&](api::WorkerResult::Builder to) {
                to.initFailure();
                capnp::toAny(to).getPointerSection()[0].initAs<capnp::List<uint64_t>>(1);
              }),
              HasSubstr("Expected a message that can be read"));
}

TEST_F(RpcWorkers, FailTheTaskAloneWhenAHandlerHasLostAConnectionOfItsOwn) {
  const auto client = Connect();
  auto membership = Join(*client, hand_, 2);
  const uint64_t other = Started("album");
  UntilCalls(hand_, 1);
  EXPECT_THAT(FailureWith([](Called& call) {
                call.over->reject(KJ_EXCEPTION(DISCONNECTED, "the archive has hung up"));
              }),
              HasSubstr("the archive has hung up"));
  hand_.Complete(0);
  EXPECT_EQ(EndOf(other), "completed");
}

TEST_F(RpcWorkers, AreCalledAsOftenAsTheirRateSays) {
  const auto client = Connect();
  auto session = client->gate.anonymousRequest().send().getSession();
  auto joining = Joining(session, hand_, 100);
  joining.setRate(2);
  auto membership = Await(joining.send()).getMembership();
  for (int i = 0; i < 8; ++i) Started("album");
  UntilCalls(hand_, 2);
  world_.Settle();
  EXPECT_EQ(hand_.calls.size(), 2u);
  world_.clock().Advance(kSecond / 2);
  world_.workers().ElapseTimers();
  UntilCalls(hand_, 3);
  world_.Settle();
  EXPECT_EQ(hand_.calls.size(), 3u);
  auto rate = membership.setRateRequest();
  rate.setRate(-1);
  EXPECT_EQ(CodeOf(rate.send()), ErrorCode::kLimitExceeded);
  rate = membership.setRateRequest();
  rate.setRate(0);
  Await(rate.send());
  UntilCalls(hand_, 8);
}

TEST_F(RpcWorkers, RenewTheirLeasesByHeartbeats) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  Started("album");
  UntilCalls(hand_, 1);
  for (int i = 0; i < 3; ++i) {
    world_.clock().Advance(20 * kSecond);
    world_.workers().ElapseTimers();
    Await(Heartbeat(hand_.calls[0]));
  }
  EXPECT_EQ(world_.workers().figures().lost, 0u);
  world_.clock().Advance(31 * kSecond);
  world_.workers().ElapseTimers();
  EXPECT_EQ(CodeOf(Heartbeat(hand_.calls[0])), ErrorCode::kStaleAttempt);
  world_.Until([&] { return *hand_.calls[0].dropped; });
  EXPECT_EQ(hand_.calls.size(), 1u) << "the slot is free before the task has stopped";
  hand_.calls[0].control.reset();
  UntilCalls(hand_, 2);
  EXPECT_EQ(hand_.calls[1].key, hand_.calls[0].key);
}

TEST_F(RpcWorkers, HaveTheCallOfACancelledTaskDropped) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t id = Started("album");
  UntilCalls(hand_, 1);
  Do(Instance(id).cancelRequest().send());
  world_.Until([&] { return *hand_.calls[0].dropped; });
  world_.Settle();
  EXPECT_TRUE(world_.workers().figures().leased_by_type.contains("resize"))
      << "its slot is free before the task has stopped";
  EXPECT_EQ(CodeOf(Heartbeat(hand_.calls[0])), ErrorCode::kStaleAttempt);
  hand_.calls[0].control.reset();
  world_.Until([&] { return !world_.workers().figures().leased_by_type.contains("resize"); });
  EXPECT_EQ(EndOf(id), "cancelled");
}

TEST_F(RpcWorkers, ThatKeepNoControlHaveStoppedAtOnce) {
  hand_.keeps_control = false;
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t id = Started("album");
  UntilCalls(hand_, 1);
  world_.Settle();
  Do(Instance(id).cancelRequest().send());
  EXPECT_EQ(EndOf(id), "cancelled");
}

TEST_F(RpcWorkers, LoseWhatTheyHoldWithTheirConnection) {
  auto client = Connect();
  auto membership = Join(*client, hand_);
  const auto other_client = Connect();
  auto other = Join(*other_client, other_hand_);
  const uint64_t id = Started("album");
  world_.Until([&] { return hand_.calls.size() + other_hand_.calls.size() == 1; });
  if (hand_.calls.empty()) {
    // It is the other's turn: once more, and it is the first one's.
    Started("album");
    UntilCalls(hand_, 1);
    other_hand_.Complete(0);
  }
  const std::string key = hand_.calls[0].key;
  const size_t before = other_hand_.calls.size();
  hand_.calls[0].control.reset();
  membership = nullptr;
  client.reset();
  UntilCalls(other_hand_, before + 1);
  EXPECT_EQ(other_hand_.calls.back().key, key);
  EXPECT_EQ(world_.workers().figures().workers, 1u);
  other_hand_.Complete(other_hand_.calls.size() - 1);
  EXPECT_EQ(EndOf(id), "completed");
}

TEST_F(RpcWorkers, ThatLeaveAnswerWhatTheyHoldFirst) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  const uint64_t id = Started("album");
  UntilCalls(hand_, 1);
  bool has_left = false;
  auto leaving = membership.leaveRequest()
                     .send()
                     .then([&](auto&&) { has_left = true; })
                     .eagerlyEvaluate(nullptr);
  Started("album");
  world_.Settle();
  EXPECT_FALSE(has_left);
  hand_.Complete(0);
  EXPECT_EQ(EndOf(id), "completed");
  world_.Until([&] { return has_left; });
  EXPECT_EQ(hand_.calls.size(), 1u);
  EXPECT_EQ(CodeOf(membership.setSlotsRequest().send()), ErrorCode::kClosed);
}

TEST_F(RpcWorkers, AreToldWhenTheyAreOutOfThePool) {
  const auto client = Connect();
  auto membership = Join(*client, hand_);
  auto ended = membership.whenEndedRequest().send();
  Await(membership.leaveRequest().send());
  Await(kj::mv(ended));
}

TEST_F(RpcWorkers, NeedARoleThatMayWorkAndASaneRequest) {
  EXPECT_EQ(CodeOf(Joining(Narrowed("viewer"), hand_).send()), ErrorCode::kForbidden);
  EXPECT_EQ(CodeOf(Joining(Session(), hand_, 1001).send()), ErrorCode::kLimitExceeded);
  EXPECT_EQ(CodeOf(Joining(Session(), hand_, 1, kSecond - 1).send()), ErrorCode::kLimitExceeded);
  auto nobody = Session().workersRequest().send().getWorkers().joinRequest();
  nobody.initTypes(1).set(0, "resize");
  EXPECT_EQ(CodeOf(nobody.send()), ErrorCode::kInvalidInput);
  auto fast = Joining(Session(), hand_);
  fast.setRate(1e7);
  EXPECT_EQ(CodeOf(fast.send()), ErrorCode::kLimitExceeded);
  auto built_in = Joining(Session(), hand_);
  built_in.initTypes(1).set(0, "script");
  EXPECT_EQ(CodeOf(built_in.send()), ErrorCode::kInvalidInput);
  EXPECT_EQ(world_.workers().figures().workers, 0u);
}

TEST_F(RpcWorkers, JoinByTheNameOfTheirCertificateAloneWhereTheyShowOne) {
  world_.worker_operations().RequireCertificates();
  const auto bare = Connect();
  auto stranger = bare->gate.anonymousRequest().send().getSession();
  const Error refused = ErrorOfCall(Joining(stranger, hand_).send());
  EXPECT_EQ(refused.code, ErrorCode::kForbidden);
  EXPECT_THAT(refused.message, HasSubstr("shows a certificate"));
  // It may do all the rest.
  auto start = stranger.instancesRequest().send().getInstances().startRequest();
  start.setDefinition("album");
  const uint64_t id = Await(start.send()).getStarted().getId();

  const auto other = Connect("127.0.0.1 bert");
  auto posing = other->gate.anonymousRequest().send().getSession();
  const Error posed = ErrorOfCall(Joining(posing, hand_).send());
  EXPECT_EQ(posed.code, ErrorCode::kForbidden);
  EXPECT_THAT(posed.message, HasSubstr("\"bert\", but found \"anna\""));
  EXPECT_EQ(world_.workers().figures().workers, 0u);

  const auto client = Connect("127.0.0.1 anna");
  auto membership = Join(*client, hand_);
  UntilCalls(hand_, 1);
  hand_.Complete(0);
  EXPECT_EQ(EndOf(id), "completed");
}

}  // namespace
}  // namespace stele::server::rpc
