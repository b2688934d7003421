#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/http/service.h"
#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

Response Echo(Request& request) {
  return Text(200, "text/plain", request.body);
}

Response Name(Request& request) {
  return Text(200, "text/plain", request.Param("name"));
}

class FramingTest : public testing::Test {
 protected:
  FramingTest() {
    world_.Post("/echo", Echo);
    world_.Get("/is/{name}", Name);
  }

  void ExpectRefused(std::string_view bytes, int status, std::string_view code) {
    const auto client = world_.Connect();
    ExpectRefusedNext(*client, bytes, status, code);
  }
  void ExpectRefusedNext(WireClient& client, std::string_view bytes, int status,
                         std::string_view code) {
    client.Send(std::string(bytes));
    const Received received = client.Receive();
    EXPECT_EQ(received.status, status) << bytes;
    EXPECT_EQ(received.headers.Get("Content-Type"), "application/problem+json") << bytes;
    EXPECT_EQ(received.headers.Get("Connection"), "close") << bytes;
    EXPECT_TRUE(received.headers.Has("X-Request-Id")) << bytes;
    ASSERT_NE(received.json().Find("code"), nullptr) << bytes;
    EXPECT_EQ(*received.json().Find("code"), Value(code)) << bytes;
    EXPECT_TRUE(received.json().Find("detail")->as_string().starts_with("Expected ")) << bytes;
    EXPECT_TRUE(client.IsClosed()) << bytes;
    world_.Run();
    ASSERT_FALSE(world_.accesses.empty());
    EXPECT_EQ(world_.accesses.back().status, status) << bytes;
    EXPECT_EQ(world_.accesses.back().source, "192.0.2.7") << bytes;
    EXPECT_TRUE(world_.problems.empty());
  }

  HttpWorld world_;
};

std::string Chunked(std::string_view head, std::string_view chunks) {
  return fmt::format("{} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{}", head,
                     chunks);
}

TEST_F(FramingTest, AFaultInAHeadIsAnsweredAndEndsTheConnection) {
  for (const char* bytes :
       {"nonsense\r\n\r\n", "GET\r\n\r\n", "GET /is/a HTTP/1.1\r\nno colon\r\n\r\n",
        "GET /is/a HTTP/1.1\r\n\r\n", "GET /is/a HTTP/1.1\nHost: h\n\n",
        "GET /is/a HTTP/1.1\r\nHost: h\r\nHost: h\r\n\r\n",
        "GET /is/a HTTP/1.1\r\nHost : h\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\na",
        "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n"})
    ExpectRefused(bytes, 400, "STL1008");
  ExpectRefused("GET /is/a HTTP/2.0\r\nHost: h\r\n\r\n", 505, "STL0004");
  ExpectRefused("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501,
                "STL0004");
}

TEST_F(FramingTest, WhatIsTooLargeIsSaid) {
  ExpectRefused(Wire("GET /" + std::string(kMaxTargetBytes, 'a')), 414, "STL0002");
  ExpectRefused(Wire("GET /is/a", "A: " + std::string(kMaxHeadBytes, 'a') + "\r\n"), 431,
                "STL0002");
  ExpectRefused("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 99999999999999999999\r\n\r\n",
                413, "STL0002");
  const auto client = world_.Connect();
  client->Send(Wire("GET /is/a", "A: " + std::string(kMaxHeadBytes - 100, 'a') + "\r\n") +
               Wire("GET /is/b"));
  EXPECT_EQ(client->Receive().body, "a");
  EXPECT_EQ(client->Receive().body, "b");
}

TEST_F(FramingTest, AFaultBehindGoodRequestsIsAnsweredBehindThem) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /is/a") + Wire("POST /echo", "", "b"));
  EXPECT_EQ(client->Receive().body, "a");
  EXPECT_EQ(client->Receive().body, "b");
  ExpectRefusedNext(*client, Wire("GET /is/c").substr(0, 10) + "\r\n\r\n" + Wire("GET /is/d"), 400,
                    "STL1008");
}

TEST_F(FramingTest, AHeadThatEndsWithinIsAnsweredWhereTheClientListens) {
  const auto client = world_.Connect();
  client->Send("GET /is/a HTTP/1.1\r\nHo");
  world_.Run();
  client->HalfClose();
  EXPECT_EQ(client->Receive().status, 400);
  EXPECT_TRUE(client->IsClosed());
}

TEST_F(FramingTest, AFaultInABodyIsAnsweredAndEndsTheConnection) {
  for (const char* body : {"zz\r\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "1\na\r\n0\r\n\r\n",
                           "0\r\nGET /is/smuggled HTTP/1.1\r\nHost: h\r\n\r\n"})
    ExpectRefused(Chunked("POST /echo", body), 400, "STL1008");
  ExpectRefused(Chunked("POST /echo", "10000000000000003\r\nabc\r\n0\r\n\r\n"), 413, "STL0002");
  ExpectRefused(Chunked("POST /echo", "0\r\nA: " + std::string(kMaxTrailerBytes, 'a') + "\r\n\r\n"),
                431, "STL0002");
}

TEST_F(FramingTest, AFaultInABodyThatNobodyWantsEndsTheConnection) {
  const auto client = world_.Connect();
  client->Send(Chunked("POST /none", "zz\r\n") + Wire("GET /is/a"));
  EXPECT_EQ(client->Receive().status, 404);
  EXPECT_TRUE(client->IsClosed());
}

