// Cap'n Proto's RPC over the streams of this folder.
#include <capnp/rpc-twoparty.h>
#include <gtest/gtest.h>

#include <string>

#include "server/loop/connect.h"
#include "server/loop/listener.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

using AnyContext = capnp::CallContext<capnp::AnyPointer, capnp::AnyPointer>;

// Answers every method with the text that it was asked with.
class EchoServer final : public capnp::Capability::Server {
 public:
  DispatchCallResult dispatchCall(uint64_t, uint16_t, AnyContext context) override {
    const auto text = context.getParams().getAs<capnp::Text>();
    context.getResults().setAs<capnp::Text>(text);
    return {kj::READY_NOW, false};
  }
};

kj::Promise<bool> Asks(capnp::Capability::Client& server, const std::string& text) {
  auto request = server.typelessRequest(1, 2, nullptr);
  request.setAs<capnp::Text>(capnp::Text::Reader(text.c_str(), text.size()));
  return request.send().then([text](capnp::Response<capnp::AnyPointer>&& answer) {
    return text == answer.getAs<capnp::Text>().cStr();
  });
}

struct RpcWorld {
  RpcWorld()
      : listener(Listen(world.loop(), "127.0.0.1:0").value()),
        server(kj::heap<EchoServer>()),
        serving(server.listen(*listener).eagerlyEvaluate(nullptr)),
        stream(world.Await(Connect(world.loop(), listener->address()))),
        client(*stream),
        echo(client.bootstrap()) {}
  LoopWorld world;
  kj::Own<Listener> listener;
  capnp::TwoPartyServer server;
  kj::Promise<void> serving;
  kj::Own<kj::AsyncIoStream> stream;
  capnp::TwoPartyClient client;
  capnp::Capability::Client echo;
};

TEST(Rpc, AnswersThousandsOfRequestsThatAreOnTheirWayAtOnce) {
  RpcWorld rpc;
  auto requests = kj::heapArrayBuilder<kj::Promise<bool>>(5'000);
  for (size_t i = 0; i < 5'000; ++i) requests.add(Asks(rpc.echo, "request " + std::to_string(i)));
  size_t right = 0;
  for (bool answer : rpc.world.Await(kj::joinPromises(requests.finish()))) right += answer;
  EXPECT_EQ(right, 5'000u);
}

TEST(Rpc, CarriesAMessageLargerThanEveryBuffer) {
  RpcWorld rpc;
  EXPECT_TRUE(rpc.world.Await(Asks(rpc.echo, std::string(5u << 20, 'x'))));
}

TEST(Rpc, TellsTheClientThatItsServerIsGone) {
  RpcWorld rpc;
  EXPECT_TRUE(rpc.world.Await(Asks(rpc.echo, "here?")));
  rpc.serving = nullptr;
  auto noticed = rpc.client.onDisconnect();
  rpc.stream->shutdownWrite();
  rpc.world.Await(kj::mv(noticed));
  EXPECT_TRUE(rpc.world.IsDisconnected(Asks(rpc.echo, "still?")));
}

}  // namespace
}  // namespace stele::server
