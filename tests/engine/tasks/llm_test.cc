#include "engine/tasks/llm.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_server.h"
#include "task_harness.h"

namespace stele::tasks {
namespace {

using Request = HttpServer::Request;
using Response = HttpServer::Response;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

// An answer whose first choice has `message`.
HttpServer::Handler Saying(std::string_view message, std::string_view reason = "stop") {
  std::string body = R"({"id":"c1","model":"small-1","choices":[{"index":0,"message":)" +
                     std::string(message) + R"(,"finish_reason":")" + std::string(reason) +
                     R"("}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})";
  return [body](const Request&) {
    return Response{.headers = {{"Content-Type", "application/json"}}, .body = body};
  };
}

class Llm : public testing::Test {
 protected:
  static Value Config(const HttpServer& server, std::string_view more = R"({"prompt":"Hi"})") {
    Value config = Object{{"base_url", server.Url("/v1")}, {"model", "small"}};
    const Value added = Json(more);
    for (const Member& member : added.as_object()) {
      config.as_object().Set(member.key, member.value);
    }
    return config;
  }
  TaskResult Start(TaskRequest request) {
    auto executor = MakeLlmExecutor(client_);
    return RunToEnd(loop_, *executor, std::move(request));
  }
  TaskResult Run(Value config) { return Start(Attempt(std::move(config))); }
  std::vector<std::string> Check(std::string_view config) {
    return MakeLlmExecutor(client_)->CheckConfig(Json(config));
  }
  // The body of the request that `more` makes.
  Value Sent(std::string_view more) {
    HttpServer server(Saying(R"({"content":"{}"})"));
    Output(Run(Config(server, more)));
    return Json(server.requests().at(0).body);
  }

  TestLoop loop_;
  std::shared_ptr<HttpClient> client_ = std::make_shared<HttpClient>(loop_.get());
};

TEST_F(Llm, AsksAndGivesTheAnswer) {
  HttpServer server(Saying(R"({"role":"assistant","content":"Hello."})"));
  Value output = Output(Run(Config(server, R"({"prompt":"Hi","api_key":"k3y"})")));
  EXPECT_EQ(output, Json(R"({"text":"Hello.","finish_reason":"stop","model":"small-1",
      "usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}})"));
  Request request = server.requests().at(0);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/v1/chat/completions");
  EXPECT_EQ(request.headers["authorization"], "Bearer k3y");
  EXPECT_EQ(request.headers["content-type"], "application/json");
  EXPECT_EQ(request.headers["idempotency-key"], "42-7-1");
  EXPECT_EQ(Json(request.body),
            Json(R"({"model":"small","messages":[{"role":"user","content":"Hi"}]})"));
}

TEST_F(Llm, FindsTheEndpointBehindSlashesAndQueries) {
  HttpServer server(Saying(R"({"content":"x"})"));
  Value config = Config(server);
  config.as_object().Set("base_url", server.Url("/v1//"));
  Output(Run(config));
  config.as_object().Set("base_url", server.Url("/d/?api-version=1"));
  config.as_object().Set("headers", Json(R"({"api-key":"k"})"));
  Output(Run(config));
  EXPECT_EQ(server.requests().at(0).target, "/v1/chat/completions");
  EXPECT_EQ(server.requests().at(1).target, "/d/chat/completions?api-version=1");
  EXPECT_EQ(server.requests().at(1).headers["api-key"], "k");
  EXPECT_FALSE(server.requests().at(1).headers.contains("authorization"));
}

TEST_F(Llm, SendsWhatItIsToldTo) {
  EXPECT_EQ(Sent(R"({"system":"Be brief.","messages":[{"role":"user","content":"a"},
                     {"role":"assistant","content":"b"}],"temperature":0.5,"max_tokens":9,
                     "tools":[{"type":"function"}],"extra":{"seed":1,"tool_choice":"auto"}})"),
            Json(R"({"model":"small","messages":[{"role":"system","content":"Be brief."},
                     {"role":"user","content":"a"},{"role":"assistant","content":"b"}],
                     "temperature":0.5,"max_tokens":9,"tools":[{"type":"function"}],"seed":1,
                     "tool_choice":"auto"})"));
}

TEST_F(Llm, AsksForJsonInEachForm) {
  auto format = [this](std::string_view more) {
    return At(Sent(R"({"prompt":"p",)" + std::string(more) + "}"), "response_format");
  };
  EXPECT_EQ(format(R"("response_format":"json")"), Json(R"({"type":"json_object"})"));
  EXPECT_EQ(format(R"("response_format":"text")"), Json(R"({"type":"text"})"));
  EXPECT_EQ(format(R"("response_format":{"type":"json_object"})"),
            Json(R"({"type":"json_object"})"));
  EXPECT_EQ(format(R"("json_schema":{"type":"object"})"),
            Json(R"({"type":"json_schema","json_schema":{"name":"output",
                     "schema":{"type":"object"}}})"));
  EXPECT_EQ(format(R"("json_schema":{"name":"n","strict":true,"schema":{}})"),
            Json(R"({"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{}}})"));
}