TEST_F(FramingTest, ChunksMayHaveExtensionsAndATrailer) {
  const auto client = world_.Connect();
  client->Send(
      Chunked("POST /echo", "3;a=b\r\nabc\r\n003 ; c=\"d\"\r\ndef\r\n0;e\r\nTrailer: x\r\n\r\n") +
      Wire("GET /is/next"));
  EXPECT_EQ(client->Receive().body, "abcdef");
  EXPECT_EQ(client->Receive().body, "next");
}

TEST_F(FramingTest, ManyAndLargeChunksComeWhole) {
  std::string chunks, body;
  for (int i = 0; i < 2000; ++i) {
    const std::string data(static_cast<size_t>(1 + i % 97), static_cast<char>('a' + i % 26));
    body += data;
    chunks += fmt::format("{:X}\r\n{}\r\n", data.size(), data);
  }
  const std::string large(300'000, 'x');
  chunks += fmt::format("{:x}\r\n{}\r\n0\r\n\r\n", large.size(), large);
  const auto client = world_.Connect();
  client->Send(Chunked("POST /echo", chunks) + Wire("GET /is/next"));
  EXPECT_EQ(client->Receive().body, body + large);
  EXPECT_EQ(client->Receive().body, "next");
}

TEST_F(FramingTest, ARequestIsTheSameHoweverItIsCut) {
  const std::string bytes = Chunked("POST /echo", "3;a\r\nabc\r\n2\r\nde\r\n0\r\nB: c\r\n\r\n") +
                            Wire("POST /echo", "", "fghi") + Wire("GET /is/x");
  for (size_t cut = 1; cut < bytes.size(); ++cut) {
    const auto client = world_.Connect();
    client->Send(bytes.substr(0, cut));
    world_.Run();
    client->Send(bytes.substr(cut));
    EXPECT_EQ(client->Receive().body, "abcde") << cut;
    EXPECT_EQ(client->Receive().body, "fghi") << cut;
    EXPECT_EQ(client->Receive().body, "x") << cut;
  }
  const auto client = world_.Connect();
  for (const char c : bytes) client->Send(std::string(1, c));
  EXPECT_EQ(client->Receive().body, "abcde");
  EXPECT_EQ(client->Receive().body, "fghi");
  EXPECT_EQ(client->Receive().body, "x");
}

TEST_F(FramingTest, ABlankBehindALengthIsNoPartOfIt) {
  const auto client = world_.Connect();
  client->Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3 \t\r\n\r\nabc" +
               Chunked("POST /echo", "1\r\na\r\n0\r\n\r\n"));
  EXPECT_EQ(client->Receive().body, "abc");
  EXPECT_EQ(client->Receive().body, "a");
}

TEST_F(FramingTest, AClientThatWantsTheEndGetsItBehindItsAnswer) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /is/a") + Wire("POST /echo", "Connection: close\r\n", "b") +
               Wire("GET /is/c"));
  EXPECT_FALSE(client->Receive().headers.Has("Connection"));
  const Received last = client->Receive();
  EXPECT_EQ(last.body, "b");
  EXPECT_EQ(last.headers.Get("Connection"), "close");
  EXPECT_TRUE(client->IsClosed());
  EXPECT_EQ(world_.accesses.size(), 2u);
}

TEST_F(FramingTest, Http10NeedsNoHostAndEndsBehindTheAnswer) {
  for (const char* fields : {"", "Connection: keep-alive\r\n"}) {
    const auto client = world_.Connect();
    const Received received =
        client->Ask(fmt::format("GET /is/a HTTP/1.0\r\n{}\r\nGET /is/b HTTP/1.0\r\n\r\n", fields));
    EXPECT_EQ(received.body, "a");
    EXPECT_EQ(received.headers.Get("Connection"), "close");
    EXPECT_EQ(received.headers.Get("Content-Length"), "1");
    EXPECT_TRUE(client->IsClosed());
  }
}

TEST_F(FramingTest, Http10KnowsNoContinue) {
  const auto client = world_.Connect();
  client->Send("POST /echo HTTP/1.0\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  world_.Run();
  EXPECT_EQ(client->ReadSome(), "");
  client->Send("abc");
  EXPECT_EQ(client->Receive().body, "abc");
}

TEST(FramingOverASocket, TheAnswerReachesAClientThatIsStillSending) {
  auto io = kj::setupAsyncIo();
  Router router;
  Service service(io.provider->getTimer(), router, {}, {});
  auto ends = io.provider->newTwoWayPipe();
  auto served = service.Serve(kj::mv(ends.ends[0]), "unix").eagerlyEvaluate(nullptr);
  WireClient client(kj::mv(ends.ends[1]), io.waitScope);
  client.Send("POST / HTTP/1.1\r\n\r\n" + std::string(kMaxDroppedBytes / 2, 'a'));
  const Received received = client.Receive();
  EXPECT_EQ(received.status, 400);
  EXPECT_FALSE(received.cut);
  EXPECT_TRUE(client.IsClosed());
  client.WaitUntilSent();
  EXPECT_TRUE(client.has_sent());
  client.HalfClose();
  served.wait(io.waitScope);
}

}  // namespace
}  // namespace stele::server::http
