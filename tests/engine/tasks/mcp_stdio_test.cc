// Conversations with an MCP server that is a program, and what is the same for all transports.
#include <fmt/format.h>

#include <fstream>
#include <iterator>

#include "mcp_fixture.h"

namespace stele::tasks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

class McpStdioServer : public Mcp {
 protected:
  Value Config(std::string_view mode, std::string_view more) {
    Value config = Json(more);
    config.as_object().Set("command", "python3");
    config.as_object().Set("args",
                           Array{McpServerFile(), "stdio", Value(mode), place_.path() + "/notes"});
    return config;
  }
  TaskResult Run(std::string_view mode, std::string_view more, Value input = Object()) {
    return Start(Attempt(Config(mode, more), std::move(input)));
  }
  TaskFailure FailureOf(std::string_view mode) { return Failure(Run(mode, R"({"tool":"echo"})")); }
  // The server, whose first note is who it is, runs no more.
  bool IsGone() const {
    std::vector<std::string> lines = NotedLines();
    if (lines.empty()) return true;
    std::ifstream file("/proc/" + lines[0] + "/stat");
    std::string stat(std::istreambuf_iterator<char>(file), {});
    return stat.empty() || stat.substr(stat.rfind(')') + 2, 1) == "Z";
  }
};

TEST_F(McpStdioServer, CallsATool) {
  TaskResult result = Run("plain", R"({"tool":"echo","arguments":{"a":[1,"ü"]}})");
  Value output = Output(result);
  EXPECT_EQ(At(output, "text"), Value("first\n{\"a\": [1, \"\\u00fc\"]}"));
  EXPECT_EQ(At(output, "structured"), Json(R"({"a":[1,"ü"]})"));
  EXPECT_EQ(At(output, "is_error"), Value(false));
  ASSERT_EQ(At(output, "content").as_array().size(), 3u);
  EXPECT_EQ(At(At(output, "content").as_array()[1], "mimeType"), Value("image/png"));
  EXPECT_EQ(result.log.text, "the kettle is on\n");
}

TEST_F(McpStdioServer, IsGreetedAskedAndLeftInThisOrder) {
  Run("plain", R"({"tool":"say","arguments":{"text":"x"}})");
  std::vector<std::string> lines = NotedLines();
  ASSERT_EQ(lines.size(), 5u);
  Value greeting = Json(lines[1]);
  EXPECT_EQ(At(greeting, "method"), Value("initialize"));
  EXPECT_EQ(At(At(greeting, "params"), "protocolVersion"), Value("2025-06-18"));
  EXPECT_EQ(lines[2], R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(At(Json(lines[3]), "method"), Value("tools/call"));
  EXPECT_EQ(lines[4], "end of input");
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, TakesTheStepsInputAsArguments) {
  Value output = Output(Run("plain", R"({"tool":"echo"})", Object{{"b", 2}}));
  EXPECT_EQ(At(output, "structured"), Json(R"({"b":2})"));
}

TEST_F(McpStdioServer, IsToldTheIdempotencyKey) {
  EXPECT_EQ(At(Output(Run("plain", R"({"tool":"meta"})")), "text"),
            Value(R"({"stele/idempotency-key": "42-7-1"})"));
  EXPECT_EQ(At(Output(Run("plain", R"({"tool":"environment",
                                       "arguments":{"name":"STELE_IDEMPOTENCY_KEY"}})")),
               "text"),
            Value("42-7-1"));
}

TEST_F(McpStdioServer, SeesItsEnvironmentAndItsSecretsAreNotShown) {
  TaskRequest request = Attempt(Config("plain", R"({"tool":"environment",
      "arguments":{"name":"TOKEN"},"environment":{"TOKEN":"hunter2!"}})"));
  request.secrets = {"hunter2!"};
  Value output = Output(Start(std::move(request)));
  EXPECT_EQ(At(output, "text"), Value("***"));
  EXPECT_EQ(At(At(output, "content").as_array()[0], "text"), Value("***"));
}

TEST_F(McpStdioServer, MayNotGetASecretAsAnArgument) {
  TaskRequest request = Attempt(Config("hunter2!", R"({"tool":"echo"})"));
  request.secrets = {"hunter2!"};
  TaskFailure failure = Failure(Start(std::move(request)));
  EXPECT_EQ(failure.kind, "config");
  EXPECT_THAT(failure.message, Not(HasSubstr("hunter2!")));
  EXPECT_EQ(Notes(), "");
}

TEST_F(McpStdioServer, ListsItsToolsPageByPage) {
  Value tools = At(Output(Run("plain", R"({"action":"list_tools"})")), "tools");
  std::vector<std::string> names;
  for (const Value& tool : tools.as_array()) {
    names.push_back(At(tool, "name").as_string());
  }
  EXPECT_THAT(names, ElementsAre("echo", "fail", "ask", "say"));
}

TEST_F(McpStdioServer, MayNotListToolsForEver) {
  options_.limits.max_message_bytes = 2000;
  EXPECT_EQ(Failure(Run("endless", R"({"action":"list_tools"})")).kind, "output_limit");
}

TEST_F(McpStdioServer, IsAnsweredWhenItAsks) {
  TaskResult result = Run("plain", R"({"tool":"ask"})");
  EXPECT_EQ(At(At(Output(result), "structured"), "answers"), Json("[{},-32601,-32601]"));
  EXPECT_THAT(result.log.text, HasSubstr("[warning] kitchen: it gets hot\n"));
}

TEST_F(McpStdioServer, MaySpeakAnOlderRevisionButNoneThatIsUnknown) {
  EXPECT_EQ(At(Output(Run("old", R"({"tool":"say","arguments":{"text":"x"}})")), "text"),
            Value("x"));
  TaskFailure failure = FailureOf("alien");
  EXPECT_EQ(failure.kind, "mcp_protocol");
  EXPECT_FALSE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("2025-06-18, 2025-11-25 but found \"1999-01-01\""));
}

