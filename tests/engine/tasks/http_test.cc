#include "engine/tasks/http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_fixture.h"

namespace stele::tasks {
namespace {

using Request = HttpServer::Request;
using Response = HttpServer::Response;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;

HttpServer::Handler Answer(Response response) {
  return [response](const Request&) { return response; };
}

TEST_F(Http, GivesStatusHeadersAndParsedBody) {
  HttpServer server(Answer({.headers = {{"Content-Type", "application/json; charset=utf-8"},
                                        {"X-Two", "a"},
                                        {"x-two", "b"},
                                        {"Set-Cookie", "c=1"}},
                            .body = R"({"data":{"id":7}})"}));
  TaskResult result = Run(Config(server.Url("/data")));
  Value output = Output(result);
  EXPECT_EQ(At(output, "status"), Value(200));
  EXPECT_EQ(At(output, "status_code"), Value(200));
  EXPECT_EQ(At(output, "body"), Json(R"({"data":{"id":7}})"));
  EXPECT_EQ(At(At(output, "headers"), "x-two"), Value("a, b"));
  EXPECT_EQ(At(At(output, "headers"), "set-cookie"), Json(R"(["c=1"])"));
  EXPECT_EQ(result.log.text, "GET " + server.Url("/data") + ": 200, 17 bytes\n");
}

TEST_F(Http, ReadsContentTypesInAnyCase) {
  HttpServer server(Answer(
      {.headers = {{"Content-Type", "Application/Problem+JSON ;v=1"}}, .body = R"({"a":1})"}));
  EXPECT_EQ(At(Output(Run(Config(server.Url("/")))), "body"), Json(R"({"a":1})"));
}

TEST_F(Http, LeavesTextsThatAreNotJson) {
  HttpServer server([](const Request& request) {
    return Response{.headers = {{"Content-Type",
                                 request.target == "/text" ? "text/plain" : "application/json"}},
                    .body = "{\"a\": "};
  });
  EXPECT_EQ(At(Output(Run(Config(server.Url("/text")))), "body"), Value("{\"a\": "));
  EXPECT_EQ(At(Output(Run(Config(server.Url("/broken")))), "body"), Value("{\"a\": "));
}

TEST_F(Http, GivesBytesThatAreNoTextInBase64) {
  HttpServer server(Answer({.body = "\xff\xfe\xfd"}));
  Value output = Output(Run(Config(server.Url("/"))));
  EXPECT_EQ(At(output, "body"), Value());
  EXPECT_EQ(At(output, "body_base64"), Value("//79"));
}

TEST_F(Http, PostsAnObjectAsJsonWithTheKeyOfTheAttempt) {
  HttpServer server(Answer({}));
  Output(Run(Config(server.Url("/x?a=1"), R"({"body":{"n":1},"query":{"q":"b c&d","n":2},
                                              "headers":{"X-Own":"v","X-Empty":""}})")));
  ASSERT_THAT(server.requests(), SizeIs(1));
  Request request = server.requests()[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/x?a=1&q=b%20c%26d&n=2");
  EXPECT_EQ(request.body, R"({"n":1})");
  EXPECT_EQ(request.headers["content-type"], "application/json");
  EXPECT_EQ(request.headers["idempotency-key"], "42-7-1");
  EXPECT_EQ(request.headers["x-own"], "v");
  EXPECT_TRUE(request.headers.contains("x-empty"));
}

TEST_F(Http, SendsEachKindOfBodyAsItIs) {
  HttpServer server(Answer({}));
  Output(Run(Config(server.Url("/"), R"({"body":"as it is","method":"put"})")));
  Output(Run(Config(server.Url("/"), R"({"json":"a text"})")));
  Output(Run(Config(server.Url("/"), R"({"form":{"a b":"c&d","e":""}})")));
  Output(Run(Config(server.Url("/"), R"({"method":"POST"})")));
  Output(Run(Config(server.Url("/"), R"({"method":"HEAD"})")));
  Output(Run(Config(server.Url("/"), R"({"method":"DELETE"})")));
  std::vector<Request> requests = server.requests();
  ASSERT_THAT(requests, SizeIs(6));
  EXPECT_EQ(requests[0].method, "PUT");
  EXPECT_EQ(requests[0].body, "as it is");
  EXPECT_EQ(requests[0].headers["content-type"], "text/plain; charset=utf-8");
  EXPECT_EQ(requests[1].body, "\"a text\"");
  EXPECT_EQ(requests[2].body, "a%20b=c%26d&e=");
  EXPECT_EQ(requests[2].headers["content-type"], "application/x-www-form-urlencoded");
  EXPECT_EQ(requests[3].headers["content-length"], "0");
  EXPECT_EQ(requests[4].method, "HEAD");
  EXPECT_EQ(requests[5].method, "DELETE");
}

TEST_F(Http, KeepsAnIdempotencyKeyThatIsGiven) {
  HttpServer server(Answer({}));
  Output(Run(Config(server.Url("/"), R"({"headers":{"idempotency-key":"mine"}})")));
  EXPECT_EQ(server.requests().at(0).headers["idempotency-key"], "mine");
}

TEST_F(Http, Authenticates) {
  HttpServer server(Answer({}));
  Output(Run(Config(server.Url("/"), R"({"auth":{"basic":{"username":"u","password":"p"}}})")));
  Output(Run(Config(server.Url("/"), R"({"auth":{"type":"bearer","token":"t0k"}})")));
  EXPECT_EQ(server.requests().at(0).headers["authorization"], "Basic dTpw");
  EXPECT_EQ(server.requests().at(1).headers["authorization"], "Bearer t0k");
}

TEST_F(Http, FollowsRedirectsUnlessToldNotTo) {
  HttpServer server([](const Request& request) {
    if (request.target == "/end") return Response{.headers = {{"X-At", "end"}}, .body = "there"};
    return Response{.status = 302, .headers = {{"Location", "/end"}, {"X-At", "start"}}};
  });
  Value followed = Output(Run(Config(server.Url("/start"), R"({"json":{}})")));
  EXPECT_EQ(At(followed, "body"), Value("there"));
  EXPECT_EQ(At(At(followed, "headers"), "x-at"), Value("end"));
  EXPECT_EQ(server.requests().at(1).method, "GET");
  Value stayed = Output(Run(Config(server.Url("/start"), R"({"follow_redirects":false})")));
  EXPECT_EQ(At(stayed, "status"), Value(302));
}

TEST_F(Http, GivesUpOnRedirectsThatDoNotEnd) {
  HttpServer server(Answer({.status = 307, .headers = {{"Location", "/again"}}}));
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "redirect");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(server.requests(), SizeIs(kMaxRedirects + 1));
}

TEST_F(Http, LeavesHttpForNoOtherProtocol) {
  TemporaryDirectory directory;
  directory.Write("private", "private");
  HttpServer server(Answer(
      {.status = 302, .headers = {{"Location", "file://" + directory.path() + "/private"}}}));
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "redirect");
  EXPECT_FALSE(failure.retryable);
}

TEST_F(Http, KeepsCredentialsFromAnotherServer) {
  HttpServer other(Answer({}));
  HttpServer server(Answer({.status = 302, .headers = {{"Location", other.Url("/")}}}));
  Output(Run(Config(server.Url("/"), R"({"auth":{"bearer":"t0k"}})")));
  EXPECT_EQ(server.requests().at(0).headers["authorization"], "Bearer t0k");
  EXPECT_FALSE(other.requests().at(0).headers.contains("authorization"));
}

// Which header is a key only its server knows.
TEST_F(Http, HandsNoHeaderAndNoBodyToAnotherServer) {
  HttpServer other(Answer({}));
  int status = 302;
  HttpServer server([&](const Request&) {
    return Response{.status = status, .headers = {{"Location", other.Url("/")}}};
  });
  const std::string_view keyed =
      R"({"headers":{"X-Api-Key":"k","Accept":"text/plain"},"json":{"card":1}})";
  Output(Run(Config(server.Url("/"), keyed)));
  Request asked = other.requests().at(0);
  EXPECT_EQ(asked.method, "GET");
  EXPECT_EQ(asked.body, "");
  EXPECT_EQ(asked.headers["accept"], "text/plain");
  for (const char* name : {"x-api-key", "content-type", "idempotency-key"})
    EXPECT_FALSE(asked.headers.contains(name)) << name;
  status = 307;  // the body is to go along
  TaskFailure failure = Failure(Run(Config(server.Url("/"), keyed)));
  EXPECT_EQ(failure.kind, "redirect");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(other.requests(), SizeIs(1));
}

TEST_F(Http, HandsHeadersAndBodyToAnotherPlaceOfTheSameServer) {
  HttpServer server([](const Request& request) {
    if (request.target == "/end") return Response{};
    return Response{.status = 308, .headers = {{"Location", "/end"}}, .body = "it moved"};
  });
  Output(Run(Config(server.Url("/start"),
                    R"({"method":"PUT","headers":{"X-Api-Key":"k"},"json":{"n":1}})")));
  Request asked = server.requests().at(1);
  EXPECT_EQ(asked.method, "PUT");
  EXPECT_EQ(asked.body, R"({"n":1})");
  EXPECT_EQ(asked.headers["x-api-key"], "k");
}

TEST_F(Http, ShowsNoSecretThatLiesOnTheEndOfAnExcerpt) {
  HttpServer server(
      Answer({.status = 400, .body = std::string(kBodyExcerptBytes - 4, '.') + "hunter2!"}));
  TaskRequest request = Attempt(Config(server.Url("/")));
  request.secrets = {"hunter2!"};
  TaskFailure failure = Failure(Start(std::move(request)));
  EXPECT_THAT(At(failure.details.value(), "body").as_string(), testing::EndsWith("...***"));
}

TEST_F(Http, TellsStatusesThatARetryMayChange) {
  HttpServer server([](const Request& request) {
    return Response{.status = std::stoi(request.target.substr(1)), .body = "why"};
  });
  for (auto [status, retryable] : {std::pair{400, false},
                                   {404, false},
                                   {408, true},
                                   {425, true},
                                   {429, true},
                                   {500, true},
                                   {503, true}}) {
    TaskFailure failure = Failure(Run(Config(server.Url("/" + std::to_string(status)))));
    EXPECT_EQ(failure.kind, "http_status");
    EXPECT_EQ(failure.retryable, retryable) << status;
    EXPECT_EQ(At(failure.details.value(), "status"), Value(status));
    EXPECT_EQ(At(failure.details.value(), "body"), Value("why"));
  }
}

TEST_F(Http, SucceedsWhenTheServerHasRecovered) {
  int asked = 0;
  HttpServer server(
      [&asked](const Request&) { return Response{.status = ++asked == 1 ? 500 : 200}; });
  EXPECT_TRUE(Failure(Run(Config(server.Url("/")))).retryable);
  EXPECT_EQ(At(Output(Run(Config(server.Url("/")))), "status"), Value(200));
}

TEST_F(Http, CountsTheStatusesThatAreExpectedAsSuccess) {
  HttpServer server(Answer({.status = 404}));
  EXPECT_EQ(At(Output(Run(Config(server.Url("/"), R"({"expect":[200,404]})"))), "status"),
            Value(404));
  EXPECT_EQ(At(Output(Run(Config(server.Url("/"), R"({"success_status":"4xx"})"))), "status"),
            Value(404));
  HttpServer fine(Answer({.status = 200}));
  EXPECT_EQ(Failure(Run(Config(fine.Url("/"), R"({"expect":201})"))).kind, "http_status");
}

TEST_F(Http, TimesOutWhenNoAnswerComes) {
  HttpServer server(Answer({.silent = true}));
  TaskFailure failure = Failure(Run(Config(server.Url("/"), R"({"timeout":"50ms"})")));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
  TaskRequest request = Attempt(Config(server.Url("/")));
  request.timeout_us = 50'000;
  EXPECT_EQ(Failure(Start(std::move(request))).kind, "timeout");
}

TEST_F(Http, TakesNoHeadersBeyondTheirLimit) {
  HttpServer server(Answer({.headers = {{"X-Long", std::string(kMaxResponseHeaderBytes, 'x')}}}));
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_FALSE(failure.retryable);
}

TEST_F(Http, FailsWhenNobodyListens) {
  TaskFailure failure =
      Failure(Run(Config("http://127.0.0.1:" + std::to_string(ClosedPort()) + "/")));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Http, FailsWhenTheNameIsUnknown) {
  // No name server is asked for a label of 64 characters.
  TaskFailure failure = Failure(Run(Config("http://" + std::string(64, 'a') + ".example/")));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Http, FailsWhenTheConnectionBreaks) {
  HttpServer server(Answer({.reset = true}));
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "connect");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Http, StopsReadingAnAnswerThatIsTooLong) {
  HttpServer server(Answer({.endless = true}));
  options_.max_response_bytes = 100'000;
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("100000 bytes"));
  HttpServer exact(Answer({.body = std::string(1000, 'x')}));
  EXPECT_TRUE(Run(Config(exact.Url("/"), R"({"max_response_bytes":1000})")).outcome.has_value());
  EXPECT_FALSE(Run(Config(exact.Url("/"), R"({"max_response_bytes":999})")).outcome.has_value());
}

