// Connections on loops of their own: each test of what a stream is to do runs over none, one and
// three of them.
#include "server/loop/connection_loops.h"

#include <gtest/gtest.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "server/loop/connect.h"
#include "server/loop/limits.h"
#include "tests/server/loop/certificates.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

std::string Text(const kj::Array<kj::byte>& bytes) {
  return {bytes.asChars().begin(), bytes.size()};
}

class Loops {
 public:
  explicit Loops(size_t loops, ListenOptions options = {}, uint64_t linger_ms = kLingerMs)
      : peer_end_(options.peer_end),
        listener_(Listen(world.loop(), "127.0.0.1:0", options).value()),
        loops_(std::make_unique<ConnectionLoops>(world.loop(), loops, linger_ms)) {}

  struct Connection {
    kj::Own<kj::AsyncIoStream> client;
    kj::Own<kj::AsyncIoStream> server;
    std::string common_name;
  };
  kj::Own<kj::AsyncIoStream> Client() {
    return world.Await(Connect(world.loop(), listener_->address()));
  }
  kj::Promise<Arrival> Accept(const TlsAcceptor& tls = nullptr) {
    return listener_->AcceptSocket().then([this, tls](AcceptedSocket socket) {
      return loops_->Open(std::move(socket), peer_end_, tls);
    });
  }
  Connection Open() {
    auto arriving = Accept().eagerlyEvaluate(nullptr);
    auto client = Client();
    Arrival arrival = world.Await(kj::mv(arriving));
    EXPECT_TRUE(arrival.peer.starts_with("127.0.0.1:")) << arrival.peer;
    return {kj::mv(client), kj::mv(arrival.stream), arrival.common_name};
  }
  std::string Read(kj::AsyncInputStream& from, size_t size) {
    std::string text(size, '\0');
    text.resize(world.Await(from.tryRead(text.data(), size, size)));
    return text;
  }

  LoopWorld world;

 private:
  const PeerEnd peer_end_;
  kj::Own<Listener> listener_;

 public:
  size_t open() const { return listener_->connections(); }
  ConnectionLoops& loops() { return *loops_; }

 private:
  std::unique_ptr<ConnectionLoops> loops_;
};

class OverLoops : public testing::TestWithParam<size_t> {};
INSTANTIATE_TEST_SUITE_P(Loops, OverLoops, testing::Values(0, 1, 3));

TEST_P(OverLoops, EchoesTenMegabytes) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  kj::AsyncIoStream& back = *server;
  auto echo =
      back.pumpTo(back).then([&back](uint64_t) { back.shutdownWrite(); }).eagerlyEvaluate(nullptr);
  const std::string sent = Noise(10u << 20);
  kj::AsyncIoStream& out = *client;
  auto writing = out.write(sent.data(), sent.size())
                     .then([&out] { out.shutdownWrite(); })
                     .eagerlyEvaluate(nullptr);
  EXPECT_TRUE(Text(loops.world.Await(out.readAllBytes())) == sent);
  loops.world.Await(kj::mv(writing));
  loops.world.Await(kj::mv(echo));
}

TEST_P(OverLoops, ReadsAMessageThatIsLargerThanWhatMayBeOnTheWay) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(3u << 20);
  auto writing = client->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
  EXPECT_EQ(loops.Read(*server, 5), sent.substr(0, 5));
  EXPECT_TRUE(loops.Read(*server, sent.size() - 5) == sent.substr(5));
  loops.world.Await(kj::mv(writing));
}

