#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

Response Fine(Request&) {
  return NoContent();
}

class TimesTest : public testing::Test {
 protected:
  ~TimesTest() noexcept override {}
  TimesTest() {
    world_.Post("/a", Fine);
    world_.Get("/a", Fine);
    world_.Add(Method::kGet, "/waits", [this](Request&) -> kj::Promise<Response> {
      auto paf = kj::newPromiseAndFulfiller<Response>();
      waiting_ = kj::mv(paf.fulfiller);
      return kj::mv(paf.promise);
    });
  }

  HttpWorld world_;
  kj::Own<kj::PromiseFulfiller<Response>> waiting_;
};

TEST_F(TimesTest, AHeadMustComeInTime) {
  const auto client = world_.Connect();
  client->Send("GET /a HT");
  world_.Pass((kHeaderSeconds - 1) * kj::SECONDS);
  EXPECT_FALSE(client->IsClosed());
  world_.Pass(1 * kj::SECONDS);
  const Received received = client->Receive();
  EXPECT_EQ(received.status, 408);
  EXPECT_EQ(*received.json().Find("code"), Value("STL0605"));
  EXPECT_TRUE(client->IsClosed());
}

TEST_F(TimesTest, EveryHeadHasItsTimeFromItsFirstByteHoweverManyPiecesCome) {
  const auto client = world_.Connect();
  EXPECT_EQ(client->Ask(Wire("GET /a")).status, 204);
  world_.Pass((kIdleSeconds - 1) * kj::SECONDS);
  client->Send("GET /a HTTP/1.1\r\nHost: h\r\n");
  for (int i = 1; i < kHeaderSeconds; ++i) {
    world_.Pass(1 * kj::SECONDS);
    client->Send("A: b\r\n");
    EXPECT_EQ(client->ReadSome(), "");
  }
  world_.Pass(1 * kj::SECONDS);
  EXPECT_EQ(client->Receive().status, 408);
  EXPECT_TRUE(client->IsClosed());
}

TEST_F(TimesTest, AConnectionThatSaysNothingIsClosedWithoutAWord) {
  const auto client = world_.Connect();
  world_.Pass((kHeaderSeconds - 1) * kj::SECONDS);
  EXPECT_FALSE(client->IsClosed());
  world_.Pass(1 * kj::SECONDS);
  EXPECT_TRUE(client->IsClosed());
  EXPECT_EQ(client->ReadSome(), "");
}

TEST_F(TimesTest, AnAnswerReachesAClientThatSendsOnButNotForEver) {
  const auto client = world_.Connect();
  client->Send("nonsense\r\n\r\n");
  EXPECT_EQ(client->Receive().status, 400);
  EXPECT_TRUE(client->IsClosed());
  client->Send("more");
  world_.Run();
  EXPECT_TRUE(client->has_sent());
  world_.Pass(kDropSeconds * kj::SECONDS);
  client->Send("more");
  world_.Run();
  EXPECT_TRUE(client->is_cut_off());
}

TEST_F(TimesTest, ABodyMustComeInTime) {
  const auto client = world_.Connect();
  client->Send("POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  world_.Pass((kBodySeconds - 1) * kj::SECONDS);
  EXPECT_EQ(client->ReadSome(), "");
  world_.Pass(1 * kj::SECONDS);
  const Received received = client->Receive();
  EXPECT_EQ(received.status, 408);
  EXPECT_EQ(received.headers.Get("Connection"), "close");
  world_.Pass(kDropSeconds * kj::SECONDS);
  EXPECT_TRUE(client->IsClosed());
  EXPECT_EQ(world_.service().in_progress(), 0u);
}

TEST_F(TimesTest, AnIdleConnectionIsClosed) {
  const auto client = world_.Connect();
  EXPECT_EQ(client->Ask(Wire("GET /a")).status, 204);
  world_.Pass((kIdleSeconds - 1) * kj::SECONDS);
  EXPECT_EQ(client->Ask(Wire("GET /a")).status, 204);
  world_.Pass(kIdleSeconds * kj::SECONDS);
  EXPECT_TRUE(client->IsClosed());
}

TEST_F(TimesTest, AHandlerMayTakeLong) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /waits"));
  world_.Pass(10 * kj::MINUTES);
  waiting_->fulfill(NoContent());
  EXPECT_EQ(client->Receive().status, 204);
  world_.Run();
  ASSERT_EQ(world_.accesses.size(), 1u);
  EXPECT_EQ(world_.accesses[0].duration_us, 600'000'000);
}

TEST_F(TimesTest, DrainingWaitsForWhatIsInProgressAndEndsTheRest) {
  const auto busy = world_.Connect();
  const auto idle = world_.Connect();
  const auto fresh = world_.Connect();
  busy->Send(Wire("GET /waits"));
  EXPECT_EQ(idle->Ask(Wire("GET /a")).status, 204);
  world_.Run();
  auto drained = world_.service().Drain();
  EXPECT_FALSE(drained.poll(world_.scope));
  EXPECT_TRUE(idle->IsClosed());
  EXPECT_TRUE(fresh->IsClosed());
  waiting_->fulfill(NoContent());
  const Received received = busy->Receive();
  EXPECT_EQ(received.status, 204);
  EXPECT_EQ(received.headers.Get("Connection"), "close");
  EXPECT_TRUE(drained.poll(world_.scope));
  EXPECT_TRUE(world_.service().Drain().poll(world_.scope));
}

TEST_F(TimesTest, DrainingTakesNothingThatWasPipelined) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /waits") + Wire("GET /a"));
  world_.Run();
  auto drained = world_.service().Drain();
  waiting_->fulfill(NoContent());
  EXPECT_EQ(client->Receive().headers.Get("Connection"), "close");
  // Who reads `close` knows that what was sent behind the request has not been taken.
  EXPECT_TRUE(client->IsClosed());
  EXPECT_TRUE(drained.poll(world_.scope));
}

TEST_F(TimesTest, AConnectionThatComesWhileDrainingIsClosed) {
  auto drained = world_.service().Drain();
  EXPECT_TRUE(drained.poll(world_.scope));
  EXPECT_TRUE(world_.Connect()->IsClosed());
}

TEST(TimesOverTcp, TheKernelIsToldHowLongAClientMayTakeNothing) {
  auto io = kj::setupAsyncIo();
  Router router;
  Service service(io.provider->getTimer(), router, {.send_time = 7 * kj::SECONDS}, {});
  auto listener = io.provider->getNetwork().parseAddress("127.0.0.1").wait(io.waitScope)->listen();
  auto accepted = listener->accept();
  auto client = io.provider->getNetwork()
                    .parseAddress("127.0.0.1", listener->getPort())
                    .wait(io.waitScope)
                    ->connect()
                    .wait(io.waitScope);
  auto connection = accepted.wait(io.waitScope);
  kj::AsyncIoStream& stream = *connection;
  auto served = service.Serve(kj::mv(connection), "127.0.0.1").eagerlyEvaluate(nullptr);
  unsigned most = 0, size = sizeof(most);
  stream.getsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, &most, &size);
  EXPECT_EQ(most, 7000u);
}

}  // namespace
}  // namespace stele::server::http