TEST_F(Http, GoesThroughALongBody) {
  std::string large(3'000'000, 'x');
  HttpServer server([](const Request& request) { return Response{.body = request.body}; });
  Value config = Config(server.Url("/"));
  config.as_object().Set("body", large);
  EXPECT_EQ(At(Output(Run(std::move(config))), "body"), Value(large));
}

TEST_F(Http, TrustsOnlyCertificatesItKnows) {
  HttpServer server(Answer({.body = "safe"}), HttpServer::Transport::kTls);
  TaskFailure failure = Failure(Run(Config(server.Url("/"))));
  EXPECT_EQ(failure.kind, "tls");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(At(Output(Run(Config(server.Url("/"), R"({"verify_tls":false})"))), "body"),
            Value("safe"));
  TemporaryDirectory directory;
  directory.Write("ca.pem", server.certificate());
  Value config = Config(server.Url("/"));
  config.as_object().Set("ca_file", directory.path() + "/ca.pem");
  EXPECT_EQ(At(Output(Run(std::move(config))), "body"), Value("safe"));
}

TEST_F(Http, NamesACertificateFileThatIsMissing) {
  HttpServer server(Answer({}), HttpServer::Transport::kTls);
  TaskFailure failure = Failure(Run(Config(server.Url("/"), R"({"ca_file":"/nonexistent.pem"})")));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("/nonexistent.pem"));
}

