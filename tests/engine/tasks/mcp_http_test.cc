// Conversations with an MCP server at an address.
#include <fmt/format.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mcp_fixture.h"

namespace stele::tasks {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// The test server in a process of its own, which ends with this.
class ServerProcess {
 public:
  ServerProcess(const std::string& mode, const std::string& notes) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      dup2(ends[1], STDOUT_FILENO);
      close(ends[0]);
      std::string file = McpServerFile();
      execlp("python3", "python3", file.c_str(), "http", mode.c_str(), notes.c_str(), nullptr);
      _exit(127);
    }
    close(ends[1]);
    FILE* output = fdopen(ends[0], "r");
    EXPECT_EQ(fscanf(output, "%d", &port_), 1);
    fclose(output);
  }
  ~ServerProcess() {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/mcp"; }

 private:
  pid_t pid_ = 0;
  int port_ = 0;
};

class McpHttpServer : public Mcp {
 protected:
  TaskRequest RequestTo(const ServerProcess& server, std::string_view config) {
    Value with_url = Json(config);
    with_url.as_object().Set("url", server.url());
    return Attempt(std::move(with_url));
  }
  TaskResult Run(const std::string& mode, std::string_view config) {
    ServerProcess server(mode, place_.path() + "/notes");
    return Start(RequestTo(server, config));
  }
  TaskFailure FailureOf(const std::string& mode) {
    return Failure(Run(mode, R"({"tool":"echo"})"));
  }
};

TEST_F(McpHttpServer, CallsAToolAndReadsJson) {
  Value output = Output(Run("json", R"({"tool":"echo","arguments":{"a":1}})"));
  EXPECT_EQ(At(output, "structured"), Json(R"({"a":1})"));
  EXPECT_EQ(At(output, "text"), Value("first\n{\"a\": 1}"));
}

TEST_F(McpHttpServer, CallsAToolAndReadsAStreamOfEvents) {
  Value output = Output(Run("events", R"({"tool":"echo","arguments":{"a":1}})"));
  EXPECT_EQ(At(output, "structured"), Json(R"({"a":1})"));
}

TEST_F(McpHttpServer, HasASessionFromItsGreetingToItsEnd) {
  Output(Run("json", R"({"tool":"say","arguments":{"text":"x"},
                         "headers":{"Authorization":"Bearer secret-1"}})"));
  std::vector<std::string> lines = NotedLines();
  ASSERT_EQ(lines.size(), 4u);
  for (const std::string& line : lines) EXPECT_THAT(line, HasSubstr("Bearer secret-1"));
  EXPECT_THAT(lines[0], HasSubstr(R"("Accept": "application/json, text/event-stream")"));
  EXPECT_THAT(lines[0], HasSubstr(R"("Content-Type": "application/json")"));
  EXPECT_THAT(lines[0], Not(HasSubstr("Mcp-")));
  for (size_t i = 1; i < lines.size(); ++i) {
    EXPECT_THAT(lines[i], HasSubstr(R"("Mcp-Session-Id": "session-7")"));
    EXPECT_THAT(lines[i], HasSubstr(R"("Mcp-Protocol-Version": "2025-06-18")"));
  }
  EXPECT_THAT(lines[1], HasSubstr("notifications/initialized"));
  EXPECT_THAT(lines[2], HasSubstr("tools/call"));
  EXPECT_THAT(lines[3], StartsWith("DELETE "));
}

TEST_F(McpHttpServer, MayKeepNoSession) {
  Output(Run("free", R"({"tool":"say","arguments":{"text":"x"}})"));
  EXPECT_THAT(Notes(), Not(HasSubstr("Mcp-Session-Id")));
  EXPECT_THAT(Notes(), Not(HasSubstr("DELETE")));
}

TEST_F(McpHttpServer, MayRefuseToEndASession) {
  Output(Run("keeps", R"({"tool":"say","arguments":{"text":"x"}})"));
  EXPECT_THAT(NotedLines().back(), StartsWith("DELETE "));
}

TEST_F(McpHttpServer, IsAnsweredWhenItAsksInAStream) {
  TaskResult result = Run("events", R"({"tool":"ask"})");
  EXPECT_EQ(At(At(Output(result), "structured"), "answers"), Json("[{},-32601,-32601]"));
  EXPECT_THAT(result.log.text, HasSubstr("[warning] kitchen: it gets hot\n"));
}

TEST_F(McpHttpServer, NeedNotEndTheStreamBehindItsAnswer) {
  ServerProcess server("open", place_.path() + "/notes");
  // The first request's stream stays open as well.
  EXPECT_EQ(
      At(Output(Start(RequestTo(server, R"({"tool":"say","arguments":{"text":"x"}})"))), "text"),
      Value("x"));
}

TEST_F(McpHttpServer, ListsItsTools) {
  Value output = Output(Run("events", R"({"action":"list_tools"})"));
  EXPECT_EQ(At(output, "tools").as_array().size(), 4u);
}

TEST_F(McpHttpServer, FailsWithAToolThatFails) {
  EXPECT_EQ(Failure(Run("events", R"({"tool":"fail"})")).kind, "mcp_tool");
}

