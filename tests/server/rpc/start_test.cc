// Starting instances, waiting for them, publishing messages.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcStart : public RpcWorld {
 protected:
  RpcStart() {
    world_.Register("quick", "{id: a, type: script}", "outputs: {n: '{{input.n}}'}");
    world_.Register("long", "{id: hang, type: script}");
  }
};

TEST_F(RpcStart, IsWaitedForBeforeItIsAnswered) {
  auto started = Starting("quick", R"({"n": 4})").send();
  auto waiting = started.getInstance().waitRequest();
  waiting.setPatience(kMaxPatienceUs);
  auto ended = waiting.send();
  const auto status = Await(kj::mv(ended));
  EXPECT_STREQ(status.getStatus().getStatus().cStr(), "completed");
  EXPECT_STREQ(status.getStatus().getOutput().cStr(), R"({"n":4})");
  EXPECT_STREQ(status.getStatus().getInput().cStr(), R"({"n":4})");
  EXPECT_GT(status.getStatus().getEnded(), 0);
  const auto answer = Await(kj::mv(started));
  EXPECT_EQ(answer.getStarted().getId(), status.getStatus().getId());
  EXPECT_GT(answer.getStarted().getPosition(), 0u);
  EXPECT_FALSE(answer.getStarted().getKnown());
}

