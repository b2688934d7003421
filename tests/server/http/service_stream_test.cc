#include <fmt/format.h>
#include <gtest/gtest.h>
#include <kj/compat/http.h>
#include <kj/debug.h>

#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

kj::Promise<void> WriteLines(BodyWriter& out, int from, int to) {
  if (from == to) return kj::READY_NOW;
  return out.Write(fmt::format("{}\n", from)).then([&out, from, to]() {
    return WriteLines(out, from + 1, to);
  });
}

class StreamTest : public testing::Test {
 protected:
  ~StreamTest() noexcept override {}
  StreamTest() {
    world_.Get("/lines", [](Request&) {
      return Stream("application/x-ndjson",
                    [](BodyWriter& out) { return WriteLines(out, 0, 1000); });
    });
    world_.Get("/fails", [](Request&) {
      return Stream("text/plain", [](BodyWriter& out) {
        return out.Write("begin").then([]() { KJ_FAIL_REQUIRE("the disk"); });
      });
    });
    world_.Add(Method::kGet, "/events", [this](Request& request) -> kj::Promise<Response> {
      return Events([this, after = std::string(request.headers.Get("Last-Event-ID"))](
                        EventStream& events) -> kj::Promise<void> {
        auto paf = kj::newPromiseAndFulfiller<void>();
        end_ = kj::mv(paf.fulfiller);
        events_ = &events;
        return events.Send({.data = "after " + after})
            .then([promise = kj::mv(paf.promise)]() mutable { return kj::mv(promise); })
            .attach(kj::defer([this]() { events_ = nullptr; }));
      });
    });
  }

  HttpWorld world_;
  EventStream* events_ = nullptr;
  kj::Own<kj::PromiseFulfiller<void>> end_;
};

TEST_F(StreamTest, ADownloadComesInChunksAndEnds) {
  const Received received = world_.Ask("GET /lines", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.headers.Get("Content-Type"), "application/x-ndjson");
  EXPECT_EQ(received.headers.Get("Transfer-Encoding"), "chunked");
  EXPECT_FALSE(received.headers.Has("Content-Encoding"));
  EXPECT_FALSE(received.headers.Has("ETag"));
  EXPECT_FALSE(received.cut);
  EXPECT_EQ(received.body.size(), 3890u);
  EXPECT_TRUE(received.body.ends_with("\n999\n"));
  EXPECT_EQ(world_.accesses[0].bytes_out, 3890u);
}

TEST_F(StreamTest, ADownloadThatFailsIsCut) {
  const auto client = world_.Connect();
  const Received received = client->Ask(Wire("GET /fails"));
  EXPECT_EQ(received.status, 200);
  EXPECT_TRUE(received.cut);
  EXPECT_TRUE(client->IsClosed());
  ASSERT_EQ(world_.problems.size(), 1u);
  EXPECT_TRUE(world_.problems[0].contains("the disk"));
}

TEST_F(StreamTest, ADownloadWaitsForItsReader) {
  int made = 0;
  world_.Add(Method::kGet, "/endless", [&made](Request&) -> kj::Promise<Response> {
    return Stream("text/plain", [&made](BodyWriter& out) -> kj::Promise<void> {
      struct Loop {
        static kj::Promise<void> Run(BodyWriter& out, int& made) {
          ++made;
          return out.Write(std::string(1000, 'x')).then([&out, &made]() { return Run(out, made); });
        }
      };
      return Loop::Run(out, made);
    });
  });
  auto client = world_.Connect();
  client->Send(Wire("GET /endless"));
  world_.Run();
  EXPECT_EQ(made, 1);
  client->ReadUntil("\r\n\r\n");
  world_.Run();
  EXPECT_LE(made, 5);
  EXPECT_EQ(world_.service().streams(), 1u);
  client = nullptr;
  world_.Run();
  EXPECT_EQ(world_.service().streams(), 0u);
}

TEST_F(StreamTest, HeadOfAStreamHasNoBody) {
  const auto client = world_.Connect();
  client->Send(Wire("HEAD /lines") + Wire("HEAD /events") + Wire("GET /none"));
  EXPECT_EQ(client->Receive(true).status, 200);
  EXPECT_EQ(client->Receive(true).headers.Get("Content-Type"), "text/event-stream");
  EXPECT_EQ(client->Receive().status, 404);
  EXPECT_EQ(events_, nullptr);
}

