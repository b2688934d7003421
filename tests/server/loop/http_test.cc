// KJ's HTTP over the streams and timers of this folder.
#include <gtest/gtest.h>
#include <kj/compat/http.h>

#include <algorithm>
#include <string>

#include "server/loop/connect.h"
#include "server/loop/listener.h"
#include "tests/server/loop/loop_world.h"

namespace stele::server {
namespace {

kj::Promise<void> EchoMessages(kj::WebSocket& socket) {
  return socket.receive().then([&socket](kj::WebSocket::Message&& message) -> kj::Promise<void> {
    if (message.is<kj::String>()) {
      auto text = kj::mv(message.get<kj::String>());
      auto sent = socket.send(text.asPtr());
      return sent.attach(kj::mv(text)).then([&socket] { return EchoMessages(socket); });
    }
    return socket.close(1000, "bye");
  });
}

class EchoService final : public kj::HttpService {
 public:
  explicit EchoService(kj::HttpHeaderTable& table) : table_(table) {}
  kj::Promise<void> request(kj::HttpMethod, kj::StringPtr url, const kj::HttpHeaders& headers,
                            kj::AsyncInputStream& body, Response& response) override {
    if (headers.isWebSocket()) {
      auto socket = response.acceptWebSocket(kj::HttpHeaders(table_));
      auto& ref = *socket;
      return EchoMessages(ref).attach(kj::mv(socket));
    }
    return body.readAllText().then([this, url = kj::str(url), &response](kj::String&& text) {
      auto answer = kj::str(url, " ", text);
      auto stream = response.send(200, "OK", kj::HttpHeaders(table_), answer.size());
      auto written = stream->write(answer.begin(), answer.size());
      return written.attach(kj::mv(stream), kj::mv(answer));
    });
  }

 private:
  kj::HttpHeaderTable& table_;
};

// Masks of a client's frames need no chance in a test.
class Zeros final : public kj::EntropySource {
 public:
  void generate(kj::ArrayPtr<kj::byte> buffer) override {
    std::fill(buffer.begin(), buffer.end(), kj::byte{0});
  }
};

struct HttpWorld {
  HttpWorld()
      : listener(Listen(world.loop(), "127.0.0.1:0").value()),
        service(table),
        server(world.loop().timer(), table, service),
        serving(server.listenHttp(*listener).eagerlyEvaluate(nullptr)),
        stream(world.Await(Connect(world.loop(), listener->address()))),
        client(kj::newHttpClient(table, *stream, Settings(entropy))) {}
  static kj::HttpClientSettings Settings(kj::EntropySource& entropy) {
    kj::HttpClientSettings settings;
    settings.entropySource = entropy;
    return settings;
  }
  LoopWorld world;
  Zeros entropy;
  kj::HttpHeaderTable table;
  kj::Own<Listener> listener;
  EchoService service;
  kj::HttpServer server;
  kj::Promise<void> serving;
  kj::Own<kj::AsyncIoStream> stream;
  kj::Own<kj::HttpClient> client;
};

TEST(Http, AnswersManyRequestsOfOneConnection) {
  HttpWorld http;
  for (int i = 0; i < 50; ++i) {
    const std::string sent = Noise(static_cast<size_t>(i) * 1'000).c_str();
    const std::string url = "/" + std::to_string(i);
    auto request = http.client->request(kj::HttpMethod::POST, url.c_str(),
                                        kj::HttpHeaders(http.table), sent.size());
    http.world.Await(request.body->write(sent.data(), sent.size()));
    request.body = nullptr;
    auto response = http.world.Await(kj::mv(request.response));
    EXPECT_EQ(response.statusCode, 200u);
    EXPECT_EQ(std::string(http.world.Await(response.body->readAllText()).cStr()), url + " " + sent);
  }
  EXPECT_EQ(http.listener->connections(), 1u);
}

TEST(Http, EchoesMessagesOfAWebSocket) {
  HttpWorld http;
  kj::HttpHeaders headers(http.table);
  auto opened = http.world.Await(http.client->openWebSocket("/live", headers));
  ASSERT_TRUE(opened.webSocketOrBody.is<kj::Own<kj::WebSocket>>());
  auto socket = kj::mv(opened.webSocketOrBody.get<kj::Own<kj::WebSocket>>());
  for (const size_t size : {5u, 70'000u, 1'000'000u}) {
    const std::string sent(size, 'x');
    auto sending = socket->send(kj::StringPtr(sent.c_str(), sent.size())).eagerlyEvaluate(nullptr);
    auto message = http.world.Await(socket->receive());
    ASSERT_TRUE(message.is<kj::String>());
    EXPECT_TRUE(sent == message.get<kj::String>().cStr());
    http.world.Await(kj::mv(sending));
  }
  http.world.Await(socket->close(1000, "enough"));
  auto message = http.world.Await(socket->receive());
  EXPECT_TRUE(message.is<kj::WebSocket::Close>());
}

TEST(Http, DrainsWhenItsClientsAreIdle) {
  HttpWorld http;
  http.world.Settle();
  http.world.Await(http.server.drain());
  http.listener->Close();
}

}  // namespace
}  // namespace stele::server