TEST_P(OverLoops, ReadsAMessageThatFitsOnlyWithoutWhatWasReadBefore) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(kReadBufferBytes + 20'000);
  auto writing = client->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
  EXPECT_EQ(loops.Read(*server, 20'000), sent.substr(0, 20'000));
  EXPECT_TRUE(loops.Read(*server, kReadBufferBytes) == sent.substr(20'000));
  loops.world.Await(kj::mv(writing));
}

// Whatever is asked for at once.
TEST_P(OverLoops, ReadsInStepsOfAnySize) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(6u << 20);
  auto writing = client->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
  uint32_t state = 7;
  for (size_t at = 0; at < sent.size();) {
    state = state * 1664525u + 1013904223u;
    const size_t step = std::min<size_t>(1 + (state >> 8) % 150'000, sent.size() - at);
    ASSERT_TRUE(loops.Read(*server, step) == sent.substr(at, step)) << at;
    at += step;
  }
  loops.world.Await(kj::mv(writing));
}

TEST_P(OverLoops, SendsPiecesInTheirOrder) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(1u << 20);
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
  for (size_t at = 0, size = 0; at < sent.size(); at += size, size = size * 2 + 1) {
    size = std::min(size, sent.size() - at);
    pieces.push_back(Bytes(sent).slice(at, at + size));
  }
  auto writing = server->write(kj::arrayPtr(pieces.data(), pieces.size())).eagerlyEvaluate(nullptr);
  EXPECT_TRUE(loops.Read(*client, sent.size()) == sent);
  loops.world.Await(kj::mv(writing));
}

TEST_P(OverLoops, KeepsAWriterWaitingForAPeerThatDoesNotRead) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  auto [other, other_server, other_name] = loops.Open();
  const std::string sent = Noise(64u << 20);
  bool done = false;
  auto writing = server->write(sent.data(), sent.size())
                     .then([&done] { done = true; })
                     .eagerlyEvaluate(nullptr);
  // Others have their turn meanwhile, again and again.
  for (int i = 0; i < 200; ++i) {
    loops.world.Await(WriteText(*other, "question"));
    ASSERT_EQ(loops.Read(*other_server, 8), "question");
    loops.world.Await(WriteText(*other_server, "answer"));
    ASSERT_EQ(loops.Read(*other, 6), "answer");
  }
  EXPECT_FALSE(done);
  EXPECT_TRUE(loops.Read(*client, sent.size()) == sent);
  loops.world.Await(kj::mv(writing));
}

TEST_P(OverLoops, KeepsAPeerWaitingWhomNobodyReads) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(64u << 20);
  bool done = false;
  auto writing = client->write(sent.data(), sent.size())
                     .then([&done] { done = true; })
                     .eagerlyEvaluate(nullptr);
  EXPECT_TRUE(loops.Read(*server, 100'000) == sent.substr(0, 100'000));
  loops.world.Settle(200);
  EXPECT_FALSE(done);
  EXPECT_TRUE(loops.Read(*server, sent.size() - 100'000) == sent.substr(100'000));
  loops.world.Await(kj::mv(writing));
}

TEST_P(OverLoops, KeepsWhatADroppedReadHadNotTaken) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  char buffer[8];
  {
    auto dropped = server->tryRead(buffer, 8, 8).eagerlyEvaluate(nullptr);
    loops.world.Await(WriteText(*client, "abc"));
    loops.world.Settle();
  }
  loops.world.Await(WriteText(*client, "def"));
  EXPECT_EQ(loops.Read(*server, 6), "abcdef");
}

TEST_P(OverLoops, LeavesTheOtherHalfWhenOneEnds) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  loops.world.Await(WriteText(*client, "question"));
  client->shutdownWrite();
  EXPECT_EQ(Text(loops.world.Await(server->readAllBytes())), "question");
  EXPECT_EQ(Text(loops.world.Await(server->readAllBytes())), "");
  loops.world.Await(WriteText(*server, "answer"));
  server->shutdownWrite();
  EXPECT_EQ(Text(loops.world.Await(client->readAllBytes())), "answer");
  EXPECT_TRUE(loops.world.IsDisconnected(WriteText(*server, "one more thing")));
}

TEST_P(OverLoops, TellsThatThePeerHasGoneWhereAHalfMeansBoth) {
  Loops loops(GetParam(), {.peer_end = PeerEnd::kOfBothHalves});
  auto [client, server, name] = loops.Open();
  auto gone = server->whenWriteDisconnected();
  client->shutdownWrite();
  EXPECT_EQ(Text(loops.world.Await(server->readAllBytes())), "");
  loops.world.Await(kj::mv(gone));
  // And again to who asks later.
  loops.world.Await(server->whenWriteDisconnected());
}