TEST_F(McpStdioServer, MayAnswerInABatchAndAsItsLastWords) {
  TaskResult result = Run("batch", R"({"tool":"echo"})");
  EXPECT_EQ(At(Output(result), "text"), Value(""));
  EXPECT_THAT(result.log.text, HasSubstr("[info] [1]\n"));
  EXPECT_EQ(At(Output(Run("last-words", R"({"tool":"echo"})")), "is_error"), Value(false));
}

TEST_F(McpStdioServer, FailsWithAToolThatFails) {
  TaskFailure failure = Failure(Run("plain", R"({"tool":"fail"})"));
  EXPECT_EQ(failure.kind, "mcp_tool");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(failure.message, "Expected the tool fail to succeed but found: the cup is empty");
  EXPECT_EQ(At(failure.details.value(), "text"), Value("the cup is empty"));
  EXPECT_TRUE(Failure(Run("plain", R"({"tool":"fail","retry_tool_errors":true})")).retryable);
}

TEST_F(McpStdioServer, FailsWithAnErrorOfTheProtocol) {
  TaskFailure failure = Failure(Run("plain", R"({"tool":"nothing"})"));
  EXPECT_EQ(failure.kind, "mcp_protocol");
  EXPECT_FALSE(failure.retryable) << "the request itself is wrong";
  EXPECT_EQ(failure.message,
            "Expected a result of tools/call but found the error -32602: unknown tool nothing");
  EXPECT_EQ(At(failure.details.value(), "code"), Value(-32602));
  EXPECT_TRUE(Failure(Run("plain", R"({"tool":"busy"})")).retryable);
  EXPECT_THAT(Failure(Run("plain", R"({"tool":"bare"})")).message, HasSubstr("`content`"));
}

TEST_F(McpStdioServer, ShowsNoSecretThatLiesOnTheEndOfASentence) {
  TaskRequest request = Attempt(Config("plain", "{}"));
  request.config.as_object().Set("tool", std::string(283, 'x') + "hunter2!");
  request.secrets = {"hunter2!"};
  EXPECT_THAT(Failure(Start(std::move(request))).message, testing::EndsWith("xxx***"));
}

TEST_F(McpStdioServer, MayNotSayWhatIsNoMessage) {
  TaskFailure failure = FailureOf("garbage");
  EXPECT_EQ(failure.kind, "mcp_protocol");
  EXPECT_EQ(failure.message, "Expected a JSON-RPC 2.0 message but found \"Welcome to my server!\"");
  EXPECT_TRUE(IsGone());
  EXPECT_EQ(FailureOf("alien-json").kind, "mcp_protocol");
}

