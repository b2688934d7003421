// Connections that end, send nonsense, send too much, or ask for much.
#include "tests/server/rpc/rpc_world.h"

namespace stele::server::rpc {
namespace {

class RpcConnection : public RpcWorld {
 protected:
  RpcConnection() {
    world_.Register("long", "{id: hang, type: script}");
    world_.Register("quick", "{id: a, type: script}");
  }
  // The server goes on for others.
  void ExpectService() { EXPECT_STREQ(NameOf(Session()).c_str(), "dev"); }
  std::string NameOf(api::Session::Client session) {
    return Await(session.whoAmIRequest().send()).getCaller().getName().cStr();
  }
};

TEST_F(RpcConnection, ThatEndsGivesUpWhatIsWaitedFor) {
  const uint64_t id = Started("long");
  const size_t others = server_->connections();
  auto client = Connect();
  auto wait = InstanceOf(*client, id).waitRequest();
  wait.setPatience(kMaxPatienceUs);
  auto waiting = wait.send().ignoreResult().eagerlyEvaluate(nullptr);
  world_.Settle();
  EXPECT_EQ(server_->connections(), others + 1);
  waiting = nullptr;
  client.reset();
  world_.Until([&] { return server_->connections() == others; });
  ExpectService();
}

TEST_F(RpcConnection, ThatSendsNonsenseIsClosedAlone) {
  ExpectService();
  for (const std::string& bytes :
       {std::string("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), std::string(4'096, '\xff'), Noise(10'000),
        std::string(64, '\0')}) {
    auto raw = Dial();
    Await(WriteText(*raw, bytes));
    raw->shutdownWrite();
    world_.Until([&] { return server_->connections() == 1; });
  }
  ExpectService();
}

TEST_F(RpcConnection, ThatNobodyLogsInOverTakesLittle) {
  auto client = Connect();
  auto login = client->gate.withTokenRequest();
  login.setToken(std::string(2u << 20, 'x'));
  EXPECT_EQ(CodeOf(login.send()), ErrorCode::kClosed);
  ExpectService();
}

TEST_F(RpcConnection, ThatNobodyLogsInOverTakesLittleInAll) {
  auto client = Connect();
  int answered = 0;
  for (ErrorCode code = ErrorCode::kUnsupported; code == ErrorCode::kUnsupported; ++answered) {
    ASSERT_LT(answered, 40);
    auto login = client->gate.withTokenRequest();
    login.setToken(std::string(60'000, 'x'));
    code = CodeOf(login.send());
    EXPECT_TRUE(code == ErrorCode::kUnsupported || code == ErrorCode::kClosed);
  }
  EXPECT_GT(answered, 10);
}

TEST_F(RpcConnection, ThatNobodyLogsInOverEnds) {
  server_.emplace(AllOperations(), RpcOptions{.login_patience_us = 1'000});
  auto client = Connect();
  world_.Await(client->rpc.onDisconnect());
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(RpcConnection, WhosePeerReadsNothingEnds) {
  const InstanceId id = world_.Start("long", "{\"text\":\"" + std::string(1u << 20, 'x') + "\"}");
  server_.emplace(AllOperations(), RpcOptions{.send_patience_us = 1'000});
  // What it asks goes to the server; what that answers stays where it is.
  auto raw = Dial();
  auto [near, far] = world_.turns().Pair();
  Client client(kj::mv(near));
  auto asks = far->pumpTo(*raw).eagerlyEvaluate(nullptr);
  auto asked = InstanceOf(client, id.value).statusRequest().send();
  world_.Until([&] { return HasEnded(0); });
  EXPECT_EQ(server_->connections(), 0u);
}

TEST_F(RpcConnection, WhosePeerHasNothingToReadStays) {
  server_.emplace(AllOperations(), RpcOptions{.send_patience_us = 1'000});
  for (int i = 0; i < 5; ++i) {
    ExpectService();
    Await(world_.timer().afterDelay(5 * kj::MILLISECONDS));
  }
  EXPECT_EQ(server_->connections(), 1u);
}

TEST_F(RpcConnection, ThatSendsTooLargeAMessageIsClosed) {
  auto raw = Dial();
  // One segment, larger than any message may be.
  const uint32_t header[4] = {0, static_cast<uint32_t>(kMaxMessageWords + 1), 0, 0};
  Await(WriteText(*raw, std::string(reinterpret_cast<const char*>(header), sizeof header)));
  world_.Until([&] { return server_->connections() == 0; });
  ExpectService();
}

TEST_F(RpcConnection, CarriesWhatIsLarge) {
  ExpectService();
  const std::string text(3u << 20, 'x');
  const uint64_t id = Started("long", "{\"text\":\"" + text + "\"}");
  const auto answer = Await(Instance(id).statusRequest().send());
  EXPECT_EQ(answer.getStatus().getInput().size(), text.size() + 11);
  EXPECT_EQ(CodeOf(Starting("long", "{\"text\":\"" + std::string(5u << 20, 'x') + "\"}").send()),
            ErrorCode::kLimitExceeded);
}

TEST_F(RpcConnection, GetsAllAnswersWhenTheyAreMoreThanIsHeldForIt) {
  const uint64_t id = Started("long", "{\"text\":\"" + std::string(1u << 20, 'x') + "\"}");
  auto client = Connect();
  auto instance = InstanceOf(*client, id);
  size_t answered = 0;
  std::vector<kj::Promise<void>> calls;
  for (int i = 0; i < 100; ++i)
    calls.push_back(instance.statusRequest()
                        .send()
                        .then([&](capnp::Response<api::Instance::StatusResults>&& answer) {
                          EXPECT_GT(answer.getStatus().getInput().size(), 1u << 20);
                          ++answered;
                        })
                        .eagerlyEvaluate(nullptr));
  // No more calls are read meanwhile; all of them are in the end.
  world_.Until([&] { return answered == 100; });
}

}  // namespace
}  // namespace stele::server::rpc