TEST_P(OverLoops, DisconnectsReaderAndWriterOfAPeerThatResets) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string large = Noise(64u << 20);
  char byte;
  auto writing = server->write(large.data(), large.size()).eagerlyEvaluate(nullptr);
  auto reading = server->tryRead(&byte, 1, 1).eagerlyEvaluate(nullptr);
  auto gone = server->whenWriteDisconnected().eagerlyEvaluate(nullptr);
  const linger now{.l_onoff = 1, .l_linger = 0};
  client->setsockopt(SOL_SOCKET, SO_LINGER, &now, sizeof(now));
  client = nullptr;
  EXPECT_TRUE(loops.world.IsDisconnected(kj::mv(writing)));
  EXPECT_TRUE(loops.world.IsDisconnected(kj::mv(reading)));
  loops.world.Await(kj::mv(gone));
  EXPECT_TRUE(loops.world.IsDisconnected(WriteText(*server, "x")));
}

TEST_P(OverLoops, SendsWhatADroppedStreamHadTaken) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Noise(kWriteBufferBytes);
  loops.world.Await(WriteText(*server, sent));
  server = nullptr;
  EXPECT_TRUE(Text(loops.world.Await(client->readAllBytes())) == sent);
}

TEST_P(OverLoops, LeavesReadersAndWritersOfADroppedStreamAnError) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  char buffer[4];
  const std::string large = Noise(8u << 20);
  auto reading = server->tryRead(buffer, 1, 4);
  auto writing = server->write(large.data(), large.size());
  server = nullptr;
  EXPECT_TRUE(loops.world.IsDisconnected(kj::mv(reading)));
  EXPECT_TRUE(loops.world.IsDisconnected(kj::mv(writing)));
}

TEST_P(OverLoops, EndsReadingByChoice) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  char buffer[10];
  auto reading = server->tryRead(buffer, 10, 10).eagerlyEvaluate(nullptr);
  server->abortRead();
  EXPECT_EQ(loops.world.Await(kj::mv(reading)), 0u);
  EXPECT_EQ(loops.world.Await(server->tryRead(buffer, 1, 4)), 0u);
  loops.world.Await(WriteText(*server, "answer"));
  EXPECT_EQ(loops.Read(*client, 6), "answer");
}

TEST_P(OverLoops, RefusesASecondReadAtATime) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  char buffer[4];
  auto first = server->tryRead(buffer, 1, 4).eagerlyEvaluate(nullptr);
  EXPECT_THROW(server->tryRead(buffer, 1, 4), kj::Exception);
}

TEST_P(OverLoops, SetsOptionsOfTheSocket) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const int most = 1;
  server->setsockopt(IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof(most));
  // What is no option changes nothing.
  const auto unknown = kj::runCatchingExceptions(
      [&s = server, &most] { s->setsockopt(IPPROTO_TCP, 12345, &most, sizeof(most)); });
  loops.world.Await(WriteText(*server, "x"));
  EXPECT_EQ(loops.Read(*client, 1), "x");
}

TEST_P(OverLoops, CountsConnectionsUntilTheyAreDropped) {
  Loops loops(GetParam());
  {
    auto first = loops.Open();
    auto second = loops.Open();
    EXPECT_EQ(loops.open(), 2u);
  }
  EXPECT_EQ(loops.open(), 0u);
}

