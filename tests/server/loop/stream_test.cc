#include "server/loop/stream.h"

#include <gtest/gtest.h>

#include <string>

#include "server/loop/connect.h"
#include "server/loop/limits.h"
#include "server/loop/listener.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

std::string ReadText(LoopWorld& world, kj::AsyncInputStream& from, size_t size) {
  std::string text(size, '\0');
  text.resize(world.Await(from.tryRead(text.data(), size, size)));
  return text;
}

// Sends back what comes, until the end.
kj::Promise<void> Echo(kj::Own<kj::AsyncIoStream> stream) {
  auto& ref = *stream;
  return ref.pumpTo(ref).then([&ref](uint64_t) { ref.shutdownWrite(); }).attach(kj::mv(stream));
}

void EchoesTenMegabytes(const std::string& address) {
  LoopWorld world;
  auto listener = Listen(world.loop(), address).value();
  auto served = listener->accept()
                    .then([](kj::Own<kj::AsyncIoStream>&& stream) { return Echo(kj::mv(stream)); })
                    .eagerlyEvaluate(nullptr);
  auto client = world.Await(Connect(world.loop(), listener->address()));
  const std::string sent = Noise(10u << 20);
  auto writing = client->write(sent.data(), sent.size())
                     .then([&] { client->shutdownWrite(); })
                     .eagerlyEvaluate(nullptr);
  const auto got = world.Await(client->readAllBytes());
  EXPECT_TRUE(std::string(got.asChars().begin(), got.size()) == sent);
  world.Await(kj::mv(writing));
  world.Await(kj::mv(served));
}

TEST(Stream, EchoesTenMegabytesOverTcp) {
  EchoesTenMegabytes("127.0.0.1:0");
}

TEST(Stream, EchoesTenMegabytesOverAUnixSocket) {
  TempFolder folder;
  EchoesTenMegabytes("unix:" + folder / "s");
}

TEST(Stream, ReadsAWholeMessageIntoItsReadersMemory) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  const std::string sent = Noise(3u << 20);
  auto writing = a->write(sent.data(), sent.size()).eagerlyEvaluate(nullptr);
  EXPECT_EQ(ReadText(world, *b, 5), sent.substr(0, 5));
  EXPECT_TRUE(ReadText(world, *b, sent.size() - 5) == sent.substr(5));
  world.Await(kj::mv(writing));
}

TEST(Stream, WritesManyPiecesInTheirOrder) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  const std::string sent = Noise(1u << 20);
  std::vector<kj::ArrayPtr<const kj::byte>> pieces;
  for (size_t at = 0, size = 0; at < sent.size(); at += size, size = size * 2 + 1) {
    size = std::min(size, sent.size() - at);
    pieces.push_back(Bytes(sent).slice(at, at + size));
  }
  auto writing = a->write(kj::arrayPtr(pieces.data(), pieces.size())).eagerlyEvaluate(nullptr);
  EXPECT_TRUE(ReadText(world, *b, sent.size()) == sent);
  world.Await(kj::mv(writing));
}

TEST(Stream, SendsTheWritesOfATurnTogether) {
  LoopWorld world;
  int fds[2];
  // Packets show how the bytes were cut into calls.
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), 0);
  auto stream = WrapSocket(world.loop(), fds[0]).value();
  for (int i = 0; i < 10; ++i) world.Await(WriteText(*stream, "0123456789"));
  world.Settle(1);
  auto later = WriteText(*stream, "a");
  auto latest = later.then([&] { return WriteText(*stream, "bc"); }).eagerlyEvaluate(nullptr);
  world.Settle(2);
  std::vector<ssize_t> packets;
  char buffer[1'000];
  for (ssize_t n; (n = ::recv(fds[1], buffer, sizeof(buffer), 0)) > 0;) packets.push_back(n);
  ::close(fds[1]);
  ASSERT_FALSE(packets.empty());
  EXPECT_EQ(packets.back(), 3) << "'a' and 'bc' in one call";
}

// What a stream takes of endless writes while nobody reads.
size_t TakenWithoutAReader(LoopWorld& world, kj::AsyncIoStream& stream, size_t piece) {
  const std::string block(piece, 'x');
  size_t taken = 0;
  kj::Function<kj::Promise<void>()> more = [&]() -> kj::Promise<void> {
    return stream.write(block.data(), block.size()).then([&] {
      taken += block.size();
      return more();
    });
  };
  auto writing = more().eagerlyEvaluate(nullptr);
  world.Settle(500);
  return taken;
}