TEST_F(StreamTest, EventsComeAsTheyAreSent) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /events", "Last-Event-ID: 41\r\n"));
  const Received head = client->Receive(true);
  EXPECT_EQ(head.headers.Get("Content-Type"), "text/event-stream");
  EXPECT_EQ(head.headers.Get("Cache-Control"), "no-store");
  EXPECT_EQ(client->ReadUntil("41"), "10\r\ndata: after 41");
  client->ReadSome();
  world_.Run();
  auto sent = events_->Send({.data = "x", .id = "42"});
  EXPECT_TRUE(client->ReadSome().contains("id: 42\ndata: x\n\n"));
  EXPECT_TRUE(sent.poll(world_.scope));
  end_->fulfill();
  EXPECT_TRUE(client->ReadUntil("0\r\n\r\n").ends_with("0\r\n\r\n"));
  // The connection goes on.
  EXPECT_EQ(client->Ask(Wire("GET /none")).status, 404);
}

TEST_F(StreamTest, SilenceIsFilledWithComments) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /events"));
  client->Receive(true);
  while (!client->ReadSome().empty()) {
  }
  world_.Pass((kHeartbeatSeconds - 1) * kj::SECONDS);
  EXPECT_EQ(client->ReadSome(), "");
  auto sent = events_->Send({.data = "x"});
  EXPECT_NE(client->ReadSome(), "");
  world_.Pass((kHeartbeatSeconds - 1) * kj::SECONDS);
  EXPECT_EQ(client->ReadSome(), "");
  world_.Pass(1 * kj::SECONDS);
  EXPECT_EQ(client->ReadSome(), "3\r\n:\n\n\r\n");
  world_.Pass(kHeartbeatSeconds * kj::SECONDS);
  EXPECT_EQ(client->ReadSome(), "3\r\n:\n\n\r\n");
}

TEST_F(StreamTest, EventsEndWhenTheClientGoes) {
  auto client = world_.Connect();
  client->Send(Wire("GET /events"));
  client->ReadUntil("data: after");
  EXPECT_NE(events_, nullptr);
  EXPECT_EQ(world_.service().streams(), 1u);
  EXPECT_EQ(world_.service().in_progress(), 0u);
  client = nullptr;
  world_.Run();
  EXPECT_EQ(events_, nullptr);
  EXPECT_EQ(world_.service().streams(), 0u);
  EXPECT_EQ(world_.accesses.size(), 1u);
  EXPECT_TRUE(world_.problems.empty());
}

TEST_F(StreamTest, EventsEndCleanlyWhenTheServiceDrains) {
  const auto client = world_.Connect();
  client->Send(Wire("GET /events"));
  client->ReadUntil("data: after");
  while (!client->ReadSome().empty()) {
  }
  auto drained = world_.service().Drain();
  EXPECT_TRUE(client->ReadUntil("0\r\n\r\n").ends_with("0\r\n\r\n"));
  EXPECT_TRUE(client->IsClosed());
  EXPECT_EQ(events_, nullptr);
  EXPECT_TRUE(drained.poll(world_.scope));
}

TEST_F(StreamTest, StreamsHaveABound) {
  world_.settings.max_streams = 1;
  const auto first = world_.Connect();
  first->Send(Wire("GET /events"));
  first->ReadUntil("data: after");
  EXPECT_EQ(world_.Ask("GET /lines").status, 503);
  EXPECT_EQ(world_.Ask("GET /none").status, 404);
}

TEST_F(StreamTest, AnAnswerWithoutALengthIsNotForHttp10) {
  const auto client = world_.Connect();
  const Received received = client->Ask("GET /lines HTTP/1.0\r\n\r\n");
  EXPECT_EQ(received.status, 505);
  EXPECT_FALSE(received.headers.Has("Transfer-Encoding"));
  EXPECT_EQ(*received.json().Find("code"), Value("STL0004"));
}

}  // namespace
}  // namespace stele::server::http
