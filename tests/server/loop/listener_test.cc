#include "server/loop/listener.h"

#include <grp.h>
#include <gtest/gtest.h>
#include <kj/debug.h>
#include <kj/vector.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "server/loop/connect.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

using Stream = kj::Own<kj::AsyncIoStream>;

std::string ErrorOf(const Result<kj::Own<Listener>>& listener) {
  if (listener) return "";
  EXPECT_EQ(listener.error().code, ErrorCode::kListen);
  return listener.error().message;
}

// Whether a byte gets from one end to the other.
bool Works(LoopWorld& world, kj::AsyncIoStream& a, kj::AsyncIoStream& b) {
  char got = 0;
  world.Await(WriteText(a, "x"));
  return world.Await(b.tryRead(&got, 1, 1)) == 1 && got == 'x';
}

void AcceptsAndConnects(const std::string& address, const std::string& as_bound) {
  LoopWorld world;
  auto listener = Listen(world.loop(), address).value();
  EXPECT_TRUE(listener->address().starts_with(as_bound)) << listener->address();
  const std::string where =
      listener->getPort() == 0 ? listener->address() : std::to_string(listener->getPort());
  auto accepted = listener->accept().eagerlyEvaluate(nullptr);
  auto client = world.Await(Connect(world.loop(), where));
  auto server = world.Await(kj::mv(accepted));
  EXPECT_TRUE(Works(world, *client, *server));
  EXPECT_TRUE(Works(world, *server, *client));
}

TEST(Listener, IsReachedAtAnAddressOfIpv4) {
  AcceptsAndConnects("127.0.0.1:0", "127.0.0.1:");
}
TEST(Listener, IsReachedAtAName) {
  LoopWorld world;
  auto listener = Listen(world.loop(), "localhost:0").value();
  auto accepted = listener->accept().eagerlyEvaluate(nullptr);
  auto client =
      world.Await(Connect(world.loop(), "localhost:" + std::to_string(listener->getPort())));
  auto server = world.Await(kj::mv(accepted));
  EXPECT_TRUE(Works(world, *client, *server));
}
TEST(Listener, IsReachedAtAUnixSocket) {
  TempFolder folder;
  AcceptsAndConnects("unix:" + folder / "s", "unix:" + folder / "s");
}

TEST(Listener, IsRefusedWhenSomebodyHasThePort) {
  LoopWorld world;
  auto first = Listen(world.loop(), "127.0.0.1:0").value();
  const std::string message = ErrorOf(Listen(world.loop(), first->address()));
  EXPECT_NE(message.find(first->address()), std::string::npos) << message;
  EXPECT_NE(message.find("Address already in use"), std::string::npos) << message;
}

TEST(Listener, IsRefusedWhenTheAddressIsNone) {
  LoopWorld world;
  EXPECT_NE(ErrorOf(Listen(world.loop(), "nowhere")), "");
  EXPECT_NE(ErrorOf(Listen(world.loop(), "192.0.2.1:0")), "") << "no address of this machine";
}

