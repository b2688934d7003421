#include "engine/tasks/callback.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_server.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using Request = HttpServer::Request;
using Response = HttpServer::Response;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class Callback : public testing::Test {
 protected:
  TaskResult Run(CallbackOptions options, TaskRequest request = Attempt(Object())) {
    CallbackExecutor executor(client_, std::move(options));
    return RunToEnd(loop_, executor, std::move(request));
  }
  TaskResult Answered(int status, std::string body) {
    HttpServer server([&](const Request&) { return Response{.status = status, .body = body}; });
    return Run({.url = server.Url("/")});
  }

  TestLoop loop_;
  std::shared_ptr<HttpClient> client_ = std::make_shared<HttpClient>(loop_.get());
};

TEST_F(Callback, PostsTheAttemptAndGivesTheAnswer) {
  HttpServer server([](const Request&) { return Response{.body = R"({"sum":3})"}; });
  TaskRequest request = Attempt(Json(R"({"mode":"fast"})"), Json(R"({"a":1,"b":2})"));
  TaskResult result = Run({.url = server.Url("/run"), .headers = {{"X-Own", "v"}}}, request);
  EXPECT_EQ(Output(result), Json(R"({"sum":3})"));
  Request sent = server.requests().at(0);
  EXPECT_EQ(sent.method, "POST");
  EXPECT_EQ(sent.target, "/run");
  EXPECT_EQ(sent.headers["content-type"], "application/json");
  EXPECT_EQ(sent.headers["idempotency-key"], "42-7-1");
  EXPECT_EQ(sent.headers["x-own"], "v");
  EXPECT_FALSE(sent.headers.contains("x-stele-signature-256"));
  EXPECT_EQ(Json(sent.body), Json(R"({"key":"42-7-1","task_type":"test","step":"a-step",
                     "definition":"a-definition","config":{"mode":"fast"},
                     "input":{"a":1,"b":2}})"));
}

// Made with: printf %s BODY | openssl dgst -sha256 -hmac "It's a Secret"
TEST_F(Callback, SignsTheBody) {
  HttpServer server([](const Request&) { return Response{}; });
  Output(Run({.url = server.Url("/"), .secret = "It's a Secret"}));
  Request sent = server.requests().at(0);
  EXPECT_EQ(sent.body,
            R"({"key":"42-7-1","task_type":"test","step":"a-step","definition":"a-definition",)"
            R"("config":{},"input":{}})");
  EXPECT_EQ(sent.headers["x-stele-signature-256"],
            "sha256=e66e95f412e7d62354b59788c0ae4fd33516465d4df50623e136ceff273a216e");
}

TEST_F(Callback, TakesNoBodyForAnEmptyOutput) {
  EXPECT_EQ(Output(Answered(200, "")), Json("{}"));
  EXPECT_EQ(Output(Answered(204, "")), Json("{}"));
  EXPECT_EQ(Output(Answered(201, " \n")), Json("{}"));
}

TEST_F(Callback, TakesNothingButAnObject) {
  for (const char* body : {"[]", "7", "null", "done", "{"}) {
    TaskFailure failure = Failure(Answered(200, body));
    EXPECT_EQ(failure.kind, "outputs") << body;
    EXPECT_FALSE(failure.retryable);
  }
}

TEST_F(Callback, TellsStatusesThatARetryMayChange) {
  for (auto [status, retryable] : {std::pair{302, false},
                                   {400, false},
                                   {404, false},
                                   {408, true},
                                   {425, true},
                                   {429, true},
                                   {500, true},
                                   {503, true}}) {
    TaskFailure failure = Failure(Answered(status, "why"));
    EXPECT_EQ(failure.kind, "http_status");
    EXPECT_EQ(failure.retryable, retryable) << status;
    EXPECT_EQ(At(failure.details.value(), "status"), Value(status));
  }
}

TEST_F(Callback, TakesTheFailureThatItIsTold) {
  const char* body = R"({"error":{"kind":"card_declined","message":"No money.","retryable":false,
                                  "details":{"code":7}}})";
  for (int status : {200, 422, 500}) {
    TaskFailure failure = Failure(Answered(status, body));
    EXPECT_EQ(failure.kind, "card_declined") << status;
    EXPECT_EQ(failure.message, "No money.");
    EXPECT_FALSE(failure.retryable);
    EXPECT_EQ(failure.details.value(), Json(R"({"code":7})"));
  }
}

