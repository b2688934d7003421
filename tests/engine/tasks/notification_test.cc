#include "engine/tasks/notification.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/tasks/body_signature.h"
#include "http_fixture.h"

namespace stele::tasks {
namespace {

using testing::HasSubstr;
using testing::Not;

using Notification = Http;
using Webhook = Http;

HttpServer::Handler Ok() {
  return [](const HttpServer::Request&) { return HttpServer::Response{.body = "ok"}; };
}

TEST(SignBody, IsTheHmacOfTheBody) {
  // RFC 4231, test case 2.
  EXPECT_EQ(SignBody("Jefe", "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_F(Webhook, PostsTheSignedPayload) {
  HttpServer server(Ok());
  auto executor = MakeWebhookExecutor(client_);
  Output(
      RunToEnd(loop_, *executor,
               Attempt(Config(server.Url("/hook"), R"({"payload":{"a":1},"secret":"s3cr3t"})"))));
  HttpServer::Request request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.body, R"({"a":1})");
  EXPECT_EQ(request.headers["content-type"], "application/json");
  EXPECT_EQ(request.headers["x-hub-signature-256"], SignBody("s3cr3t", R"({"a":1})"));
  EXPECT_EQ(request.headers["idempotency-key"], "42-7-1");
}

TEST_F(Webhook, SendsTheInputWhenItHasNoPayload) {
  HttpServer server(Ok());
  auto executor = MakeWebhookExecutor(client_);
  Output(RunToEnd(loop_, *executor,
                  Attempt(Config(server.Url("/hook"), R"({"method":"PUT"})"), Object{{"n", 1}})));
  EXPECT_EQ(server.requests().at(0).method, "PUT");
  EXPECT_EQ(server.requests().at(0).body, R"({"n":1})");
}

TEST_F(Notification, PostsToSlackByTheUrlOfTheProcess) {
  HttpServer server(Ok());
  NotificationOptions options;
  options.slack_webhook_url = server.Url("/services/T0/B0/XYZ");
  auto executor = MakeNotificationExecutor(client_, options);
  TaskResult result = RunToEnd(
      loop_, *executor,
      Attempt(Json(R"({"executor":"slack","channel":"#deployments","message":"done: 汉"})")));
  EXPECT_EQ(At(Output(result), "body"), Value("ok"));
  EXPECT_EQ(server.requests().at(0).target, "/services/T0/B0/XYZ");
  EXPECT_EQ(Json(server.requests().at(0).body),
            Json(R"({"channel":"#deployments","text":"done: 汉"})"));
  EXPECT_THAT(result.log.text, Not(HasSubstr("XYZ")));
}

TEST_F(Notification, PostsToItsOwnUrlWithMoreMembers) {
  HttpServer server(Ok());
  auto executor = MakeNotificationExecutor(client_);
  Output(RunToEnd(loop_, *executor,
                  Attempt(Config(server.Url("/n"), R"({"executor":"webhook","channel":"c",
                      "message":"m","payload":{"level":"high"}})"))));
  EXPECT_EQ(Json(server.requests().at(0).body),
            Json(R"({"channel":"c","message":"m","level":"high"})"));
}

TEST_F(Notification, NamesWhatIsMissing) {
  auto executor = MakeNotificationExecutor(client_);
  TaskFailure failure = Failure(RunToEnd(
      loop_, *executor, Attempt(Json(R"({"executor":"slack","channel":"#c","message":"m"})"))));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("STELE_SLACK_WEBHOOK_URL"));
}

TEST_F(Notification, FailsAsItsServerDoes) {
  HttpServer server([](const HttpServer::Request&) { return HttpServer::Response{.status = 503}; });
  auto executor = MakeNotificationExecutor(client_);
  TaskFailure failure =
      Failure(RunToEnd(loop_, *executor, Attempt(Config(server.Url("/n"), R"({"message":"m"})"))));
  EXPECT_EQ(failure.kind, "http_status");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Webhook, TakesNoHeaderWithMoreLinesForItsSignature) {
  HttpServer server(Ok());
  auto executor = MakeWebhookExecutor(client_);
  TaskFailure failure = Failure(RunToEnd(
      loop_, *executor,
      Attempt(Config(server.Url("/"), R"({"secret":"s","signature_header":"X: y\r\nX-More"})"))));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_EQ(failure.message,
            R"(Expected the name of a header in `signature_header` but found "X: y\r\nX-More")");
  EXPECT_TRUE(server.requests().empty());
}

}  // namespace
}  // namespace stele::tasks