TEST_F(McpHttpServer, FailsWithTheStatusOfARefusal) {
  TaskFailure failure = FailureOf("refuses");
  EXPECT_EQ(failure.kind, "http_status");
  EXPECT_FALSE(failure.retryable);
  EXPECT_EQ(At(failure.details.value(), "status"), Value(401));
  EXPECT_EQ(At(failure.details.value(), "body"), Value(R"({"error":"no token"})"));
}

TEST_F(McpHttpServer, MaySayInTheProtocolWhatItRefuses) {
  TaskFailure failure = FailureOf("refuses-in-protocol");
  EXPECT_EQ(failure.kind, "mcp_protocol");
  EXPECT_THAT(failure.message, HasSubstr("-32600: no such protocol"));
}

TEST_F(McpHttpServer, IsNotFollowedElsewhere) {
  TaskFailure failure = FailureOf("moved");
  EXPECT_EQ(failure.kind, "http_status");
  EXPECT_EQ(At(failure.details.value(), "status"), Value(307));
}

TEST_F(McpHttpServer, MayForgetASession) {
  TaskFailure failure = FailureOf("forgets");
  EXPECT_EQ(failure.kind, "http_status");
  EXPECT_TRUE(failure.retryable) << "the next attempt has a session of its own";
  EXPECT_THAT(failure.message, HasSubstr("the session has ended"));
}

TEST_F(McpHttpServer, MayNotEndAStreamWithoutAnAnswer) {
  TaskFailure failure = FailureOf("ends-early");
  EXPECT_EQ(failure.kind, "mcp_server");
  EXPECT_TRUE(failure.retryable);
  EXPECT_THAT(failure.message, HasSubstr("an answer to tools/call"));
}

TEST_F(McpHttpServer, MayNotSayWhatIsNoMessage) {
  TaskFailure failure = FailureOf("garbage");
  EXPECT_EQ(failure.kind, "mcp_protocol");
  EXPECT_THAT(failure.message, HasSubstr("<html>hello</html>"));
}

TEST_F(McpHttpServer, MayNotSendAnEventWithoutEnd) {
  EXPECT_EQ(FailureOf("huge").kind, "output_limit");
}

TEST_F(McpHttpServer, LowersItsLimitByItsConfiguration) {
  ServerProcess server("events", place_.path() + "/notes");
  std::string text(5000, 'a');
  TaskRequest request = RequestTo(server, R"({"tool":"say","max_response_bytes":4000})");
  request.config.as_object().Set("arguments", Object{{"text", text}});
  EXPECT_EQ(Failure(Start(std::move(request))).kind, "output_limit");
}

TEST_F(McpHttpServer, MayNotAskForMoreAnswersThanItTakes) {
  options_.limits.max_message_bytes = 20'000;
  TaskFailure failure = Failure(Run("events", R"({"tool":"pester"})"));
  EXPECT_EQ(failure.kind, "mcp_server");
  EXPECT_THAT(failure.message, HasSubstr("it asks for more than it takes"));
}

TEST_F(McpHttpServer, IsLeftWhenItsTimeIsOver) {
  // A timeout that comes before the server was asked says nothing.
  for (int s = 1; s < 60 && !Notes().contains("tools/call"); s *= 4) {
    TaskFailure failure =
        Failure(Run("events", fmt::format(R"({{"tool":"hang","timeout":"{}s"}})", s)));
    EXPECT_EQ(failure.kind, "timeout");
    EXPECT_EQ(failure.message,
              fmt::format("Expected the server's answer within {} s but found none", s));
  }
  EXPECT_THAT(Notes(), HasSubstr("notifications/cancelled"));
}

TEST_F(McpHttpServer, IsToldWhenACallIsCancelled) {
  ServerProcess server("events", place_.path() + "/notes");
  CancelWhenNoted(RequestTo(server, R"({"tool":"hang"})"), "tools/call");
  EXPECT_THAT(Notes(), HasSubstr("notifications/cancelled"));
  EXPECT_THAT(NotedLines().back(), StartsWith("DELETE "));
}

TEST_F(McpHttpServer, HasToBeThere) {
  std::string url;
  {
    ServerProcess server("json", place_.path() + "/notes");
    url = server.url();
  }
  Value config = Object{{"url", url}, {"tool", "echo"}};
  EXPECT_EQ(Failure(Start(Attempt(config))).kind, "connect");
}

TEST_F(McpHttpServer, ShowsNoCredentials) {
  ServerProcess server("events", place_.path() + "/notes");
  TaskRequest request = RequestTo(
      server, R"({"tool":"say","arguments":{"text":"token-77"},"auth":{"bearer":"token-77"}})");
  TaskResult result = Start(std::move(request));
  EXPECT_EQ(At(Output(result), "text"), Value("***"));
  EXPECT_THAT(Notes(), HasSubstr("Bearer token-77"));
}

TEST_F(McpHttpServer, IsLetGoOfWithTheExecutor) {
  ServerProcess server("events", place_.path() + "/notes");
  auto executor = MakeMcpExecutor(loop_.get(), client_, options_);
  executor->Start(RequestTo(server, R"({"tool":"hang"})"),
                  [](TaskResult) { ADD_FAILURE() << "it answered"; });
  WaitUntilNoted("tools/call");
  executor.reset();
}

}  // namespace
}  // namespace stele::tasks