TEST_F(Http, IgnoresTheProxiesOfTheEnvironment) {
  HttpServer server(Answer({}));
  std::string proxy = "http://127.0.0.1:" + std::to_string(ClosedPort());
  setenv("http_proxy", proxy.c_str(), 1);
  TaskResult direct = Run(Config(server.Url("/")));
  unsetenv("http_proxy");
  EXPECT_EQ(At(Output(direct), "status"), Value(200));
  Value config = Config(server.Url("/"));
  config.as_object().Set("proxy", proxy);
  EXPECT_EQ(Failure(Run(std::move(config))).kind, "connect");
}

TEST_F(Http, ShowsNoSecretWhereverItTurnsUp) {
  HttpServer server([](const Request& request) {
    return Response{.status = request.target.starts_with("/bad") ? 400 : 200,
                    .headers = {{"X-Echo", request.headers.at("authorization")}},
                    .body = "you sent " + request.headers.at("authorization")};
  });
  for (const char* target : {"/good?k=hunter2%21", "/bad/hunter2%21"}) {
    TaskRequest request = Attempt(Config(server.Url(target), R"({"auth":{"bearer":"hunter2!"}})"));
    request.secrets = {"hunter2!"};
    TaskResult result = Start(std::move(request));
    std::string shown = result.log.text;
    shown += result.outcome ? std::string(result.outcome->text())
                            : result.outcome.error().message +
                                  std::string(result.outcome.error().details.text());
    EXPECT_THAT(shown, HasSubstr("***"));
    EXPECT_THAT(shown, Not(HasSubstr("hunter2")));
  }
}