TEST(Listener, IsItsOwnersAloneAtAUnixSocket) {
  LoopWorld world;
  TempFolder folder;
  auto listener = Listen(world.loop(), "unix:" + folder / "s").value();
  struct stat found{};
  ASSERT_EQ(stat((folder / "s").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0600u);
}

TEST(Listener, IsAGroupsAtAUnixSocketWhenAsked) {
  const group* mine = getgrgid(getegid());
  ASSERT_NE(mine, nullptr);
  LoopWorld world;
  TempFolder folder;
  auto listener =
      Listen(world.loop(), "unix:" + folder / "s", {.unix_group = mine->gr_name}).value();
  struct stat found{};
  ASSERT_EQ(stat((folder / "s").c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777, 0660u);
  EXPECT_EQ(found.st_gid, getegid());
  EXPECT_NE(ErrorOf(Listen(world.loop(), "unix:" + folder / "t", {.unix_group = "no such group"})),
            "");
}

TEST(Listener, ReplacesAUnixSocketThatNobodyListensAt) {
  LoopWorld world;
  TempFolder folder;
  const std::string path = folder / "s";
  const int left = ::socket(AF_UNIX, SOCK_STREAM, 0);
  const SocketAddress address = UnixAddress(path).value();
  ASSERT_EQ(::bind(left, address.get(), address.length), 0);
  ::close(left);
  ASSERT_TRUE(std::filesystem::exists(path));
  auto listener = Listen(world.loop(), "unix:" + path).value();
  auto accepted = listener->accept().eagerlyEvaluate(nullptr);
  auto client = world.Await(Connect(world.loop(), listener->address()));
  auto server = world.Await(kj::mv(accepted));
  EXPECT_TRUE(Works(world, *client, *server));
}

TEST(Listener, IsRefusedWhenSomebodyListensAtTheUnixSocket) {
  LoopWorld world;
  TempFolder folder;
  auto first = Listen(world.loop(), "unix:" + folder / "s").value();
  EXPECT_NE(ErrorOf(Listen(world.loop(), "unix:" + folder / "s")).find("found a server"),
            std::string::npos);
  // It is unharmed.
  auto accepted = first->accept().eagerlyEvaluate(nullptr);
  auto client = world.Await(Connect(world.loop(), first->address()));
  world.Await(kj::mv(accepted));
}

TEST(Listener, IsRefusedWhenAnotherFileIsThere) {
  LoopWorld world;
  TempFolder folder;
  std::ofstream(folder / "s") << "precious";
  EXPECT_NE(ErrorOf(Listen(world.loop(), "unix:" + folder / "s")).find("another kind of file"),
            std::string::npos);
  EXPECT_EQ(std::filesystem::file_size(folder / "s"), 8u);
}

TEST(Listener, RefusesEverybodyOnceItIsClosed) {
  LoopWorld world;
  TempFolder folder;
  for (const std::string& at : {std::string("127.0.0.1:0"), "unix:" + folder / "s"}) {
    auto listener = Listen(world.loop(), at).value();
    const std::string address = listener->address();
    // Nobody accepts it: the kernel keeps it.
    auto kept = world.Await(Connect(world.loop(), address));
    listener->Close();
    char byte;
    auto read = kept->tryRead(&byte, 1, 1);
    EXPECT_TRUE(world.IsDisconnected(read.then([](size_t size) {
      if (size == 0) kj::throwFatalException(KJ_EXCEPTION(DISCONNECTED, "the end"));
    })));
    EXPECT_TRUE(world.IsDisconnected(Connect(world.loop(), address)));
    EXPECT_TRUE(world.IsDisconnected(listener->accept()));
  }
  EXPECT_FALSE(std::filesystem::exists(folder / "s"));
}

TEST(Listener, TellsWhoWaitsThatItIsClosed) {
  LoopWorld world;
  auto listener = Listen(world.loop(), "127.0.0.1:0").value();
  auto waiting = listener->accept();
  listener->Close();
  EXPECT_TRUE(world.IsDisconnected(kj::mv(waiting)));
}

TEST(Listener, AcceptsAfterADroppedAccept) {
  LoopWorld world;
  auto listener = Listen(world.loop(), "127.0.0.1:0").value();
  {
    auto dropped = listener->accept().eagerlyEvaluate(nullptr);
    world.Settle();
  }
  auto client = world.Await(Connect(world.loop(), listener->address()));
  world.Settle();
  auto server = world.Await(listener->accept());
  EXPECT_TRUE(Works(world, *client, *server));
}

TEST(Listener, TurnsAwayWhoComesBeyondItsLimit) {
  LoopWorld world;
  auto listener = Listen(world.loop(), "127.0.0.1:0", {.max_connections = 2}).value();
  kj::Vector<Stream> clients;
  kj::Vector<Stream> servers;
  for (int i = 0; i < 2; ++i) {
    clients.add(world.Await(Connect(world.loop(), listener->address())));
    servers.add(world.Await(listener->accept()));
  }
  EXPECT_EQ(listener->connections(), 2u);
  auto third = listener->accept().eagerlyEvaluate(nullptr);
  auto refused = world.Await(Connect(world.loop(), listener->address()));
  char byte;
  EXPECT_EQ(world.Await(refused->tryRead(&byte, 1, 1)), 0u);
  servers.removeLast();
  EXPECT_EQ(listener->connections(), 1u);
  auto client = world.Await(Connect(world.loop(), listener->address()));
  auto server = world.Await(kj::mv(third));
  EXPECT_TRUE(Works(world, *client, *server));
}

TEST(Listener, WaitsWhenNoDescriptorIsLeft) {
#ifdef __SANITIZE_ADDRESS__
  GTEST_SKIP() << "the sanitizer looks at objects through pipes, which need descriptors";
#endif
  LoopWorld world;
  auto listener = Listen(world.loop(), "127.0.0.1:0").value();
  auto client = world.Await(Connect(world.loop(), listener->address()));
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
  const int next = ::dup(0);
  ::close(next);
  const rlimit none{.rlim_cur = static_cast<rlim_t>(next), .rlim_max = before.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  auto accepted = listener->accept().eagerlyEvaluate(nullptr);
  int turns = 0;
  uv_check_t counter;
  uv_check_init(world.uv(), &counter);
  counter.data = &turns;
  uv_check_start(&counter, [](uv_check_t* h) { ++*static_cast<int*>(h->data); });
  world.Await(world.loop().timer().afterDelay(30 * kj::MILLISECONDS));
  uv_close(reinterpret_cast<uv_handle_t*>(&counter), nullptr);
  EXPECT_LE(turns, 5) << "it spins";
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
  auto server = world.Await(kj::mv(accepted));
  EXPECT_TRUE(Works(world, *client, *server));
}

TEST(Connect, FailsWhenNobodyListens) {
  LoopWorld world;
  TempFolder folder;
  auto listener = Listen(world.loop(), "127.0.0.1:0").value();
  const std::string address = listener->address();
  listener = nullptr;
  auto fault = world.FaultOf(Connect(world.loop(), address));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->getType(), kj::Exception::Type::DISCONNECTED);
  EXPECT_NE(std::string(fault->getDescription().cStr()).find(address), std::string::npos);
  EXPECT_TRUE(world.IsDisconnected(Connect(world.loop(), "unix:" + folder / "none")));
  EXPECT_TRUE(world.IsDisconnected(Connect(world.loop(), "127.0.0.1:0")));
}

TEST(Connect, FailsWhenTheTextIsNoAddress) {
  LoopWorld world;
  auto fault = world.FaultOf(Connect(world.loop(), "nowhere"));
  ASSERT_TRUE(fault);
  EXPECT_EQ(fault->getType(), kj::Exception::Type::FAILED);
}

TEST(Connect, CanBeGivenUpAtAnyTime) {
  for (int turns = 0; turns < 6; ++turns) {
    LoopWorld world;
    auto listener = Listen(world.loop(), "127.0.0.1:0").value();
    auto dropped = Connect(world.loop(), listener->address()).eagerlyEvaluate(nullptr);
    world.Settle(turns);
  }
}

}  // namespace
}  // namespace stele::server