TEST_F(Llm, ParsesTheJsonThatWasAskedFor) {
  HttpServer server(Saying(R"({"content":"{\"price\": 7}"})"));
  Value output = Output(Run(Config(server, R"({"prompt":"p","response_format":"json"})")));
  EXPECT_EQ(At(output, "json"), Json(R"({"price":7})"));
  EXPECT_EQ(At(output, "text"), Value("{\"price\": 7}"));
  EXPECT_EQ(Output(Run(Config(server))).Find("json"), nullptr);
}

TEST_F(Llm, MayBeTriedAgainWhenTheTextIsNoJson) {
  HttpServer server(Saying(R"({"content":"{\"price\": "})", "length"));
  TaskFailure failure =
      Failure(Run(Config(server, R"({"prompt":"p","json_schema":{"type":"object"}})")));
  EXPECT_EQ(failure.kind, "llm_output");
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("max_tokens"));
  EXPECT_EQ(failure.details.value(), Json(R"({"text":"{\"price\": ","finish_reason":"length"})"));
}

TEST_F(Llm, FailsWhenTheAnswerIsNoCompletion) {
  for (const char* body : {"<html>", "{}", R"({"choices":[]})", R"({"choices":[{}]})", "\xff"}) {
    HttpServer server([body](const Request&) { return Response{.body = body}; });
    TaskFailure failure = Failure(Run(Config(server)));
    EXPECT_EQ(failure.kind, "llm_output") << body;
    EXPECT_TRUE(failure.retryable);
  }
}

TEST_F(Llm, HandsToolCallsOn) {
  HttpServer server(
      Saying(R"({"content":null,"tool_calls":[{"id":"t1","type":"function"}]})", "tool_calls"));
  Value output = Output(Run(Config(server, R"({"prompt":"p","response_format":"json"})")));
  EXPECT_EQ(At(output, "tool_calls"), Json(R"([{"id":"t1","type":"function"}])"));
  EXPECT_EQ(At(output, "text"), Value(""));
  EXPECT_EQ(At(output, "finish_reason"), Value("tool_calls"));
}

TEST_F(Llm, JoinsTheTextsOfAContentInParts) {
  HttpServer server(
      Saying(R"({"content":[{"type":"text","text":"a"},{"type":"x"},{"text":"b"}]})"));
  EXPECT_EQ(At(Output(Run(Config(server))), "text"), Value("ab"));
}

TEST_F(Llm, TellsWhenToTryAgain) {
  std::string after = "17";
  int status = 429;
  HttpServer server([&](const Request&) {
    return Response{.status = status, .headers = {{"Retry-After", after}}, .body = "slow down"};
  });
  TaskFailure failure = Failure(Run(Config(server)));
  EXPECT_EQ(failure.kind, "http_status");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(failure.details.value(), Json(R"({"status":429,"body":"slow down","retry_after":17})"));
  after = "Wed, 21 Oct 2026 07:28:00 GMT";
  EXPECT_EQ(At(Failure(Run(Config(server))).details.value(), "retry_after"), Value(after));
  status = 401;
  EXPECT_FALSE(Failure(Run(Config(server))).retryable);
}

TEST_F(Llm, FailsWithoutAnAnswer) {
  Value config = Object{{"base_url", "http://127.0.0.1:" + std::to_string(ClosedPort())},
                        {"model", "m"},
                        {"prompt", "p"}};
  EXPECT_EQ(Failure(Run(config)).kind, "connect");
  HttpServer server([](const Request&) { return Response{.silent = true}; });
  TaskFailure failure = Failure(Run(Config(server, R"({"prompt":"p","timeout":"50ms"})")));
  EXPECT_EQ(failure.kind, "timeout");
  EXPECT_TRUE(failure.retryable);
}

TEST_F(Llm, ShowsNoKey) {
  HttpServer server([](const Request& request) {
    return Response{.status = 401, .body = "bad key: " + request.headers.at("authorization")};
  });
  TaskResult result = Run(Config(server, R"({"prompt":"p","api_key":"hunter2!"})"));
  TaskFailure failure = Failure(result);
  EXPECT_THAT(result.log.text + failure.message + std::string(failure.details.text()),
              Not(HasSubstr("hunter2")));
}

TEST_F(Llm, ChecksItsConfiguration) {
  EXPECT_THAT(Check("{}"), ElementsAre(HasSubstr("`base_url`"), HasSubstr("`model`"),
                                       HasSubstr("`prompt` and `messages`")));
  auto faults = [this](std::string_view more) {
    return Check(R"({"base_url":"http://x/v1","model":"m",)" + std::string(more) + "}");
  };
  EXPECT_THAT(faults(R"("prompt":"p")"), IsEmpty());
  EXPECT_THAT(faults(R"("prompt":"{{input.p}}","temperature":"{{input.t}}","tools":"{{input.o}}",
                        "max_tokens":"${input.m}","extra":"{{input.e}}",
                        "json_schema":"{{input.s}}")"),
              IsEmpty());
  EXPECT_THAT(faults(R"("messages":"{{input.m}}")"), IsEmpty());
  for (const char* wrong :
       {R"("prompt":"p","messages":[{"role":"user"}])", R"("messages":[])",
        R"("messages":[{"content":"x"}])", R"("prompt":"p","temperature":"warm")",
        R"("prompt":"p","max_tokens":0)", R"("prompt":"p","response_format":"yaml")",
        R"("prompt":"p","response_format":"json","json_schema":{})",
        R"("prompt":"p","json_schema":[])", R"("prompt":"p","tools":{})",
        R"("prompt":"p","extra":{"stream":true})", R"("prompt":"p","extra":{"model":"x"})",
        R"("prompt":"p","api_key":"a\r\nX: y")", R"("prompt":"p","promt":"q")"}) {
    EXPECT_THAT(faults(wrong), SizeIs(1)) << wrong;
  }
}

}  // namespace
}  // namespace stele::tasks