TEST_F(Http, HangsUpWhenCancelled) {
  HttpServer server(Answer({.silent = true}));
  auto executor = MakeHttpExecutor(client_);
  TaskRequest request = Attempt(Config(server.Url("/")));
  AttemptKey key = request.key;
  bool done = false;
  executor->Start(std::move(request), [&done](TaskResult) { done = true; });
  loop_.RunUntil([&server] { return !server.requests().empty(); });
  bool stopped = false;
  executor->Cancel(key, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
  loop_.RunUntil([&server] { return server.hang_ups() == 1; });
  EXPECT_FALSE(done);
}

TEST_F(Http, DropsWhatIsUnderWayWithItsExecutor) {
  HttpServer server(Answer({.silent = true}));
  auto executor = MakeHttpExecutor(client_);
  bool done = false;
  executor->Start(Attempt(Config(server.Url("/"))), [&done](TaskResult) { done = true; });
  loop_.RunUntil([&server] { return !server.requests().empty(); });
  executor.reset();
  client_.reset();
  EXPECT_FALSE(done);
}

TEST_F(Http, UsesAConnectionAgainAndManyAtOnce) {
  HttpServer server([](const Request& request) { return Response{.body = request.target}; });
  auto executor = MakeHttpExecutor(client_);
  uint32_t ended = 0;
  for (uint32_t attempt = 1; attempt <= 50; ++attempt) {
    std::string target = "/" + std::to_string(attempt);
    executor->Start(Attempt(Config(server.Url(target)), Object(), attempt),
                    [&ended, target](TaskResult result) {
                      EXPECT_EQ(At(Output(result), "body"), Value(target));
                      ++ended;
                    });
  }
  loop_.RunUntil([&ended] { return ended == 50; });
}

TEST_F(Http, MayBeStartedAgainFromItsOwnAnswer) {
  HttpServer server(Answer({}));
  auto executor = MakeHttpExecutor(client_);
  bool second_done = false;
  executor->Start(Attempt(Config(server.Url("/1"))), [&](TaskResult) {
    executor->Start(Attempt(Config(server.Url("/2"))), [&](TaskResult) { second_done = true; });
  });
  loop_.RunUntil([&second_done] { return second_done; });
  EXPECT_TRUE(executor->repeats_after_crash());
}

}  // namespace
}  // namespace stele::tasks