TEST(ConnectionLoops, SpreadsConnections) {
  Loops loops(3);
  std::vector<Loops::Connection> connections;
  for (int i = 0; i < 6; ++i) connections.push_back(loops.Open());
  EXPECT_EQ(loops.loops().connections(), (std::vector<size_t>{2, 2, 2}));
  // To where there are fewer.
  connections.erase(connections.begin() + 1);
  connections.erase(connections.begin() + 3);
  loops.world.Until([&] { return loops.loops().connections() == std::vector<size_t>({2, 0, 2}); });
  connections.push_back(loops.Open());
  connections.push_back(loops.Open());
  EXPECT_EQ(loops.loops().connections(), (std::vector<size_t>{2, 2, 2}));
  connections.clear();
  loops.world.Until([&] { return loops.loops().connections() == std::vector<size_t>({0, 0, 0}); });
}

TEST(ConnectionLoops, EndsWithConnectionsThatNobodyWaitedFor) {
  std::optional<Loops> loops(std::in_place, 2);
  auto first = loops->Client();
  {
    auto dropped = loops->Accept().eagerlyEvaluate(nullptr);
  }
  EXPECT_EQ(Text(loops->world.Await(first->readAllBytes())), "");
  loops->world.Await(loops->loops().WhenEmpty());
  EXPECT_EQ(loops->open(), 0u);
  auto arriving = loops->Accept().eagerlyEvaluate(nullptr);
  auto second = loops->Client();
  loops->world.Settle();
  arriving = nullptr;
  second = nullptr;
  first = nullptr;
  loops.reset();
}

