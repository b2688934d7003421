// Conversations over WebSockets, byte for byte: how they begin, and with which code they end.
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <kj/compat/http.h>
#include <kj/debug.h>

#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

constexpr std::string_view kHandshake =
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

kj::Promise<void> EchoMessages(kj::WebSocket& socket) {
  return socket.receive().then([&socket](kj::WebSocket::Message message) -> kj::Promise<void> {
    if (message.is<kj::WebSocket::Close>()) return kj::READY_NOW;
    auto text = kj::mv(message.get<kj::String>());
    auto sent = socket.send(text.asArray());
    return sent.attach(kj::mv(text)).then([&socket]() { return EchoMessages(socket); });
  });
}

// A frame of a client (RFC 6455 5.2), masked with zeros, of fewer than 126 bytes.
std::string Frame(int opcode, std::string_view payload) {
  std::string frame = {static_cast<char>(0x80 | opcode), static_cast<char>(0x80 | payload.size())};
  return frame + std::string(4, '\0') + std::string(payload);
}

// The close frame of a server with that code.
std::string Closing(uint16_t code, std::string_view reason = "") {
  std::string frame = {static_cast<char>(0x88), static_cast<char>(2 + reason.size()),
                       static_cast<char>(code >> 8), static_cast<char>(code)};
  return frame.append(reason);
}

class WebSocketTest : public testing::Test {
 protected:
  ~WebSocketTest() noexcept override {}
  WebSocketTest() {
    world_.Get("/talk", [](Request&) { return Talk(EchoMessages); }, {.web_socket = true});
  }

  std::unique_ptr<WireClient> Open(std::string_view path) {
    auto client = world_.Connect();
    client->Send(Wire(fmt::format("GET {}", path), kHandshake));
    EXPECT_EQ(client->Receive(true).status, 101);
    return client;
  }
  // What the server says to those bytes, until it has closed the connection.
  std::string LastWords(std::string_view bytes) {
    const auto client = Open("/talk");
    client->Send(std::string(bytes));
    world_.Run();
    std::string said = client->ReadSome();
    world_.Pass(2 * kDropSeconds * kj::SECONDS);
    EXPECT_TRUE(client->IsClosed());
    return said;
  }

  HttpWorld world_;
};

TEST_F(WebSocketTest, Echoes) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /talk", kHandshake));
  const Received head = client->Receive(true);
  EXPECT_EQ(head.status, 101);
  EXPECT_EQ(head.headers.Get("Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  client->Send(Frame(1, "hello"));
  EXPECT_EQ(client->ReadUntil("hello"), "\x81\x05hello");
  client->Send(Frame(8, "\x03\xE8"));
  EXPECT_EQ(client->ReadUntil("\xE8"), "\x88\x02\x03\xE8");
  EXPECT_TRUE(client->IsClosed());
  world_.Run();
  ASSERT_EQ(world_.accesses.size(), 1u);
  EXPECT_EQ(world_.accesses[0].status, 101);
  EXPECT_TRUE(world_.problems.empty());
}

TEST_F(WebSocketTest, GetsWhatCameRightBehindItsHandshake) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /talk", kHandshake) + Frame(1, "hello"));
  EXPECT_EQ(client->Receive(true).status, 101);
  EXPECT_EQ(client->ReadUntil("hello"), "\x81\x05hello");
  // What looks like a request is a part of a message.
  client->Send(Frame(1, "GET / HTTP/1.1\r\n\r\n"));
  EXPECT_TRUE(client->ReadUntil("\r\n\r\n").ends_with("GET / HTTP/1.1\r\n\r\n"));
}

TEST_F(WebSocketTest, IsToldThatTheServiceDrains) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /talk", kHandshake));
  EXPECT_EQ(client->Receive(true).status, 101);
  world_.Run();
  auto drained = world_.service().Drain();
  EXPECT_EQ(client->ReadUntil("\xE9"), "\x88\x02\x03\xE9");
  EXPECT_FALSE(drained.poll(world_.scope));
  client->Send(Frame(8, "\x03\xE9"));
  EXPECT_TRUE(client->IsClosed());
  EXPECT_TRUE(drained.poll(world_.scope));
}

TEST_F(WebSocketTest, OfAClientThatDoesNotAnswerIsDropped) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /talk", kHandshake));
  EXPECT_EQ(client->Receive(true).status, 101);
  world_.Run();
  auto drained = world_.service().Drain();
  client->ReadUntil("\xE9");
  world_.Pass(kDropSeconds * kj::SECONDS);
  EXPECT_TRUE(drained.poll(world_.scope));
}

TEST_F(WebSocketTest, EndsWhenTheClientGoes) {
  auto client = world_.Connect();
  client->Send(Wire("GET /talk", kHandshake));
  EXPECT_EQ(client->Receive(true).status, 101);
  world_.Run();
  EXPECT_EQ(world_.service().streams(), 1u);
  client = nullptr;
  world_.Run();
  EXPECT_EQ(world_.service().streams(), 0u);
}