TEST_F(Callback, JudgesAToldFailureByItsStatusWhenItDoesNotSay) {
  const char* body = R"({"error":{"message":"m"}})";
  for (auto [status, retryable] : {std::pair{200, true}, {422, false}, {429, true}, {500, true}}) {
    TaskFailure failure = Failure(Answered(status, body));
    EXPECT_EQ(failure.kind, "callback");
    EXPECT_EQ(failure.retryable, retryable) << status;
  }
  EXPECT_EQ(Output(Answered(200, R"({"error":null,"n":1})")), Json(R"({"error":null,"n":1})"));
}

TEST_F(Callback, RefusesThePromiseOfALaterOutput) {
  TaskFailure failure = Failure(Answered(202, R"({"accepted":true})"));
  EXPECT_EQ(failure.kind, "unsupported");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(Output(Answered(202, R"({"n":1})")), Json(R"({"n":1})"));
}

TEST_F(Callback, FailsWithoutAnAnswer) {
  TaskFailure failure =
      Failure(Run({.url = "http://127.0.0.1:" + std::to_string(ClosedPort()) + "/"}));
  EXPECT_EQ(failure.kind, "connect");
  HttpServer server([](const Request&) { return Response{.silent = true}; });
  EXPECT_EQ(Failure(Run({.url = server.Url("/"), .timeout_us = 50'000})).kind, "timeout");
  TaskRequest request = Attempt(Object());
  request.timeout_us = 50'000;
  EXPECT_EQ(Failure(Run({.url = server.Url("/")}, std::move(request))).kind, "timeout");
}

TEST_F(Callback, ShowsNoSecret) {
  HttpServer server([](const Request& request) {
    bool bad = request.target == "/bad";
    return Response{.status = bad ? 500 : 200,
                    .body = bad ? R"({"error":{"kind":"k","message":"got s3cret and k3y!"}})"
                                : R"({"echo":"s3cret k3y!"})"};
  });
  for (const char* target : {"/good", "/bad"}) {
    TaskRequest request = Attempt(Json(R"({"token":"s3cret"})"));
    request.secrets = {"s3cret"};
    TaskResult result = Run({.url = server.Url(target), .secret = "k3y!"}, std::move(request));
    std::string shown =
        result.outcome ? std::string(result.outcome->text()) : result.outcome.error().message;
    EXPECT_THAT(shown, HasSubstr("***"));
    EXPECT_THAT(shown, Not(HasSubstr("s3cret")));
    EXPECT_THAT(shown, Not(HasSubstr("k3y!")));
  }
}

TEST_F(Callback, HangsUpWhenCancelled) {
  HttpServer server([](const Request&) { return Response{.silent = true}; });
  CallbackExecutor executor(client_, {.url = server.Url("/")});
  TaskRequest request = Attempt(Object());
  AttemptKey key = request.key;
  bool done = false;
  executor.Start(std::move(request), [&done](TaskResult) { done = true; });
  loop_.RunUntil([&server] { return !server.requests().empty(); });
  bool stopped = false;
  executor.Cancel(key, [&stopped] { stopped = true; });
  EXPECT_TRUE(stopped);
  loop_.RunUntil([&server] { return server.hang_ups() == 1; });
  EXPECT_FALSE(done);
  EXPECT_TRUE(executor.repeats_after_crash());
}

TEST_F(Callback, KnowsFaultsBeforeItIsRegistered) {
  EXPECT_THAT(CallbackExecutor::Faults({.url = "https://x.example/run"}), IsEmpty());
  EXPECT_THAT(CallbackExecutor::Faults({.url = "ftp://x"}), SizeIs(1));
  EXPECT_THAT(CallbackExecutor::Faults({.url = "http://x", .headers = {{"a\r\nb", "c"}}}),
              SizeIs(1));
  EXPECT_EQ(Failure(Run({.url = ""})).kind, "config");
}

}  // namespace
}  // namespace stele::tasks