// So much that neither the kernel nor the stream has room for more.
std::string Fill(Loops& loops, kj::AsyncIoStream& stream) {
  const std::string block = Noise(10'000);
  std::string taken;
  kj::Function<kj::Promise<void>()> more = [&]() -> kj::Promise<void> {
    return stream.write(block.data(), block.size()).then([&] {
      taken += block;
      return more();
    });
  };
  auto writing = more().eagerlyEvaluate(nullptr);
  size_t before = 0;
  // The other thread has its turns between these.
  for (int still = 0; still < 20; still = taken.size() == before ? still + 1 : 0) {
    before = taken.size();
    loops.world.Settle(200);
    std::this_thread::yield();
  }
  return taken;
}

TEST_P(OverLoops, SendsAllThatADroppedStreamHadTakenToASlowPeer) {
  Loops loops(GetParam());
  auto [client, server, name] = loops.Open();
  const std::string sent = Fill(loops, *server);
  ASSERT_GT(sent.size(), kWriteBufferBytes);
  server = nullptr;
  const std::string got = Text(loops.world.Await(client->readAllBytes()));
  EXPECT_TRUE(got.starts_with(sent)) << got.size() << " of " << sent.size();
}

TEST(ConnectionLoops, CutOffWhoDoesNotReadWhenAllOthersHaveGone) {
  Loops loops(1, {}, 20);
  auto connection = loops.Open();
  const std::string sent = Fill(loops, *connection.server);
  connection.server = nullptr;
  EXPECT_EQ(loops.loops().connections(), std::vector<size_t>{1});
  loops.world.Await(loops.loops().WhenEmpty());
  // What the kernel had is there, and no more.
  const std::string got = Text(loops.world.Await(connection.client->readAllBytes()));
  EXPECT_TRUE(sent.starts_with(got.substr(0, sent.size())));
  EXPECT_LT(got.size(), sent.size());
}

TEST(ConnectionLoops, HoldNoMoreForAPeerThatSendsAByteAtATime) {
  Loops loops(1);
  auto [client, server, name] = loops.Open();
  constexpr size_t kBytes = 30'000;
  const size_t before = mallinfo2().uordblks;
  const std::string sent = Noise(kBytes);
  for (const char byte : sent) {
    loops.world.Await(client->write(&byte, 1));
    loops.world.Settle(1);
  }
  EXPECT_LT(mallinfo2().uordblks, before + (1u << 20));
  EXPECT_TRUE(loops.Read(*server, kBytes) == sent);
}

class OverLoopsWithTls : public testing::TestWithParam<size_t> {
 protected:
  OverLoopsWithTls() : authority_("authority") {
    authority_.Write(folder_ / "ca.pem", folder_ / "ca.key");
    Certificate("stele.test", &authority_).Write(folder_ / "server.pem", folder_ / "server.key");
    Certificate("press-1", &authority_).Write(folder_ / "client.pem", folder_ / "client.key");
  }
  TlsServer Server() {
    return TlsServer::Create({.certificate_file = folder_ / "server.pem",
                              .key_file = folder_ / "server.key",
                              .ca_file = folder_ / "ca.pem",
                              .client_certificate = ClientCertificate::kOptional})
        .value();
  }
  TlsClient Client(bool with_certificate) {
    TlsOptions options{.ca_file = folder_ / "ca.pem"};
    if (with_certificate) {
      options.certificate_file = folder_ / "client.pem";
      options.key_file = folder_ / "client.key";
    }
    return TlsClient::Create(options).value();
  }

  TempFolder folder_;
  Certificate authority_;
};
INSTANTIATE_TEST_SUITE_P(Loops, OverLoopsWithTls, testing::Values(0, 1, 3));

TEST_P(OverLoopsWithTls, CarriesBytesAndTheNameOfTheClient) {
  Loops loops(GetParam());
  TlsServer server = Server();
  for (const bool shows : {true, false}) {
    auto arriving = loops.Accept(server.Acceptor()).eagerlyEvaluate(nullptr);
    TlsClient tls = Client(shows);
    auto there = loops.world.Await(tls.Connect(loops.Client(), "stele.test"));
    Arrival here = loops.world.Await(kj::mv(arriving));
    EXPECT_EQ(here.common_name, shows ? "press-1" : "");
    const std::string sent = Noise(1u << 20);
    auto writing = there.stream->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
    EXPECT_TRUE(loops.Read(*here.stream, sent.size()) == sent);
    auto answering = here.stream->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
    EXPECT_TRUE(loops.Read(*there.stream, sent.size()) == sent);
    loops.world.Await(kj::mv(writing));
    loops.world.Await(kj::mv(answering));
  }
}

TEST_P(OverLoopsWithTls, GoesOnWithWhatItHadWhenCertificatesAreReadAnew) {
  Loops loops(GetParam());
  TlsServer server = Server();
  auto arriving = loops.Accept(server.Acceptor()).eagerlyEvaluate(nullptr);
  auto client = loops.Client();
  Certificate stranger("stranger");
  Certificate("stele.test", &stranger).Write(folder_ / "server.pem", folder_ / "server.key");
  ASSERT_TRUE(server.Reload().has_value());
  // Whoever was accepted before talks to who it was then.
  TlsClient tls = Client(false);
  auto there = loops.world.Await(tls.Connect(kj::mv(client), "stele.test"));
  Arrival here = loops.world.Await(kj::mv(arriving));
  auto next = loops.Accept(server.Acceptor()).eagerlyEvaluate([](kj::Exception&& why) -> Arrival {
    kj::throwFatalException(kj::mv(why));
  });
  EXPECT_TRUE(loops.world.FaultOf(tls.Connect(loops.Client(), "stele.test")).has_value());
}

TEST_P(OverLoopsWithTls, RefusesAPeerThatDoesNotSpeakIt) {
  Loops loops(GetParam());
  TlsServer server = Server();
  auto arriving = loops.Accept(server.Acceptor());
  auto client = loops.Client();
  loops.world.Await(WriteText(*client, "GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(loops.world.FaultOf(kj::mv(arriving)).has_value());
  EXPECT_EQ(loops.open(), 0u);
}

TEST_P(OverLoopsWithTls, GivesUpAHandshakeThatIsDropped) {
  Loops loops(GetParam());
  TlsServer server = Server();
  auto client = loops.Client();
  {
    auto arriving = loops.Accept(server.Acceptor()).eagerlyEvaluate(nullptr);
    loops.world.Until([&] { return loops.open() == 1; });
  }
  EXPECT_EQ(loops.open(), 0u);
  EXPECT_EQ(Text(loops.world.Await(client->readAllBytes())), "");
}

}  // namespace
}  // namespace stele::server
