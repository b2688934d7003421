// How long attempts may take when a definition says it: what stands in a step's configuration is
// the step's, and the task type's own timeout counts only where there is none.
#include "engine/tasks/timeout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>

#include "engine/definition/load.h"
#include "engine/tasks/callback.h"
#include "engine/tasks/email.h"
#include "engine/tasks/http.h"
#include "engine/tasks/kubernetes.h"
#include "engine/tasks/llm.h"
#include "engine/tasks/notification.h"
#include "http_server.h"
#include "mcp_fixture.h"
#include "program_stand_in.h"
#include "smtp_server.h"

namespace stele::tasks {
namespace {

using testing::Contains;
using testing::Not;

// The types' own timeout here; the definitions ask for an hour.
constexpr int64_t kShortUs = 1'000;
constexpr int64_t kAnswerMs = 30;

// The attempt of the step `work` as the engine makes it.
TaskRequest AttemptOf(const std::string& step) {
  const auto loaded = definition::Load("name: order\nsteps:\n  - id: work\n" + step,
                                       definition::Syntax::kYaml, "order");
  if (!loaded.has_value()) {
    ADD_FAILURE() << loaded.error()[0].message;
    return Attempt(Object());
  }
  const definition::Step& work = *(*loaded)->FindStep("work");
  TaskRequest request = Attempt(work.config.source());
  request.timeout_us = work.timeout_us;
  return request;
}

// A server that answers when the type's own timeout is long over.
class Slow : public testing::Test {
 protected:
  TaskResult Run(TaskExecutor& executor, TaskRequest request) {
    uv_timer_t timer;
    uv_timer_init(loop_.get(), &timer);
    timer.data = &gate_;
    uv_timer_start(
        &timer, [](uv_timer_t* t) { static_cast<std::promise<void>*>(t->data)->set_value(); },
        kAnswerMs, 0);
    TaskResult result = RunToEnd(loop_, executor, std::move(request));
    // The server's end waits for the answer that nobody waited for.
    if (uv_is_active(reinterpret_cast<uv_handle_t*>(&timer)) != 0) gate_.set_value();
    uv_close(reinterpret_cast<uv_handle_t*>(&timer), nullptr);
    uv_run(loop_.get(), UV_RUN_NOWAIT);
    return result;
  }
  std::string Step(const std::string& type, const std::string& more) const {
    return "    type: " + type + "\n    config: {timeout: 1h, " + more + "}\n";
  }

  std::promise<void> gate_;
  std::shared_future<void> open_ = gate_.get_future();
  HttpServer server_{[this](const HttpServer::Request&) {
    open_.wait();
    return HttpServer::Response{.headers = {{"Content-Type", "application/json"}},
                                .body = R"({"choices":[{"message":{"content":"Hi"}}]})"};
  }};
  TestLoop loop_;
  std::shared_ptr<HttpClient> client_ = std::make_shared<HttpClient>(loop_.get());
  HttpOptions options_{.timeout_us = kShortUs};
};

TEST_F(Slow, HttpAnswerIsWaitedForAsLongAsTheDefinitionSays) {
  auto executor = MakeHttpExecutor(client_, options_);
  Output(Run(*executor, AttemptOf(Step("http", "url: '" + server_.Url("/") + "'"))));
}

TEST_F(Slow, WebhookAnswerIsWaitedForAsLongAsTheDefinitionSays) {
  auto executor = MakeWebhookExecutor(client_, options_);
  Output(Run(*executor, AttemptOf(Step("webhook", "url: '" + server_.Url("/") + "'"))));
}

TEST_F(Slow, NotificationIsWaitedForAsLongAsTheDefinitionSays) {
  auto executor = MakeNotificationExecutor(client_, {.http = options_});
  Output(Run(*executor,
             AttemptOf(Step("notification", "message: hello, url: '" + server_.Url("/") + "'"))));
}

TEST_F(Slow, ModelIsWaitedForAsLongAsTheDefinitionSays) {
  auto executor = MakeLlmExecutor(client_, options_);
  Output(Run(*executor, AttemptOf(Step("llm", "model: small, prompt: Hi, base_url: '" +
                                                  server_.Url("/v1") + "'"))));
}

TEST_F(Slow, TypeOfAUsersOwnIsWaitedForAsLongAsTheDefinitionSays) {
  CallbackExecutor executor(client_, {.url = server_.Url("/"), .timeout_us = kShortUs});
  Output(Run(executor, AttemptOf(Step("custom:score", "depth: 3"))));
}

TEST_F(Slow, AnswerIsNotWaitedForWithoutATimeoutInTheDefinition) {
  auto executor = MakeHttpExecutor(client_, options_);
  TaskRequest request =
      AttemptOf("    type: http\n    config: {url: '" + server_.Url("/") + "'}\n");
  EXPECT_EQ(Failure(Run(*executor, std::move(request))).kind, "timeout");
}

TEST(Timeout, OfADefinitionIsWhatAMailMayTake) {
  TestSmtpServer server;
  TestLoop loop;
  const ManualClock clock{TimeUs(1)};
  auto executor = MakeEmailExecutor(loop.get(), &clock, {.timeout_us = 1});
  Output(RunToEnd(loop, *executor,
                  AttemptOf("    type: email\n    config: {timeout: 1h, from: a@example.org, to: "
                            "b@example.org, subject: s, text: t, server: '" +
                            server.Url() + "'}\n")));
}

class McpTimeout : public Mcp {};

// Python takes longer than a millisecond to start.
TEST_F(McpTimeout, OfADefinitionIsWhatAServerMayTake) {
  options_.timeout_us = kShortUs;
  Output(
      Start(AttemptOf("    type: mcp\n    config: {timeout: 1h, tool: echo, command: python3, "
                      "args: ['" +
                      McpServerFile() + "', stdio, plain, '" + place_.path() + "/notes']}\n")));
}

class KubernetesTimeout : public Programs {};

TEST_F(KubernetesTimeout, OfADefinitionIsToldToKubectl) {
  Install("kubectl");
  auto executor = MakeKubernetesExecutor(loop_.get(), options_);
  Output(RunToEnd(loop_, *executor,
                  AttemptOf("    type: kubernetes\n    config: {timeout: 5m, action: wait, "
                            "resource: job/a, for: delete}\n")));
  EXPECT_THAT(Arguments("wait"), Contains("--timeout=300000ms"));
  Output(RunToEnd(loop_, *executor,
                  AttemptOf("    type: kubernetes\n    config: {action: wait, resource: job/a, "
                            "for: delete}\n")));
  EXPECT_THAT(Noted("wait", "arguments"), Not(testing::HasSubstr("--timeout")));
}

TEST(EffectiveTimeout, IsTheShorterOfWhatIsSaid) {
  EXPECT_EQ(EffectiveTimeout(0, 0, 30), 30);
  EXPECT_EQ(EffectiveTimeout(0, 0, 0), 0);
  EXPECT_EQ(EffectiveTimeout(300, 0, 30), 300);
  EXPECT_EQ(EffectiveTimeout(0, 300, 30), 300);
  EXPECT_EQ(EffectiveTimeout(200, 300, 30), 200);
  EXPECT_EQ(EffectiveTimeout(300, 200, 30), 200);
}

}  // namespace
}  // namespace stele::tasks
