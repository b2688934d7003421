// Live events, over Server-Sent Events and a WebSocket.
#include <kj/compat/http.h>

#include <deque>

#include "server/http/service.h"
#include "tests/server/rest/rest_world.h"

namespace stele::server::rest {
namespace {

constexpr const char* kWork = "{id: work, type: script, config: {script: x}}";

// What a feed has written.
class Reading {
 public:
  Reading(RestWorld& world, Answered answered)
      : world_(world),
        answered_(kj::mv(answered)),
        writer_(out_, written_),
        stream_(writer_, world.served.timer(), 15 * kj::SECONDS),
        task_((*answered_.feed)(stream_)
                  .eagerlyEvaluate([this](kj::Exception&&) { over_ = true; })
                  .then([this] { over_ = true; })
                  .eagerlyEvaluate(nullptr)) {}

  // What has come when a text is in it.
  const std::string& Until(const std::string& text) {
    world_.served.Until([&] { return out_.text.contains(text); });
    return out_.text;
  }
  void UntilOver() {
    world_.served.Until([this] { return over_; });
  }
  const std::string& text() const { return out_.text; }
  // The id of the last event that has come.
  std::string LastId() const {
    const size_t at = out_.text.rfind("id: ") + 4;
    return out_.text.substr(at, out_.text.find('\n', at) - at);
  }

 private:
  RestWorld& world_;
  Answered answered_;
  TextStream out_;
  uint64_t written_ = 0;
  http::BodyWriter writer_;
  http::EventStream stream_;
  bool over_ = false;
  kj::Promise<void> task_;
};

TEST(Events, ComeAsTheyHappen) {
  RestWorld world;
  world.served.Register("order", kWork);
  Reading reading(world, world.Get("/events?definition=order"));
  const int64_t id = world.Start("order");
  const std::string& text = reading.Until("instance_completed");
  EXPECT_TRUE(text.contains(fmt::format(R"("instance":{},"seq":1)", id))) << text;
  EXPECT_TRUE(text.contains(R"("actor":"admin")")) << text;
  EXPECT_TRUE(text.contains(R"("event":"instance_started")")) << text;
}

TEST(Events, GoOnBehindTheLastThatWasSeen) {
  RestWorld world;
  world.served.Register("order", kWork);
  const int64_t id = world.Start("order");
  world.served.Settle();
  const std::string query = fmt::format("/events?instance={}&from=1", id);
  std::string all;
  std::string first_id;
  {
    Reading reading(world, world.Get(query));
    all = reading.Until("instance_completed");
    first_id = all.substr(4, all.find('\n') - 4);
  }
  Reading again(world, world.Get(query, {{"Last-Event-ID", first_id}}));
  const std::string rest = again.Until("instance_completed");
  EXPECT_EQ(all.substr(all.find("\n\n") + 2), rest);
}

TEST(Events, AreNarrowedByTheirNames) {
  RestWorld world;
  world.served.Register("order", kWork);
  Reading reading(world, world.Get("/events?event=instance_completed&event=step_completed"));
  world.Start("order");
  const std::string& text = reading.Until("instance_completed");
  EXPECT_FALSE(text.contains("instance_started")) << text;
}

TEST(Events, RefuseWhatIsNoPlace) {
  RestWorld world;
  world.served.Register("order", kWork);
  EXPECT_EQ(world.Refusal(422, world.Get("/events?from=x")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get("/events?from=99999")), "STL0406");
  EXPECT_EQ(world.Refusal(422, world.Get("/events", {{"Last-Event-ID", "1-"}})), "STL0406");
  EXPECT_EQ(world.Refusal(404, world.Get("/events?instance=99")), "STL0401");
  EXPECT_EQ(world.Refusal(422, world.Get("/events?instance=0")), "STL0406");
}

TEST(Events, EndWhenTheTokenCountsNoMore) {
  RestWorld world;
  world.served.Register("order", kWork);
  Reading reading(world, world.Get("/events"));
  world.still_valid = false;
  world.Start("order");
  reading.UntilOver();
  EXPECT_TRUE(reading.text().contains("event: problem")) << reading.text();
  EXPECT_TRUE(reading.text().contains("STL1003")) << reading.text();
}

TEST(Events, EndWhenTheServerCloses) {
  RestWorld world;
  Reading reading(world, world.Get("/events"));
  world.served.desk().Close();
  reading.UntilOver();
  EXPECT_EQ(reading.text(), "");
}

// Masks of frames, which need not be secret here.
class Entropy final : public kj::EntropySource {
 public:
  void generate(kj::ArrayPtr<kj::byte> buffer) override {
    for (kj::byte& byte : buffer) byte = next_++;
  }