TEST_F(RpcStart, BelongsToTheTraceOfWhoeverAsks) {
  constexpr char kParent[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
  for (const auto& [given, kept] : {std::pair(kParent, kParent), {"nonsense", ""}, {"", ""}}) {
    auto request = Starting("long");
    request.setTraceParent(given);
    const InstanceId id(Await(request.send()).getStarted().getId());
    EXPECT_EQ(world_.shard().Find(id).value()->trace_parent, kept) << given;
  }
}

TEST_F(RpcStart, KeepsWhatItIsGiven) {
  auto request = Starting("long");
  request.setBusinessKey("order-7");
  request.setIdempotencyKey("once");
  auto tags = request.initTags(2);
  tags.set(0, "eu");
  tags.set(1, "vip");
  request.setPriority(-3);
  auto variables = request.initVariables(1);
  variables[0].setName("n");
  variables[0].setValue("[1, 2]");
  const uint64_t id = Await(request.send()).getStarted().getId();
  const auto answer = Await(Instance(id).statusRequest().send());
  const auto status = answer.getStatus();
  EXPECT_STREQ(status.getDefinition().cStr(), "long");
  EXPECT_EQ(status.getVersion(), 1u);
  EXPECT_STREQ(status.getBusinessKey().cStr(), "order-7");
  ASSERT_EQ(status.getTags().size(), 2u);
  EXPECT_STREQ(status.getTags()[1].cStr(), "vip");
  EXPECT_EQ(status.getPriority(), -3);
  ASSERT_EQ(status.getVariables().size(), 1u);
  EXPECT_STREQ(status.getVariables()[0].getValue().cStr(), "[1,2]");
  EXPECT_STREQ(status.getInput().cStr(), "");
  EXPECT_EQ(status.getEnded(), 0);
}

TEST_F(RpcStart, GivesTheSameInstanceForTheSameKey) {
  auto first = Starting("quick");
  first.setIdempotencyKey("k");
  const uint64_t id = Await(first.send()).getStarted().getId();
  auto again = Starting("quick");
  again.setIdempotencyKey("k");
  const auto answer = Await(again.send());
  EXPECT_EQ(answer.getStarted().getId(), id);
  EXPECT_TRUE(answer.getStarted().getKnown());
  auto other = Starting("long");
  other.setIdempotencyKey("k");
  EXPECT_EQ(ErrorOfCall(other.send()),
            (Error{ErrorCode::kDuplicateKey,
                   fmt::format("Expected a new idempotency key for this start but instance {} was "
                               "started with \"k\" and another definition",
                               id)}));
}

TEST_F(RpcStart, IsRefusedWithItsReason) {
  EXPECT_EQ(CodeOf(Starting("nothing").send()), ErrorCode::kUnknownDefinition);
  const Error text = ErrorOfCall(Starting("quick", "{").send());
  EXPECT_EQ(text.code, ErrorCode::kInvalidJson);
  EXPECT_TRUE(text.message.starts_with("input: Expected")) << text.message;
  EXPECT_EQ(ErrorOfCall(Starting("quick", "[1]").send()),
            (Error{ErrorCode::kInvalidInput, "input: Expected an object but found array"}));
  EXPECT_EQ(
      ErrorOfCall(Starting("quick", R"({"a": 1, "a": 2})").send()),
      (Error{ErrorCode::kInvalidJson, "input: Expected each member once but found \"a\" twice"}));
  auto control = Starting("quick");
  control.setBusinessKey("a\nb");
  EXPECT_EQ(CodeOf(control.send()), ErrorCode::kInvalidInput);
  auto bytes = Starting("quick");
  bytes.setBusinessKey("\xff");
  EXPECT_EQ(CodeOf(bytes.send()), ErrorCode::kInvalidInput);
  auto long_key = Starting("quick");
  long_key.setBusinessKey(std::string(kMaxTextBytes + 1, 'k'));
  EXPECT_EQ(CodeOf(long_key.send()), ErrorCode::kLimitExceeded);
  auto version = Starting("quick");
  version.setVersion(9);
  EXPECT_EQ(CodeOf(version.send()), ErrorCode::kUnknownDefinition);
  auto twice = Starting("quick");
  auto variables = twice.initVariables(2);
  variables[0].setName("n");
  variables[1].setName("n");
  EXPECT_EQ(CodeOf(twice.send()), ErrorCode::kInvalidInput);
}

TEST_F(RpcStart, OfOneThatWasRefusedRefusesWhatIsAskedOfIt) {
  auto waiting = Starting("nothing").send().getInstance().waitRequest();
  EXPECT_EQ(CodeOf(waiting.send()), ErrorCode::kUnknownDefinition);
}

TEST_F(RpcStart, OfManyAnswersEachForItself) {
  auto request = Instances().startManyRequest();
  auto requests = request.initRequests(3);
  requests[0].setDefinition("quick");
  requests[1].setDefinition("nothing");
  requests[2].setDefinition("quick");
  requests[2].setInput(R"({"n":1})");
  const auto answer = Await(request.send());
  const auto results = answer.getResults();
  ASSERT_EQ(results.size(), 3u);
  ASSERT_TRUE(results[0].isStarted());
  ASSERT_TRUE(results[1].isRefused());
  ASSERT_TRUE(results[2].isStarted());
  EXPECT_EQ(results[1].getRefused().getCode(), 407u);
  EXPECT_NE(results[0].getStarted().getId(), results[2].getStarted().getId());
  EXPECT_EQ(EndOf(results[2].getStarted().getId()), "completed");
}

TEST_F(RpcStart, OfTooManyIsRefused) {
  auto request = Instances().startManyRequest();
  request.initRequests(kMaxStartsPerCall + 1);
  EXPECT_EQ(CodeOf(request.send()), ErrorCode::kLimitExceeded);
}

TEST_F(RpcStart, OfThousandsOnTheirWayAtOnce) {
  auto instances = Instances();
  auto starts = kj::heapArrayBuilder<kj::Promise<uint64_t>>(3'000);
  for (size_t i = 0; i < 3'000; ++i) {
    auto request = instances.startRequest();
    request.setDefinition("quick");
    starts.add(
        request.send().then([](capnp::Response<api::Instances::StartResults>&& answer) -> uint64_t {
          return answer.getStarted().getId();
        }));
  }
  const auto ids = Await(kj::joinPromises(starts.finish()));
  for (size_t i = 1; i < ids.size(); ++i) ASSERT_EQ(ids[i], ids[i - 1] + 1);
}

TEST_F(RpcStart, WaitsNoLongerThanItIsAsked) {
  auto waiting = Instance(Started("long")).waitRequest();
  waiting.setPatience(1'000);
  const auto answer = Await(waiting.send());
  EXPECT_STREQ(answer.getStatus().getStatus().cStr(), "running");
  EXPECT_EQ(answer.getStatus().getEnded(), 0);
}

TEST_F(RpcStart, AnInstanceThatThereIsNotIsRefusedWhenItIsAsked) {
  EXPECT_EQ(CodeOf(Instance(99).statusRequest().send()), ErrorCode::kUnknownInstance);
  EXPECT_EQ(CodeOf(Instance(0).waitRequest().send()), ErrorCode::kUnknownInstance);
  EXPECT_EQ(CodeOf(Instance(99).stepsRequest().send()), ErrorCode::kUnknownInstance);
}

TEST_F(RpcStart, AMessageReachesTheOneThatWaitsForIt) {
  world_.Register(
      "pays", "{id: w, type: message, config: {action: wait, name: paid, key: '{{input.key}}'}}");
  const uint64_t a = Started("pays", R"({"key": "A"})");
  const uint64_t b = Started("pays", R"({"key": "B"})");
  auto request = Instances().publishRequest();
  request.setName("paid");
  request.setKey("B");
  request.setPayload("{}");
  request.setMessageId("m-1");
  Do(request.send());
  EXPECT_EQ(EndOf(b), "completed");
  EXPECT_EQ(StatusOf(a), "waiting");
  EXPECT_EQ(CodeOf(Instances().publishRequest().send()), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace stele::server::rpc
