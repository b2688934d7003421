// How connections end: by halves, by resets, and when a stream is dropped.
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

#include "server/loop/connect.h"
#include "server/loop/limits.h"
#include "server/loop/listener.h"
#include "server/loop/stream.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

std::string Text(const kj::Array<kj::byte>& bytes) {
  return {bytes.asChars().begin(), bytes.size()};
}

// Two ends of a TCP connection.
struct TcpPair {
  explicit TcpPair(LoopWorld& world, const ListenOptions& options = {}) {
    listener = Listen(world.loop(), "127.0.0.1:0", options).value();
    auto accepted = listener->accept().eagerlyEvaluate(nullptr);
    client = world.Await(Connect(world.loop(), listener->address()));
    server = world.Await(kj::mv(accepted));
  }
  // The client is gone without a word.
  void Reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    client->setsockopt(SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    client = nullptr;
  }
  kj::Own<Listener> listener;
  kj::Own<kj::AsyncIoStream> client;
  kj::Own<kj::AsyncIoStream> server;
};

TEST(StreamEnd, OfOneHalfLeavesTheOther) {
  LoopWorld world;
  TcpPair pair(world);
  world.Await(WriteText(*pair.client, "question"));
  pair.client->shutdownWrite();
  EXPECT_TRUE(world.IsDisconnected(WriteText(*pair.client, "one more thing")));
  EXPECT_EQ(Text(world.Await(pair.server->readAllBytes())), "question");
  world.Await(WriteText(*pair.server, "answer"));
  pair.server->shutdownWrite();
  EXPECT_EQ(Text(world.Await(pair.client->readAllBytes())), "answer");
}

TEST(StreamEnd, OfOneHalfIsThatOfBothWhereItIsTakenForIt) {
  LoopWorld world;
  TcpPair pair(world, {.peer_end = PeerEnd::kOfBothHalves});
  auto gone = pair.server->whenWriteDisconnected();
  pair.client->shutdownWrite();
  EXPECT_EQ(Text(world.Await(pair.server->readAllBytes())), "");
  // What it has waited for comes in time, or it has gone.
  world.Await(WriteText(*pair.server, "answer"));
  world.Await(kj::mv(gone));
}

TEST(StreamEnd, IsReadAgainAndAgain) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  a->shutdownWrite();
  char buffer[4];
  EXPECT_EQ(world.Await(b->tryRead(buffer, 1, 4)), 0u);
  EXPECT_EQ(world.Await(b->tryRead(buffer, 4, 4)), 0u);
}

TEST(StreamEnd, GivesLessThanTheLeastThatWasAskedFor) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  std::string buffer(200'000, '\0');
  auto reading = b->tryRead(buffer.data(), 150'000, 200'000).eagerlyEvaluate(nullptr);
  const std::string sent = Noise(100'000);
  auto writing = a->write(sent.data(), sent.size())
                     .then([&a = a] { a->shutdownWrite(); })
                     .eagerlyEvaluate(nullptr);
  EXPECT_EQ(world.Await(kj::mv(reading)), sent.size());
  EXPECT_TRUE(buffer.substr(0, sent.size()) == sent);
}

TEST(StreamEnd, ByAPeersResetDisconnectsReaders) {
  LoopWorld world;
  TcpPair pair(world);
  char buffer[4];
  auto reading = pair.server->tryRead(buffer, 1, 4);
  auto noticed = pair.server->whenWriteDisconnected();
  pair.Reset();
  EXPECT_TRUE(world.IsDisconnected(kj::mv(reading)));
  world.Await(kj::mv(noticed));
  world.Await(pair.server->whenWriteDisconnected());
  EXPECT_TRUE(world.IsDisconnected(pair.server->tryRead(buffer, 1, 4)));
  EXPECT_TRUE(world.IsDisconnected(WriteText(*pair.server, "x")));
}

TEST(StreamEnd, ByAPeersResetDisconnectsAWriterThatWaits) {
  LoopWorld world;
  TcpPair pair(world);
  const std::string large = Noise(64u << 20);
  auto writing = pair.server->write(large.data(), large.size());
  world.Settle();
  pair.Reset();
  EXPECT_TRUE(world.IsDisconnected(kj::mv(writing)));
}

TEST(StreamEnd, OfAReaderDisconnectsTheWriter) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  auto noticed = a->whenWriteDisconnected().eagerlyEvaluate(nullptr);
  b = nullptr;
  world.Await(kj::mv(noticed));
  EXPECT_TRUE(world.IsDisconnected(WriteText(*a, "x")));
}

TEST(StreamEnd, IsFoundByAWriteWithoutASignal) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  auto noticed = a->whenWriteDisconnected().eagerlyEvaluate(nullptr);
  b = nullptr;
  // Taken before the loop has looked: the kernel says no, and would send SIGPIPE.
  auto taken = WriteText(*a, "x").eagerlyEvaluate(nullptr);
  world.Await(kj::mv(taken));
  world.Await(kj::mv(noticed));
  EXPECT_TRUE(world.IsDisconnected(WriteText(*a, "y")));
}

TEST(StreamEnd, OfReadingByChoiceIsAnEnd) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  char buffer[10];
  auto reading = b->tryRead(buffer, 10, 10);
  world.Await(WriteText(*a, "ignored"));
  world.Settle();
  b->abortRead();
  EXPECT_EQ(world.Await(kj::mv(reading)), 0u);
  EXPECT_EQ(world.Await(b->tryRead(buffer, 1, 4)), 0u);
}

TEST(StreamEnd, BehindADroppedStreamIsWhatItHadTaken) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  // The kernel's buffer is full, and the stream's too.
  std::string sent;
  const std::string block = Noise(10'000);
  {
    kj::Function<kj::Promise<void>()> more = [&, &a = a]() -> kj::Promise<void> {
      return a->write(block.data(), block.size()).then([&] {
        sent += block;
        return more();
      });
    };
    auto writing = more().eagerlyEvaluate(nullptr);
    world.Settle(200);
  }
  ASSERT_GT(sent.size(), kWriteBufferBytes);
  a = nullptr;
  const std::string got = Text(world.Await(b->readAllBytes()));
  ASSERT_GE(got.size(), sent.size());
  EXPECT_TRUE(got.starts_with(sent));
}

TEST(StreamEnd, LeavesReadersAndWritersOfADroppedStreamAnError) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  char buffer[4];
  const std::string large = Noise(8u << 20);
  auto reading = a->tryRead(buffer, 1, 4);
  auto writing = a->write(large.data(), large.size());
  a = nullptr;
  EXPECT_TRUE(world.IsDisconnected(kj::mv(reading)));
  EXPECT_TRUE(world.IsDisconnected(kj::mv(writing)));
}

}  // namespace
}  // namespace stele::server
