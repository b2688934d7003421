#include "server/http/service.h"

#include <gtest/gtest.h>
#include <kj/debug.h>

#include "server/http/gzip.h"
#include "tests/server/http/http_world.h"

namespace stele::server::http {
namespace {

Response Greet(Request& request) {
  return Json(200, Object{{"hello", request.Param("name")}});
}

Response Echo(Request& request) {
  return Text(200, "text/plain", request.body);
}

class ServiceTest : public testing::Test {
 protected:
  HttpWorld world_;
};

TEST_F(ServiceTest, CallsTheHandlerOfThePath) {
  world_.Get("/hello/{name}", Greet);
  const Received received = world_.Ask("GET /hello/wor%6Cd?x=1");
  EXPECT_EQ(received.status, 200);
  EXPECT_EQ(received.body, R"({"hello":"world"})");
  EXPECT_EQ(received.headers.Get("Content-Type"), "application/json");
  EXPECT_EQ(received.headers.Get("Content-Length"), "17");
  EXPECT_TRUE(received.headers.Has("ETag"));
}

TEST_F(ServiceTest, HandsOverEveryFieldAndTheSource) {
  world_.Get("/", [](Request& request) {
    return Json(200, Object{{"odd", request.headers.Get("x-odd")},
                            {"host", request.headers.Get("HOST")},
                            {"source", request.source},
                            {"a", request.query.Text("a")->value()}});
  });
  EXPECT_EQ(world_.Ask("GET /?a=%C3%A4", "X-Odd:  1 \r\n").body,
            R"({"odd":"1","host":"here.example","source":"192.0.2.7","a":"ä"})");
}

TEST_F(ServiceTest, SaysThatNothingIsThere) {
  world_.Get("/hello/{name}", Greet);
  const Received received = world_.Ask("GET /helo/x");
  EXPECT_EQ(received.status, 404);
  EXPECT_EQ(received.headers.Get("Content-Type"), "application/problem+json");
  EXPECT_EQ(received.headers.Get("Cache-Control"), "no-store");
  EXPECT_EQ(*received.json().Find("code"), Value("STL1007"));
  EXPECT_EQ(*received.json().Find("type"), Value("errors#STL1007"));
  EXPECT_EQ(*received.json().Find("status"), Value(404));
  EXPECT_EQ(*received.json().Find("instance"), Value("requests/request-1"));
  EXPECT_EQ(*received.json().Find("detail"),
            Value("Expected the path of a resource but found \"/helo/x\"; did you mean /hello/x?"));
}

TEST_F(ServiceTest, NamesTheMethodsThatAPathHas) {
  world_.Get("/a", Echo);
  world_.Post("/a", Echo);
  const Received received = world_.Ask("DELETE /a");
  EXPECT_EQ(received.status, 405);
  EXPECT_EQ(received.headers.Get("Allow"), "GET, HEAD, POST, OPTIONS");
  const Received options = world_.Ask("OPTIONS /a");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.headers.Get("Allow"), "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(world_.Ask("OPTIONS /b").status, 404);
}

TEST_F(ServiceTest, RefusesMethodsThatNoRouteCanHave) {
  world_.Get("/a", Echo);
  for (const char* method : {"PROPFIND /a", "BREW /a"}) {
    const Received received = world_.Ask(method);
    EXPECT_EQ(received.status, 501) << method;
    EXPECT_EQ(*received.json().Find("code"), Value("STL0902")) << method;
  }
}

TEST_F(ServiceTest, AnswersPreflightsOfAllowedOriginsAlone) {
  world_.settings.cors.origins = {"https://a.example"};
  world_.Post("/a", Echo);
  const std::string asks = "Access-Control-Request-Method: POST\r\n";
  const Received allowed = world_.Ask("OPTIONS /a", "Origin: https://a.example\r\n" + asks);
  EXPECT_EQ(allowed.status, 204);
  EXPECT_EQ(allowed.headers.Get("Access-Control-Allow-Origin"), "https://a.example");
  EXPECT_EQ(allowed.headers.Get("Access-Control-Allow-Methods"), "POST, OPTIONS");
  EXPECT_TRUE(allowed.headers.HasToken("Access-Control-Allow-Headers", "authorization"));
  EXPECT_EQ(allowed.headers.Get("Access-Control-Max-Age"), "600");
  const Received other = world_.Ask("OPTIONS /a", "Origin: https://b.example\r\n" + asks);
  EXPECT_FALSE(other.headers.Has("Access-Control-Allow-Origin"));
  EXPECT_FALSE(other.headers.Has("Access-Control-Allow-Methods"));
}

TEST_F(ServiceTest, RefusesChangesByPagesOfOtherOrigins) {
  world_.Post("/a", Echo);
  EXPECT_EQ(world_.Ask("POST /a", "Origin: https://evil.example\r\n", "x").status, 403);
  EXPECT_EQ(world_.Ask("POST /a", "Origin: https://here.example\r\n", "x").status, 200);
}

TEST_F(ServiceTest, AnswersHeadWithTheFieldsOfGetAndNoBody) {
  world_.Get("/hello/{name}", Greet);
  const auto client = world_.Connect();
  client->Send(Wire("HEAD /hello/x") + Wire("GET /hello/x"));
  const Received head = client->Receive(true);
  const Received get = client->Receive();
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.Get("Content-Length"), get.headers.Get("Content-Length"));
  EXPECT_EQ(head.headers.Get("ETag"), get.headers.Get("ETag"));
  EXPECT_EQ(get.body, R"({"hello":"x"})");
}

TEST_F(ServiceTest, AnswersPipelinedRequestsInOrder) {
  world_.Get("/hello/{name}", Greet);
  world_.Post("/echo", Echo);
  const auto client = world_.Connect();
  client->Send(Wire("GET /hello/1") + Wire("POST /echo", "", "two") + Wire("GET /none") +
               Wire("GET /hello/4"));
  EXPECT_EQ(client->Receive().body, R"({"hello":"1"})");
  EXPECT_EQ(client->Receive().body, "two");
  EXPECT_EQ(client->Receive().status, 404);
  EXPECT_EQ(client->Receive().body, R"({"hello":"4"})");
}

TEST_F(ServiceTest, SaysNotModifiedToWhoHasIt) {
  world_.Get("/hello/{name}", Greet);
  const auto client = world_.Connect();
  const std::string etag(client->Ask(Wire("GET /hello/x")).headers.Get("ETag"));
  const Received again = client->Ask(Wire("GET /hello/x", "If-None-Match: " + etag + "\r\n"));
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(client->Ask(Wire("GET /hello/y", "If-None-Match: " + etag + "\r\n")).status, 200);
}

TEST_F(ServiceTest, PacksLargeAnswersForWhoUnpacks) {
  world_.Get("/large", [](Request&) { return Text(200, "text/plain", std::string(5000, 'x')); });
  const Received packed = world_.Ask("GET /large", "Accept-Encoding: gzip\r\n");
  EXPECT_EQ(packed.headers.Get("Content-Encoding"), "gzip");
  EXPECT_LT(packed.body.size(), 200u);
  EXPECT_EQ(Gunzip(packed.body, 5000), std::string(5000, 'x'));
  EXPECT_EQ(world_.Ask("GET /large", "Accept-Encoding: gzip;q=0\r\n").body.size(), 5000u);
}

TEST_F(ServiceTest, KeepsAWellFormedRequestIdAndGivesOneOtherwise) {
  world_.settings.id_prefix = "here";
  world_.Get("/", [](Request& request) { return Text(200, "text/plain", request.id); });
  EXPECT_EQ(world_.Ask("GET /", "X-Request-Id: a-1.b_c:2\r\n").headers.Get("X-Request-Id"),
            "a-1.b_c:2");
  EXPECT_EQ(world_.Ask("GET /").body, "here-1");
  EXPECT_EQ(world_.Ask("GET /", "X-Request-Id: a b\r\n").headers.Get("X-Request-Id"), "here-2");
  EXPECT_EQ(world_.Ask("GET /", "X-Request-Id: " + std::string(65, 'a') + "\r\n").body, "here-3");
}

TEST_F(ServiceTest, AnswersAnExceptionWithoutSayingWhatItWas) {
  world_.Get("/throws", [](Request&) -> Response { throw std::runtime_error("secret"); });
  world_.Add(Method::kGet, "/rejects", [](Request&) -> kj::Promise<Response> {
    return KJ_EXCEPTION(DISCONNECTED, "another secret");
  });
  for (const char* path : {"GET /throws", "GET /rejects"}) {
    const Received received = world_.Ask(path, "X-Request-Id: r\r\n");
    EXPECT_EQ(received.status, 500);
    EXPECT_EQ(*received.json().Find("title"), Value("Internal Server Error"));
    EXPECT_FALSE(received.body.contains("secret"));
  }
  ASSERT_EQ(world_.problems.size(), 2u);
  EXPECT_TRUE(world_.problems[0].starts_with("r: ") && world_.problems[0].contains("secret"));
  EXPECT_TRUE(world_.problems[1].contains("another secret"));
}

TEST_F(ServiceTest, SendsNothingOfAFieldThatWouldBeginAnother) {
  world_.Get("/value", [](Request& request) {
    Response response = NoContent();
    response.headers.Add("Location", "/a\r\nSet-Cookie: b");
    return response;
  });
  world_.Get("/name", [](Request& request) {
    Response response = NoContent();
    response.headers.Add("X-A: 1\r\nSet-Cookie", "b");
    return response;
  });
  world_.Get("/type", [](Request&) { return Text(200, "text/plain\nSet-Cookie: b", "x"); });
  for (const char* path : {"GET /value", "GET /name", "GET /type"}) {
    const Received received = world_.Ask(path);
    EXPECT_EQ(received.status, 500) << path;
    EXPECT_FALSE(received.headers.Has("Set-Cookie")) << path;
  }
  EXPECT_EQ(world_.problems.size(), 3u);
}

TEST_F(ServiceTest, TellsTheAccessHookOfEveryRequest) {
  world_.Post("/a/{b}", Echo);
  const auto client = world_.Connect();
  client->Ask(Wire("POST /a/secret%20name?token=1", "X-Request-Id: r\r\n", "12345"));
  client->Ask(Wire("GET /none"));
  world_.Run();
  ASSERT_EQ(world_.accesses.size(), 2u);
  EXPECT_EQ(world_.accesses[0].method, "POST");
  EXPECT_EQ(world_.accesses[0].route, "/a/{b}");
  EXPECT_EQ(world_.accesses[0].path, "/a/secret%20name");
  EXPECT_EQ(world_.accesses[0].source, "192.0.2.7");
  EXPECT_EQ(world_.accesses[0].id, "r");
  EXPECT_EQ(world_.accesses[0].status, 200);
  EXPECT_EQ(world_.accesses[0].bytes_in, 5u);
  EXPECT_EQ(world_.accesses[0].bytes_out, 5u);
  EXPECT_EQ(world_.accesses[1].route, "");
  EXPECT_EQ(world_.accesses[1].status, 404);
}

TEST_F(ServiceTest, RefusesTargetsThatMayBeReadInTwoWays) {
  world_.Get("/a", Echo);
  for (const char* target : {"/a/../b", "/a%2fb", "/a%00", "//a", "/%zz"}) {
    const Received received = world_.Ask(std::string("GET ") + target);
    EXPECT_EQ(received.status, 400) << target;
    EXPECT_EQ(*received.json().Find("code"), Value("STL1008")) << target;
  }
}

TEST_F(ServiceTest, RefusesMoreInProgressThanItsBound) {
  world_.settings.max_in_progress = 1;
  kj::Vector<kj::Own<kj::PromiseFulfiller<Response>>> waiting;
  world_.Add(Method::kGet, "/waits", [&waiting](Request&) -> kj::Promise<Response> {
    auto paf = kj::newPromiseAndFulfiller<Response>();
    waiting.add(kj::mv(paf.fulfiller));
    return kj::mv(paf.promise);
  });
  world_.Get("/health", [](Request&) { return NoContent(); }, {.always = true});
  const auto first = world_.Connect();
  first->Send(Wire("GET /waits"));
  world_.Run();
  EXPECT_EQ(world_.service().in_progress(), 1u);
  const Received refused = world_.Ask("GET /waits");
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.Get("Retry-After"), "1");
  EXPECT_EQ(*refused.json().Find("code"), Value("STL0603"));
  // What says how the server is.
  EXPECT_EQ(world_.Ask("GET /health").status, 204);
  waiting[0]->fulfill(NoContent());
  EXPECT_EQ(first->Receive().status, 204);
  world_.Run();
  EXPECT_EQ(world_.service().in_progress(), 0u);
}

TEST_F(ServiceTest, DropsTheHandlerOfAClientThatHasGone) {
  bool dropped = false;
  world_.Add(Method::kGet, "/waits", [&dropped](Request&) -> kj::Promise<Response> {
    return kj::Promise<Response>(kj::NEVER_DONE).attach(kj::defer([&dropped]() {
      dropped = true;
    }));
  });
  auto client = world_.Connect();
  client->Send(Wire("GET /waits"));
  world_.Run();
  EXPECT_FALSE(dropped);
  client = nullptr;
  world_.Run();
  EXPECT_TRUE(dropped);
  EXPECT_EQ(world_.service().in_progress(), 0u);
  ASSERT_EQ(world_.accesses.size(), 1u);
  EXPECT_EQ(world_.accesses[0].status, 499);
}

}  // namespace
}  // namespace stele::server::http