TEST_F(WebSocketTest, ItsRouteWantsItsHandshake) {
  const Received plain = world_.Ask("GET /talk");
  EXPECT_EQ(plain.status, 426);
  EXPECT_EQ(*plain.json().Find("code"), Value("STL1008"));
  EXPECT_EQ(plain.headers.Get("Sec-WebSocket-Version"), "13");
  EXPECT_EQ(world_.Ask("GET /talk", "Upgrade: websocket\r\nSec-WebSocket-Version: 8\r\n").status,
            426);
  EXPECT_EQ(world_.Ask("GET /talk", "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n").status,
            426);
  const std::string no_option = std::string(kHandshake).substr(kHandshake.find("Upgrade:"));
  EXPECT_EQ(world_.Ask("GET /talk", no_option).status, 426);
  const std::string evil = std::string(kHandshake) + "Origin: https://evil.example\r\n";
  EXPECT_EQ(world_.Ask("GET /talk", evil).status, 403);
}

TEST_F(WebSocketTest, IsClosedWhenTheConversationFails) {
  world_.Get("/bad",
             [](Request&) {
               return Talk([](kj::WebSocket&) -> kj::Promise<void> { KJ_FAIL_REQUIRE("ours"); });
             },
             {.web_socket = true});
  const auto client = world_.Connect();
  client->Send(Wire("GET /bad", kHandshake));
  EXPECT_EQ(client->Receive(true).status, 101);
  EXPECT_EQ(client->ReadUntil("\xF3"), "\x88\x02\x03\xF3");
  ASSERT_EQ(world_.problems.size(), 1u);
  EXPECT_TRUE(world_.problems[0].contains("ours"));
}

TEST_F(WebSocketTest, IsToldThatAMessageIsTooLarge) {
  // The head of a text of 2 MiB, masked with zeros.
  EXPECT_EQ(LastWords(std::string("\x81\xFF\0\0\0\0\0\x20\0\0\0\0\0\0", 14)), Closing(1009));
  EXPECT_TRUE(world_.problems.empty());
}

TEST_F(WebSocketTest, IsToldThatItBreaksTheProtocol) {
  const std::string begun = {0x01, static_cast<char>(0x81), 0, 0, 0, 0, 'x'};
  EXPECT_EQ(LastWords(Frame(3, "x")), Closing(1002)) << "no such opcode";
  EXPECT_EQ(LastWords(Frame(0, "x")), Closing(1002)) << "nothing to go on with";
  EXPECT_EQ(LastWords(begun + Frame(1, "x")), Closing(1002)) << "another message within one";
  EXPECT_EQ(LastWords(std::string("\x09\x80\0\0\0\0", 6)), Closing(1002)) << "a ping in parts";
  EXPECT_EQ(LastWords(std::string("\x81\x01x", 3)), Closing(1002)) << "not masked";
  EXPECT_EQ(LastWords(std::string("\xC1\x80\0\0\0\0", 6)), Closing(1002)) << "a reserved bit";
  EXPECT_EQ(LastWords(std::string("\x89\xFE\0\x7E\0\0\0\0", 8) + std::string(126, 'x')),
            Closing(1002))
      << "a long ping";
  // That is the client's fault, not the server's.
  EXPECT_TRUE(world_.problems.empty());
}

TEST_F(WebSocketTest, TakesFramesHoweverTheyAreCut) {
  const std::string large(70'000, 'y');
  const std::string small = std::string("\x89\x81\0\0\0\0p", 7) +
                            std::string("\x81\xFE\0\xC8\0\0\0\0", 8) + std::string(200, 'z') +
                            Frame(1, "end");
  const std::string all = std::string("\x81\xFF\0\0\0\0\0\x01\x11\x70\0\0\0\0", 14) + large + small;
  const auto send = [this](const std::string& frames, size_t piece) {
    const auto client = Open("/talk");
    for (size_t at = 0; at < frames.size(); at += piece) client->Send(frames.substr(at, piece));
    return client->ReadUntil(
        "\x81\x03"
        "end");
  };
  for (const size_t piece : {1u, 2u, 5u, 211u})
    EXPECT_TRUE(send(small, piece).contains(std::string(200, 'z'))) << piece;
  for (const size_t piece : {61u, 4'099u, 100'000u})
    EXPECT_TRUE(send(all, piece).contains(large)) << piece;
}

TEST_F(WebSocketTest, SaysOnceThatItEnds) {
  world_.Get("/refused",
             [](Request&) {
               return Talk([](kj::WebSocket& socket) { return socket.close(1008, "STL1003"); });
             },
             {.web_socket = true});
  const auto client = Open("/refused");
  const std::string said = Closing(1008, "STL1003");
  EXPECT_EQ(client->ReadUntil("STL1003"), said);
  // It waits for the client to say so, too.
  EXPECT_EQ(client->ReadSome(), "");
  EXPECT_EQ(world_.service().streams(), 1u);
  client->Send(Frame(8, "\x03\xF0"));
  EXPECT_TRUE(client->IsClosed());
  EXPECT_EQ(world_.service().streams(), 0u);
}

TEST_F(WebSocketTest, EndsNormallyWhenTheConversationDoes) {
  world_.Get("/short",
             [](Request&) {
               return Talk([](kj::WebSocket&) -> kj::Promise<void> { return kj::READY_NOW; });
             },
             {.web_socket = true});
  const auto client = Open("/short");
  EXPECT_EQ(client->ReadUntil("\xE8"), Closing(1000));
  client->Send(Frame(8, "\x03\xE8"));
  EXPECT_TRUE(client->IsClosed());
}

}  // namespace
}  // namespace stele::server::http