 private:
  kj::byte next_ = 1;
};

// A service over a pipe, and a client of KJ's.
class Wire {
 public:
  explicit Wire(RestWorld& world)
      : world_(world),
        service_(world.served.timer(), world.router(), {}, {}),
        pipe_(kj::newTwoWayPipe()),
        serving_(service_.Serve(kj::mv(pipe_.ends[0]), "127.0.0.1").eagerlyEvaluate(nullptr)),
        client_(kj::newHttpClient(table_, *pipe_.ends[1], Settings())) {}

  kj::HttpClient& client() { return *client_; }
  kj::HttpClientSettings Settings() {
    kj::HttpClientSettings settings;
    settings.entropySource = entropy_;
    return settings;
  }
  kj::HttpHeaders headers() {
    kj::HttpHeaders headers(table_);
    headers.set(kj::HttpHeaderId::HOST, "127.0.0.1");
    return headers;
  }
  kj::Own<kj::WebSocket> Open(kj::StringPtr target) {
    auto response = world_.served.Await(client_->openWebSocket(target, headers()));
    EXPECT_EQ(response.statusCode, 101u);
    return kj::mv(response.webSocketOrBody.get<kj::Own<kj::WebSocket>>());
  }

 private:
  RestWorld& world_;
  Entropy entropy_;
  kj::HttpHeaderTable table_;
  http::Service service_;
  kj::TwoWayPipe pipe_;
  kj::Promise<void> serving_;
  kj::Own<kj::HttpClient> client_;
};

TEST(Events, ComeOverAWebSocketToo) {
  RestWorld world;
  world.served.Register("order", kWork);
  Wire wire(world);
  auto socket = wire.Open("/api/v1/events?event=instance_completed");
  const int64_t id = world.Start("order");
  const auto message = world.served.Await(socket->receive());
  ASSERT_TRUE(message.is<kj::String>());
  const Value event = ParseJson(message.get<kj::String>().cStr()).value();
  EXPECT_EQ(*event.Find("instance"), Value(id));
  EXPECT_EQ(*event.Find("event"), Value("instance_completed"));
}

TEST(Events, AWebSocketIsClosedWithAReason) {
  RestWorld world;
  world.served.Register("order", kWork);
  Wire wire(world);
  auto socket = wire.Open("/api/v1/events?event=instance_completed");
  world.Start("order");
  EXPECT_TRUE(world.served.Await(socket->receive()).is<kj::String>());
  world.still_valid = false;
  world.Start("order");
  // What was awaited already may still come.
  auto message = world.served.Await(socket->receive());
  if (message.is<kj::String>()) message = world.served.Await(socket->receive());
  ASSERT_TRUE(message.is<kj::WebSocket::Close>());
  EXPECT_EQ(message.get<kj::WebSocket::Close>().code, 1008u);
  EXPECT_EQ(message.get<kj::WebSocket::Close>().reason, "STL1003");
}

TEST(Wire, APageOfAnotherOriginOpensNoWebSocket) {
  RestWorld world;
  Wire wire(world);
  auto headers = wire.headers();
  headers.add("Origin", "https://elsewhere.example");
  const auto response = world.served.Await(wire.client().openWebSocket("/api/v1/events", headers));
  EXPECT_EQ(response.statusCode, 403u);
}

TEST(Wire, AnswersCarryTagsAndProblemsTheirStatus) {
  RestWorld world;
  world.served.Register("order", kWork);
  const int64_t id = world.Start("order");
  world.served.Settle();
  Wire wire(world);
  const auto get = [&](const std::string& target) {
    auto headers = wire.headers();
    auto request = wire.client().request(kj::HttpMethod::GET, target.c_str(), headers);
    request.body = nullptr;
    auto response = world.served.Await(kj::mv(request.response));
    const std::string body = world.served.Await(response.body->readAllText()).cStr();
    std::string tag;
    response.headers->forEach([&](kj::StringPtr name, kj::StringPtr value) {
      if (name == "ETag") tag = value.cStr();
    });
    return std::tuple(response.statusCode, body, tag);
  };
  const auto [status, body, tag] = get(fmt::format("/api/v1/instances/{}", id));
  EXPECT_EQ(status, 200u);
  EXPECT_TRUE(body.contains(R"("status":"completed")")) << body;
  EXPECT_FALSE(tag.empty());
  EXPECT_EQ(std::get<0>(get("/api/v1/instances/999")), 404u);
  EXPECT_EQ(std::get<0>(get("/api/v1/instance/1")), 404u);
  EXPECT_EQ(std::get<0>(get("/api/v1/openapi.json")), 200u);
}

}  // namespace
}  // namespace stele::server::rest
