#include <fmt/format.h>
#include <gtest/gtest.h>

#include "server/http/gzip.h"
#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

Response Size(Request& request) {
  return Text(200, "text/plain", fmt::format("{}", request.body.size()));
}

Response ReadJson(Request& request) {
  const Result<Value> value = request.Json();
  return value.has_value() ? Json(200, *value) : Problem(value.error());
}

class BodyTest : public testing::Test {
 protected:
  BodyTest() {
    world_.Post("/size", Size, {.max_body = 100'000});
    world_.Post("/json", ReadJson);
    world_.Get("/size", Size);
  }

  HttpWorld world_;
};

std::string Chunked(std::string_view head, std::string_view chunks) {
  return fmt::format("{} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{}", head,
                     chunks);
}

TEST_F(BodyTest, IsReadByLengthAndByChunks) {
  const auto client = world_.Connect();
  EXPECT_EQ(client->Ask(Wire("POST /size", "", std::string(100'000, 'a'))).body, "100000");
  EXPECT_EQ(
      client->Ask(Chunked("POST /size", "3\r\nabc\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n")).body,
      "19");
  EXPECT_EQ(client->Ask(Wire("POST /size")).body, "0");
  EXPECT_EQ(client->Ask(Wire("GET /size", "", "abc")).body, "3");
}

TEST_F(BodyTest, IsRefusedByItsLengthBeforeItIsRead) {
  const auto client = world_.Connect();
  // The bytes are never sent: the answer does not wait for them.
  client->Send("POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 100001\r\n\r\n");
  const Received received = client->Receive();
  EXPECT_EQ(received.status, 413);
  EXPECT_EQ(*received.json().Find("code"), Value("STL0002"));
  EXPECT_FALSE(client->IsClosed());
  world_.Pass(kDropSeconds * kj::SECONDS);
  EXPECT_TRUE(client->IsClosed());
}

std::string HeadOf(std::string_view line, size_t length, std::string_view field = "") {
  return fmt::format("{} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n", line, length, field);
}

TEST_F(BodyTest, IsNotWaitedForWhenTheHeadIsRefused) {
  const auto guard = [](Request& head) -> std::optional<Response> {
    if (!head.headers.Has("Authorization")) return Problem({ErrorCode::kUnauthenticated, "Who?"});
    head.admitted = std::string(head.headers.Get("Authorization"));
    return std::nullopt;
  };
  world_.Post("/guarded",
              [](Request& request) {
                return Text(200, "text/plain",
                            std::any_cast<std::string>(request.admitted) + ": " + request.body);
              },
              {.admit = guard});
  EXPECT_EQ(world_.Ask("POST /guarded").status, 401);
  for (const char* field : {"", "Expect: 100-continue\r\n"}) {
    const auto client = world_.Connect();
    client->Send(HeadOf("POST /guarded", 5, field));
    EXPECT_EQ(client->Receive().status, 401);
  }
  EXPECT_EQ(world_.Connect()->Ask(Wire("POST /guarded", "Authorization: ada\r\n", "hello")).body,
            "ada: hello");
}

TEST_F(BodyTest, TakesNoPlaceBeforeItIsThere) {
  world_.settings.max_in_progress = 1;
  const auto slow = world_.Connect();
  slow->Send(HeadOf("POST /size", 5) + "abc");
  world_.Run();
  EXPECT_EQ(world_.service().in_progress(), 0u);
  EXPECT_EQ(world_.Ask("GET /size").status, 200);
  slow->Send("de");
  EXPECT_EQ(slow->Receive().body, "5");
}

TEST_F(BodyTest, IsRefusedWhenTheServerHoldsTooMuchOfOthers) {
  world_.settings.max_bodies_bytes = 150'000;
  const auto first = world_.Connect();
  const auto second = world_.Connect();
  first->Send(HeadOf("POST /size", 100'000) + std::string(90'000, 'a'));
  world_.Run();
  second->Send(HeadOf("POST /size", 100'000) + std::string(90'000, 'a'));
  const Received refused = second->Receive();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(*refused.json().Find("code"), Value("STL0603"));
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
  first->Send(std::string(10'000, 'a'));
  EXPECT_EQ(first->Receive().body, "100000");
  world_.Run();
  // It was given back.
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(world_.Connect()->Ask(Wire("POST /size", "", std::string(100'000, 'a'))).body,
              "100000");
}

TEST_F(BodyTest, IsRefusedAsSoonAsTooMuchHasCome) {
  const auto client = world_.Connect();
  std::string chunks;
  for (int i = 0; i < 20; ++i) chunks += "2710\r\n" + std::string(10'000, 'a') + "\r\n";
  client->Send(Chunked("POST /size", chunks));
  const Received received = client->Receive();
  EXPECT_EQ(received.status, 413);
  EXPECT_EQ(received.headers.Get("Connection"), "close");
}

TEST_F(BodyTest, ThatNobodyWantsIsDroppedAndTheConnectionKept) {
  const auto client = world_.Connect();
  client->Send(Wire("POST /none", "", std::string(1000, 'a')) + Wire("POST /size", "", "ab"));
  EXPECT_EQ(client->Receive().status, 404);
  EXPECT_EQ(client->Receive().body, "2");
}

TEST(BodyOverASocket, LargeAndUnwantedDoesNotKeepTheAnswerFromTheClient) {
  auto io = kj::setupAsyncIo();
  Router router;
  Service service(io.provider->getTimer(), router, {}, {});
  auto ends = io.provider->newTwoWayPipe();
  auto served = service.Serve(kj::mv(ends.ends[0]), "unix").eagerlyEvaluate(nullptr);
  WireClient client(kj::mv(ends.ends[1]), io.waitScope);
  client.Send(Wire("POST /none", "", std::string(kMaxDroppedBytes, 'a')));
  const Received received = client.Receive();
  EXPECT_EQ(received.status, 404);
  EXPECT_FALSE(received.headers.Has("Connection"));
  EXPECT_EQ(client.Ask(Wire("GET /none")).status, 404);
  client.Send(Wire("POST /none", "", std::string(kMaxDroppedBytes + 1, 'a')));
  const Received last = client.Receive();
  EXPECT_EQ(last.status, 404);
  EXPECT_EQ(last.headers.Get("Connection"), "close");
  EXPECT_FALSE(last.cut);
  EXPECT_TRUE(client.IsClosed());
  client.HalfClose();
  served.wait(io.waitScope);
}

TEST_F(BodyTest, IsUnpackedWithinTheBound) {
  const auto client = world_.Connect();
  const std::string gzip = "Content-Encoding: gzip\r\n";
  EXPECT_EQ(client->Ask(Wire("POST /size", gzip, Gzip(std::string(100'000, 'a'), 6))).body,
            "100000");
  const std::string bomb = Gzip(std::string(50'000'000, 'a'), 9);
  ASSERT_LT(bomb.size(), 100'000u);
  EXPECT_EQ(client->Ask(Wire("POST /size", gzip, bomb)).status, 413);
  EXPECT_EQ(client->Ask(Wire("POST /size", gzip, "no gzip")).status, 400);
  EXPECT_EQ(client->Ask(Wire("POST /size", "Content-Encoding: br\r\n", "x")).status, 415);
  EXPECT_EQ(client->Ask(Wire("POST /size", "Content-Encoding: identity\r\n", "x")).body, "1");
}

TEST_F(BodyTest, IsJsonOrAProblemWithThePlace) {
  EXPECT_EQ(world_.Ask("POST /json", "", R"( {"a": [1, 2.5]} )").body, R"({"a":[1,2.5]})");
  const Received bad = world_.Ask("POST /json", "", "{\"a\": 1,\n  nonsense}");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(*bad.json().Find("code"), Value("STL0001"));
  EXPECT_TRUE(bad.json().Find("detail")->as_string().contains("line 2, column 3")) << bad.body;
  EXPECT_EQ(world_.Ask("POST /json", "", R"({"a": 1, "a": 2})").status, 400);
  EXPECT_EQ(world_.Ask("POST /json", "Content-Type: text/plain\r\n", "{}").status, 415);
}

TEST_F(BodyTest, IsAskedForWhereTheClientWaits) {
  const auto client = world_.Connect();
  client->Send(
      "POST /size HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-Continue\r\n\r\n");
  EXPECT_EQ(client->ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client->Send("abc");
  EXPECT_EQ(client->Receive().body, "3");
  EXPECT_EQ(client->Ask(Wire("POST /size", "", "ab")).body, "2");
}

TEST_F(BodyTest, IsNotAskedForWhenItIsRefused) {
  for (const char* path : {"/none", "/size"}) {
    const auto client = world_.Connect();
    const Received received = client->Ask(fmt::format(
        "POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\nExpect: 100-continue\r\n\r\n",
        path));
    EXPECT_EQ(received.status, std::string_view(path) == "/none" ? 404 : 413);
    EXPECT_EQ(received.headers.Get("Connection"), "close");
    world_.Pass(kDropSeconds * kj::SECONDS);
    EXPECT_TRUE(client->IsClosed());
  }
  const Received other = world_.Ask("POST /size", "Expect: the best\r\n", "a");
  EXPECT_EQ(other.status, 417);
  EXPECT_EQ(*other.json().Find("code"), Value("STL1008"));
}

}  // namespace
}  // namespace stele::server::http