TEST(Stream, TakesNoMoreThanItsBufferWhenNobodyReads) {
  for (const size_t piece : {size_t{100}, size_t{10'000}, size_t{1'000'000}}) {
    LoopWorld world;
    int fds[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    int size = 0;
    socklen_t length = sizeof(size);
    ASSERT_EQ(getsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, &length), 0);
    auto a = WrapSocket(world.loop(), fds[0]).value();
    auto b = WrapSocket(world.loop(), fds[1]).value();
    const size_t taken = TakenWithoutAReader(world, *a, piece);
    // The kernel's buffer, this side's two, and what the other side reads ahead.
    EXPECT_LE(taken, static_cast<size_t>(size) + 2 * kWriteBufferBytes + kReadBufferBytes);
    if (piece < kWriteBufferBytes) {
      EXPECT_GE(taken, kWriteBufferBytes);
    }
    b = nullptr;  // nobody will read: what a lingers for has ended
  }
}

TEST(Stream, GoesOnWhenASlowReaderReads) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  const std::string sent = Noise(2u << 20);
  auto writing = a->write(sent.data(), sent.size())
                     .then([&a = a] { a->shutdownWrite(); })
                     .eagerlyEvaluate(nullptr);
  std::string got;
  char piece[7'001];
  for (;;) {
    world.Settle(3);
    const size_t size = world.Await(b->tryRead(piece, 1, sizeof(piece)));
    if (size == 0) break;
    got.append(piece, size);
  }
  EXPECT_TRUE(got == sent);
}

TEST(Stream, KeepsWhatADroppedReadHadNotTaken) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  char buffer[100];
  world.Await(WriteText(*a, "12345"));
  {
    auto dropped = b->tryRead(buffer, 50, 100).eagerlyEvaluate(nullptr);
    world.Settle();
  }
  world.Await(WriteText(*a, "678"));
  EXPECT_EQ(ReadText(world, *b, 8), "12345678");
}

TEST(Stream, ForgetsADroppedReadOfALargeMessage) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  world.Await(WriteText(*a, "12345"));
  {
    std::string buffer(1u << 20, '\0');
    auto dropped = b->tryRead(buffer.data(), buffer.size(), buffer.size()).eagerlyEvaluate(nullptr);
    world.Settle();
  }
  // Its memory is gone: what comes now goes elsewhere.
  world.Await(WriteText(*a, "next"));
  EXPECT_EQ(ReadText(world, *b, 4), "next");
}

TEST(Stream, GoesOnAfterADroppedWrite) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  {
    std::string large = Noise(4u << 20);
    auto dropped = a->write(large.data(), large.size()).eagerlyEvaluate(nullptr);
    world.Settle(2);
  }
  auto next = WriteText(*a, "end").then([&a = a] { a->shutdownWrite(); }).eagerlyEvaluate(nullptr);
  const auto got = world.Await(b->readAllBytes());
  // A beginning of the dropped one, as far as it had got, then the next.
  const std::string text(got.asChars().begin(), got.size());
  ASSERT_GE(text.size(), 3u);
  EXPECT_LT(text.size(), 4u << 20);
  EXPECT_EQ(text.substr(text.size() - 3), "end");
  EXPECT_TRUE(text.substr(0, text.size() - 3) == Noise(4u << 20).substr(0, text.size() - 3));
}

TEST(Stream, RefusesASecondReadAtATime) {
  LoopWorld world;
  auto [a, b] = world.Pair();
  char buffer[10];
  auto first = b->tryRead(buffer, 1, 10).eagerlyEvaluate(nullptr);
  EXPECT_ANY_THROW((void)b->tryRead(buffer, 1, 10));
}

TEST(Stream, TellsWhoThePeerIs) {
  LoopWorld world;
  auto listener = Listen(world.loop(), "127.0.0.1:0").value();
  auto accepted = listener->accept().eagerlyEvaluate(nullptr);
  auto client = world.Await(Connect(world.loop(), listener->address()));
  auto server = world.Await(kj::mv(accepted));
  EXPECT_EQ(PeerAddress(*client), listener->address());
  EXPECT_TRUE(PeerAddress(*server).starts_with("127.0.0.1:"));
  auto pipe = kj::newTwoWayPipe();
  EXPECT_EQ(PeerAddress(*pipe.ends[0]), "unknown");
}

}  // namespace
}  // namespace stele::server