TEST_F(McpStdioServer, FailsWithAServerThatDies) {
  TaskFailure failure = FailureOf("dies");
  EXPECT_EQ(failure.kind, "mcp_server");
  EXPECT_TRUE(failure.retryable);
  EXPECT_EQ(failure.message,
            "Expected an answer but the server ended with exit code 3: out of tea");
  EXPECT_EQ(At(failure.details.value(), "exit_code"), Value(3));
}

TEST_F(McpStdioServer, MayNotSendALineWithoutEnd) {
  options_.limits.input_grace_us = 0;
  TaskFailure failure = FailureOf("huge");
  EXPECT_EQ(failure.kind, "output_limit");
  EXPECT_THAT(failure.message, HasSubstr("at most 8388608 bytes"));
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, MayNotAskForEverWithoutReadingTheAnswers) {
  options_.limits.max_message_bytes = 100'000;
  options_.limits.input_grace_us = 0;
  TaskFailure failure = FailureOf("floods");
  EXPECT_EQ(failure.kind, "mcp_server");
  EXPECT_THAT(failure.message, HasSubstr("the server to read its messages"));
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, IsLeftWhenItsTimeIsOver) {
  // A timeout that comes before the server was asked says nothing.
  for (int s = 1; s < 60 && !Notes().contains("tools/call"); s *= 4) {
    place_.Write("notes", "");
    TaskFailure failure =
        Failure(Run("plain", fmt::format(R"({{"tool":"hang","timeout":"{}s"}})", s)));
    EXPECT_EQ(failure.kind, "timeout");
    EXPECT_TRUE(failure.retryable);
    EXPECT_EQ(failure.message,
              fmt::format("Expected the server's answer within {} s but found none", s));
    EXPECT_TRUE(IsGone());
  }
  EXPECT_THAT(Notes(), HasSubstr("notifications/cancelled"));
}

TEST_F(McpStdioServer, IsToldWhenACallIsCancelled) {
  CancelWhenNoted(Attempt(Config("plain", R"({"tool":"hang"})")), "tools/call");
  std::vector<std::string> lines = NotedLines();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_THAT(Notes(), HasSubstr("notifications/cancelled"));
  EXPECT_THAT(Notes(), HasSubstr(R"("requestId":2)"));
  EXPECT_EQ(lines.back(), "end of input");
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, IsAskedByASignalAndThenKilled) {
  options_.limits.input_grace_us = 10'000;
  options_.limits.kill_grace_us = 10'000;
  CancelWhenNoted(Attempt(Config("stubborn", R"({"tool":"hang"})")), "tools/call");
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, EndsWithTheExecutor) {
  auto executor = MakeMcpExecutor(loop_.get(), client_, options_);
  executor->Start(Attempt(Config("plain", R"({"tool":"hang"})")),
                  [](TaskResult) { ADD_FAILURE() << "it answered"; });
  WaitUntilNoted("tools/call");
  executor.reset();
  EXPECT_TRUE(IsGone());
}

TEST_F(McpStdioServer, HasToBeThere) {
  TaskFailure failure =
      Failure(Start(Attempt(Json(R"({"command":"no-such-program","tool":"a"})"))));
  EXPECT_EQ(failure.kind, "unavailable");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(failure.message, "Expected the program no-such-program on PATH but found none");
  failure = Failure(Start(Attempt(Json(R"({"command":"python3 server.py","tool":"a"})"))));
  EXPECT_THAT(failure.message, HasSubstr("its arguments belong in `args`"));
  failure = Failure(Start(Attempt(Json(R"({"command":"./server","tool":"a"})"))));
  EXPECT_EQ(failure.message, "Expected the program ./server at its place but found none");
}

TEST_F(McpStdioServer, ShowsFaultsOfItsConfigurationBeforeAnythingRuns) {
  auto executor = MakeMcpExecutor(loop_.get(), client_, options_);
  EXPECT_THAT(executor->CheckConfig(Json(R"({"command":"a"})")),
              ElementsAre("Expected `tool` but found none"));
  EXPECT_EQ(Failure(Run("plain", "{}")).kind, "config");
}

}  // namespace
}  // namespace stele::tasks
